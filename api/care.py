"""Periodic care: jobs of dead workers are taken over, forgotten work gets a job, whoever waits for
a person in vain is told, what was agreed is watched, bank statements in the watched folder are
taken, words of messages are listed, the overview's figures are gathered, and what has done its work
is removed."""

from datetime import UTC, datetime

import structlog
from procrastinate import exceptions
from procrastinate.jobs import Status
from sqlalchemy import exists, func, or_, select

from api import desk_care, handoff_care, overview, removal, statements_folder, watch, word_care
from api.queue import UPKEEP_PRIORITY, current, later, queue, raise_what_is_due
from api.uploads import QUEUE as UPLOADS
from storage.tables import Conversation, Message

log = structlog.get_logger()

STALLED_SECONDS = 3
OVERDUE_SECONDS = 180
UPLOAD_SECONDS_MAX = 3600
"""A large file takes longer to read than anything else that a job does."""
SWEEP_AFTER_SECONDS = 30


@queue.periodic(cron="* * * * * */2")
@queue.task(name="care", queueing_lock="care", priority=UPKEEP_PRIORITY)
async def care(timestamp: int) -> None:
    """Take over the jobs of workers whose heart has stopped, and raise what is due."""
    async with current().parts.database.operator() as session:
        await raise_what_is_due(session)
    manager = current().app.job_manager
    stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
    # A job whose end could not be written stays "doing" under a living worker.
    overdue = [
        job
        for job in await manager.get_stalled_jobs(nb_seconds=OVERDUE_SECONDS)
        if job.queue != UPLOADS
    ]
    overdue += await manager.get_stalled_jobs(nb_seconds=UPLOAD_SECONDS_MAX, queue=UPLOADS)
    for job in {job.id: job for job in (*stalled, *overdue)}.values():
        log.warning("job_taken_over", task=job.task_name)
        try:
            await manager.retry_job(job)
        except exceptions.UniqueViolation:
            # Another job for the same conversation waits already and will do the same work.
            await manager.finish_job(job, Status.FAILED, delete_job=True)
        except exceptions.ConnectorException as error:
            log.warning("job_not_taken_over", task=job.task_name, error=type(error).__name__)


@queue.periodic(cron="* * * * * */15")
@queue.task(name="sweep", queueing_lock="sweep", priority=UPKEEP_PRIORITY)
async def sweep(timestamp: int) -> None:
    """A second net: conversations with open work that no job stands for get one."""
    parts = current().parts
    before = datetime.fromtimestamp(timestamp - SWEEP_AFTER_SECONDS, UTC) + parts.clock.offset()
    open_in = exists().where(
        Message.conversation_id == Conversation.id,
        Message.direction == "in",
        Message.handled_at.is_(None),
        Message.created_at < before,
    )
    open_out = exists().where(
        Message.conversation_id == Conversation.id,
        Message.direction == "out",
        Message.status.in_(("queued", "sending")),
        Message.created_at < before,
    )
    async with parts.database.operator() as session:
        found = (
            await session.execute(
                select(Conversation.merchant_id, Conversation.id)
                .where(or_(open_in, open_out))
                .order_by(func.random())  # none of very many waits for ever
                .limit(500)
            )
        ).all()
    for merchant_id, conversation_id in found:
        await later("turn", merchant_id, conversation_id, 0)


@queue.periodic(cron="* * * * *")
@queue.task(name="handoffs", queueing_lock="handoffs", priority=UPKEEP_PRIORITY)
async def handoffs(timestamp: int) -> None:
    """Notice handoffs that nobody took by the promised time, and answers that nobody read."""
    worker = current()
    parts = worker.parts
    now = parts.clock.now()
    for conversation_id in await handoff_care.look(parts.database, worker.app, now):
        log.info("customer_told_of_delay", conversation=conversation_id)
    for conversation_id in await handoff_care.tell_of_answers(
        parts.database, worker.app, parts.public_url, now
    ):
        log.info("customer_told_of_answer", conversation=conversation_id)


@queue.periodic(cron="* * * * * */5")
@queue.task(name="desk", queueing_lock="desk", priority=UPKEEP_PRIORITY)
async def desk(timestamp: int) -> None:
    """Give out what waits for teams that share their work in turn."""
    parts = current().parts
    for merchant_id, conversation_id in await desk_care.give_out(parts.database, parts.clock.now()):
        await parts.events.changed(merchant_id, conversation_id)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="agreements", queueing_lock="agreements")
async def agreements(timestamp: int) -> None:
    """Watch what was agreed until it is kept."""
    worker = current()
    await watch.look_at_all(worker.parts, worker.app)


@queue.periodic(cron="* * * * * */3")
@queue.task(name="words", queueing_lock="words", priority=UPKEEP_PRIORITY)
async def words(timestamp: int) -> None:
    """List the words of new messages."""
    await word_care.list_all(current().parts.database)


@queue.periodic(cron="*/5 * * * *")
@queue.task(name="overview", queueing_lock="overview")
async def gather_overview(timestamp: int) -> None:
    """Gather the figures of the console's overview."""
    parts = current().parts
    await overview.refresh_all(parts.database, parts.clock.now())


@queue.periodic(cron="17 * * * *")
@queue.task(name="removal", lock="removal", queueing_lock="removal")
async def remove_old(timestamp: int) -> None:
    """Remove what is past its time."""
    parts = current().parts
    removed = await removal.remove(parts.database, parts.clock.now())
    if any(removed.values()):
        log.info("old_rows_removed", **{name: count for name, count in removed.items() if count})


@queue.periodic(cron="* * * * *")
@queue.task(name="statements", lock="statements", queueing_lock="statements")
async def statements(timestamp: int) -> None:
    """Take the bank statements that lie in the watched folder."""
    parts = current().parts
    folder = parts.settings.statements_dir
    if folder is None:
        return
    if not folder.is_dir():
        log.warning("statements_folder_missing", folder=str(folder))
        return
    await statements_folder.take_folder(parts.database, parts.clock, folder)

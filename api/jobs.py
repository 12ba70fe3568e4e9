"""The jobs: Procrastinate on PostgreSQL runs them, each step in here is one transaction.

One job is "handle this conversation": it works off the conversation's unhandled messages in order
and sends what the outbox holds. ``lock`` keeps the jobs of a conversation one after the other,
``queueing_lock`` lets at most one wait. A job never raises: a raised job would be put back under
its queueing lock, where another may wait already; it defers its own continuation instead.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime

import procrastinate
import structlog
from procrastinate import exceptions
from procrastinate.jobs import Status
from psycopg import InterfaceError, OperationalError
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from api.limits import WAIT_SECONDS
from api.outreach_check import still_allowed
from api.wiring import Parts
from channels.message import (
    ContactStopped,
    GiveUp,
    Retry,
    SendError,
    SendReceipt,
    Throttled,
    Uncertain,
    Unsupported,
)
from conversation import delivery, turn
from conversation.engine import DialogueUnavailable, TurnFailed
from conversation.identity import verified_now
from conversation.wording import DisclosureRefused
from storage.engine import libpq_dsn
from storage.tables import Conversation, Message

log = structlog.get_logger()

TURN_PRIORITY = 10
"""Above a deliver job: one that is scheduled for later, with the same lock and an earlier id,
would otherwise hold back a turn that could run now (Procrastinate fetches by priority, then id)."""
DELIVER_PRIORITY = 0
HEARTBEAT_SECONDS = 1
STALLED_SECONDS = 3
ENGINE_RETRY_SECONDS = 2
SWEEP_AFTER_SECONDS = 30
TEMPORARY_FAILURE = os.EX_TEMPFAIL
"""Exit code of a worker that lost its database; the supervisor starts a new one."""

queue = procrastinate.Blueprint()


@dataclass
class Worker:
    """What the jobs of this process work with; set once when the worker starts."""

    parts: Parts
    app: procrastinate.App


_worker: Worker | None = None


def current() -> Worker:
    """The worker of this process."""
    if _worker is None:
        raise RuntimeError("jobs run in a worker process only")
    return _worker


def make_app(owner_parts: Parts, *, pool_size: int = 8) -> procrastinate.App:
    """A Procrastinate app on the operator role's connections."""
    dsn = libpq_dsn(owner_parts.database.urls.operator)
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=pool_size)
    app = procrastinate.App(connector=connector)
    app.add_tasks_from(queue, namespace="kulanz")
    return app


async def run_worker(parts: Parts, *, concurrency: int = 12) -> None:
    """Work until told to stop (SIGTERM, Ctrl-C)."""
    global _worker
    app = make_app(parts, pool_size=concurrency + 4)
    _worker = Worker(parts, app)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency,
            delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL,
            fetch_job_polling_interval=0.5,
            abort_job_polling_interval=60,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            shutdown_graceful_timeout=10,
        )


async def defer_turn(
    app: procrastinate.App, session: AsyncSession, merchant_id: int, conversation_id: int
) -> None:
    """Ask for the conversation to be handled, in the caller's transaction.

    The caller holds the conversation's lock: a waiting job that makes this one needless has not
    looked for messages yet.
    """
    await session.flush()
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    try:
        # The connection's own savepoint, set at once: the session's is set only when the session
        # itself next speaks, and without one the refused job would undo the caller's work.
        async with connection.begin_nested():
            await app.configure_task(
                "kulanz:turn",
                lock=f"conversation:{conversation_id}",
                queueing_lock=f"turn:{conversation_id}",
                priority=TURN_PRIORITY,
                connection=raw.driver_connection,
            ).defer_async(merchant_id=merchant_id, conversation_id=conversation_id)
    except exceptions.AlreadyEnqueued:
        return


async def _later(task: str, merchant_id: int, conversation_id: int, seconds: float) -> None:
    """Come back to a conversation in some seconds, unless that is planned already."""
    try:
        await (
            current()
            .app.configure_task(
                f"kulanz:{task}",
                lock=f"conversation:{conversation_id}",
                queueing_lock=f"{task}:{conversation_id}",
                priority=TURN_PRIORITY if task == "turn" else DELIVER_PRIORITY,
                schedule_in={"milliseconds": int(seconds * 1000)},
            )
            .defer_async(merchant_id=merchant_id, conversation_id=conversation_id)
        )
    except exceptions.AlreadyEnqueued:
        return


@queue.task(name="turn")
async def turn_job(merchant_id: int, conversation_id: int) -> None:
    """Handle all unhandled messages of a conversation, in order, and send the replies."""
    await _guarded("turn", merchant_id, conversation_id)


@queue.task(name="deliver")
async def deliver_job(merchant_id: int, conversation_id: int) -> None:
    """Send what the outbox of a conversation holds."""
    await _guarded("deliver", merchant_id, conversation_id)


async def _guarded(task: str, merchant_id: int, conversation_id: int) -> None:
    structlog.contextvars.bind_contextvars(conversation=conversation_id)
    try:
        if task == "turn":
            await _work_off(merchant_id, conversation_id)
        else:
            await _deliver(merchant_id, conversation_id)
    except DBAPIError as error:
        if isinstance(error.orig, OperationalError | InterfaceError):
            _leave(error)
        log.error("job_failed", task=task, error=type(error).__name__)
        await _later(task, merchant_id, conversation_id, 5)
    except (OperationalError, InterfaceError) as error:
        _leave(error)
    except Exception as error:
        log.error("job_failed", task=task, error=type(error).__name__, exc_info=error)
        await _later(task, merchant_id, conversation_id, 5)


def _leave(error: Exception) -> None:
    """The database is gone: end this process, so that nothing half done stays "doing" under a
    living worker. The supervisor starts a new one, the care task takes the jobs over."""
    log.warning("database_lost", error=type(error).__name__)
    os._exit(TEMPORARY_FAILURE)


async def _work_off(merchant_id: int, conversation_id: int) -> None:
    """Message by message: handle it, send the replies, until neither is left.

    The first reply is claimed in the transaction that writes it: one transaction less each turn.
    """
    parts = current().parts
    while True:
        now = parts.clock.now()
        claimed: delivery.Next = None
        async with parts.database.merchant(merchant_id) as session:
            step = await turn.next_unhandled(session, conversation_id, now)
            if not isinstance(step, turn.Pending):
                claimed = await _claim(session, conversation_id)
        if isinstance(step, turn.Pending):
            try:
                result = await parts.engine.run(step.request)
            except DialogueUnavailable as error:
                log.warning("engine_unavailable", reason=str(error))
                async with parts.database.merchant(merchant_id) as session:
                    await turn.note_stall(
                        session, conversation_id, step.message_id, parts.clock.now()
                    )
                await _later("turn", merchant_id, conversation_id, ENGINE_RETRY_SECONDS)
                await _deliver(merchant_id, conversation_id)
                return
            except TurnFailed as error:
                if not await _failed(merchant_id, conversation_id, step.message_id, error):
                    await _deliver(merchant_id, conversation_id)
                    return
                continue
            now = parts.clock.now()
            try:
                async with parts.database.merchant(merchant_id) as session:
                    verified = await verified_now(session, conversation_id, now)
                    await turn.store(
                        session, conversation_id, step.message_id, result, now, verified=verified
                    )
                    claimed = await _claim(session, conversation_id)
            except (LookupError, ValueError, DisclosureRefused) as error:
                if not await _failed(merchant_id, conversation_id, step.message_id, error):
                    await _deliver(merchant_id, conversation_id)
                    return
                continue
        await _send_all(merchant_id, conversation_id, claimed)
        if step is None:
            return
        await parts.events.changed(merchant_id, conversation_id)


async def _failed(
    merchant_id: int, conversation_id: int, message_id: int, error: Exception
) -> bool:
    """Count a failed turn; True when its message was given to a person."""
    log.error("turn_failed", message=message_id, error=type(error).__name__, reason=str(error))
    parts = current().parts
    async with parts.database.merchant(merchant_id) as session:
        wait = await turn.note_failure(session, conversation_id, message_id, parts.clock.now())
    if wait is not None:
        await _later("turn", merchant_id, conversation_id, wait)
    return wait is None


async def _claim(session: AsyncSession, conversation_id: int) -> delivery.Next:
    """Claim the next message of the outbox; nothing is sent before the caller has committed."""
    parts = current().parts
    return await delivery.claim_next(
        session,
        conversation_id,
        parts.clock.now(),
        callback_url=f"{parts.public_url}/webhooks/twilio/status",
        still_allowed=still_allowed,
    )


async def _deliver(merchant_id: int, conversation_id: int) -> None:
    """Send what the outbox of the conversation holds."""
    async with current().parts.database.merchant(merchant_id) as session:
        claimed = await _claim(session, conversation_id)
    await _send_all(merchant_id, conversation_id, claimed)


async def _send_all(merchant_id: int, conversation_id: int, claimed: delivery.Next) -> None:
    """Send the claimed message and all after it; one that has to wait holds back the later ones."""
    while claimed is not None:
        wait: float | None = None
        match claimed:
            case delivery.Skipped():
                log.info("message_not_sent", message=claimed.message_id, reason=claimed.reason)
            case delivery.InFlight():
                wait = claimed.seconds
            case delivery.LeftOver():
                wait = await _find(merchant_id, claimed)
            case delivery.ToSend():
                sent = await _send(claimed)
                async with current().parts.database.merchant(merchant_id) as session:
                    wait = await _note(session, claimed.message.outbox_id, sent)
                    if wait is None:
                        claimed = await _claim(session, conversation_id)
                        continue
        if wait is not None:
            await _later("deliver", merchant_id, conversation_id, wait)
            return
        async with current().parts.database.merchant(merchant_id) as session:
            claimed = await _claim(session, conversation_id)


async def _send(step: delivery.ToSend) -> SendReceipt | SendError:
    """Ask the provider, once."""
    parts = current().parts
    try:
        provider = await parts.providers.load(parts.database, step.channel_account_id)
        if not await parts.limits.free(step.message.channel, step.channel_account_id):
            return Throttled("our own limit", retry_after_seconds=WAIT_SECONDS)
        return await provider.send(step.message)
    except SendError as error:
        return error
    except LookupError:
        return GiveUp("no provider is configured for this channel account")


async def _note(
    session: AsyncSession, message_id: int, sent: SendReceipt | SendError
) -> float | None:
    """Keep what became of a send; return the seconds until the next try, None for no more."""
    now = current().parts.clock.now()
    if isinstance(sent, SendReceipt):
        await delivery.note_sent(session, message_id, sent, now)
        return None
    log.warning("send_error", message=message_id, error=sent.code, reason=str(sent))
    return await delivery.note_error(session, message_id, sent, now)


async def _find(merchant_id: int, step: delivery.LeftOver) -> float | None:
    """Ask the provider about a message whose process died while sending it."""
    parts = current().parts
    try:
        provider = await parts.providers.load(parts.database, step.channel_account_id)
        receipt = await provider.find_sent(step.message, step.claimed_at)
    except (Retry, Throttled) as error:
        return error.retry_after_seconds if isinstance(error, Throttled) else 10.0
    except (Unsupported, Uncertain, GiveUp, ContactStopped, LookupError):
        receipt = None
    message_id = step.message.outbox_id
    async with parts.database.merchant(merchant_id) as session:
        if receipt is not None and not await delivery.known_elsewhere(session, message_id, receipt):
            await delivery.note_sent(session, message_id, receipt, parts.clock.now())
        else:
            await delivery.note_unknown(session, message_id, parts.clock.now())
    return None


@queue.periodic(cron="* * * * * */2")
@queue.task(name="care", queueing_lock="care")
async def care(timestamp: int) -> None:
    """Take over the jobs of workers whose heart has stopped."""
    manager = current().app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        log.warning("job_taken_over", task=job.task_name)
        try:
            await manager.retry_job(job)
        except exceptions.ConnectorException:
            # Another job for the same conversation waits already and will do the same work.
            await manager.finish_job(job, Status.FAILED, delete_job=True)


@queue.periodic(cron="* * * * * */15")
@queue.task(name="sweep", queueing_lock="sweep")
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
                .limit(500)
            )
        ).all()
    for merchant_id, conversation_id in found:
        await _later("turn", merchant_id, conversation_id, 0)

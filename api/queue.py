"""The job queue: Procrastinate on PostgreSQL, its app, and how work is put into it.

One job is "handle this conversation": it works off the conversation's unhandled messages in order
and sends what the outbox holds. ``lock`` keeps the jobs of a conversation one after the other,
``queueing_lock`` lets at most one wait.
"""

from copy import copy
from dataclasses import dataclass
from typing import Any

import procrastinate
import psycopg
import psycopg_pool
from procrastinate import exceptions
from psycopg.errors import UniqueViolation
from sqlalchemy import Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from api.wiring import Parts
from conversation.moving import Wake
from storage.engine import libpq_dsn
from storage.statement import Statement

TURN_PRIORITY = 10
"""Above a deliver job: one that is scheduled for later, with the same lock and an earlier id,
would otherwise hold back a turn that could run now (Procrastinate fetches by priority, then id)."""
UPKEEP_PRIORITY = 20
"""Of what is short and done every few seconds: however many customers write at once, it goes on."""
DELIVER_PRIORITY = 0

_PUT_OFF_AND_DUE = text(
    "UPDATE procrastinate_jobs SET priority = :turn WHERE id IN ("
    "SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'kulanz:deliver' "
    "AND priority < :turn AND scheduled_at <= now() FOR UPDATE SKIP LOCKED)"
)

_DEFER = Statement(
    text(
        """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue, :task, :priority, :lock, :queueing_lock, :args, NULL
    )::procrastinate_job_to_defer_v1])
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_jobs WHERE queueing_lock = :queueing_lock AND status = 'todo'
    )
    """
    ).bindparams(
        *(bindparam(name, type_=Text) for name in ("queue", "task", "lock", "queueing_lock")),
        bindparam("priority", type_=Integer),
        bindparam("args", type_=JSONB),
    )
)
"""As Procrastinate's own client defers, but for a look at what waits in the same statement."""

queue = procrastinate.Blueprint()


class Overtaken(RuntimeError):
    """The job came in from elsewhere between our look and our own: the transaction is lost, and
    the same again will see that job.

    Rare, and cheaper than a savepoint around each job: to roll one back takes all prepared
    statements from the connection.
    """


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


def start_worker(worker: Worker) -> None:
    """Set the worker of this process."""
    global _worker
    _worker = worker


def make_app(parts: Parts, *, pool_size: int = 8, works: bool = False) -> procrastinate.App:
    """A Procrastinate app on the operator role's connections.

    One that `works` needs not wait until what it fetched or finished is on disk: every effect of a
    job has its own key should it run anew, and what no job stands for any more is swept up.
    """
    dsn = libpq_dsn(parts.database.urls.operator)
    connector = procrastinate.PsycopgConnector(
        conninfo=dsn,
        min_size=1,
        max_size=pool_size,
        configure=_not_waiting if works else _autocommit,
        pool_factory=_unasked_pool if works else psycopg_pool.AsyncConnectionPool,
    )
    app = procrastinate.App(connector=connector)
    app.add_tasks_from(copied(queue), namespace="kulanz")
    return app


def copied(tasks: procrastinate.Blueprint) -> procrastinate.Blueprint:
    """The same tasks for one app: adding them to it writes its namespace into their names."""
    own = procrastinate.Blueprint()
    own.tasks = {name: copy(task) for name, task in tasks.tasks.items()}
    for periodic in tasks.periodic_registry.periodic_tasks.values():
        own.periodic_registry.register_task(
            task=own.tasks[periodic.task.name],
            cron=periodic.cron,
            periodic_id=periodic.periodic_id,
            configure_kwargs=periodic.configure_kwargs,
        )
    return own


async def _autocommit(connection: psycopg.AsyncConnection[Any]) -> None:
    """Each command of the queue is one statement and needs no transaction around it."""
    await connection.set_autocommit(True)


async def _not_waiting(connection: psycopg.AsyncConnection[Any]) -> None:
    await _autocommit(connection)
    await connection.execute("SET synchronous_commit = off")


def _unasked_pool(**how: Any) -> psycopg_pool.AsyncConnectionPool:
    """A pool that does not ask before each use whether a connection still lives.

    A worker that has lost its database ends, and a new one is started.
    """
    return psycopg_pool.AsyncConnectionPool(**{**how, "check": None})


async def defer_turn(
    app: procrastinate.App, session: AsyncSession, merchant_id: int, conversation_id: int
) -> None:
    """Ask for the conversation to be handled, in the caller's transaction.

    The caller holds the conversation's lock: a waiting job that makes this one needless has not
    looked for messages yet. Raises Overtaken.
    """
    await _defer(app, session, "turn", merchant_id, conversation_id)


async def defer_delivery(
    app: procrastinate.App, session: AsyncSession, merchant_id: int, conversation_id: int
) -> None:
    """Ask for the outbox to be sent, in the caller's transaction, after what customers wait for.

    Raises Overtaken.
    """
    await _defer(app, session, "deliver", merchant_id, conversation_id)


async def defer_woken(
    app: procrastinate.App, session: AsyncSession, merchant_id: int, wake: Wake
) -> None:
    """Ask for what a message set off in other conversations, in the caller's transaction.

    Raises Overtaken.
    """
    for conversation_id in sorted(wake.turns):
        await defer_turn(app, session, merchant_id, conversation_id)
    for conversation_id in sorted(wake.deliveries - wake.turns):  # a turn sends as well
        await defer_delivery(app, session, merchant_id, conversation_id)


async def _defer(
    app: procrastinate.App,
    session: AsyncSession,
    task: str,
    merchant_id: int,
    conversation_id: int,
) -> None:
    job = _job(app, task, conversation_id).job
    try:
        await _DEFER.run(
            session,
            queue=job.queue,
            task=job.task_name,
            priority=job.priority,
            lock=job.lock,
            queueing_lock=job.queueing_lock,
            args={"merchant_id": merchant_id, "conversation_id": conversation_id},
        )
    except DBAPIError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise Overtaken("another process put the same job in at this moment") from error


async def raise_what_is_due(session: AsyncSession) -> None:
    """Let deliveries that were put off and are due now wait no longer than turns do.

    Before that they are below turns, so that they hold back none of their own conversation; for
    ever below them, they would not be sent while as many customers write as there are workers.
    """
    await session.execute(_PUT_OFF_AND_DUE, {"turn": TURN_PRIORITY})


async def later(task: str, merchant_id: int, conversation_id: int, seconds: float) -> None:
    """Come back to a conversation in some seconds, unless that is planned already."""
    delay = {"milliseconds": int(seconds * 1000)}
    try:
        await _job(current().app, task, conversation_id, schedule_in=delay).defer_async(
            merchant_id=merchant_id, conversation_id=conversation_id
        )
    except exceptions.AlreadyEnqueued:
        return


def _job(
    app: procrastinate.App, task: str, conversation_id: int, **how: Any
) -> procrastinate.jobs.JobDeferrer:
    return app.configure_task(
        f"kulanz:{task}",
        lock=f"conversation:{conversation_id}",
        queueing_lock=_queueing_lock(task, conversation_id),
        priority=TURN_PRIORITY if task == "turn" else DELIVER_PRIORITY,
        **how,
    )


def _queueing_lock(task: str, conversation_id: int) -> str:
    return f"{task}:{conversation_id}"

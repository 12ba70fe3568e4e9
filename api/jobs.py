"""The jobs of a conversation: handle its messages, send its outbox. Each step is a transaction.

A job never raises: a raised job would be put back under its queueing lock, where another may wait
already; it defers its own continuation instead.
"""

import asyncio
import os
from dataclasses import replace

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException
from psycopg import InterfaceError, OperationalError
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential_jitter

from api import care
from api.limits import WAIT_SECONDS
from api.outreach_check import still_allowed
from api.queue import Worker, current, later, make_app, queue, start_worker
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

log = structlog.get_logger()

HEARTBEAT_SECONDS = 1
ENGINE_RETRY_SECONDS = 2
TEMPORARY_FAILURE = os.EX_TEMPFAIL
"""Exit code of a worker that lost its database; the supervisor starts a new one."""
NOTE_SECONDS_MAX = 10
FIND_AGE_SECONDS_MAX = 600


async def run_worker(parts: Parts, *, concurrency: int = 12) -> None:
    """Work until told to stop (SIGTERM, Ctrl-C)."""
    app = make_app(parts, pool_size=concurrency + 4)
    start_worker(Worker(parts, app))
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency,
            delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL,
            fetch_job_polling_interval=0.5,
            abort_job_polling_interval=60,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=care.STALLED_SECONDS,
            shutdown_graceful_timeout=10,
        )


def is_lost(error: BaseException) -> bool:
    """Whether the database itself is gone, not just this statement refused."""
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated
    return isinstance(error, OperationalError | InterfaceError | exc.InterfaceError)


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
    except Exception as error:
        if is_lost(error) or isinstance(error, ConnectorException):
            await _leave(error)
        log.error("job_failed", task=task, error=type(error).__name__, exc_info=error)
        await later(task, merchant_id, conversation_id, 5)


_sending: set[int] = set()
"""Outbox messages between "asked the provider" and "noted its answer" in this process."""


async def _leave(error: Exception) -> None:
    """The database is gone: end this process, so that nothing half done stays "doing" under a
    living worker. The supervisor starts a new one, the care task takes the jobs over. Sends that
    are under way get the time to note their answers, else they would be unknown."""
    log.warning("database_lost", error=type(error).__name__)
    for _ in range(NOTE_SECONDS_MAX * 10):
        if not _sending:
            break
        await asyncio.sleep(0.1)
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
                await later("turn", merchant_id, conversation_id, ENGINE_RETRY_SECONDS)
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
                    await turn.store(session, conversation_id, step.message_id, result, now)
                    claimed = await _claim(session, conversation_id)
            except Exception as error:
                if is_lost(error):
                    raise
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
    # The texts of other errors may quote what they failed on.
    reason = str(error) if isinstance(error, TurnFailed) else ""
    log.error("turn_failed", message=message_id, error=type(error).__name__, reason=reason)
    parts = current().parts
    async with parts.database.merchant(merchant_id) as session:
        wait = await turn.note_failure(session, conversation_id, message_id, parts.clock.now())
    if wait is not None:
        await later("turn", merchant_id, conversation_id, wait)
    return wait is None


async def _claim(session: AsyncSession, conversation_id: int) -> delivery.Next:
    """Claim the next message of the outbox; nothing is sent before the caller has committed."""
    parts = current().parts
    return await delivery.claim_next(
        session,
        conversation_id,
        parts.clock.now(),
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
                message_id = claimed.message.outbox_id
                _sending.add(message_id)
                try:
                    sent = await _send(claimed)
                    wait, claimed = await _note(merchant_id, conversation_id, message_id, sent)
                finally:
                    _sending.discard(message_id)
                if wait is None:
                    continue
        if wait is not None:
            await later("deliver", merchant_id, conversation_id, wait)
            return
        async with current().parts.database.merchant(merchant_id) as session:
            claimed = await _claim(session, conversation_id)


async def _send(step: delivery.ToSend) -> SendReceipt | SendError:
    """Ask the provider, once."""
    parts = current().parts
    message = step.message
    try:
        sender = await parts.providers.load(parts.database, step.channel_account_id)
        if not await parts.limits.free(message.channel, step.channel_account_id):
            return Throttled("our own limit", retry_after_seconds=WAIT_SECONDS)
        callback = f"{parts.public_url}{sender.callback_path}?outbox={message.outbox_id}"
        return await sender.provider.send(replace(message, status_callback_url=callback))
    except SendError as error:
        return error
    except LookupError:
        return GiveUp("no provider is configured for this channel account")


@retry(
    retry=retry_if_exception(is_lost),
    wait=wait_exponential_jitter(initial=0.1, max=1),
    stop=stop_after_delay(NOTE_SECONDS_MAX),
    reraise=True,
)
async def _note(
    merchant_id: int, conversation_id: int, message_id: int, sent: SendReceipt | SendError
) -> tuple[float | None, delivery.Next]:
    """Keep what became of a send: the seconds until the next try, or the next claimed message.

    A database that is just coming back is waited for: what the provider said is known only here.
    """
    now = current().parts.clock.now()
    async with current().parts.database.merchant(merchant_id) as session:
        if isinstance(sent, SendReceipt):
            await delivery.note_sent(session, message_id, sent, now)
        else:
            log.warning("send_error", message=message_id, error=sent.code, reason=str(sent))
            wait = await delivery.note_error(session, message_id, sent, now)
            if wait is not None:
                return wait, None
        return None, await _claim(session, conversation_id)


async def _find(merchant_id: int, step: delivery.LeftOver) -> float | None:
    """Ask the provider about a message whose process died while sending it."""
    parts = current().parts
    receipt: SendReceipt | None = None
    try:
        sender = await parts.providers.load(parts.database, step.channel_account_id)
        receipt = await sender.provider.find_sent(step.message, step.claimed_at)
    except (Retry, Throttled) as error:
        waited = (parts.clock.now() - step.claimed_at).total_seconds()
        if waited < FIND_AGE_SECONDS_MAX:
            return error.retry_after_seconds if isinstance(error, Throttled) else 10.0
    except (Unsupported, Uncertain, GiveUp, ContactStopped, LookupError):
        pass  # nobody can say
    message_id = step.message.outbox_id
    async with parts.database.merchant(merchant_id) as session:
        if receipt is not None and not await delivery.known_elsewhere(session, message_id, receipt):
            await delivery.note_sent(session, message_id, receipt, parts.clock.now())
        else:
            await delivery.note_unknown(session, message_id, parts.clock.now())
    return None

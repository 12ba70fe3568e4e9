"""The jobs of a conversation: handle its messages, send its outbox. Each step is a transaction.

A job never raises: a raised job would be put back under its queueing lock, where another may wait
already; it defers its own continuation instead.
"""

import asyncio
import os
from dataclasses import dataclass, replace
from datetime import datetime

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException
from psycopg import InterfaceError, OperationalError
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential_jitter

import api.merchant_events.jobs
import api.upload_jobs  # noqa: F401 - both put their tasks into the queue
from api import care
from api.events import CHANGED, MESSAGE
from api.limits import WAIT_SECONDS
from api.outreach_check import still_allowed
from api.queue import Worker, current, defer_woken, later, make_app, queue, start_worker
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
from conversation import delivery, held_back, stalled, turn
from conversation.engine import DialogueUnavailable, TurnFailed
from conversation.inbox import FOR_AGENT
from conversation.look import look
from storage.engine import wait_for_disk

log = structlog.get_logger()

HEARTBEAT_SECONDS = 1
ENGINE_RETRY_SECONDS = 2
TEMPORARY_FAILURE = os.EX_TEMPFAIL
"""Exit code of a worker that lost its database; the supervisor starts a new one."""
NOTE_SECONDS_MAX = 10
FIND_AGE_SECONDS_MAX = 600


async def run_worker(parts: Parts, *, concurrency: int = 12) -> None:
    """Work until told to stop (SIGTERM, Ctrl-C)."""
    app = make_app(parts, pool_size=concurrency + 4, works=True)
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
        await _work_off(merchant_id, conversation_id, handle=task == "turn")
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


@dataclass(frozen=True)
class Sent:
    """What a provider answered to a message, not noted yet."""

    message_id: int
    answer: SendReceipt | SendError


@dataclass(frozen=True)
class Found:
    """What comes next in a conversation: something to send, else a message that was taken."""

    wait: float | None
    """Seconds until the outbox can go on; it holds back all that comes later."""
    claimed: delivery.Next
    taken: turn.Pending | turn.Settled | None


async def _work_off(merchant_id: int, conversation_id: int, *, handle: bool) -> None:
    """Send what the outbox holds, then with `handle` the next message, until neither is left.

    Few transactions, they are what a turn costs: a turn's first reply is claimed where it is
    written, and what became of a send is noted where the next step is looked for.
    """
    parts = current().parts
    sent: Sent | None = None
    send = True
    news: str | None = None
    """What there is to tell those who watch."""
    while True:
        found = await _noted(merchant_id, conversation_id, sent, send=send, handle=handle)
        if sent is not None:
            news = news or MESSAGE
        sent = None
        if found.wait is not None:
            await later("deliver", merchant_id, conversation_id, found.wait)
            send = False
        match found.claimed:
            case delivery.ToSend():
                sent = await _send(found.claimed)
                continue
            case delivery.LeftOver():
                wait = await _find(merchant_id, found.claimed)
                if wait is not None:
                    await later("deliver", merchant_id, conversation_id, wait)
                    send = False
                continue
            case delivery.Skipped(message_id, reason):
                log.info("message_not_sent", message=message_id, reason=reason)
                news = news or MESSAGE
                continue
        if news is not None:
            await parts.events.changed(merchant_id, conversation_id, kind=news)
            news = None
        if found.taken is None:
            return
        if not (isinstance(found.taken, turn.Settled) and found.taken.outcome == FOR_AGENT):
            news = CHANGED  # a person who has it was told when it came
        if isinstance(found.taken, turn.Pending):
            handle, first = await _answer(merchant_id, conversation_id, found.taken)
            if first is not None:
                sent = await _send(first)


async def _answer(
    merchant_id: int, conversation_id: int, taken: turn.Pending
) -> tuple[bool, delivery.ToSend | None]:
    """Have the engine answer a message: whether the next one may follow, and the first reply."""
    parts = current().parts
    try:
        result = await parts.engine.run(taken.request)
    except DialogueUnavailable as error:
        log.warning("engine_unavailable", reason=str(error))
        async with parts.database.conversation(merchant_id, conversation_id) as session:
            await stalled.note_stall(session, conversation_id, taken.message_id, parts.clock.now())
        await later("turn", merchant_id, conversation_id, ENGINE_RETRY_SECONDS)
        return False, None
    except TurnFailed as error:
        return await _failed(merchant_id, conversation_id, taken.message_id, error), None
    try:
        async with parts.database.conversation(merchant_id, conversation_id) as session:
            now = parts.clock.now()
            stored = await turn.store(
                session,
                conversation_id,
                taken.message_id,
                result,
                now,
                public_url=parts.public_url,
            )
    except Exception as error:
        if is_lost(error):
            raise
        return await _failed(merchant_id, conversation_id, taken.message_id, error), None
    return True, stored.first if stored is not None else None


async def _failed(
    merchant_id: int, conversation_id: int, message_id: int, error: Exception
) -> bool:
    """Count a failed turn; True when its message was given to a person."""
    # The texts of other errors may quote what they failed on.
    reason = str(error) if isinstance(error, TurnFailed) else ""
    log.error("turn_failed", message=message_id, error=type(error).__name__, reason=reason)
    parts = current().parts
    async with parts.database.merchant(merchant_id) as session:
        wait = await stalled.note_failure(session, conversation_id, message_id, parts.clock.now())
    if wait is not None:
        await later("turn", merchant_id, conversation_id, wait)
    return wait is None


async def _send(step: delivery.ToSend) -> Sent:
    """Ask the provider, once. `_noted` has to follow."""
    parts = current().parts
    message = step.message
    answer: SendReceipt | SendError
    _sending.add(message.outbox_id)
    try:
        sender = await parts.providers.load(parts.database, step.channel_account_id)
        if await parts.limits.free(message.channel, step.channel_account_id):
            callback = f"{parts.public_url}{sender.callback_path}?outbox={message.outbox_id}"
            answer = await sender.provider.send(replace(message, status_callback_url=callback))
        else:
            answer = Throttled("our own limit", retry_after_seconds=WAIT_SECONDS)
    except SendError as error:
        answer = error
    except LookupError:
        answer = GiveUp("no provider is configured for this channel account")
    except BaseException:
        _sending.discard(message.outbox_id)
        raise
    return Sent(message.outbox_id, answer)


async def _noted(
    merchant_id: int, conversation_id: int, sent: Sent | None, *, send: bool, handle: bool
) -> Found:
    """Note what became of a send, and look for what comes next."""
    if sent is None:
        return await _next(merchant_id, conversation_id, None, send=send, handle=handle)
    try:
        return await _patiently_next(merchant_id, conversation_id, sent, send=send, handle=handle)
    except Exception as error:
        if not is_lost(error):
            # What comes next went wrong; the provider's answer must not be lost with it.
            parts = current().parts
            async with parts.database.merchant(merchant_id) as session:
                await _note(session, sent, parts.clock.now())
        raise
    finally:
        _sending.discard(sent.message_id)


@retry(
    retry=retry_if_exception(is_lost),
    wait=wait_exponential_jitter(multiplier=0.1, max=1),
    stop=stop_after_delay(NOTE_SECONDS_MAX),
    reraise=True,
)
async def _patiently_next(
    merchant_id: int, conversation_id: int, sent: Sent, *, send: bool, handle: bool
) -> Found:
    """A database that is just coming back is waited for: what the provider said is known only
    here."""
    return await _next(merchant_id, conversation_id, sent, send=send, handle=handle)


async def _next(
    merchant_id: int, conversation_id: int, sent: Sent | None, *, send: bool, handle: bool
) -> Found:
    parts = current().parts
    wait: float | None = None
    claimed: delivery.Next = None
    taken: turn.Pending | turn.Settled | None = None
    async with parts.database.conversation(
        merchant_id, conversation_id, waits_for_disk=sent is not None
    ) as session:
        now = parts.clock.now()
        if sent is not None:
            wait = await _note(session, sent, now)
        seen = await look(session, conversation_id, now)
        if seen.unsent and send and wait is None:
            claimed = await delivery.claim_next(
                session, conversation_id, now, still_allowed=still_allowed
            )
            if isinstance(claimed, delivery.ToSend):
                await wait_for_disk(session)
            if isinstance(claimed, delivery.Skipped) and claimed.reason == delivery.UNPROVED:
                await held_back.tell(session, conversation_id, now)
        if isinstance(claimed, delivery.InFlight):
            wait, claimed = claimed.seconds, None
        if claimed is None and handle:
            taken = await turn.next_unhandled(session, seen, now, may_guess=parts.limits.may_guess)
            if taken is not None and taken.wake:
                await defer_woken(current().app, session, merchant_id, taken.wake)
    return Found(wait, claimed, taken)


async def _note(session: AsyncSession, sent: Sent, now: datetime) -> float | None:
    """Keep what became of a send: the seconds until its next try, if there is one."""
    if isinstance(sent.answer, SendReceipt):
        await delivery.note_sent(session, sent.message_id, sent.answer, now)
        return None
    error = sent.answer
    log.warning("send_error", message=sent.message_id, error=error.code, reason=str(error))
    return await delivery.note_error(session, sent.message_id, error, now)


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

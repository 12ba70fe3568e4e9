"""Turns that fail or wait: when they are tried again, when a person and the customer are told."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff import request_handoff
from conversation.look import lock
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Message

FAILED_ATTEMPTS_MAX = 5
GIVE_UP_AFTER = timedelta(minutes=2)
"""However often it failed: a part of ours that restarts must not cost a customer the answer."""
RETRY_SECONDS_MAX = 15
STALLED_AFTER = timedelta(minutes=1)


async def note_failure(
    session: AsyncSession, conversation_id: int, message_id: int, now: datetime
) -> float | None:
    """Count a failed turn; after FAILED_ATTEMPTS_MAX and GIVE_UP_AFTER a person gets the message.

    Returns the seconds to wait before the next try, or None when the message was given up and the
    conversation can go on with the next.
    """
    conversation = await lock(session, conversation_id)
    message = await _unhandled(session, message_id)
    if message is None:
        return None
    message.attempts += 1
    age = now - message.created_at
    if age >= STALLED_AFTER:
        await _tell_a_person(session, conversation, message, now)
    if message.attempts < FAILED_ATTEMPTS_MAX or age < GIVE_UP_AFTER:
        return float(min(2 ** (message.attempts - 1), RETRY_SECONDS_MAX))
    message.handled_at = now
    message.outcome = "bot_failed"
    return None


async def note_stall(
    session: AsyncSession, conversation_id: int, message_id: int, now: datetime
) -> None:
    """The engine does not answer: after a minute say so once, honestly, and tell a person.

    The message stays unhandled; it gets its answer when the engine is back.
    """
    conversation = await lock(session, conversation_id)
    message = await _unhandled(session, message_id)
    if message is None or conversation.stalled_notice_at is not None:
        return
    if now - message.created_at < STALLED_AFTER:
        return
    await _tell_a_person(session, conversation, message, now)


async def _tell_a_person(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> None:
    # Once, however many messages wait or fail; who has a person already needs no notice.
    if conversation.stalled_notice_at is None and conversation.state != "agent":
        # Not in reply to the message: its own answer may still come, under its own ordinals.
        held = await scene(session, conversation.id, message.id)
        notice = Reply("stalled_notice")
        await queue(session, held, held.speaker(verified=False), [notice], now, author="system")
        conversation.stalled_notice_at = now
    await request_handoff(
        session, conversation_id=conversation.id, reason="bot_failure", summary={}, now=now
    )


async def _unhandled(session: AsyncSession, message_id: int) -> Message | None:
    return await session.scalar(
        select(Message)
        .where(Message.id == message_id, Message.handled_at.is_(None))
        .execution_options(populate_existing=True)
    )

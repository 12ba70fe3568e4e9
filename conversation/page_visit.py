"""Visits to the page, and what is done there, told to the dialogue: its suggestion ends, and it
says so."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.masking import masked_storable
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Message, PageLink, PageSession, Turn

WORDS_MAX = 2000
"""Characters that a form takes."""
IDLE = timedelta(minutes=30)
LASTS = timedelta(hours=8)


def lives(now: datetime) -> ColumnElement[bool]:
    """Whether a visit goes on; it ends with its link as well, which is joined for it."""
    return (
        PageSession.ended_at.is_(None)
        & (PageSession.seen_at > now - IDLE)
        & (PageSession.created_at > now - LASTS)
        & PageLink.revoked_at.is_(None)
    )


async def is_visiting(session: AsyncSession, customer_id: int, now: datetime) -> bool:
    """Whether the customer is on their page."""
    found = exists().where(
        PageSession.customer_id == customer_id,
        PageLink.hash == PageSession.link_hash,
        lives(now),
    )
    return bool(await session.scalar(select(found)))


async def end_all(session: AsyncSession, customer_id: int, now: datetime) -> None:
    """End all visits to a customer's page; the link asks for a proof again."""
    await session.execute(
        update(PageSession)
        .where(PageSession.customer_id == customer_id, PageSession.ended_at.is_(None))
        .values(ended_at=now)
    )


async def withdraw_suggestion(session: AsyncSession, conversation: Conversation) -> None:
    """Nothing waits for a yes in the chat any more: its slots are newer than its turns.

    The caller holds the conversation's lock.
    """
    conversation.slots = {**conversation.slots, "offer": None, "awaiting": "none"}
    conversation.turns_before = await session.scalar(
        select(func.max(Turn.number)).where(Turn.conversation_id == conversation.id)
    )


async def say_noted(
    session: AsyncSession, conversation: Conversation, now: datetime, public_url: str
) -> bool:
    """Say in the chat that something was noted, without a fact of it; whether it was queued.

    Not where the customer wants no messages, and not into what a person is writing.
    """
    if conversation.opted_out_at is not None or conversation.state == "agent":
        return False
    await session.flush()
    held = await scene(session, conversation.id)
    speaker = held.speaker(verified=False)
    await queue(session, held, speaker, [Reply("page_noted")], now, public_url=public_url)
    return True


def keep_words(
    session: AsyncSession, conversation: Conversation, about: str, words: str, now: datetime
) -> None:
    """Put what a customer wrote into a form into the transcript, where a person reads it."""
    text = masked_storable(words.strip())[:WORDS_MAX]
    if not text:
        return
    session.add(
        Message(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="in",
            author="customer",
            kind="message",
            text=text,
            args={"page": about},
            handled_at=now,
            outcome="page_form",
            created_at=now,
        )
    )

"""What somebody does on their page, told to the dialogue: its suggestion ends, and it says so."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.masking import masked_storable
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Message, Turn

WORDS_MAX = 2000
"""Characters that a form takes."""


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

"""Files that customers sent: where the provider has them, and our copy of what was opened once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import Conversation, Message, MessageFile


@dataclass(frozen=True, slots=True)
class Attached:
    """One file of a message; `kept` is our copy, once somebody has opened it."""

    message_id: int
    position: int
    """Which of the message's attachments, from 0."""
    kind: str
    reference: str
    conversation_id: int
    customer_id: int | None
    channel_account_id: int
    kept: MessageFile | None


async def attached(session: AsyncSession, message_id: int, position: int) -> Attached | None:
    """The file at that place of a message of this merchant; None where there is none."""
    message = await session.get(Message, message_id)
    if message is None or not 0 <= position < len(message.attachments):
        return None
    told = message.attachments[position]
    if not told.get("reference"):
        return None
    conversation = await session.get_one(Conversation, message.conversation_id)
    return Attached(
        message_id=message_id,
        position=position,
        kind=told.get("kind") or "other",
        reference=told["reference"],
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        channel_account_id=message.channel_account_id,
        kept=await session.get(MessageFile, (message_id, position)),
    )


async def keep(
    session: AsyncSession,
    merchant_id: int,
    file: Attached,
    media_type: str,
    ending: str,
    content: bytes,
    now: datetime,
) -> None:
    """Keep a copy; whoever came first at the same time has it already."""
    copy = insert(MessageFile).values(
        merchant_id=merchant_id,
        message_id=file.message_id,
        position=file.position,
        media_type=media_type,
        ending=ending,
        content=content,
        fetched_at=now,
    )
    await session.execute(copy.on_conflict_do_nothing())

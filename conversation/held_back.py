"""Answers that were held back because the proof of identity had lapsed before they could leave."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.delivery import IS_UNSENT
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Message

NOTICE = "answer_held_back"


async def tell(session: AsyncSession, conversation_id: int, now: datetime) -> bool:
    """Tell the customer once that their answer came too late to be sent; True where it is queued.

    Nothing is said where the proof was taken back, or the address is nobody's or stopped.
    """
    conversation = await session.get_one(Conversation, conversation_id)
    gone = conversation.customer_id is None or conversation.verified_at is None
    if gone or conversation.opted_out_at is not None or conversation.state == "agent":
        return False
    told = await session.scalar(
        select(
            exists().where(
                Message.conversation_id == conversation_id, Message.wording == NOTICE, IS_UNSENT
            )
        )
    )
    if told:
        return False
    held = await scene(session, conversation_id)
    # By "system": a "yes" after it must not be taken to mean what was held back.
    await queue(session, held, held.speaker(verified=False), [Reply(NOTICE)], now, author="system")
    return True

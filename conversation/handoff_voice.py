"""Whether a person's words can be sent, and the notice that a person writes from here on."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.delivery import hindrance
from conversation.handoff_held import AddressOptedOut, Held, TemplateNeeded
from conversation.outbox import Scene, queue
from conversation.speaker import Reply
from storage.tables import Conversation, Handoff, Message


def refuse_unsendable(conversation: Conversation, now: datetime) -> None:
    """Refuse what cannot be sent on this channel now. Raises AddressOptedOut, TemplateNeeded."""
    if conversation.opted_out_at is not None:
        raise AddressOptedOut("the customer wants no messages at this address")
    if hindrance(conversation, now, template=None) is not None:
        raise TemplateNeeded("more than 24 hours since the customer's last message")


async def announce_person(session: AsyncSession, held: Held, where: Scene, now: datetime) -> None:
    """Say once for this handoff that a person writes from here on."""
    if await _has_written(session, held.handoff):
        return
    notice = Reply("agent_took_over")
    await queue(session, where, where.speaker(verified=False), [notice], now, author="system")


async def _has_written(session: AsyncSession, handoff: Handoff) -> bool:
    """Whether a person has written since this handoff was asked for."""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    Message.conversation_id == handoff.conversation_id,
                    Message.author == "agent",
                    Message.created_at >= handoff.requested_at,
                )
            )
        )
    )

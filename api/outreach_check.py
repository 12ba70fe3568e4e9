"""Ask outreach, right before a proactive message leaves, whether it still may."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from conversation.consent import is_stopped
from outreach.facts import STEP_OF_WORDING
from outreach.send_check import Refused
from outreach.send_check import still_allowed as outreach_allows
from storage.tables import Conversation, Message


async def still_allowed(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    """Return why the message must not go out now, or None."""
    if message.wording not in STEP_OF_WORDING:
        return "opted_out" if await is_stopped(session, conversation) else None
    if conversation.customer_id is None:
        return "no_customer"
    answer = await outreach_allows(
        session,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
        message_id=message.id,
        message_wording=message.wording,
        now=now,
    )
    return answer.reason.value if isinstance(answer, Refused) else None

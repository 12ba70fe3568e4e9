"""The automated assistant names itself (AI Act Art. 50(1)); what never arrived has named nobody."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import exists, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage.tables import Conversation, Message

INTRODUCING: Final = frozenset(
    {
        *("introduction", "first_contact", "first_reminder", "agreement_due", "agent_finished"),
        *("channel_code", "channel_arrived", "agreement_soon", "agreement_missed"),
        *("agreement_thanks", "agreement_settled", "agreement_repriced", "invoice_soon"),
        *("arrived_thanks", "came_back"),
    }
)
"""The wordings in which it does."""


async def take_back(session: AsyncSession, ended: Sequence[Message]) -> None:
    """Let it name itself again where these messages, which nobody got, were to do it.

    A conversation counts as introduced from the moment at which that message was queued. It is the
    first of those queued then, also where a text that it leads up to stands in the same message.
    """
    for message in ended:
        earlier = aliased(Message)
        await session.execute(
            update(Conversation)
            .where(
                Conversation.id == message.conversation_id,
                Conversation.introduced_at == message.created_at,
                ~exists().where(
                    earlier.conversation_id == message.conversation_id,
                    earlier.direction == "out",
                    earlier.created_at == message.created_at,
                    earlier.id < message.id,
                ),
            )
            .values(introduced_at=None)
        )

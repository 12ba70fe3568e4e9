"""The audit of a conversation: what happened in it, as codes and figures, never as texts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import AuditEvent, Conversation


def note(
    session: AsyncSession,
    conversation: Conversation,
    kind: str,
    now: datetime,
    facts: Mapping[str, Any],
    *,
    claim_id: int | None = None,
    person: str | None = None,
    person_id: int | None = None,
) -> None:
    """Keep that something happened in a conversation, with whom it is held; commits nothing.

    `person` and `person_id` name who of the merchant's people did it.
    """
    session.add(
        AuditEvent(
            merchant_id=conversation.merchant_id,
            kind=kind,
            at=now,
            person=person,
            person_id=person_id,
            customer_id=conversation.customer_id,
            claim_id=claim_id,
            conversation_id=conversation.id,
            facts=dict(facts),
        )
    )

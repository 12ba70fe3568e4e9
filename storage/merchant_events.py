"""What a merchant's own systems are told: an event is written in the transaction of its fact.

The fact and its event are committed together or not at all; nothing is sent here. What is
committed is numbered and posted by the worker.
"""

import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import MerchantEvent

Fact = str | int | list[dict[str, str | int]] | None
"""Codes, ISO dates, amounts in minor units; no names, addresses or words of a person."""


class EventKind(StrEnum):
    """Everything that is told; a new kind is added, none is ever renamed."""

    PAYMENT_RECEIVED = "payment.received"
    PAYMENT_RETURNED = "payment.returned"
    AGREEMENT_MADE = "agreement.made"
    AGREEMENT_KEPT = "agreement.kept"
    AGREEMENT_BROKEN = "agreement.broken"
    AGREEMENT_ADJUSTED = "agreement.adjusted"
    CLAIM_SETTLED = "claim.settled"
    DISPUTE_OPENED = "dispute.opened"
    CONTACT_STOPPED = "contact.stopped"
    HANDOFF_OPENED = "handoff.opened"


def record(
    session: AsyncSession,
    merchant_id: int,
    kind: EventKind,
    facts: dict[str, Fact],
    now: datetime,
    *,
    claim_id: int | None = None,
    customer_id: int | None = None,
    conversation_id: int | None = None,
) -> None:
    """Write an event into the caller's transaction.

    References (the claim's, the customer's number) are read from the ids when it is shown.
    """
    session.add(
        MerchantEvent(
            merchant_id=merchant_id,
            key=new_event_key(),
            kind=kind.value,
            at=now,
            claim_id=claim_id,
            customer_id=customer_id,
            conversation_id=conversation_id,
            facts=facts,
        )
    )


def new_event_key() -> str:
    """A name that no other event has, also not one of another service."""
    return f"evt_{secrets.token_hex(16)}"

"""An event as it is shown: the same over REST and in every delivery."""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import select

from storage.tables import Claim, Customer, Merchant, MerchantEvent


class EventView(BaseModel):
    """Something that happened."""

    id: str = Field(description="The same in every delivery of it.", examples=["evt_5f0c…"])
    type: str = Field(examples=["payment.received"])
    timestamp: datetime = Field(description="When it happened.")
    sequence: int = Field(description="The merchant's own count of events, from 1, without gaps.")
    merchant: str = Field(description="The merchant's key.")
    data: dict[str, Any] = Field(
        description="Ids, references, codes, days, and amounts in minor units.",
        examples=[{"claim_reference": "2026-1042", "amount_minor": 4000, "currency": "EUR"}],
    )


SHOWN = (
    select(
        MerchantEvent,
        Merchant.key.label("merchant"),
        Claim.reference.label("claim_reference"),
        Customer.number.label("customer_number"),
    )
    .join(Merchant, Merchant.id == MerchantEvent.merchant_id)
    .outerjoin(Claim, Claim.id == MerchantEvent.claim_id)
    .outerjoin(Customer, Customer.id == MerchantEvent.customer_id)
)
"""Events with the references that their ids stand for."""


def view(row: Any) -> EventView:
    """A row of SHOWN as it is shown."""
    event: MerchantEvent = row.MerchantEvent
    references = {
        "claim_id": event.claim_id,
        "claim_reference": row.claim_reference,
        "customer_id": event.customer_id,
        "customer_number": row.customer_number,
        "conversation_id": event.conversation_id,
    }
    known = {name: value for name, value in references.items() if value is not None}
    return EventView(
        id=event.key,
        type=event.kind,
        timestamp=event.at.astimezone(UTC),
        sequence=event.sequence or 0,
        merchant=row.merchant,
        data=known | event.facts,
    )


def body(shown: EventView) -> str:
    """The text that is posted and signed."""
    return json.dumps(shown.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))

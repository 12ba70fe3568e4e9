"""Where a customer can be reached and why not elsewhere: contact points and steps, over REST."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import OF_KEY, ForReading
from api.wiring import Parts
from outreach.channel_choice import obstacle_at
from outreach.customer_facts import read_customers, read_sender
from outreach.facts import Step
from storage.tables import AuditEvent, ContactPoint, Customer

STEPS_MAX = 200
STEPS = (
    *("channel_changed", "channel_fallback", "channel_refused", "delivery_failed"),
    *("opted_out", "opted_out_everywhere", "opted_in", "contact_hours", "address_dropped"),
    *("address_removed", "number_changed"),
    *("code_sent", "code_refused", "link_refused", "verification_carried_over"),
)
"""What happened to the ways to a customer, as audit events are named."""

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])


class PointView(BaseModel):
    """One way to reach the customer."""

    channel: str
    address: str
    source: str = Field(description="`merchant_import`, `customer` or `deep_link`.")
    purpose: str
    match_confidence: Decimal = Field(description="At least 0.995 where the customer gave it not.")
    consent_at: datetime | None
    verified_at: datetime | None = Field(description="When it was proved to be the customer's.")
    opted_out_at: datetime | None
    invalid_at: datetime | None
    invalid_reason: str | None
    active: bool = Field(description="The dialogue goes on here, and messages of ours go here.")
    obstacle: str | None = Field(
        description="Why no first message can go here now; null: it can.", examples=["no_consent"]
    )


class StepView(BaseModel):
    """Something that happened to the ways to the customer; codes, no texts."""

    at: datetime
    kind: str = Field(examples=["channel_fallback"])
    facts: dict[str, Any] = Field(
        examples=[{"to": "sms", "passed": [{"channel": "whatsapp", "reason": "no_template"}]}]
    )


class ChannelsView(BaseModel):
    """Where a customer is reached, where not and why, and how it came to that."""

    customer: str
    preferred_channel: str | None
    contact_from: time | None = Field(description="The customer's own hours, their time of day.")
    contact_until: time | None
    opted_out_at: datetime | None = Field(description="When they wanted no messages at all.")
    contact_points: list[PointView]
    steps: list[StepView] = Field(description="Newest first.")


class Unknown(BaseModel):
    """There is no such customer of this key's merchant."""

    error: Literal["CustomerUnknown"]
    detail: str


async def channels_of(session: AsyncSession, merchant_id: int, number: str) -> ChannelsView | None:
    """Read the ways to one customer; None where the merchant has no such customer."""
    customer = await session.scalar(
        select(Customer).where(Customer.merchant_id == merchant_id, Customer.number == number)
    )
    if customer is None:
        return None
    sender = await read_sender(session, merchant_id)
    (facts,) = await read_customers(session, sender, [customer.id])
    template = f"{Step.FIRST_CONTACT.wording}.{facts.language or sender.language}"
    known = {
        point.id: (
            point.active,
            obstacle_at(point, sender.accounts, collector=sender.collector, template=template),
        )
        for point in facts.points
    }
    rows = await session.scalars(
        select(ContactPoint)
        .where(ContactPoint.customer_id == customer.id)
        .order_by(ContactPoint.id)
    )
    return ChannelsView(
        customer=customer.number,
        preferred_channel=customer.preferred_channel,
        contact_from=customer.contact_from,
        contact_until=customer.contact_until,
        opted_out_at=customer.opted_out_at,
        contact_points=[
            # A channel that Kulanz does not write on is none that it could choose.
            _point(row, *known.get(row.id, (False, "no_account")))
            for row in rows
        ],
        steps=await _steps(session, customer.id),
    )


def _point(row: ContactPoint, active: bool, obstacle: str | None) -> PointView:
    return PointView(
        channel=row.channel,
        address=row.address,
        source=row.source,
        purpose=row.purpose,
        match_confidence=row.match_confidence,
        consent_at=row.consent_at,
        verified_at=row.verified_at,
        opted_out_at=row.opted_out_at,
        invalid_at=row.invalid_at,
        invalid_reason=row.invalid_reason,
        active=active,
        obstacle=str(obstacle) if obstacle is not None else None,
    )


async def _steps(session: AsyncSession, customer_id: int) -> list[StepView]:
    found: Sequence[AuditEvent] = (
        await session.scalars(
            select(AuditEvent)
            .where(AuditEvent.customer_id == customer_id, AuditEvent.kind.in_(STEPS))
            .order_by(AuditEvent.id.desc())
            .limit(STEPS_MAX)
        )
    ).all()
    return [StepView(at=event.at, kind=event.kind, facts=event.facts) for event in found]


@router.get(
    "/{number}/channels",
    response_model=ChannelsView,
    responses={
        **OF_KEY,
        404: {"model": Unknown, "description": "The merchant has no such customer."},
    },
    summary="Where a customer is reached, and each step with its reason",
)
async def get_channels(
    request: Request,
    merchant: ForReading,
    number: Annotated[str, Path(min_length=1, max_length=200, description="Customer number.")],
) -> ChannelsView | JSONResponse:
    """Contact points with source, consent, match, stop and what stands in the way now; then what
    happened: moves, channels passed over with the reason, failed deliveries, stops."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        found = await channels_of(session, merchant.id, number)
    if found is not None:
        return found
    unknown = Unknown(error="CustomerUnknown", detail="there is no customer with this number")
    return JSONResponse(unknown.model_dump(), status_code=404)

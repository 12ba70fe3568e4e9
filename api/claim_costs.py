"""Costs of default on a claim, over REST: a letter, the lump sum of businesses, pursuit at law."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import select

from api.callers import OF_KEY, ForClaims
from api.wiring import Parts
from ledger import book
from ledger import rows as cells
from ledger.costs import CostKind, charged_by
from ledger.errors import CostsRefused
from ledger.money import Money
from ledger.rows_items import event_key
from storage.tables import Claim

AMOUNT_MAX = Decimal(1_000_000)

router = APIRouter(prefix="/api/v1/claims", tags=["intake"])


class NewCosts(BaseModel):
    """Costs that are to be charged."""

    event_id: str = Field(
        min_length=1,
        max_length=100,
        description="Your own key of these costs; the same one is never charged twice. "
        "It is the same space of keys as the `event_id` of open items.",
        examples=["BRIEF-2026-881-1"],
    )
    kind: CostKind = Field(
        description="`letter` (print and postage), `electronic_reminder` (0.00 only), `lump_sum` "
        "(40.00 from a business, § 288 V BGB), or `legal_costs`."
    )
    amount: Decimal = Field(ge=0, le=AMOUNT_MAX, examples=["1.20"])
    reason: str = Field(
        min_length=1,
        max_length=200,
        description="What they are for, as the customer reads it; “Mahnkosten” alone is refused.",
        examples=["Brief vom 20. November 2026, Druck und Porto"],
    )
    day: date = Field(description="When they came about; today or earlier.")

    @field_validator("event_id", "reason")
    @classmethod
    def _printable(cls, given: str) -> str:
        return cells.plain(given)


class CostsCharged(BaseModel):
    """What was charged; the same `event_id` is answered with the same."""

    claim_reference: str
    charged: Decimal = Field(description="Less than asked for where the lump sum is credited.")
    costs: Decimal = Field(description="All costs that are open on the claim right after it.")
    open: Decimal = Field(description="All that is open on it right after it.")
    currency: str


class CostsProblem(BaseModel):
    """Nothing was charged; `detail` says which rule is in the way."""

    error: str = Field(examples=["CostsRefused"])
    detail: str = Field(
        examples=["the lump sum is owed by businesses only (§ 288 V BGB)"],
    )


class ClaimMissing(BaseModel):
    """The merchant has no claim with this reference."""

    error: Literal["ClaimUnknown"]
    detail: str


@router.post(
    "/{claim_reference}/costs",
    response_model=CostsCharged,
    responses={
        **OF_KEY,
        404: {"model": ClaimMissing, "description": "There is no such claim."},
        409: {"model": CostsProblem, "description": "Law, policy or the claim's state forbid it."},
    },
    summary="Charge costs of default",
)
async def post_costs(
    request: Request,
    merchant: ForClaims,
    claim_reference: Annotated[str, Path(min_length=1, max_length=100)],
    given: NewCosts,
) -> CostsCharged | JSONResponse:
    """Charge a reminder by letter, the lump sum or legal costs, as far as the law allows them.

    Costs need a default that is proved. A letter costs print and postage, at most what the
    policy says (`reminder_letter_minor`); electronic reminders cost nothing; the lump sum is for
    businesses, once, and is credited against legal costs.
    """
    parts: Parts = request.app.state.parts
    now = parts.clock.now()
    if given.day > now.astimezone(ZoneInfo(merchant.timezone)).date():
        raise CostsRefused("the day lies in the future")
    async with parts.database.merchant(merchant.id) as session:
        claim = await session.scalar(
            select(Claim).where(
                Claim.merchant_id == merchant.id, Claim.reference == claim_reference
            )
        )
        if claim is None:
            missing = ClaimMissing(error="ClaimUnknown", detail=f"no claim {claim_reference}")
            return JSONResponse(missing.model_dump(), status_code=404)
        receipt = await book.post_costs(
            session,
            claim.id,
            given.kind,
            _exact(given.amount, claim.currency),
            reason=given.reason,
            value_date=given.day,
            now=now,
            key=event_key(given.event_id),
        )
    return CostsCharged(
        claim_reference=claim_reference,
        charged=charged_by(receipt.postings, claim.currency).decimal,
        costs=receipt.open_after.costs.decimal,
        open=receipt.open_after.total.decimal,
        currency=claim.currency,
    )


def _exact(amount: Decimal, currency: str) -> Money:
    """The amount in minor units; raises ``CostsRefused`` where it has more decimals than those."""
    money = Money.from_decimal(amount, currency)
    if money.decimal != amount:
        raise CostsRefused(f"{amount} has too many decimals")
    return money

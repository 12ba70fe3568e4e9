"""Bank statements over REST: hand them over, and decide about what nothing was sure of."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api import bank_intake
from api.callers import OF_KEY, Failure, ForPayments, ForReading
from api.intake import read_body
from api.wiring import Parts
from ledger.bank import review
from ledger.bank.entry import StatementRefused
from ledger.bank.files import FILE_BYTES_MAX
from ledger.bank.review import Reviewed, ReviewRefused
from ledger.money import AmountUnreadable, Money, Notation, parse_amount
from storage.tables import Merchant

LIST_MAX = 500
State = Literal["suggested", "unmatched", "posted", "rejected"]

router = APIRouter(prefix="/api/v1", tags=["bank statements"])


class StatementRefusal(BaseModel):
    """Nothing of the file was taken."""

    error: str = Field(examples=["statement_refused"])
    code: str = Field(examples=["balance"])
    reason: str


class ReviewRefusal(BaseModel):
    """It cannot be decided so."""

    error: str = Field(examples=["decided"])
    detail: str


class StatementsTaken(BaseModel):
    """What became of the file; every movement has one state, and the sums are the file's."""

    batch: int | None = Field(description="Null: a dry run.")
    dry_run: bool
    statements: int
    entries: int = Field(description="Booked entries; a collective one counts once.")
    entries_pending: int = Field(description="Not booked yet, so left aside.")
    movements: dict[str, int] = Field(
        examples=[{"total": 5, "posted": 2, "suggested": 1, "unmatched": 1, "repeated": 1}]
    )
    sums: dict[str, dict[str, str]] = Field(
        description="By currency and state; money that went out counts below zero."
    )


class ProposalView(BaseModel):
    """A claim that a movement may be for."""

    claim_reference: str
    amount: str | None = Field(description="Null: in another currency, a person has to say.")


class MovementView(BaseModel):
    """A movement with what is proposed and why."""

    id: int
    state: State
    account: str
    booked: str
    value_date: str
    amount: str
    currency: str
    payer_name: str | None
    payer_iban: str | None
    text: str
    end_to_end_id: str | None
    returned: str | None = Field(description="Reason code of a payment that came back.")
    proposals: list[ProposalView]
    other_claims: list[str]
    evidence: list[str] = Field(examples=[["name", "open_amount"]])
    doubt: str | None = Field(description="Why it did not post itself.", examples=["no_number"])
    decided_by: str | None
    decided_at: str | None


class Acceptance(BaseModel):
    """On which claim a movement is posted; without one, as proposed."""

    claim_reference: str | None = None
    amount: str | None = Field(
        default=None, description="In the claim's currency, where another one arrived."
    )
    by: str = Field(default="api", min_length=1, max_length=120)


class Decision(BaseModel):
    """Who decided."""

    by: str = Field(default="api", min_length=1, max_length=120)


_REVIEW: dict[int | str, dict[str, Any]] = {
    **OF_KEY,
    404: {"model": ReviewRefusal},
    409: {"model": ReviewRefusal, "description": "It is decided already, or does not fit."},
}
MovementId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post(
    "/bank-statements",
    response_model=StatementsTaken,
    responses={
        **OF_KEY,
        413: {"model": Failure, "description": f"More than {FILE_BYTES_MAX} bytes."},
        422: {"model": StatementRefusal, "description": "Nothing of the file was taken."},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("application/xml", "application/zip", "text/plain")
            },
        }
    },
    summary="Hand over a bank statement",
)
async def post_bank_statements(
    request: Request,
    merchant: ForPayments,
    name: Annotated[str, Query(max_length=200, description="The file's name.")] = "api",
    dry_run: Annotated[bool, Query(description="Say what would happen, and keep nothing.")] = False,
) -> StatementsTaken | JSONResponse:
    """Take a camt.052, 053 or 054 file (versions 02 to 08), MT940, or a zip of them, as the body.

    All of it or nothing. Payments that are sure post themselves, likely ones wait for a decision,
    all others are kept as unmatched. Files may overlap and repeat: nothing posts twice.
    """
    parts: Parts = request.app.state.parts
    data = await read_body(request, FILE_BYTES_MAX)
    try:
        statements = await bank_intake.read(data)
        outcome = await bank_intake.take(
            parts.database,
            merchant,
            statements,
            name=name,
            data=data,
            clock=parts.clock,
            dry_run=dry_run,
        )
    except StatementRefused as refused:
        return JSONResponse(
            StatementRefusal(
                error="statement_refused", code=refused.code.value, reason=refused.reason
            ).model_dump(),
            status_code=422,
        )
    return StatementsTaken(**bank_intake.report(outcome, dry_run=dry_run))


@router.get(
    "/bank-movements",
    response_model=list[MovementView],
    responses=OF_KEY,
    summary="Movements that wait for a decision, or that were decided",
)
async def list_movements(
    request: Request,
    merchant: ForReading,
    state: Annotated[list[State] | None, Query()] = None,
    after: Annotated[int, Query(ge=0, description="The last id of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 100,
) -> list[MovementView]:
    """List movements by id; without `state` those that are suggested."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        found = await review.listed(
            session, merchant.id, states=state or ["suggested"], after=after, limit=limit
        )
    return [MovementView(**bank_intake.reviewed_data(item)) for item in found]


@router.post(
    "/bank-movements/{movement_id}/accept",
    response_model=MovementView,
    responses=_REVIEW,
    summary="Post a movement as proposed, or on the claim named",
)
async def accept_movement(
    request: Request, merchant: ForPayments, movement_id: MovementId, given: Acceptance
) -> MovementView:
    """Post it. What came back reverses the payment that it belongs to."""

    async def accept(session: AsyncSession, now: datetime) -> Reviewed:
        return await review.accept(
            session,
            merchant.id,
            movement_id,
            by=given.by,
            now=now,
            claim_reference=given.claim_reference,
            amount=named_amount(given.amount, merchant),
        )

    return await _decided(request, merchant, accept)


@router.post(
    "/bank-movements/{movement_id}/reject",
    response_model=MovementView,
    responses=_REVIEW,
    summary="Say that a movement is for none of the claims",
)
async def reject_movement(
    request: Request, merchant: ForPayments, movement_id: MovementId, given: Decision
) -> MovementView:
    """Take it off the list; it can be accepted later all the same."""

    async def reject(session: AsyncSession, now: datetime) -> Reviewed:
        return await review.reject(session, merchant.id, movement_id, by=given.by, now=now)

    return await _decided(request, merchant, reject)


@router.post(
    "/bank-movements/{movement_id}/undo",
    response_model=MovementView,
    responses=_REVIEW,
    summary="Reverse what was posted from a movement",
)
async def undo_movement(
    request: Request, merchant: ForPayments, movement_id: MovementId, given: Decision
) -> MovementView:
    """Reverse it; it waits for a decision again."""

    async def undo(session: AsyncSession, now: datetime) -> Reviewed:
        return await review.undo(session, merchant.id, movement_id, by=given.by, now=now)

    return await _decided(request, merchant, undo)


async def _decided(
    request: Request,
    merchant: Merchant,
    decide: Callable[[AsyncSession, datetime], Awaitable[Reviewed]],
) -> MovementView:
    """What became of the movement; raises ``ReviewRefused``."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        return MovementView(**bank_intake.reviewed_data(await decide(session, parts.clock.now())))


def named_amount(text: str | None, merchant: Merchant) -> Money | None:
    """An amount that a person names, in the merchant's currency, with a decimal point.

    Raises ``ReviewRefused``.
    """
    if text is None:
        return None
    try:
        amount = parse_amount(text, currency=merchant.currency, notation=Notation.ENGLISH)
    except AmountUnreadable as error:
        raise ReviewRefused("amount", f"{text[:40]!r} is no amount; write 119.50") from error
    if amount.minor <= 0:
        raise ReviewRefused("amount", "the amount must be above 0")
    return amount

"""The statement of a claim for the merchant's own systems: the letter that its customer can get."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import OF_KEY, ForReading
from api.pages.pay.claims import view_of
from api.pages.pay.statement import pdf_response
from api.pages.statement.pdf import letter_pdf
from api.pages.statement.sheet import Sheet, sheet_of
from api.pages.statement.words import Words
from api.wiring import Parts
from ledger import book
from negotiation.policy_data import policy_from_data
from storage.tables import Claim, Customer, Merchant

router = APIRouter(prefix="/api/v1/claims", tags=["claims"])
Reference = Annotated[str, Path(min_length=1, max_length=200, description="Claim reference.")]
PDF: dict[str, Any] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


class NoClaim(BaseModel):
    """There is no such claim."""

    error: Literal["ClaimUnknown"] = "ClaimUnknown"
    detail: str


@router.get(
    "/{reference:path}/statement.pdf",
    response_class=Response,
    responses={
        200: {"content": PDF, "description": "The letter, in the customer's language."},
        **OF_KEY,
        404: {"model": NoClaim, "description": "The merchant has no such claim."},
    },
    summary="Get the statement of a claim as a letter (PDF)",
)
async def get_statement(request: Request, merchant: ForReading, reference: Reference) -> Response:
    """Every item with its reason, interest period by period, payments and how they were set off,
    as of today. What the customer can download on their page is the same.
    """
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        claim_id = await session.scalar(
            select(Claim.id).where(Claim.merchant_id == merchant.id, Claim.reference == reference)
        )
        if claim_id is None:
            told = NoClaim(detail="there is no claim with this reference")
            return JSONResponse(told.model_dump(), status_code=404)
        sheet = await sheet_of_claim(session, merchant, claim_id, parts.clock.now())
    return pdf_response(await letter_pdf(sheet), sheet)


async def sheet_of_claim(
    session: AsyncSession, merchant: Merchant, claim_id: int, now: datetime
) -> Sheet:
    """The sheet of a claim as its customer reads it; raises ``ClaimUnknown``."""
    record = await book.record(session, claim_id, now=now)
    customer = await session.get_one(Customer, record.claim.customer_id)
    policy = policy_from_data(merchant.policy)
    words = Words(
        customer.language or merchant.language, customer.address_form or merchant.address_form
    )
    return sheet_of(view_of(record, policy, now), merchant, customer, policy, words)

"""Links to a customer's page over REST: for a letter that is printed, and to end them all."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import OF_KEY, ForClaims
from api.wiring import Parts
from conversation import page_link
from storage.tables import Conversation, Customer

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])
Number = Annotated[str, Path(min_length=1, max_length=200, description="Customer number.")]


class LinkView(BaseModel):
    """A link that was just made; it is told this once."""

    link: str = Field(examples=["https://kulanz.example/p/k7qm-t2rt-xh4p"])
    code: str = Field(
        description="To be typed at `/p`; print it beside the link.", examples=["k7qm-t2rt-xh4p"]
    )
    expires_at: datetime


class Revoked(BaseModel):
    """How many links were ended."""

    links: int


class NoPage(BaseModel):
    """There is no such customer, or none that was ever written to."""

    error: Literal["CustomerUnknown", "NeverContacted"]
    detail: str


@router.post(
    "/{number}/page-links",
    status_code=201,
    response_model=LinkView,
    responses={
        **OF_KEY,
        404: {"model": NoPage, "description": "The merchant has no such customer."},
        409: {"model": NoPage, "description": "The customer has no conversation yet."},
    },
    summary="Make a link to a customer's page, for a letter",
)
async def make_link(
    request: Request, merchant: ForClaims, number: Number
) -> LinkView | JSONResponse:
    """Valid for 90 days. Whoever follows it is asked for an invoice, order or customer number."""
    parts: Parts = request.app.state.parts
    now, code = parts.clock.now(), page_link.new_code()
    async with parts.database.merchant(merchant.id) as session:
        customer = await _customer(session, merchant.id, number)
        if customer is None:
            return _no(404, "CustomerUnknown", "there is no customer with this number")
        held = customer.active_conversation_id or await session.scalar(
            select(Conversation.id)
            .where(Conversation.customer_id == customer.id)
            .order_by(Conversation.id.desc())
            .limit(1)
        )
        if held is None:
            return _no(409, "NeverContacted", "this customer has not been written to yet")
        made = page_link.keep(session, code, (held, merchant.id, customer.id), now)
    address = page_link.address(code, parts.public_url)
    return LinkView(link=address, code=code, expires_at=made.expires_at)


@router.delete(
    "/{number}/page-links",
    response_model=Revoked,
    responses={
        **OF_KEY,
        404: {"model": NoPage, "description": "The merchant has no such customer."},
    },
    summary="End all links to a customer's page, and who is visiting by them",
)
async def revoke_links(request: Request, merchant: ForClaims, number: Number) -> Revoked | Response:
    """For a phone that was lost, or a letter that went to the wrong address."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        customer = await _customer(session, merchant.id, number)
        if customer is None:
            return _no(404, "CustomerUnknown", "there is no customer with this number")
        ended = await page_link.revoke_all(session, customer.id, parts.clock.now())
    return Revoked(links=ended)


async def _customer(session: AsyncSession, merchant_id: int, number: str) -> Customer | None:
    found: Customer | None = await session.scalar(
        select(Customer).where(Customer.merchant_id == merchant_id, Customer.number == number)
    )
    return found


def _no(status: int, error: Literal["CustomerUnknown", "NeverContacted"], why: str) -> JSONResponse:
    return JSONResponse(NoPage(error=error, detail=why).model_dump(), status_code=status)

"""Paying online: to the provider's page, and what to say when the customer comes back.

What counts is what the provider tells by its signed notice, never that somebody came back.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from api.pages.pay.entry import ask_code
from api.pages.pay.overview import CLAIMS_MAX, transfer_of
from api.pages.pay.visit import HOME, NotVisiting, chosen, go, visiting
from api.payments.accounts import PaymentProviders
from api.payments.booking import AmountAboveOpen
from api.payments.provider import PaymentStatus, ProviderUnavailable
from api.payments.starting import Order, start
from ledger.errors import LedgerError
from storage.tables import Payment

log = structlog.get_logger()
router = APIRouter(prefix=HOME, include_in_schema=False)

SAID = {
    PaymentStatus.STARTED: "online_waits",
    PaymentStatus.PENDING: "online_pending",
    PaymentStatus.PAID: "online_paid",
}
"""What the page says to whom comes back; nothing came of any other payment."""
Text = Annotated[str, Form(max_length=200)]
Ids = Annotated[list[int], Form(max_length=CLAIMS_MAX)]


@router.post("/online")
async def online(
    request: Request,
    claim: Ids,
    provider: Text,
    everything: Annotated[bool, Form()] = False,
    csrf: Text = "",
) -> Response:
    """Begin to pay what was picked, and go on to the provider's page."""
    providers: PaymentProviders = request.app.state.payments
    try:
        async with visiting(request, csrf=csrf) as here:
            found = {
                one.name: one for one in await providers.of_merchant(here.session, here.merchant.id)
            }
            picked = [one for one in chosen(await here.claims(), claim) if one.id in claim]
            if provider not in found or not picked:
                return go(HOME)
            order = Order(
                merchant_id=here.merchant.id,
                customer_id=here.customer.id,
                parts={one.id: transfer_of(here, one, everything).amount for one in picked},
                description=_description(
                    here.merchant.name, [one.statement.invoice_number for one in picked]
                ),
                language=here.language,
                back_url=f"{here.parts.public_url}{HOME}/online",
            )
    except NotVisiting:
        return ask_code(request, "")
    try:
        url = await start(here.parts.database, found[provider], order, here.now)
    except ProviderUnavailable as error:
        log.warning("payment_page_not_opened", provider=provider, reason=str(error))
        return go(f"{HOME}?done=online_failed")
    except (LedgerError, AmountAboveOpen):
        return go(HOME)  # it has changed meanwhile; the overview shows how
    return RedirectResponse(url, 303)


@router.get("/online")
async def back(
    request: Request, payment: Annotated[str, Query(max_length=100)] = "", lang: str = ""
) -> Response:
    """Back from the provider's page."""
    try:
        async with visiting(request, lang=lang) as here:
            status = await here.session.scalar(
                select(Payment.status).where(
                    Payment.reference == payment, Payment.customer_id == here.customer.id
                )
            )
    except NotVisiting:
        return ask_code(request, lang)
    said = SAID.get(PaymentStatus(status), "online_failed") if status else "online_failed"
    return go(f"{HOME}?done={said}")


def _description(shop: str, invoices: list[str]) -> str:
    """What the provider shows above the amount; the customer has proved who they are by then."""
    return f"{shop}, {', '.join(invoices)}"[:200]

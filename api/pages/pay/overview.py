"""What is owed and why, how to pay it by transfer, and what has arrived."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.pages.pay.chat import shown
from api.pages.pay.claims import ClaimView
from api.pages.pay.entry import ask_code
from api.pages.pay.transfer import Transfer, transfer_for
from api.pages.pay.visit import HOME, NotVisiting, Visit, chosen, go, visiting
from api.payments.accounts import PaymentProviders
from conversation.handoff import request_handoff
from conversation.look import lock
from ledger.money import Money, total
from ledger.progress import InstalmentProgress

router = APIRouter(prefix=HOME, include_in_schema=False)
CLAIMS_MAX = 100
BIGGEST = 2**63 - 1
Id = Annotated[int, Query(ge=1, le=BIGGEST)]
Ids = Annotated[tuple[int, ...], Query(max_length=CLAIMS_MAX)]


@router.get("")
async def overview(request: Request, lang: str = "", done: str = "") -> Response:
    """All claims; the form for a code where nobody is visiting."""
    try:
        async with visiting(request, lang=lang) as here:
            views = await here.claims()
            payable = [one for one in views if one.payable]
            if any(one.state == "updating" for one in views):
                await _ask_for_figures(here)
            facts = {
                "views": views,
                "payable": payable,
                "open": _sum([one.open for one in payable], here),
                "due": _sum([one.due_today for one in payable], here),
                "following": _following(payable, here.today),
                "name": " ".join(filter(None, (here.customer.first_name, here.customer.name))),
                "done": done if done in DONE else "",
                "chat": await shown(here),
            }
            return here.respond("overview.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


DONE = frozenset(
    {
        *("dispute", "paid", "callback", "person", "hours", "language", "data"),
        *("online_waits", "online_pending", "online_paid", "online_failed"),
    }
)
"""What may have been done on the page before: the overview says so at its top."""


@router.get("/pay")
async def pay(
    request: Request,
    claim: Ids = (),
    everything: bool = False,
    lang: str = "",
) -> Response:
    """How to transfer what was picked: one transfer an invoice, so that each finds its own."""
    try:
        async with visiting(request, lang=lang) as here:
            views = await here.claims()
            picked = chosen(views, claim)
            if not picked:
                return go(HOME)
            providers: PaymentProviders = request.app.state.payments
            offered = await providers.of_merchant(here.session, here.merchant.id)
            transfers = {one.id: transfer_of(here, one, everything) for one in picked}
            facts = {
                "picked": picked,
                "others": [one for one in views if one.payable and one not in picked],
                "transfers": transfers,
                "sum": _sum([made.amount for made in transfers.values()], here),
                "everything": everything,
                "may_pay_all": any(one.may_pay_all for one in picked),
                "ids": [one.id for one in picked],
                "online": [one.name for one in offered],
            }
            return here.respond("pay.html", facts, leads_to=tuple(one.origin for one in offered))
    except NotVisiting:
        return ask_code(request, lang)


@router.get("/qr.{kind}")
async def qr(request: Request, kind: str, claim: Id, everything: bool = False) -> Response:
    """The QR code of one transfer: ``svg`` for the page, ``png`` to keep."""
    try:
        async with visiting(request) as here:
            view = await here.claim(claim)
            if view is None or not view.payable or kind not in ("svg", "png"):
                return Response(status_code=404)
            made = transfer_of(here, view, everything)
            if not (made.iban and made.has_code):
                return Response(status_code=404)
    except NotVisiting:
        return Response(status_code=404)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if kind == "svg":
        return Response(made.svg(), media_type="image/svg+xml", headers=headers)
    name = f'attachment; filename="{made.reference}.png"'
    headers["Content-Disposition"] = name
    return Response(made.png(), media_type="image/png", headers=headers)


@router.get("/receipt")
async def receipt(request: Request, claim: Id, lang: str = "") -> Response:
    """What has arrived on a claim, to be kept or printed."""
    try:
        async with visiting(request, lang=lang) as here:
            view = await here.claim(claim)
            if view is None or not view.received:
                return go(HOME)
            return here.respond("receipt.html", {"one": view})
    except NotVisiting:
        return ask_code(request, lang)


def transfer_of(here: Visit, view: ClaimView, everything: bool = False) -> Transfer:
    """What to transfer for a claim: what comes next, or all that is open."""
    return transfer_for(here.merchant, view, everything)


async def _ask_for_figures(here: Visit) -> None:
    """Figures that the merchant has not confirmed in time are a person's business, as in chat."""
    conversation = await lock(here.session, here.visitor.conversation_id)
    await request_handoff(
        here.session,
        conversation_id=conversation.id,
        reason="figures_not_confirmed",
        summary={},
        now=here.now,
    )


def _following(views: Sequence[ClaimView], today: date) -> InstalmentProgress | None:
    """The next agreed payment that is still to come."""
    parts = [
        part
        for one in views
        if one.agreement is not None
        for part in one.agreement.progress
        if part.missing and part.instalment.due > today
    ]
    return min(parts, key=lambda part: part.instalment.due, default=None)


def _sum(amounts: Sequence[Money], here: Visit) -> Money:
    return total(amounts, here.merchant.currency)

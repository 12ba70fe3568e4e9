"""``/sandbox-payment/…``: what a customer of the demo sees where a real provider's page would be.

The visitor decides what the invented bank does. It is told to this service as any provider tells
it: by a signed notice over HTTP, and only then the customer goes back to the shop.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import httpx
import yaml
from babel.numbers import format_currency
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from api.pages.page import Pages
from api.payments.accounts import PaymentProviders
from api.payments.provider import Notice, NoticeForged, NoticeKind, PaymentStatus
from api.payments.sandbox import PATH, SandboxProvider, Session
from api.wiring import Parts
from conversation.wording.formats import LOCALES
from storage.tables import Payment

router = APIRouter(prefix=PATH, include_in_schema=False)

_TEXTS: Final = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text("utf-8"))
_pages = Pages("sandbox_payment", "sandbox_payment.css")

CHOICES: Final = {
    PaymentStatus.STARTED: (NoticeKind.PAID, NoticeKind.PENDING, NoticeKind.FAILED),
    PaymentStatus.PENDING: (NoticeKind.PAID, NoticeKind.FAILED),
    PaymentStatus.PAID: (NoticeKind.CHARGED_BACK, NoticeKind.REFUNDED),
    PaymentStatus.RETURNED: (NoticeKind.CHARGEBACK_WON,),
}
"""What can happen next, the usual first."""
WITH_MONEY: Final = frozenset(NoticeKind) - {
    NoticeKind.PENDING,
    NoticeKind.FAILED,
    NoticeKind.EXPIRED,
}
SECONDS_MAX: Final = 15


@router.get("/{token}")
async def page(request: Request, token: str) -> Response:
    """The amount, and what the invented bank may do with it."""
    _, session = _opened(request, token)
    checkout = session.checkout
    status = await _status(request, checkout.reference)
    texts = _TEXTS[checkout.language]
    amount = format_currency(
        checkout.amount.decimal, checkout.amount.currency, locale=LOCALES[checkout.language]
    )
    return _pages.respond(
        "sandbox_payment.html",
        {
            "t": texts,
            "amount": amount,
            "description": checkout.description,
            "status": texts["status"][status.value],
            "choices": [
                (kind.value, texts["does"][kind.value]) for kind in CHOICES.get(status, ())
            ],
            "back": checkout.cancel_url
            if status in (PaymentStatus.STARTED, PaymentStatus.FAILED)
            else checkout.success_url,
        },
        language=checkout.language,
    )


@router.post("/{token}")
async def decide(request: Request, token: str, kind: Annotated[NoticeKind, Form()]) -> Response:
    """Let it happen: tell this service, then send the customer back."""
    provider, session = _opened(request, token)
    checkout = session.checkout
    if kind not in _choices(await _status(request, checkout.reference)):
        return RedirectResponse(request.url.path, 303)
    parts: Parts = request.app.state.parts
    headers, body = provider.signed(_notice(session, kind, parts.clock.now()))
    address = f"{parts.running.web_url}/webhooks/{session.merchant}/payments/{provider.name}"
    async with httpx.AsyncClient(timeout=SECONDS_MAX) as http:
        answer = await http.post(address, headers=headers, content=body)
    if answer.status_code != 200:
        raise HTTPException(502, "the notice was not taken")
    failed = kind is NoticeKind.FAILED
    return RedirectResponse(checkout.cancel_url if failed else checkout.success_url, 303)


def _opened(request: Request, token: str) -> tuple[SandboxProvider, Session]:
    parts: Parts = request.app.state.parts
    providers: PaymentProviders = request.app.state.payments
    provider = providers.sandbox()
    try:
        if not parts.settings.demo:
            raise HTTPException(404)
        return provider, provider.session(token)
    except NoticeForged:
        raise HTTPException(404) from None


def _choices(status: PaymentStatus) -> tuple[NoticeKind, ...]:
    return CHOICES.get(status, ())


async def _status(request: Request, reference: str) -> PaymentStatus:
    parts: Parts = request.app.state.parts
    async with parts.database.operator() as session:
        found = await session.scalar(select(Payment.status).where(Payment.reference == reference))
    if found is None:
        raise HTTPException(404)
    return PaymentStatus(found)


def _notice(session: Session, kind: NoticeKind, now: datetime) -> Notice:
    in_case = kind in (NoticeKind.CHARGED_BACK, NoticeKind.CHARGEBACK_WON)
    return Notice(
        event=f"{session.id}-{kind.value}",
        kind=kind,
        happened_at=now,
        reference=session.checkout.reference,
        provider_payment=session.payment,
        amount=session.checkout.amount if kind in WITH_MONEY else None,
        case=f"case_{session.id}" if in_case else None,
    )

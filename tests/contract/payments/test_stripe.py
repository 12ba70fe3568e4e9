"""Stripe Checkout: what we ask for, and how Stripe's documented events are read."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from api.payments.provider import (
    Checkout,
    NoticeForged,
    NoticeKind,
    NoticeMalformed,
    ProviderUnavailable,
    Started,
)
from api.payments.stripe_checkout import StripeCheckout
from ledger.money import Money

SECRET = "whsec_of_the_tests"
CHECKOUT = Checkout(
    reference="Zx8-opaque",
    amount=Money(84_90),
    description="Lindenhof Versand, Rechnung RE-2026-1042",
    language="de",
    success_url="https://pay.example/p/abc?payment=Zx8-opaque",
    cancel_url="https://pay.example/p/abc",
)


class StripeStandIn:
    """Answers what Stripe's API answers to the one call that we make."""

    def __init__(self) -> None:
        self.seen: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []

    async def create(self, request: web.Request) -> web.Response:
        self.seen.append(parse_qs(await request.text()))
        self.headers.append(dict(request.headers))
        status, body = (
            self.answers.pop(0)
            if self.answers
            else (
                200,
                {
                    "id": "cs_test_1",
                    "object": "checkout.session",
                    "url": "https://checkout.stripe.com/c/pay/cs_test_1",
                },
            )
        )
        return web.json_response(body, status=status)


@pytest.fixture
async def standin() -> AsyncIterator[tuple[StripeStandIn, str]]:
    """The stand-in and its address."""
    made = StripeStandIn()
    app = web.Application()
    app.router.add_post("/v1/checkout/sessions", made.create)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield made, f"http://127.0.0.1:{port}"
    await runner.cleanup()


def provider(url: str = "http://127.0.0.1:9") -> StripeCheckout:
    return StripeCheckout(secret_key="sk_test_x", webhook_secret=SECRET, api_url=url)


async def started_at(url: str) -> Started:
    made = provider(url)
    try:
        return await made.start(CHECKOUT)
    finally:
        await made.close()


async def test_a_checkout_is_asked_for(standin: tuple[StripeStandIn, str]) -> None:
    stripe, url = standin
    started = await started_at(url)
    assert started.url == "https://checkout.stripe.com/c/pay/cs_test_1"
    assert started.provider_checkout == "cs_test_1"
    (seen,) = stripe.seen
    assert seen["client_reference_id"] == ["Zx8-opaque"]
    assert seen["payment_intent_data[metadata][reference]"] == ["Zx8-opaque"]
    assert seen["line_items[0][price_data][unit_amount]"] == ["8490"]
    assert seen["line_items[0][price_data][currency]"] == ["eur"]
    assert seen["locale"] == ["de"]
    assert not [name for name in seen if "payment_method_types" in name]  # the account decides
    assert stripe.headers[0]["Idempotency-Key"] == "checkout:Zx8-opaque"
    assert stripe.headers[0]["Authorization"] == "Bearer sk_test_x"


async def test_what_stripe_refuses_is_said_without_its_text(
    standin: tuple[StripeStandIn, str],
) -> None:
    stripe, url = standin
    stripe.answers = [(402, {"error": {"type": "card_error", "message": "card of Anna B."}})] * 3
    with pytest.raises(ProviderUnavailable) as refused:
        await started_at(url)
    assert "Anna" not in str(refused.value)


async def test_a_stripe_that_is_away_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable):
        await started_at("http://127.0.0.1:9")


def event(kind: str, **thing: Any) -> bytes:
    return json.dumps(
        {
            "id": f"evt_{kind}",
            "object": "event",
            "type": kind,
            "created": 1_795_000_000,
            "data": {"object": thing},
        }
    ).encode()


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = int(time.time() if at is None else at)
    made = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={made}"}


SESSION = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "client_reference_id": "Zx8-opaque",
    "payment_intent": "pi_1",
    "amount_total": 8490,
    "currency": "eur",
}
CASES = [
    (
        event("checkout.session.completed", payment_status="paid", **SESSION),
        (NoticeKind.PAID, "Zx8-opaque", "pi_1", Money(84_90), None),
    ),
    (
        event("checkout.session.completed", payment_status="unpaid", **SESSION),
        (NoticeKind.PENDING, "Zx8-opaque", "pi_1", None, None),
    ),
    (
        event("checkout.session.async_payment_succeeded", payment_status="paid", **SESSION),
        (NoticeKind.PAID, "Zx8-opaque", "pi_1", Money(84_90), None),
    ),
    (
        event("checkout.session.async_payment_failed", payment_status="unpaid", **SESSION),
        (NoticeKind.FAILED, "Zx8-opaque", "pi_1", None, None),
    ),
    (
        event("checkout.session.expired", **{**SESSION, "payment_intent": None}),
        (NoticeKind.EXPIRED, "Zx8-opaque", None, None, None),
    ),
    (
        event(
            "charge.refunded",
            id="ch_1",
            object="charge",
            payment_intent="pi_1",
            amount=8490,
            amount_refunded=2000,
            currency="eur",
            metadata={"reference": "Zx8-opaque"},
        ),
        (NoticeKind.REFUNDED, "Zx8-opaque", "pi_1", Money(20_00), None),
    ),
    (
        event(
            "charge.dispute.funds_withdrawn",
            id="dp_1",
            object="dispute",
            payment_intent="pi_1",
            amount=8490,
            currency="eur",
        ),
        (NoticeKind.CHARGED_BACK, None, "pi_1", Money(84_90), "dp_1"),
    ),
    (
        event(
            "charge.dispute.funds_reinstated",
            id="dp_1",
            object="dispute",
            payment_intent="pi_1",
            amount=8490,
            currency="eur",
        ),
        (NoticeKind.CHARGEBACK_WON, None, "pi_1", Money(84_90), "dp_1"),
    ),
]


@pytest.mark.parametrize(("body", "wanted"), CASES)
def test_events_are_read(body: bytes, wanted: tuple[Any, ...]) -> None:
    notice = provider().read(signed(body), body)
    assert notice is not None
    read = (notice.kind, notice.reference, notice.provider_payment, notice.amount, notice.case)
    assert read == wanted
    assert notice.event == json.loads(body)["id"]


def test_other_events_are_let_pass() -> None:
    body = event("customer.created", id="cus_1", object="customer")
    assert provider().read(signed(body), body) is None


def test_forged_replayed_and_unsigned_notices_are_refused() -> None:
    body = CASES[0][0]
    for headers in (
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=1,v1=00"},
        signed(body, secret="whsec_of_somebody"),
        signed(body, at=time.time() - 3600),
        signed(body + b" "),
    ):
        with pytest.raises(NoticeForged):
            provider().read(headers, body)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        event("checkout.session.completed"),
        event("checkout.session.completed", payment_status="paid", **{**SESSION, "currency": "xx"}),
        event("charge.refunded", amount_refunded="much", currency="eur", payment_intent="pi_1"),
    ],
)
def test_what_is_signed_but_odd_is_told_apart(body: bytes) -> None:
    with pytest.raises(NoticeMalformed):
        provider().read(signed(body), body)

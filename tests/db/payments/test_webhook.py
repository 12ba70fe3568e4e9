"""The addresses that providers tell their notices to, and the sandbox's page, over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.pages.sandbox_payment import routes as sandbox_page
from api.payments import routes
from api.payments.accounts import PaymentProviders
from api.payments.provider import NoticeKind
from api.payments.starting import Order, start
from api.settings import Settings
from ledger.money import Money
from storage.engine import Database
from storage.tables import Payment
from tests.apps import app_of
from tests.conftest import NOW
from tests.db.payments.conftest import Till

URL = "http://127.0.0.1:1"


@dataclass
class FakeParts:
    """What these routes need of a process's parts."""

    database: Database
    settings: Settings
    public_url: str = URL
    merchant_id: int = 0

    @property
    def providers(self) -> Any:
        async def first(database: Database) -> int:
            return self.merchant_id

        return SimpleNamespace(first_merchant=first)

    keys = SimpleNamespace(secret_key="of the tests")
    clock = SimpleNamespace(now=lambda: NOW)
    running = SimpleNamespace(web_url=URL)


@dataclass
class Site:
    """The routes with a client, and the providers behind them."""

    http: httpx.AsyncClient
    providers: PaymentProviders
    parts: FakeParts


@pytest.fixture
async def site(till: Till, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A demo that serves the addresses; what the page sends to them goes there directly."""
    parts = FakeParts(till.database, Settings(demo=True), merchant_id=till.merchant.id)
    app = app_of(routes.router, sandbox_page.router)
    app.state.parts = parts
    app.state.payments = PaymentProviders(parts)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)

    real = httpx.AsyncClient

    def client(**how: Any) -> httpx.AsyncClient:
        return real(transport=transport, base_url=URL)

    async with client() as http:
        monkeypatch.setattr(sandbox_page.httpx, "AsyncClient", client)
        yield Site(http, app.state.payments, parts)


async def begun(till: Till, site: Site, minor: int = 84_90) -> tuple[Payment, str]:
    provider = site.providers.sandbox(till.merchant.key)
    order = Order(
        merchant_id=till.merchant.id,
        customer_id=till.customer.id,
        parts={till.claims[0]: Money(minor)},
        description="Lindenhof Versand, Rechnung R-1",
        language="de",
        back_url=f"{URL}/p/abc",
    )
    url = await start(till.database, provider, order, NOW)
    async with till.database.merchant(till.merchant.id) as session:
        payment = (await session.scalars(select(Payment).order_by(Payment.id.desc()))).first()
    assert payment is not None
    assert payment.provider_checkout
    return payment, url.removeprefix(URL)


@pytest.mark.parametrize(
    "path", ["/webhooks/payments/sandbox", "/webhooks/lindenhof/payments/sandbox"]
)
async def test_a_signed_notice_is_booked(till: Till, site: Site, path: str) -> None:
    payment, _ = await begun(till, site)
    headers, body = site.providers.sandbox().signed(till.notice(payment, NoticeKind.PAID))
    for _ in range(3):
        assert (await site.http.post(path, headers=headers, content=body)).status_code == 200
    assert (await till.open(1)).total == Money(0)
    assert (await till.open(1)).overpaid == Money(0)


async def test_what_is_not_signed_leaves_no_trace(till: Till, site: Site) -> None:
    payment, _ = await begun(till, site)
    headers, body = site.providers.sandbox().signed(till.notice(payment, NoticeKind.PAID))
    path = "/webhooks/payments/sandbox"
    assert (await site.http.post(path, content=body)).status_code == 403
    forged = body.replace(b"8490", b"8491")
    assert (await site.http.post(path, headers=headers, content=forged)).status_code == 403
    huge = b" " * (routes.BODY_BYTES_MAX + 1)
    assert (await site.http.post(path, headers=headers, content=huge)).status_code == 413
    assert await till.status(payment) == "started"


@pytest.mark.parametrize(
    "path",
    ["/webhooks/payments/stripe", "/webhooks/payments/paypal", "/webhooks/nobody/payments/sandbox"],
)
async def test_accounts_that_are_not_there_are_not_there(site: Site, path: str) -> None:
    assert (await site.http.post(path, content=b"{}")).status_code == 404


async def test_there_is_no_sandbox_outside_a_demo(till: Till, site: Site) -> None:
    payment, url = await begun(till, site)
    headers, body = site.providers.sandbox().signed(till.notice(payment, NoticeKind.PAID))
    site.parts.settings = Settings(demo=False)
    path = "/webhooks/payments/sandbox"
    assert (await site.http.post(path, headers=headers, content=body)).status_code == 404
    assert (await site.http.get(url)).status_code == 404
    assert (await site.http.post(url, data={"kind": "paid"})).status_code == 404


async def test_the_invented_bank_pays_and_calls_back(till: Till, site: Site) -> None:
    payment, url = await begun(till, site)
    page = await site.http.get(url)
    assert page.status_code == 200
    assert "84,90\xa0€" in page.text
    assert "Hier fließt kein Geld" in page.text
    paid = await site.http.post(url, data={"kind": "paid"})
    assert paid.status_code == 303
    assert paid.headers["location"] == f"{URL}/p/abc?payment={payment.reference}"
    assert (await till.open(1)).total == Money(0)
    # Pressed again: it has been paid, so the page is shown anew.
    assert (await site.http.post(url, data={"kind": "paid"})).headers["location"] == url
    await site.http.post(url, data={"kind": "charged_back"})
    assert (await till.open(1)).total == Money(84_90)
    await site.http.post(url, data={"kind": "chargeback_won"})
    assert (await till.open(1)).total == Money(0)


async def test_the_invented_bank_takes_its_time_and_declines(till: Till, site: Site) -> None:
    payment, url = await begun(till, site)
    await site.http.post(url, data={"kind": "pending"})
    assert await till.status(payment) == "pending"
    declined = await site.http.post(url, data={"kind": "failed"})
    assert declined.headers["location"] == f"{URL}/p/abc"
    assert await till.status(payment) == "failed"
    assert (await site.http.post(url, data={"kind": "refunded"})).headers["location"] == url


@pytest.mark.parametrize("kind", ["", "expired", "robbed"])
async def test_nothing_else_can_be_made_to_happen(till: Till, site: Site, kind: str) -> None:
    payment, url = await begun(till, site)
    assert (await site.http.post(url, data={"kind": kind})).status_code in (303, 422)
    assert await till.status(payment) == "started"
    assert (await site.http.get(f"{sandbox_page.PATH}/abc.def")).status_code == 404

"""A merchant with an open claim, an endpoint, and a real receiver on this machine."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from api.merchant_events import endpoints, relay
from api.merchant_events.addresses import EVERYWHERE
from api.merchant_events.jobs import post_due
from api.merchant_events.posting import Poster
from api.settings import Settings
from ledger import book
from ledger.money import Money
from storage.engine import Database
from storage.tables import Claim, Customer, Merchant, MerchantEvent, WebhookDelivery
from tests.conftest import NOW

TODAY = date(2026, 11, 23)
SECRET_KEY = "a key of these tests"

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Got:
    """One request that the receiver got."""

    headers: dict[str, str]
    text: str

    @property
    def event(self) -> dict[str, Any]:
        """The event as a receiver reads it."""
        read: dict[str, Any] = json.loads(self.text)
        return read


@dataclass
class Receiver:
    """A merchant's web server; ``answering`` says how it answers."""

    answering: Answering
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Got(dict(request.headers), await request.text()))
        return await self.answering(request)

    @property
    def kinds(self) -> list[str]:
        return [got.event["type"] for got in self.got]


async def takes(request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


def answers(status: int, **headers: str) -> Answering:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return answer


@dataclass
class Telling:
    """Records, numbers and posts on a clock that the test moves."""

    database: Database
    merchant: Merchant
    claim: Claim
    receiver: Receiver
    endpoint_id: int = 0
    secret: str = ""
    now: datetime = NOW
    settings: Settings = field(default_factory=lambda: Settings(demo=True))
    answer_seconds_max: float = 5.0

    async def pay(self, minor: int = 10_00, key: str = "merchant:B-1") -> None:
        async with self.database.merchant(self.merchant.id) as session:
            await book.post_payment(
                session,
                self.claim.id,
                Money(minor, "EUR"),
                value_date=TODAY,
                now=self.now,
                key=key,
            )

    async def number(self) -> int:
        async with self.database.operator() as session:
            return await relay.number(session, self.now)

    async def due(self) -> list[tuple[int, int]]:
        async with self.database.operator() as session:
            return await relay.due_endpoints(session, self.now)

    async def post(self, **options: Any) -> int:
        """Post what is due now; how many attempts that took."""
        networks = options.pop("networks", EVERYWHERE)
        async with Poster(networks, answer_seconds_max=self.answer_seconds_max) as poster:
            return await post_due(
                self.database,
                poster,
                self.merchant.id,
                self.endpoint_id,
                secret_key=options.pop("secret_key", SECRET_KEY),
                now=lambda: self.now,
            )

    async def events(self) -> list[MerchantEvent]:
        async with self.database.operator() as session:
            found = await session.scalars(select(MerchantEvent).order_by(MerchantEvent.id))
            return list(found)

    async def deliveries(self) -> list[WebhookDelivery]:
        async with self.database.operator() as session:
            found = await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))
            return list(found)

    async def delivery(self) -> WebhookDelivery:
        (only,) = await self.deliveries()
        return only

    async def add_endpoint(self, url: str, *kinds: str) -> tuple[int, str]:
        async with self.database.merchant(self.merchant.id) as session:
            made, secret = await endpoints.add(
                session,
                self.merchant.id,
                url,
                kinds,
                settings=self.settings,
                secret_key=SECRET_KEY,
                now=self.now,
            )
        return made.id, secret

    async def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver(takes)
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.handle)
    server = TestServer(app)
    await server.start_server()
    made.url = str(server.make_url("/hook"))
    yield made
    await server.close()


@pytest.fixture
async def claim(database: Database, customer: Customer) -> Claim:
    """100.00 that are open."""
    async with database.merchant(customer.merchant_id) as session:
        return await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=customer.merchant_id,
                customer_id=customer.id,
                reference="R-1",
                invoice_number="RE-1",
                description="Gartenstuhl",
                principal=Money(100_00, "EUR"),
                invoice_date=date(2026, 9, 1),
                due_date=date(2026, 9, 15),
            ),
            now=NOW.astimezone(UTC),
            key="import:R-1",
        )


@pytest.fixture
async def telling(
    database: Database, merchant: Merchant, claim: Claim, receiver: Receiver
) -> Telling:
    """An endpoint for all events, and nothing told yet."""
    made = Telling(database, merchant, claim, receiver)
    made.endpoint_id, made.secret = await made.add_endpoint(receiver.url)
    return made

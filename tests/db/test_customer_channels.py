"""The ways to a customer over REST: each contact point with what stands in its way, each step."""

from collections.abc import AsyncIterator
from datetime import time
from decimal import Decimal

import httpx
import pytest

from api import customer_channels
from api.keys import create_api_key
from channels.message import Channel
from storage.engine import Database
from storage.tables import Customer, Merchant
from tests.apps import app_of
from tests.conftest import NOW
from tests.db.outreach_shop import Shop, planned_of
from tests.db.test_intake_api import FakeParts, StandingClock


@pytest.fixture
def shop(database: Database, merchant: Merchant) -> Shop:
    return Shop(database, merchant)


@pytest.fixture
async def client(database: Database, merchant: Merchant) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(customer_channels.router)
    app.state.parts = FakeParts(database, StandingClock())
    app.state.database = database
    async with database.operator() as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


async def test_every_way_is_shown_with_what_stands_in_it(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    customer = await shop.customer(
        "K-7", preferred_channel="whatsapp", contact_from=time(18), language="de"
    )
    await shop.claim(customer)
    await shop.account(Channel.WHATSAPP)
    await shop.account(Channel.TELEGRAM)
    await shop.point(customer, "+4915735990123")
    await shop.point(customer, "+4915735990124", match_confidence=Decimal("0.98"))
    await shop.point(customer, "+4915735990123", Channel.WHATSAPP)
    await shop.point(customer, "4711", Channel.TELEGRAM, opted_out_at=NOW)
    await shop.queue(planned_of(await shop.decision(customer, NOW.replace(hour=17))))

    answer = await client.get("/api/v1/customers/K-7/channels")

    assert answer.status_code == 200
    found = answer.json()
    assert (found["preferred_channel"], found["contact_from"]) == ("whatsapp", "18:00:00")
    obstacles = [(point["channel"], point["obstacle"]) for point in found["contact_points"]]
    assert obstacles == [
        ("sms", None),
        ("sms", "match_uncertain"),
        ("whatsapp", "no_consent"),
        ("telegram", "opted_out"),
    ]
    (step,) = found["steps"]
    assert step["kind"] == "channel_fallback"
    assert step["facts"] == {
        "to": "sms",
        "passed": [
            {"channel": "whatsapp", "reason": "no_consent"},
            {"channel": "telegram", "reason": "opted_out"},
        ],
    }


async def test_nobody_sees_another_merchants_customer(
    client: httpx.AsyncClient, database: Database, customer: Customer
) -> None:
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
        await session.flush()
        session.add(
            Customer(merchant_id=other.id, number="K-8", name="B", created_at=NOW, updated_at=NOW)
        )
    assert (await client.get("/api/v1/customers/K-8/channels")).status_code == 404
    assert (await client.get(f"/api/v1/customers/{customer.number}/channels")).status_code == 200
    headers = {"Authorization": "Bearer kulanz_nobody"}
    refused = await client.get("/api/v1/customers/K-1001/channels", headers=headers)
    assert refused.status_code == 401

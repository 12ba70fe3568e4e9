"""Links to a customer's page over REST: for a letter, and to end them all."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from api import customer_pages
from api.errors import register_errors
from api.keys import create_api_key
from conversation import page_link
from storage.engine import Database
from storage.tables import ChannelAccount, Conversation, Customer, Merchant, PageLink
from tests.apps import app_of
from tests.conftest import NOW
from tests.db.pages.conftest import FakeParts


@pytest.fixture
async def client(database: Database, merchant: Merchant) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(customer_pages.router)
    register_errors(app)
    app.state.parts = FakeParts(database)
    app.state.database = database
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="https://kulanz.example",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


async def test_a_letter_gets_a_link_that_can_be_ended(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, customer: Customer
) -> None:
    path = f"/api/v1/customers/{customer.number}/page-links"
    assert (await client.post(path)).json()["error"] == "NeverContacted"
    async with database.operator() as session:
        account = await session.scalar(select(ChannelAccount.id))
        session.add(
            Conversation(
                merchant_id=merchant.id, channel_account_id=account, channel="sms",
                address="+4915112345678", customer_id=customer.id, created_at=NOW,
            )
        )  # fmt: skip
    made = await client.post(path)
    assert made.status_code == 201
    code = made.json()["code"]
    assert made.json()["link"] == f"https://kulanz.example/p/{code}"
    async with database.operator() as session:
        link = await page_link.find(session, code, NOW)
        assert link is not None
        assert link.trusted_until is None
        assert (await session.scalars(select(PageLink.hash))).one() == page_link.hashed(code)
    assert (await client.delete(path)).json() == {"links": 1}
    async with database.operator() as session:
        assert await page_link.find(session, code, NOW) is None


async def test_an_unknown_customer_has_none(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.post("/api/v1/customers/nobody/page-links"),
        await client.delete("/api/v1/customers/nobody/page-links"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (404, "CustomerUnknown")

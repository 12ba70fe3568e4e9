"""The customer's page on a real database, visited by a customer with two invoices."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.pages.pay import routes
from api.payments.accounts import PaymentProviders
from api.queue import make_app
from api.settings import Settings
from conversation import page_link
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    Claim,
    Conversation,
    Customer,
    Merchant,
    Message,
    PageLink,
)
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits

CODE = "k7qm-t2rt-xh4p"


@dataclass
class MovedClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Allowing(FakeLimits):
    """Lets everybody try until told otherwise."""

    allows: bool = True

    async def may_check(self, client: str) -> bool:
        return self.allows

    async def may_write(self, visit: str) -> bool:
        return self.allows


@dataclass
class Heard:
    """Live events, as they would have gone out."""

    changes: list[int] = field(default_factory=list)

    async def changed(self, merchant_id: int, conversation_id: int, *, kind: str = "") -> None:
        self.changes.append(conversation_id)


@dataclass
class FakeParts:
    """What the page needs of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    limits: Allowing = field(default_factory=Allowing)
    events: Heard = field(default_factory=Heard)
    public_url: str = "https://kulanz.example"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))


@dataclass
class Visiting:
    """A browser on the page of one customer."""

    http: httpx.AsyncClient
    parts: FakeParts
    merchant: Merchant
    customer: Customer
    conversation_id: int
    claims: list[Claim]

    async def link(self, code: str = CODE, *, verified: bool = False) -> PageLink:
        """A link of the customer's conversation; `verified`: which had a proof at that moment."""
        belongs = (self.conversation_id, self.merchant.id, self.customer.id)
        now = self.parts.clock.now()
        async with self.parts.database.operator() as session:
            link = page_link.keep(session, code, belongs, now)
            if verified:
                link.trusted_until = now + page_link.TRUSTED
            return link

    async def form(self, path: str) -> dict[str, str]:
        """The hidden fields of the last form of a page."""
        page = await self.http.get(path)
        return hidden(page.text)

    async def prove(self, number: str = "RE-2026-1044", code: str = CODE) -> httpx.Response:
        """Follow the link and give a number."""
        fields = await self.form(f"/p/{code}")
        return await self.http.post(f"/p/{code}", data={**fields, "number": number})

    async def enter(self) -> None:
        """Come in by a link and the invoice number."""
        await self.link()
        assert (await self.prove()).headers["location"] == "/p"

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form with the visit's own mark."""
        csrf = (await self.form("/p/data"))["csrf"]
        return await self.http.post(path, data={"csrf": csrf, **fields})

    async def agreeing(self, path: str) -> dict[str, str]:
        """The fields of the yes to what a page suggests."""
        page = await self.http.get(path)
        assert page.status_code == 200, page.text
        form = page.text.partition('action="/p/agree"')[2]
        return hidden(form.partition("</form>")[0])

    async def conversation(self) -> Conversation:
        async with self.parts.database.operator() as session:
            return await session.get_one(Conversation, self.conversation_id)

    async def messages(self) -> list[Message]:
        async with self.parts.database.operator() as session:
            return list(await session.scalars(select(Message).order_by(Message.id)))

    async def events(self, kind: str) -> list[AuditEvent]:
        async with self.parts.database.operator() as session:
            found = await session.scalars(select(AuditEvent).where(AuditEvent.kind == kind))
            return list(found)

    async def change(self, table: type, id: Any, **values: Any) -> None:
        async with self.parts.database.operator() as session:
            row = await session.get_one(table, id)
            for name, value in values.items():
                setattr(row, name, value)


def hidden(text: str) -> dict[str, str]:
    """Hidden fields of forms, the later ones winning."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
    return {name: value.replace("&#34;", '"').replace("&amp;", "&") for name, value in found}


def words(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    body = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split()).replace("\xa0", " ")


@pytest.fixture
async def visiting(
    database: Database, merchant: Merchant, customer: Customer
) -> AsyncIterator[Visiting]:
    """A customer with two invoices, reached by SMS; the first bears costs."""
    async with database.operator() as session:
        account = await session.scalar(select(ChannelAccount.id))
        held = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account,
            channel="sms",
            address="+4915112345678",
            customer_id=customer.id,
            introduced_at=NOW,
            created_at=NOW,
        )
        session.add(held)
        await session.flush()
        claims = [
            await book.open_claim(
                session,
                NewClaim(
                    merchant_id=merchant.id,
                    customer_id=customer.id,
                    reference=f"F-{number}",
                    invoice_number=f"RE-2026-{number}",
                    order_number=f"B-{number}",
                    description=description,
                    principal=Money(minor),
                    costs=Money(costs),
                    costs_reason="Porto der Mahnung" if costs else None,
                    invoice_date=date(2026, 8, 3),
                    due_date=date(2026, 8, 17),
                    confirmed_at=NOW,
                ),
                now=NOW - timedelta(days=60),
                key=f"open-{number}",
            )
            for number, description, minor, costs in (
                (1044, "Gartentisch <Eiche>", 120_00, 2_50),
                (1045, "Kaffeemaschine", 60_00, 0),
            )
        ]
    parts = FakeParts(database)
    app = app_of(routes.router)
    app.state.parts = parts
    app.state.payments = PaymentProviders(parts)  # type: ignore[arg-type]
    jobs = make_app(parts, pool_size=1)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)
    async with (
        jobs.open_async(),
        httpx.AsyncClient(transport=transport, base_url="https://kulanz.example") as http,
    ):
        app.state.jobs = jobs
        yield Visiting(http, parts, merchant, customer, held.id, claims)

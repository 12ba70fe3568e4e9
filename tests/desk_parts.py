"""The desk on a real database and a real Valkey, with one conversation and its claim."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
from sqlalchemy import select

from api.events import Events
from api.people.links import make_link
from api.people.roles import Role
from api.queue import make_app
from api.settings import Settings
from conversation import turn
from conversation.handoff import request_handoff
from conversation.look import look
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
)
from tests.apps import whole_app
from tests.conftest import NOW
from tests.db.console_browser import Console, CountedTries, MovedClock, hidden

TODAY = NOW.date()


@dataclass
class LiveParts:
    """What the desk needs of a web process."""

    database: Database
    events: Events
    clock: MovedClock = field(default_factory=MovedClock)
    limits: CountedTries = field(default_factory=CountedTries)
    public_url: str = "https://kulanz.example"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))
    providers: Any = None
    """The providers, where files are fetched from them."""


@dataclass
class Desk:
    """One conversation at the desk, and browsers of people in front of it."""

    app: Any
    parts: LiveParts
    merchant: Merchant
    customer: Customer
    conversation: Conversation
    claim: int
    handoff: int = 0

    @property
    def database(self) -> Database:
        return self.parts.database

    @property
    def page(self) -> str:
        return f"/console/desk/{self.handoff}"

    async def ask(self, reason: str = "asked_for_person") -> int:
        """The customer needs a person."""
        async with self.database.merchant(self.merchant.id) as session:
            await request_handoff(
                session, conversation_id=self.conversation.id, reason=reason, summary={},
                now=self.parts.clock.now(),
            )  # fmt: skip
        async with self.database.operator() as session:
            self.handoff = await session.scalar(
                select(Handoff.id).order_by(Handoff.id.desc()).limit(1)
            )
        return self.handoff

    async def agent(
        self,
        name: str = "m.koch",
        role: Role = Role.AGENT,
        *,
        account: bool = False,
        email: str = "",
    ) -> "Agent":
        """Somebody at a browser of their own."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url=self.parts.public_url
        )
        console = Console(client, self.parts)  # type: ignore[arg-type]
        if account:
            address = email or f"{name}@x.example"
            person = await console.add(self.merchant, address, role, password=None)
            async with self.database.operator() as session:
                person = await session.merge(person)
                person.name = name
                token = await make_link(
                    session, self.merchant.id, name, self.parts.clock.now(), person=person
                )
            await console.post(f"/console/login/{token}")
        else:
            await console.sign_in(self.merchant, name, role)
        return Agent(self, console)

    async def hear(self, body: str, *, button: str | None = None) -> str:
        """The customer writes, and the turn takes it; its outcome."""
        held = self.conversation
        async with self.database.operator() as session:
            message = Message(
                merchant_id=held.merchant_id, conversation_id=held.id,
                channel_account_id=held.channel_account_id, direction="in", author="customer",
                kind="button" if button else "message", text=body,
                buttons=[{"id": button}] if button else [], created_at=self.parts.clock.now(),
            )  # fmt: skip
            session.add(message)
        async with self.database.conversation(held.merchant_id, held.id) as session:
            now = self.parts.clock.now()
            found = await turn.next_unhandled(session, await look(session, held.id, now), now)
            if isinstance(found, turn.Settled):
                return found.outcome
            (await session.get_one(Message, message.id)).handled_at = now
        return "for the assistant"

    async def messages(self) -> list[Message]:
        async with self.database.operator() as session:
            return list(await session.scalars(select(Message).order_by(Message.id)))

    async def all_sent(self) -> None:
        """The provider has taken all."""
        async with self.database.operator() as session:
            for one in await session.scalars(select(Message).where(Message.status == "queued")):
                one.status, one.claimed_at = "sent", self.parts.clock.now()

    async def change(self, **facts: Any) -> None:
        """Change the conversation."""
        async with self.database.operator() as session:
            held = await session.get_one(Conversation, self.conversation.id)
            for name, value in facts.items():
                setattr(held, name, value)

    async def log(self) -> list[str]:
        async with self.database.operator() as session:
            return list(await session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id)))

    async def later(self, **much: float) -> None:
        self.parts.clock.moment += timedelta(**much)


@dataclass
class Agent:
    """A person at the desk."""

    desk: Desk
    console: Console

    async def look(self) -> httpx.Response:
        return await self.console.get(self.desk.page)

    async def act(self, what: str, **fields: str) -> httpx.Response:
        return await self.console.post(f"{self.desk.page}/{what}", **fields)

    async def write(self, text: str, **fields: str) -> httpx.Response:
        """Fill in the form as it is on the page, and send it."""
        page = await self.look()
        form = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), **fields}
        return await self.act("reply", text=text, **form)


@asynccontextmanager
async def desk_of(
    database: Database, merchant: Merchant, customer: Customer, valkey: str
) -> AsyncIterator[Desk]:
    """One conversation whose customer has asked for a person."""
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        talk = Conversation(
            channel_account_id=account.id, channel="sms", address="+4915735998881",
            customer_id=customer.id, language="de", introduced_at=NOW, last_inbound_at=NOW,
            verified_at=NOW, verified_with="invoice_number", created_at=NOW, **of,
        )  # fmt: skip
        session.add(talk)
        await session.flush()
        session.add(
            Message(
                conversation_id=talk.id, channel_account_id=account.id, direction="in",
                author="customer", kind="message", text="Bitte einen Menschen.", handled_at=NOW,
                created_at=NOW, **of,
            )
        )  # fmt: skip
    async with database.merchant(merchant.id) as session:
        claim = await book.open_claim(
            session,
            NewClaim(
                customer_id=customer.id, reference="RE-1", invoice_number="RE-2026-0042",
                description="Laufschuhe", principal=Money(240_00), costs=Money(6_00),
                costs_reason="Mahnbrief", invoice_date=TODAY - timedelta(days=60),
                due_date=TODAY - timedelta(days=46), confirmed_at=NOW, **of,
            ),
            now=NOW, key="open",
        )  # fmt: skip
    events = Events(valkey)
    app = whole_app()
    app.state.parts = parts = LiveParts(database, events)
    app.state.database = database
    app.state.jobs = jobs = make_app(parts, pool_size=2)  # type: ignore[arg-type]
    async with jobs.open_async():
        yield Desk(app, parts, merchant, customer, talk, claim.id)
    await events.redis.flushdb()
    await events.close()
    if parts.events is not events:
        await parts.events.close()

"""One merchant's desk over the app's REST API, on a real database, with a conversation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import procrastinate
import pytest
from sqlalchemy import select, text

from api import handoff_care
from api.keys import create_api_key
from api.queue import make_app
from conversation import turn
from conversation.engine import TurnResult
from conversation.handoff import Requested, request_handoff
from conversation.look import look
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
from tests.conftest import NOW, FakeLimits
from tests.db.console_browser import NoEvents


@dataclass
class MovedClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class FakeParts:
    """What the desk needs of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    events: NoEvents = field(default_factory=NoEvents)
    public_url: str = "https://kulanz.example"
    limits: FakeLimits = field(default_factory=FakeLimits)


@dataclass
class Desk:
    """One merchant's desk, and the conversation that it is about."""

    client: httpx.AsyncClient
    database: Database
    parts: FakeParts
    jobs: procrastinate.App
    key: str
    conversation: Conversation
    inbound: int = 0

    async def ask(self, reason: str = "asked_for_person", **more: Any) -> Requested:
        async with self.database.merchant(self.conversation.merchant_id) as session:
            return await request_handoff(
                session,
                conversation_id=self.conversation.id,
                reason=reason,
                summary={},
                now=self.parts.clock.now(),
                promise=True,
                **more,
            )

    async def get(self, path: str = "", *, key: str | None = None) -> httpx.Response:
        return await self.client.get(
            f"/api/v1/handoffs{path}", headers={"Authorization": f"Bearer {key or self.key}"}
        )

    async def post(
        self, what: str, *, agent: str = "m.koch", key: str | None = None, **body: Any
    ) -> httpx.Response:
        (number,) = await self.numbers()
        headers = {"Authorization": f"Bearer {self.key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.client.post(
            f"/api/v1/handoffs/{number}/{what}", json={"agent": agent, **body}, headers=headers
        )

    async def numbers(self) -> list[int]:
        async with self.database.operator() as session:
            return list(await session.scalars(select(Handoff.id)))

    async def hear(self, body: str) -> turn.Pending | turn.Settled | None:
        """The customer writes; what the turn makes of it."""
        held = self.conversation
        async with self.database.operator() as session:
            message = Message(
                merchant_id=held.merchant_id,
                conversation_id=held.id,
                channel_account_id=held.channel_account_id,
                direction="in",
                author="customer",
                kind="message",
                text=body,
                created_at=self.parts.clock.now(),
            )
            session.add(message)
        async with self.database.conversation(held.merchant_id, held.id) as session:
            seen = await look(session, held.id, self.parts.clock.now())
            return await turn.next_unhandled(session, seen, self.parts.clock.now())

    async def answer(self, pending: turn.Pending, **slots: Any) -> None:
        """The dialogue engine answers."""
        held = self.conversation
        result = TurnResult(
            messages=[{"say": "thanks_noted"}],
            events=[
                {"event": "slot", "name": name, "value": value, "timestamp": 1.0}
                for name, value in slots.items()
            ],
            slots=slots,
            understanding={"intent": "complaint", "confidence": 0.9, "language": "de"},
        )
        async with self.database.conversation(held.merchant_id, held.id) as session:
            assert await turn.store(
                session, held.id, pending.message_id, result, self.parts.clock.now()
            )

    async def said(self) -> list[tuple[str, str | None]]:
        """What went out: author and wording."""
        async with self.database.operator() as session:
            found = await session.execute(
                select(Message.author, Message.wording)
                .where(Message.direction == "out")
                .order_by(Message.id)
            )
            return [(author, wording) for author, wording in found]

    async def change(self, **facts: Any) -> None:
        """Change the conversation."""
        async with self.database.operator() as session:
            held = await session.get_one(Conversation, self.conversation.id)
            for name, value in facts.items():
                setattr(held, name, value)

    async def state(self) -> str:
        async with self.database.operator() as session:
            return (await session.get_one(Conversation, self.conversation.id)).state

    async def events(self) -> list[str]:
        async with self.database.operator() as session:
            return list(await session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id)))

    async def jobs_waiting(self) -> int:
        async with self.database.operator() as session:
            return int(
                await session.scalar(
                    text("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE '%deliver'")
                )
            )

    async def look(self, after: timedelta) -> list[int]:
        self.parts.clock.moment = NOW + after
        return await handoff_care.look(self.database, self.jobs, self.parts.clock.now())


@pytest.fixture
async def desk(database: Database, merchant: Merchant, customer: Customer) -> AsyncIterator[Desk]:
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account.id,
            channel="sms",
            address="+4915735998881",
            customer_id=customer.id,
            language="de",
            introduced_at=NOW,
            last_inbound_at=NOW,
            created_at=NOW,
        )
        session.add(conversation)
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    parts = FakeParts(database)
    jobs = make_app(parts, pool_size=2)  # type: ignore[arg-type]
    app = whole_app()
    app.state.parts = parts
    app.state.jobs = jobs
    transport = httpx.ASGITransport(app=app)
    async with (
        jobs.open_async(),
        httpx.AsyncClient(transport=transport, base_url="http://kulanz.test") as client,
    ):
        yield Desk(client, database, parts, jobs, key, conversation)

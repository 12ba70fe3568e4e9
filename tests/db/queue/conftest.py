"""A merchant's desk with conversations that wait, and a browser in front of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.people.links import make_link
from api.people.roles import ROLES_AT_DESK, Role
from conversation.desk_queue import Queue, queue
from conversation.desk_seats import give_in_turn, set_seat
from conversation.handoff import request_handoff
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    ConsoleSession,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    Person,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of


@dataclass
class Floor:
    """The desk of one merchant."""

    database: Database
    merchant: Merchant
    console: Console
    made: int = 0

    @property
    def now(self) -> datetime:
        return self.console.parts.clock.now()

    def later(self, **span: int) -> datetime:
        """Let time pass."""
        self.console.parts.clock.moment += timedelta(**span)
        return self.now

    async def asks(
        self,
        reason: str = "asked_for_person",
        *,
        open_minor: int = 0,
        summary: dict[str, Any] | None = None,
        channel: str = "sms",
        **customer: Any,
    ) -> int:
        """Somebody needs a person; the number of their handoff."""
        self.made += 1
        of: dict[str, Any] = {"merchant_id": self.merchant.id}
        async with self.database.operator() as session:
            account = await session.scalar(
                select(ChannelAccount).where(ChannelAccount.merchant_id == self.merchant.id)
            )
            assert account is not None
            who = Customer(
                number=f"K-{2000 + self.made}", name="Sonnenberg", first_name="Mia",
                created_at=NOW, updated_at=NOW, **{"language": "de", **customer}, **of,
            )  # fmt: skip
            session.add(who)
            await session.flush()
            held = Conversation(
                channel_account_id=account.id, channel=channel,
                address=f"+4915735990{self.made:03}", customer_id=who.id,
                language=who.language, introduced_at=NOW, last_inbound_at=self.now,
                created_at=self.now, **of,
            )  # fmt: skip
            session.add(held)
        async with self.database.merchant(self.merchant.id) as session:
            if open_minor:
                new = NewClaim(
                    customer_id=who.id, reference=f"F-{self.made}",
                    invoice_number=f"RE-{self.made}", description="Laufschuhe",
                    principal=Money(open_minor), invoice_date=NOW.date() - timedelta(days=40),
                    due_date=NOW.date() - timedelta(days=20), confirmed_at=NOW, **of,
                )  # fmt: skip
                await book.open_claim(session, new, now=self.now, key=f"open:{self.made}")
            await request_handoff(
                session, conversation_id=held.id, reason=reason, summary=summary or {},
                now=self.now,
            )  # fmt: skip
        async with self.database.operator() as session:
            found = select(Handoff.id).where(Handoff.conversation_id == held.id)
            return (await session.scalars(found)).one()

    async def asks_again(self, handoff: int, reason: str, summary: dict[str, Any]) -> None:
        """The same customer asks for something more."""
        held = await self.handoff(handoff)
        async with self.database.merchant(self.merchant.id) as session:
            await request_handoff(
                session,
                conversation_id=held.conversation_id,
                reason=reason,
                summary=summary,
                now=self.now,
            )

    async def writes(self, handoff: int, text: str, *, author: str = "customer") -> None:
        """A message stands in the conversation."""
        sent = author != "customer"
        async with self.database.operator() as session:
            held = await session.get_one(
                Conversation, (await session.get_one(Handoff, handoff)).conversation_id
            )
            session.add(
                Message(
                    merchant_id=held.merchant_id,
                    conversation_id=held.id,
                    channel_account_id=held.channel_account_id,
                    direction="out" if sent else "in",
                    author=author,
                    kind="message",
                    text=text,
                    status="sent" if sent else None,
                    created_at=self.now,
                )
            )

    async def handoff(self, number: int) -> Handoff:
        """As it is now."""
        async with self.database.operator() as session:
            return await session.get_one(Handoff, number)

    async def queue(self) -> Queue:
        """What is open, in order."""
        async with self.database.merchant(self.merchant.id) as session:
            return await queue(session, self.merchant.id, self.now)

    async def order(self) -> list[int]:
        return [row.handoff.id for row in (await self.queue()).rows]

    async def works(
        self, name: str, role: Role = Role.AGENT, *, here: bool = True, capacity: int = 5
    ) -> Person:
        """Somebody who works here, signed in and at the desk."""
        of = {"merchant_id": self.merchant.id}
        async with self.database.operator() as session:
            person = Person(
                email=f"{name.lower()}@lindenhof.example", name=name, role=role.value,
                created_at=NOW, **of,
            )  # fmt: skip
            session.add(person)
            await session.flush()
            session.add(
                ConsoleSession(
                    hash=name.ljust(64, "0"),
                    person_id=person.id,
                    operator=name,
                    proved_by="link",
                    device="",
                    created_at=self.now,
                    seen_at=self.now,
                    expires_at=self.now + timedelta(hours=10),
                    **of,
                )
            )
        async with self.database.merchant(self.merchant.id) as session:
            await set_seat(session, self.merchant.id, person.id, here=here, capacity=capacity)
        return person

    async def in_turn(self, number: int) -> str | None:
        """Give it to whoever is next."""
        conversation = (await self.handoff(number)).conversation_id
        async with self.database.conversation(self.merchant.id, conversation) as session:
            return await give_in_turn(session, number, ROLES_AT_DESK, self.now)

    async def sign_in(self, person: Person) -> None:
        """Sit down at this person's screen."""
        self.console.forget()
        async with self.database.operator() as session:
            found = await session.get_one(Person, person.id)
            token = await make_link(session, self.merchant.id, person.name, self.now, person=found)
        await self.console.post(f"/console/login/{token}")

    async def happened(self, kind: str) -> list[dict[str, Any]]:
        """What the audit holds of this kind."""
        async with self.database.operator() as session:
            rows = await session.scalars(
                select(AuditEvent).where(AuditEvent.kind == kind).order_by(AuditEvent.id)
            )
            return [{**row.facts, "person": row.person} for row in rows]


@pytest.fixture
async def floor(database: Database, merchant: Merchant) -> AsyncIterator[Floor]:
    async with console_of(database) as console:
        yield Floor(database, merchant, console)

"""One running service for all journeys: real PostgreSQL, Valkey, Rasa, web and worker, started by
``kulanz up``; the providers are the stand-in, in this process. Each test has customers of its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from api.demo.customers import Line, PhoneCustomer, TelegramCustomer
from api.demo.serving import serving
from api.demo.standin import Accepted, StandIn
from api.demo.started import AUTH_TOKEN, SMS_NUMBER, StartedService
from api.service import BOT_PYTHON
from api.wiring import Parts, parts
from benchmarks.people import Person, prepare

PEOPLE = 40
ANSWER_SECONDS_MAX = 45.0


@dataclass
class World:
    """The running service and everything around it."""

    service: StartedService
    standin: StandIn
    line: Line
    made: Parts

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What the database holds, over all merchants."""
        async with self.made.database.operator() as session:
            return [dict(row) for row in (await session.execute(text(query), values)).mappings()]

    async def settled(
        self, address: str, *, seconds: float = ANSWER_SECONDS_MAX, every_seconds: float = 0.03
    ) -> None:
        """Wait until everything of the conversation with this address is handled and sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            (left,) = await self.rows(
                "SELECT count(*) AS open FROM message m"
                " JOIN conversation c ON c.id = m.conversation_id WHERE c.address = :address"
                " AND ((m.direction = 'in' AND m.handled_at IS NULL)"
                " OR (m.direction = 'out' AND m.status IN ('queued', 'sending')))",
                address=address,
            )
            if not left["open"]:
                return
            await asyncio.sleep(every_seconds)
        pytest.fail(f"no answer within {seconds:.0f} s, see {self.service.log}")


@dataclass
class Talk:
    """One customer's conversation with the service."""

    world: World
    person: Person
    customer: PhoneCustomer | TelegramCustomer

    @property
    def own_address(self) -> str:
        """The address as the service keeps it."""
        if isinstance(self.customer, PhoneCustomer):
            return self.customer.number
        return self.customer.address

    async def say(self, line: str) -> list[Accepted]:
        """Write, wait, and return the answers."""
        before = len(self.world.standin.to(self.customer.address))
        await self.customer.write(line)
        await self.world.settled(self.own_address)
        return self.world.standin.to(self.customer.address)[before:]

    async def wordings(self) -> list[str]:
        """The names of everything we said, in order."""
        rows = await self.world.rows(
            "SELECT m.wording FROM message m JOIN conversation c ON c.id = m.conversation_id"
            " WHERE c.address = :address AND m.direction = 'out' ORDER BY m.id",
            address=self.own_address,
        )
        return [row["wording"] for row in rows]

    async def conversation(self) -> dict[str, Any]:
        """The conversation's row."""
        (row,) = await self.world.rows(
            "SELECT * FROM conversation WHERE address = :address", address=self.own_address
        )
        return row

    async def agreements(self) -> list[dict[str, Any]]:
        """What was agreed in this conversation, each with its instalments."""
        conversation = await self.conversation()
        return await self.world.rows(
            "SELECT a.kind, a.status, a.total_minor, array_agg(i.amount_minor ORDER BY i.number)"
            " AS amounts, array_agg(i.due_date ORDER BY i.number) AS days"
            " FROM agreement a JOIN instalment i ON i.agreement_id = a.id"
            " WHERE a.conversation_id = :id GROUP BY a.id",
            id=conversation["id"],
        )


@dataclass
class Guests:
    """Hands out customers that no other test has met."""

    world: World
    phones: Iterator[Person]
    chats: Iterator[Person]

    def by_phone(self) -> Talk:
        """Somebody who writes text messages."""
        person = next(self.phones)
        return Talk(self.world, person, PhoneCustomer(self.world.line, person.phone, SMS_NUMBER))

    def by_telegram(self, language: str = "de") -> Talk:
        """Somebody with an unused one-time link to our Telegram bot."""
        person = next(self.chats)
        chat = TelegramCustomer(self.world.line, person.chat_id, language)
        return Talk(self.world, person, chat)


@pytest.fixture(scope="session")
async def guests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guests]:
    """The service with customers to be."""
    if not BOT_PYTHON.exists():
        pytest.skip("the assistant's environment is not installed")
    standin = StandIn(AUTH_TOKEN)
    async with serving(standin.app()) as url:
        folder = tmp_path_factory.mktemp("service")
        service = StartedService(folder, url, extra={"KULANZ_DEMO": "1"})
        people = await prepare(service.settings(), PEOPLE)
        service.start()
        try:
            await service.until_ready()
            line = service.line()
            async with parts(service.settings(), pool_size=4) as made:
                yield Guests(
                    World(service, standin, line, made),
                    iter([person for person in people if person.start_token is None]),
                    iter([person for person in people if person.start_token is not None]),
                )
            await line.close()
        finally:
            await service.stop()
            await standin.close()


@pytest.fixture
def world(guests: Guests) -> World:
    """The service and everything around it."""
    return guests.world

"""A browser of one person at the console, without the network."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pyotp

from api.events import NOTHING, News
from api.pages.console import routes
from api.people import accounts, links
from api.people.access import COOKIE
from api.people.links import make_link
from api.people.roles import Role
from api.settings import Settings
from storage.engine import Database
from storage.tables import Merchant, Person
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits

PASSWORD = "vier Enten am Montagsteich"
DEVICE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class MovedClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class CountedTries(FakeLimits):
    """Limits that let through until told otherwise, and tell what they were asked."""

    allows: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    right: list[str] = field(default_factory=list)

    async def may_sign_in(self, account: str, client: str) -> bool:
        self.asked.append((account, client))
        return self.allows

    async def signed_in(self, account: str) -> None:
        self.right.append(account)


@dataclass
class NoEvents:
    """Takes live events for nobody, and keeps what they were about."""

    seen: list[int] = field(default_factory=list)

    async def changed(self, merchant_id: int, conversation_id: int, *, kind: str = "") -> None:
        self.seen.append(conversation_id)

    @asynccontextmanager
    async def listening(self, merchant_id: int, who: str) -> AsyncIterator["Silence"]:
        yield Silence()


class Silence:
    """A listener that hears nothing."""

    over = False

    async def next(self, seconds: float) -> News:
        await asyncio.sleep(seconds)
        return NOTHING


@dataclass
class FakeParts:
    """What the console needs of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    limits: CountedTries = field(default_factory=CountedTries)
    events: NoEvents = field(default_factory=NoEvents)
    public_url: str = "https://kulanz.example"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))


@dataclass
class Console:
    """A browser of one person."""

    client: httpx.AsyncClient
    parts: FakeParts

    async def link(
        self, merchant: Merchant, operator: str = "m.koch", role: Role = Role.OWNER
    ) -> str:
        """A link from the command line."""
        now = self.parts.clock.now()
        async with self.parts.database.merchant(merchant.id) as session:
            return await make_link(session, merchant.id, operator, now, role=role)

    async def sign_in(
        self, merchant: Merchant, operator: str = "m.koch", role: Role = Role.OWNER
    ) -> httpx.Response:
        """Come in by such a link."""
        return await self.post(f"/console/login/{await self.link(merchant, operator, role)}")

    async def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return await self.client.get(path)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of ours would: with the mark of whoever is here."""
        return await self.client.post(path, data={"csrf": await self.csrf(), **fields})

    async def csrf(self) -> str:
        """The mark in our forms."""
        path = "/console/me" if self.client.cookies.get(COOKIE) else "/console/sign-in"
        page = await self.client.get(path, follow_redirects=True)
        return hidden(page, "csrf")

    def forget(self) -> None:
        """Another browser."""
        self.client.cookies.clear()

    async def by_password(
        self, email: str, password: str = PASSWORD, shop: str = ""
    ) -> httpx.Response:
        """Fill in the first form."""
        return await self.post("/console/sign-in", email=email, password=password, shop=shop)

    async def add(
        self, merchant: Merchant | None, email: str, role: Role, *, password: str | None = PASSWORD
    ) -> Person:
        """Somebody with an account."""
        now = self.parts.clock.now()
        async with self.parts.database.operator() as session:
            of = merchant.id if merchant else None
            person = await accounts.add(session, of, (email, email.partition("@")[0], role), now)
            if password is not None:
                await accounts.set_password(session, person, password, now)
        return person

    async def invitation(self, person: Person) -> str:
        """A link to a password."""
        async with self.parts.database.operator() as session:
            person = await session.get_one(Person, person.id)
            return await links.make_password_link(session, person, self.parts.clock.now())

    async def set_up_second_factor(self, **fields: str) -> pyotp.TOTP:
        """Scan the code and type what the app shows; the app."""
        page = await self.get("/console/me/second-factor")
        letters = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert letters is not None
        app = pyotp.TOTP(letters.group(1).replace(" ", ""))
        done = await self.client.post(
            "/console/me/second-factor",
            data={
                "csrf": hidden(page, "csrf"),
                "offer": hidden(page, "offer"),
                "code": app.at(self.parts.clock.now()),
                **fields,
            },
        )
        assert done.status_code == 200, done.text
        return app


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found.group(1)


def words(page: httpx.Response) -> str:
    """What a page says."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<body>")[2]).split())


@asynccontextmanager
async def console_of(database: Database) -> AsyncIterator[Console]:
    """The console's pages, and a browser in front of them."""
    app = app_of(routes.router)
    app.state.parts = parts = FakeParts(database)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=parts.public_url,
        headers={"User-Agent": DEVICE},
    ) as client:
        yield Console(client, parts)

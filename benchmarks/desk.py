"""How soon a message is on the desk: signed webhook in → event at a browser → the message fetched.

Starts a service of its own (web, workers, PostgreSQL, Valkey; no assistant, since people hold all
conversations), connects so many people to the desk's stream as browsers do, and has customers
write at a steady pace. Each person fetches what is new when they hear of their conversation.

    .venv/bin/python -m benchmarks.desk [--people 50] [--rate 20] [--seconds 30]
"""

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
import uvloop
from sqlalchemy import select

from api.demo.customers import PhoneCustomer
from api.demo.serving import serving
from api.demo.standin import StandIn
from api.demo.started import AUTH_TOKEN, SMS_NUMBER, StartedService
from api.people import sessions
from api.people.access import COOKIE
from api.people.links import make_link
from api.people.roles import Role
from api.wiring import Running
from benchmarks.people import Person, prepare
from benchmarks.processes import cpu_seconds_by_part
from storage.engine import Database, DatabaseUrls
from storage.tables import ChannelAccount, Conversation, Customer, Handoff, Merchant

P95_SECONDS_MAX = 0.3
SETTLE_SECONDS = 3.0
NOBODY = "http://127.0.0.1:9"
"""Where an assistant would be; nobody asks for it."""


@dataclass
class Seat:
    """Somebody at the desk with one conversation before their eyes."""

    person: Person
    handoff: int
    conversation: int
    cookie: str
    last: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Measured:
    """When each message was sent, heard of and seen, by its mark."""

    sent: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    waiting: dict[int, list[str]] = field(default_factory=dict)
    again: int = 0
    """How often somebody had to connect or to ask once more."""


async def seats(running: Running, people: list[Person]) -> list[Seat]:
    """Conversations that people hold, and their sessions."""
    database = Database(DatabaseUrls.derive(running.owner_url, running.role_password), pool_size=2)
    now, made = datetime.now(UTC), []
    try:
        async with database.operator() as session:
            merchant = (await session.scalars(select(Merchant))).one()
            account = await session.scalar(
                select(ChannelAccount.id).where(ChannelAccount.channel == "sms")
            )
            customers = list(await session.scalars(select(Customer).order_by(Customer.id)))
            of: dict[str, Any] = {"merchant_id": merchant.id}
            for number, person in enumerate(people):
                name = f"agent {number}"
                talk = Conversation(
                    channel_account_id=account, channel="sms", address=person.phone,
                    customer_id=customers[number].id, state="agent", language="de",
                    verified_at=now, introduced_at=now, created_at=now, **of,
                )  # fmt: skip
                session.add(talk)
                await session.flush()
                handoff = Handoff(
                    conversation_id=talk.id, reason="asked_for_person", summary={},
                    requested_at=now, taken_by=name, taken_at=now, **of,
                )  # fmt: skip
                session.add(handoff)
                await session.flush()
                link = await make_link(session, merchant.id, name, now, role=Role.AGENT)
                token = await sessions.redeem(session, link, now)
                made.append(Seat(person, handoff.id, talk.id, f"{COOKIE}={token}"))
    finally:
        await database.close()
    return made


async def sit(http: aiohttp.ClientSession, url: str, seat: Seat, found: Measured) -> None:
    """Be connected until cancelled; who is not let in tries again, as the page does."""
    while True:
        await listen(http, url, seat, found)
        found.again += 1
        await asyncio.sleep(random.uniform(0.25, 0.75))


async def listen(http: aiohttp.ClientSession, url: str, seat: Seat, found: Measured) -> None:
    """Hold the stream and fetch what is new, as long as it lasts."""
    headers = {"Cookie": seat.cookie}
    forever = aiohttp.ClientTimeout(total=None)
    async with http.get(f"{url}/console/desk/events", headers=headers, timeout=forever) as stream:
        if stream.status != 200:
            return
        kind = ""
        async for line in stream.content:
            if line.startswith(b"event: "):
                kind = line.strip().decode().removeprefix("event: ")
            elif line.startswith(b"data: ") and kind == "ready":
                seat.ready.set()
            elif line.startswith(b"data: "):
                news = json.loads(line.removeprefix(b"data: "))
                changed = [*news.get("changed", []), *news.get("message", [])]
                if seat.conversation in changed:
                    at = time.monotonic()
                    for mark in found.waiting.get(seat.conversation, []):
                        found.heard.setdefault(mark, at)
                    await fetch(http, url, seat, found)


async def fetch(http: aiohttp.ClientSession, url: str, seat: Seat, found: Measured) -> None:
    """Ask for all after the last message, as the page does."""
    address = f"{url}/console/desk/{seat.handoff}/live?after={seat.last}"
    async with http.get(address, headers={"Cookie": seat.cookie}) as answer:
        html = await answer.text()
        if answer.status != 200:
            found.again += 1
            return
    at = time.monotonic()
    for mark in [one for one in found.waiting.get(seat.conversation, []) if one in html]:
        found.seen[mark] = at
        found.waiting[seat.conversation].remove(mark)


@asynccontextmanager
async def seated(
    url: str, taken: list[Seat], found: Measured
) -> AsyncIterator[aiohttp.ClientSession]:
    """All at the desk, connected."""
    connector = aiohttp.TCPConnector(limit=0)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        sitting = [asyncio.create_task(sit(http, url, seat, found)) for seat in taken]
        try:
            await asyncio.wait_for(asyncio.gather(*(seat.ready.wait() for seat in taken)), 60)
            yield http
            broken = [task for task in sitting if task.done()]
            assert not broken, broken
        finally:
            for task in sitting:
                task.cancel()
            await asyncio.gather(*sitting, return_exceptions=True)


async def write(
    service: StartedService, taken: list[Seat], found: Measured, *, rate: float, seconds: float
) -> None:
    """Have customers write at a steady pace, whatever becomes of it."""
    line = service.line()
    phones = [PhoneCustomer(line, seat.person.phone, SMS_NUMBER) for seat in taken]
    began, under_way = time.monotonic(), []
    for number in range(int(rate * seconds)):
        place, mark = number * 7 % len(taken), f"Zeichen-{number:06}-"
        found.waiting.setdefault(taken[place].conversation, []).append(mark)
        webhook = phones[place].message(f"{mark} Guten Tag, haben Sie schon nachgesehen?")
        found.sent[mark] = time.monotonic()
        under_way.append(asyncio.create_task(line.deliver(webhook)))
        await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.monotonic()))
    await asyncio.gather(*under_way)
    await asyncio.sleep(SETTLE_SECONDS)
    await line.close()


def told(found: Measured) -> bool:
    """Print the figures; whether they are good."""
    lost = len(found.sent) - len(found.seen)
    good = not lost
    print(f"{len(found.sent)} messages, {lost} not seen, {found.again} asked again")
    print(f"{'from the webhook':>22} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    for name, when in (("to the event", found.heard), ("to the message", found.seen)):
        took = sorted(at - found.sent[mark] for mark, at in when.items())
        p95 = took[ceil(0.95 * len(took)) - 1]
        fine = p95 <= P95_SECONDS_MAX
        good &= fine
        middle = took[len(took) // 2]
        mark = "" if fine else "  too slow"
        print(f"{name:>22} {middle * 1e3:>8.0f} {p95 * 1e3:>8.0f} {took[-1] * 1e3:>8.0f}{mark}")
    return good


async def _run(people: int, rate: float, seconds: float) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="kulanz-desk-"))
    standin = StandIn(AUTH_TOKEN)
    try:
        async with serving(standin.app()) as url:
            service = StartedService(folder, url, {"KULANZ_RASA_URL": NOBODY})
            everybody = await prepare(service.settings(), people, telegram_every=people + 1)
            service.start()
            try:
                taken = await seats(await service.until_listening(), everybody)
                warm = Measured()
                async with seated(service.url, taken, warm):
                    await write(service, taken, warm, rate=rate, seconds=5)
                found = Measured()
                for seat in taken:
                    seat.ready.clear()
                pid = service.process.pid if service.process else 0
                async with seated(service.url, taken, found):
                    before, own = cpu_seconds_by_part(pid), time.process_time()
                    await write(service, taken, found, rate=rate, seconds=seconds)
                    after = cpu_seconds_by_part(pid)
                    after["browsers"] = time.process_time() - own
                for part in sorted(after):
                    spent = (after[part] - before.get(part, 0)) / len(found.sent)
                    print(f"{'CPU a message, ' + part:>26} {spent * 1e3:>6.1f} ms")
                return told(found)
            finally:
                begun = time.monotonic()
                await service.stop()
                print(f"stopped in {time.monotonic() - begun:.1f} s")
                await standin.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(
    people: Annotated[int, typer.Option(help="People at the desk.")] = 50,
    rate: Annotated[float, typer.Option(help="Messages a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(help="How long customers write.")] = 30.0,
) -> None:
    """Measure, and print all figures; 1 where a message takes too long or is lost."""
    sys.exit(not uvloop.run(_run(people, rate, seconds)))


if __name__ == "__main__":
    typer.run(main)

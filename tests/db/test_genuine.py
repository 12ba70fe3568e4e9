"""The page that proves a message genuine: what it says, and that it says nothing else."""

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select, update

from api.contact import send_planned
from api.limits import CHECKS, Limits
from api.pages.genuine import routes
from api.queue import make_app
from api.settings import Settings
from channels.message import Channel
from conversation import genuine
from conversation.wording import MerchantVoice
from outreach.channel_choice import ChoiceReason
from outreach.facts import PlannedContact, Step, StepReason
from storage import embedded
from storage.engine import Database
from storage.tables import (
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    GenuineCode,
    Merchant,
    Message,
)
from tests.apps import app_of
from tests.conftest import NOW

CODE = "k7qmt-2rtxh"
SENT = datetime(2026, 11, 22, 23, 30, tzinfo=NOW.tzinfo)
"""Already the 23rd in Berlin."""


@dataclass
class StandingClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Unlimited:
    """Lets everybody try, and remembers who did."""

    seen: list[str] = field(default_factory=list)

    async def may_check(self, client: str) -> bool:
        self.seen.append(client)
        return True


@dataclass
class FakeParts:
    """What the page needs of a web process."""

    database: Database
    limits: Unlimited | Limits = field(default_factory=Unlimited)
    clock: StandingClock = field(default_factory=StandingClock)
    public_url: str = "https://kulanz.example"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """A Valkey of this test's own."""
    port = embedded.free_port()
    process = subprocess.Popen(embedded.valkey_command(tmp_path, port, "only-for-tests").argv)
    url = embedded.redis_url(port, "only-for-tests")
    async with Redis.from_url(url) as client:
        for _ in range(200):
            with contextlib.suppress(RedisError):
                await client.ping()
                break
            await asyncio.sleep(0.05)
    yield url
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
async def parts(database: Database) -> FakeParts:
    return FakeParts(database)


@pytest.fixture
async def client(parts: FakeParts) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(routes.router)
    app.state.parts = parts
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://kulanz.example") as client:
        yield client


@pytest.fixture
async def message(database: Database, merchant: Merchant, customer: Customer) -> Message:
    """A first contact that was sent, with its code."""
    async with database.operator() as session:
        account = (await session.scalars(ChannelAccount.__table__.select())).first()
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account,
            channel="sms",
            address="+4915112345678",
            customer_id=customer.id,
            created_at=NOW,
        )
        session.add(conversation)
        await session.flush()
        sent = Message(
            merchant_id=merchant.id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="out",
            author="bot",
            kind="message",
            text=f"Guten Tag … https://kulanz.example/echt/{CODE}",
            wording="first_contact",
            status="delivered",
            sent_at=SENT,
            created_at=SENT,
        )
        session.add(sent)
        await session.flush()
        genuine.keep(session, CODE, merchant_id=merchant.id, message_id=sent.id, now=SENT)
    return sent


async def change(database: Database, table: type, id: int, **values: object) -> None:
    async with database.operator() as session:
        row = await session.get_one(table, id)
        for name, value in values.items():
            setattr(row, name, value)


def words(page: httpx.Response) -> str:
    body = page.text.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


async def test_it_says_who_wrote_when_and_from_where(
    client: httpx.AsyncClient, message: Message
) -> None:
    page = await client.get(f"/echt/{CODE}")
    assert page.status_code == 200
    said = words(page)
    assert "Ja, diese Nachricht ist echt." in said
    assert "Lindenhof Versand hat sie geschickt." in said
    assert "Montag, 23. November 2026" in said
    assert "+49 1573 5990001" in said
    assert "+493023125000" in said


@pytest.mark.parametrize(("name", "shown"), [("linde_bot", True), (None, False)])
async def test_a_merchants_own_bot_is_named_as_the_phone_shows_it(
    client: httpx.AsyncClient,
    database: Database,
    message: Message,
    name: str | None,
    shown: bool,
) -> None:
    facts = {"channel": "telegram", "address": "7001", "public_name": name, "credentials": b"x"}
    await change(database, ChannelAccount, message.channel_account_id, **facts)
    page = await client.get(f"/echt/{CODE}")
    assert page.status_code == 200
    assert ("@linde_bot" in words(page)) is shown
    assert "7001" not in words(page)


async def test_it_says_nothing_of_the_customer_or_the_claim(
    client: httpx.AsyncClient, message: Message, customer: Customer
) -> None:
    page = await client.get(f"/echt/{CODE}")
    for secret in (customer.name, customer.first_name, customer.number, customer.postal_code):
        assert str(secret) not in page.text
    assert "15112345678" not in re.sub(r"\D", "", words(page).replace("+49 1573 5990001", ""))
    assert "Guten Tag" not in page.text


async def test_a_neutral_alias_stays_neutral(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, message: Message
) -> None:
    await change(
        database, Merchant, merchant.id, name="Apotheke am Ring", alias="Ring Service", phone=None
    )
    page = await client.get(f"/echt/{CODE}")
    assert "Ring Service" in page.text
    assert "Apotheke" not in page.text
    # The mail address lies on the site that the alias hides.
    assert "lindenhof.example" not in page.text


@pytest.mark.parametrize("typed", ["K7QMT-2RTXH", "k7qmt2rtxh", "k7qmt 2rtxh", "k7qmt–2rtxh"])
async def test_a_code_is_the_same_however_it_is_typed(
    client: httpx.AsyncClient, message: Message, typed: str
) -> None:
    assert (await client.get("/echt", params={"code": typed})).status_code == 200
    assert (await client.get(f"/echt/{typed}")).status_code == 200


async def test_wrong_expired_and_malformed_codes_are_answered_alike(
    client: httpx.AsyncClient, database: Database, parts: FakeParts, message: Message
) -> None:
    answers = {}
    for typed in ("k7qmt-2rtxj", "nonsense", "0", "a/b/c", "%00", "x" * 300, "%F0%9F%98%80x"):
        answers[typed] = await client.get(f"/echt/{typed}")
    parts.clock.moment = SENT + timedelta(days=genuine.VALID_DAYS)
    answers["expired"] = await client.get(f"/echt/{CODE}")
    parts.clock.moment = NOW
    await change(database, Message, message.id, status="failed", sent_at=None)
    answers["never sent"] = await client.get(f"/echt/{CODE}")
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.text for answer in answers.values()}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers.values()}) == 1
    assert "Diesen Code kennen wir nicht." in answers["0"].text
    assert len(parts.limits.seen) == len(answers)  # type: ignore[union-attr]


async def test_in_a_shops_frame_only_its_own_codes_count(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, message: Message
) -> None:
    other = Merchant(
        key="other", name="Other", check_url="https://other.example/echt?c=", created_at=NOW
    )
    async with database.operator() as session:
        session.add(other)
    await change(database, Merchant, merchant.id, check_url="https://lindenhof.example/echt")
    own = await client.get(f"/echt/{CODE}", params={"shop": "lindenhof"})
    assert own.status_code == 200
    assert "frame-ancestors https://lindenhof.example" in own.headers["content-security-policy"]
    foreign = await client.get(f"/echt/{CODE}", params={"shop": "other"})
    assert foreign.status_code == 404
    assert "frame-ancestors https://other.example" in foreign.headers["content-security-policy"]


@pytest.mark.parametrize("shop", [{}, {"shop": "nobody"}, {"shop": "lindenhof"}, {"shop": "\x00'"}])
async def test_nobody_else_may_frame_it(
    client: httpx.AsyncClient, message: Message, shop: dict[str, str]
) -> None:
    page = await client.get("/echt", params=shop)
    assert page.status_code == 200
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(
    ("path", "accepts", "language"),
    [
        ("/echt", "", "de"),
        ("/echt", "en-GB,en;q=0.9,de;q=0.5", "en"),
        ("/echt", "fr, de;q=0.3, en;q=0.2", "de"),
        ("/echt", "*;q=x,;;", "de"),
        ("/genuine", "de", "en"),
        ("/genuine?lang=de", "en", "de"),
        ("/echt?lang=en", "de", "en"),
        ("/echt?lang=fr", "de", "de"),
    ],
)
async def test_it_speaks_the_readers_language(
    client: httpx.AsyncClient, path: str, accepts: str, language: str
) -> None:
    page = await client.get(path, headers={"Accept-Language": accepts})
    assert f'<html lang="{language}">' in page.text


async def test_it_is_light_closed_and_without_script(
    client: httpx.AsyncClient, message: Message
) -> None:
    page = await client.get(f"/echt/{CODE}")
    assert len(page.content) < 8_000
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("where", ["/echt", "/echt/", f"/echt/{CODE}", f"/echt?code={CODE}"])
async def test_every_address_inside_is_relative(
    client: httpx.AsyncClient, message: Message, where: str
) -> None:
    """So that the page may stand behind any path of the shop's own site."""
    page = await client.get(where)
    assert page.status_code == 200
    for address in re.findall(r'(?:href|action)="([^"]*)"', page.text):
        assert address.startswith((".", "?", "tel:", "mailto:", "data:")) or address == ""


async def test_a_client_may_try_only_so_many(
    client: httpx.AsyncClient, parts: FakeParts, redis_url: str, message: Message
) -> None:
    parts.limits = Limits(redis_url)
    most = CHECKS[0].amount
    answers = [await client.get("/echt/nonsense") for _ in range(most)]
    assert {answer.status_code for answer in answers} == {404}
    for path in ("/echt/nonsense", f"/echt/{CODE}"):
        limited = await client.get(path)
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")
        assert "Bitte warten Sie eine Minute." in limited.text
    assert (await client.get("/echt")).status_code == 200
    await parts.limits.close()


async def test_every_message_written_unasked_carries_its_own_code(
    client: httpx.AsyncClient,
    database: Database,
    parts: FakeParts,
    merchant: Merchant,
    customer: Customer,
) -> None:
    async with database.operator() as session:
        account = await session.scalar(select(ChannelAccount.id))
        point = ContactPoint(
            merchant_id=merchant.id,
            customer_id=customer.id,
            channel="sms",
            address="+4915112345678",
            source="merchant_import",
            created_at=NOW,
        )
        session.add(point)
    assert account is not None
    first = PlannedContact(
        merchant_id=merchant.id,
        customer_id=customer.id,
        customer_number=customer.number,
        contact_point_id=point.id,
        channel_account_id=account,
        channel=Channel.SMS,
        address=point.address,
        language="de",
        wording="first_contact",
        template="",
        cycle=1,
        step=Step.FIRST_CONTACT,
        step_reason=StepReason.NO_CONTACT_YET,
        channel_reason=ChoiceReason.ONLY_ONE,
    )
    again = replace(first, step=Step.REMINDER, wording="first_reminder")
    jobs = make_app(parts, pool_size=2)  # type: ignore[arg-type]
    async with jobs.open_async():
        for planned in (first, again):
            assert await send_planned(parts, jobs, planned, NOW)  # type: ignore[arg-type]
        # Another planner was faster: nothing is written, no code is left.
        assert not await send_planned(parts, jobs, again, NOW)  # type: ignore[arg-type]
    async with database.operator() as session:
        texts = list(await session.scalars(select(Message.text).order_by(Message.id)))
        codes = list(await session.scalars(select(GenuineCode.code)))
    links = [re.search(r"https://kulanz\.example(/echt/\S+)", body) for body in texts]
    shown = [found.group(1) for found in links if found is not None]
    assert len(texts) == len(shown) == len(codes) == len(set(codes)) == 2
    # What is only queued is in nobody's hand yet.
    assert (await client.get(shown[0])).status_code == 404
    async with database.operator() as session:
        await session.execute(update(Message).values(status="sent", sent_at=NOW))
    for path in shown:
        assert (await client.get(path)).status_code == 200


def test_a_link_is_on_the_shops_own_address_where_it_has_one() -> None:
    shop = MerchantVoice("Lindenhof")
    assert genuine.link(CODE, shop, "de", "https://k.example") == f"https://k.example/echt/{CODE}"
    assert (
        genuine.link(CODE, shop, "en", "https://k.example") == f"https://k.example/genuine/{CODE}"
    )
    for own, whole in (
        ("https://shop.example/echt", f"https://shop.example/echt/{CODE}"),
        ("https://shop.example/echt?code=", f"https://shop.example/echt?code={CODE}"),
    ):
        shop = MerchantVoice("Lindenhof", check_url=own)
        assert genuine.link(CODE, shop, "de", "https://k.example") == whole


def test_codes_are_random_and_read_aloud() -> None:
    codes = {genuine.new_code() for _ in range(2_000)}
    assert len(codes) == 2_000
    for code in codes:
        assert re.fullmatch(r"[2-9bcdfghjkmnpqrstvwxz]{5}-[2-9bcdfghjkmnpqrstvwxz]{5}", code)
        assert len(genuine.normal(code)) == genuine.CHARACTERS

"""The console on a real database: who gets in, what is covered, and what belongs to whom."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.people import sessions
from api.people.access import COOKIE
from api.people.links import LINK_MINUTES
from api.people.roles import Role
from conversation import transcript
from conversation.finding import Question, find
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    ActionResult,
    Agreement,
    AuditEvent,
    ChannelAccount,
    ConsoleSession,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
    Turn,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of, words

PHONE = "+4915112345678"
FAILED = {
    "wording": "verified",
    "variant": "standard",
    "status": "failed",
    "error": "unreachable",
}


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    async with console_of(database) as opened:
        yield opened


@pytest.fixture
async def conversation(database: Database, merchant: Merchant, customer: Customer) -> Conversation:
    """A few lines: a question, an answer that failed, a plan agreed, a stop."""
    async with database.operator() as session:
        account = await session.scalar(
            select(ChannelAccount.id).where(ChannelAccount.merchant_id == merchant.id)
        )
        assert account is not None
        customer = await session.get_one(Customer, customer.id)
        customer.birth_date = date(1985, 3, 7)
        point = {"channel": "sms", "address": PHONE, "source": "merchant_import"}
        of = {"merchant_id": merchant.id, "created_at": NOW}
        session.add(ContactPoint(customer_id=customer.id, **point, **of))
        held = Conversation(
            channel_account_id=account,
            channel="sms",
            address=PHONE,
            customer_id=customer.id,
            language="de",
            **of,
        )
        session.add(held)
        await session.flush()
        claim = await book.open_claim(
            session,
            NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="F-1",
                invoice_number="RE-2026-1042",
                description="Gartentisch",
                principal=Money(12_000),
                invoice_date=date(2026, 8, 1),
                due_date=date(2026, 8, 15),
            ),
            now=NOW,
            key="claim:F-1",
        )
        said = [
            ("in", "customer", "Anna Beispiel hier, geb. 7.3.1985, Tel. 0151 12345678 <b>", {}),
            ("out", "bot", "Danke, Frau Beispiel.", FAILED),
            ("in", "customer", "30 im monat", {}),
            ("out", "bot", "So machen wir es.", {"wording": "plan_agreed", "status": "read"}),
            ("in", "customer", "STOPP", {"outcome": "opted_out"}),
        ]  # fmt: skip
        rows = []
        for number, (direction, author, body, more) in enumerate(said):
            at = NOW + timedelta(minutes=number)
            row = Message(
                merchant_id=merchant.id, conversation_id=held.id, channel_account_id=account,
                direction=direction, author=author, kind="message", text=body, created_at=at,
                handled_at=at if direction == "in" else None, **more,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            rows.append(row)
        for place, understanding in (
            (0, {"intent": "inform", "confidence": 0.934,
                 "ranking": [{"name": "inform", "confidence": 0.934},
                             {"name": "greet", "confidence": 0.02}],
                 "entities": [{"entity": "birth_date", "value": "1985-03-07"}]}),
            (2, {"intent": "propose_amount", "confidence": 0.81,
                 "entities": [{"entity": "amount", "value": {"minor": 3000}}]}),
        ):  # fmt: skip
            session.add(
                Turn(
                    message_id=rows[place].id, conversation_id=held.id, merchant_id=merchant.id,
                    understanding=understanding, at=NOW,
                    events=[{"event": "action", "name": "utter_something"}],
                )
            )  # fmt: skip
        acting = rows[2].created_at + timedelta(seconds=1)
        session.add(
            ActionResult(
                message_id=rows[2].id, ordinal=1, name="action_propose_amount", input_hash="x",
                response={}, at=acting, merchant_id=merchant.id,
            )
        )  # fmt: skip
        session.add(
            Agreement(
                claim_id=claim.id, conversation_id=held.id, kind="instalment_plan",
                total_minor=12_000, currency="EUR", agreed_at=acting,
                idempotency_key=f"turn:{rows[2].id}:1",
                input_hash="x", merchant_id=merchant.id,
            )
        )  # fmt: skip
        for kind, at, facts in (
            ("contact_paused", acting, {"reason": "hardship"}),
            ("opted_out", rows[4].handled_at, {"channel": "sms"}),
            ("handoff_overdue", NOW + timedelta(hours=3), {"handoff": 7}),
        ):
            session.add(
                AuditEvent(
                    kind=kind, at=at, facts=facts, conversation_id=held.id,
                    customer_id=customer.id, merchant_id=merchant.id,
                )
            )  # fmt: skip
    return held


@pytest.fixture
async def other(database: Database) -> Merchant:
    """Another shop."""
    other = Merchant(key="other", name="Other", created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    return other


async def test_a_link_signs_in_once_and_only_by_its_button(
    console: Console, merchant: Merchant
) -> None:
    link = f"/console/login/{await console.link(merchant)}"
    for _ in range(2):  # a scanner that looks at it uses nothing up
        assert (await console.client.get(link)).status_code == 200
    assert (await console.client.post(link)).status_code == 403, "it takes our form"
    answer = await console.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    cookie = answer.headers["set-cookie"]
    for guard in ("HttpOnly", "Secure", "SameSite=lax", "Path=/console"):
        assert guard in cookie
    assert (await console.client.get("/console/conversations")).status_code == 200
    console.forget()
    assert (await console.post(link)).status_code == 403


async def test_old_and_invented_links_and_sessions_count_nothing(
    console: Console, merchant: Merchant
) -> None:
    link = f"/console/login/{await console.link(merchant)}"
    console.parts.clock.moment = NOW + timedelta(minutes=LINK_MINUTES)
    assert (await console.post(link)).status_code == 403
    assert (await console.post("/console/login/invented")).status_code == 403
    await console.sign_in(merchant)
    console.parts.clock.moment += timedelta(hours=sessions.SESSION_HOURS)
    assert (await console.get("/console/conversations")).status_code == 303


async def test_tokens_are_kept_as_hashes(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await console.sign_in(merchant)
    async with database.operator() as session:
        (stored,) = list(await session.scalars(select(ConsoleSession.hash)))
    assert stored != console.client.cookies[COOKIE]
    assert len(stored) == 64


async def test_signing_out_ends_the_session_and_needs_our_form(
    console: Console, merchant: Merchant
) -> None:
    await console.sign_in(merchant)
    cookie = console.client.cookies[COOKIE]
    assert (await console.client.post("/console/logout", data={"csrf": "x"})).status_code == 403
    csrf = await console.csrf()
    assert (await console.client.post("/console/logout", data={"csrf": csrf})).status_code == 200
    console.client.cookies.set(COOKIE, cookie, domain="kulanz.example", path="/console")
    assert (await console.get("/console/conversations")).status_code == 303


async def test_the_list_names_nobody(
    console: Console, merchant: Merchant, conversation: Conversation
) -> None:
    await console.sign_in(merchant)
    page = await console.client.get("/console/conversations")
    said = words(page)
    assert "K-1001" in said
    assert "beim Assistenten" in said
    for secret in ("Beispiel", "Anna", PHONE, "STOPP"):
        assert secret not in page.text
    for query, rows in (({"state": "agent"}, 0), ({"channel": "sms"}, 1), ({"state": "' OR 1"}, 1)):
        filtered = await console.client.get("/console/conversations", params=query)
        assert filtered.text.count('"><a href="/console/conversations/') == rows


async def test_the_transcript_says_what_was_understood_done_and_brought_about(
    console: Console, merchant: Merchant, conversation: Conversation
) -> None:
    await console.sign_in(merchant)
    said = words(await console.client.get(f"/console/conversations/{conversation.id}"))
    assert "verstanden inform 93 %, oder greet 2 %" in said
    assert "birth_date: […]" in said
    assert "ausgeführt utter_something" in said
    assert "ausgeführt action_propose_amount" in said
    assert "Text verified standard" in said
    assert "nicht zugestellt (unreachable)" in said
    assert "gelesen" in said
    assert "Vereinbart: Ratenplan 120,00\xa0€".replace("\xa0", " ") in said.replace("\xa0", " ")
    assert "amount: 30,00 €" in said.replace("\xa0", " ")
    assert "Kontakt pausiert (reason: hardship)" in said
    assert "als Stopp verstanden" in said
    before, _, after = said.partition("STOPP")
    assert "Ratenplan" in before
    assert "möchte keine Nachrichten" in after
    assert after.index("Antwort überfällig") < after.index("Beurteilen")
    english = words(
        await console.client.get(f"/console/conversations/{conversation.id}", params={"lang": "en"})
    )
    assert "Agreed: instalment plan €120.00" in english
    assert "not delivered" in english


async def test_personal_data_is_covered_until_somebody_answers_for_seeing_it(
    console: Console, database: Database, merchant: Merchant, conversation: Conversation
) -> None:
    await console.sign_in(merchant)
    path = f"/console/conversations/{conversation.id}"
    page = await console.client.get(path)
    for secret in ("Beispiel", "Anna", "1985", "12345678", "<b>"):
        assert secret not in page.text
    assert "[Name] hier, geb. [Geburtsdatum], Tel. [Telefon]" in words(page)
    assert (await console.client.post(f"{path}/reveal", data={"csrf": "no"})).status_code == 403
    revealed = await console.client.post(f"{path}/reveal", data={"csrf": await console.csrf()})
    assert revealed.status_code == 200
    assert "Anna Beispiel hier, geb. 7.3.1985, Tel. 0151 12345678 &lt;b&gt;" in revealed.text
    assert PHONE in revealed.text
    async with database.operator() as session:
        seen = list(
            await session.scalars(
                select(AuditEvent).where(AuditEvent.kind == "transcript_revealed")
            )
        )
    assert [(one.conversation_id, one.person) for one in seen] == [(conversation.id, "m.koch")]
    assert "Beispiel" not in (await console.client.get(path)).text


async def test_another_merchants_people_find_nothing(
    console: Console,
    database: Database,
    merchant: Merchant,
    other: Merchant,
    conversation: Conversation,
) -> None:
    await console.sign_in(other)
    path = f"/console/conversations/{conversation.id}"
    missing = await console.client.get(f"/console/conversations/{conversation.id + 1000}")
    assert (await console.client.get(path)).status_code == 404
    assert (await console.client.get(path)).text.replace(path, "") == missing.text.replace(path, "")
    csrf = await console.csrf()
    assert (await console.client.post(f"{path}/reveal", data={"csrf": csrf})).status_code == 404
    assert "K-1001" not in (await console.client.get("/console/conversations")).text
    async with database.operator() as session:
        wanted = select(AuditEvent).where(AuditEvent.kind == "transcript_revealed")
        assert (await session.scalars(wanted)).all() == []
    # Behind the question stands row-level security: asked in the other's name, nothing is there.
    async with database.merchant(other.id) as session:
        assert await transcript.read(session, merchant.id, conversation.id) is None
        assert (await find(session, merchant.id, Question())).rows == []


@pytest.mark.parametrize("path", ["conversations", "conversations/1", "conversations/1/reveal"])
async def test_nobody_gets_in_without_a_session(console: Console, path: str) -> None:
    method = "POST" if path.endswith("reveal") else "GET"
    for cookies in ({}, {COOKIE: "invented"}):
        console.client.cookies = httpx.Cookies(cookies)
        answer = await console.client.request(method, f"/console/{path}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in")


async def test_who_may_not_uncover_is_not_offered_it(
    console: Console, merchant: Merchant, conversation: Conversation
) -> None:
    await console.sign_in(merchant, role=Role.ANALYST)
    path = f"/console/conversations/{conversation.id}"
    page = await console.get(path)
    assert page.status_code == 200
    assert "Angaben aufdecken" not in page.text
    refused = await console.post(f"{path}/reveal")
    assert refused.status_code == 403
    assert "Beispiel" not in refused.text


async def test_long_lists_and_transcripts_come_in_pages(
    console: Console, database: Database, merchant: Merchant, conversation: Conversation
) -> None:
    async def seen(**where: Any) -> list[int]:
        found = await find(session, merchant.id, Question(), limit=2, **where)
        ids = [row.id for row in found.rows]
        return ids + (await seen(before=found.further) if found.further else [])

    async with database.merchant(merchant.id) as session:
        for number in range(4):
            held = Conversation(
                merchant_id=merchant.id, channel_account_id=conversation.channel_account_id,
                channel="sms", address=f"+4915700000{number}", created_at=NOW,
            )  # fmt: skip
            session.add(held)
            await session.flush()
            for text in ("eins", "zwei"):
                session.add(
                    Message(
                        merchant_id=merchant.id, conversation_id=held.id, direction="in",
                        channel_account_id=held.channel_account_id, author="customer",
                        kind="message", text=text, created_at=datetime(2026, 11, 23, tzinfo=UTC),
                    )
                )  # fmt: skip
            await session.flush()
        # The one that was written in last first, and of the same moment the newest.
        others = sorted(set(await session.scalars(select(Conversation.id))) - {conversation.id})
        assert await seen() == [conversation.id, *others[::-1]]
        newest = await transcript.read(session, merchant.id, conversation.id, limit=2)
        assert newest is not None
        assert newest.earlier is not None
        older = await transcript.read(
            session, merchant.id, conversation.id, limit=9, before=newest.earlier
        )
        assert older is not None
        assert older.earlier is None
        texts = [
            line.message.text for page in (older, newest) for line in page.lines if line.message
        ]
        assert [text[:6] for text in texts] == ["Anna B", "Danke,", "30 im ", "So mac", "STOPP"]

"""The pages of claims and customers: what they show, cover, log and do."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from io import BytesIO

import httpx
import pypdf
import pytest
from sqlalchemy import select

from api.people.roles import Role
from conversation.addresses import drop_address
from conversation.identity import lock_customer
from ledger import book
from ledger.agreements import Promise
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
    Posting,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of, hidden, words

TODAY = NOW.date()
BASE = "/console/customers"


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    async with console_of(database) as browser:
        yield browser


@pytest.fixture
async def claim(database: Database, merchant: Merchant, customer: Customer) -> Claim:
    """A claim with costs and interest, a promise, a phone and a conversation."""
    of = {"merchant_id": merchant.id}
    async with database.merchant(merchant.id) as session:
        opened = await book.open_claim(
            session,
            NewClaim(
                customer_id=customer.id, reference="RE-1", invoice_number="RE-1",
                description="Laufschuhe für Anna Beispiel", principal=Money(84_90),
                costs=Money(2_50), interest=Money(1_20), costs_reason="Mahnung",
                invoice_date=TODAY - timedelta(days=60), due_date=TODAY - timedelta(days=46),
                confirmed_at=NOW, **of,
            ),
            now=NOW - timedelta(days=3), key="open",
        )  # fmt: skip
        await book.agree(
            session, opened.id, Promise(Money(88_60), TODAY + timedelta(days=9)),
            guard=lambda terms, facts: None, now=NOW - timedelta(days=2), key="agree",
        )  # fmt: skip
        account = await session.scalar(select(ChannelAccount))
        assert account is not None
        talk = Conversation(
            channel_account_id=account.id, channel="sms", address="+4917604069000",
            customer_id=customer.id, created_at=NOW, **of,
        )  # fmt: skip
        point = ContactPoint(
            customer_id=customer.id, channel="sms", address="+4917604069000",
            source="merchant_import", consent_at=NOW, created_at=NOW, **of,
        )  # fmt: skip
        session.add_all([talk, point])
        await session.flush()
        session.add(
            Message(
                conversation_id=talk.id, channel_account_id=account.id, direction="in",
                author="customer", kind="message", text="Hier ist Anna Beispiel",
                created_at=NOW, **of,
            )
        )  # fmt: skip
    return opened


async def noted(database: Database, merchant: Merchant, kind: str) -> list[AuditEvent]:
    async with database.merchant(merchant.id) as session:
        return list(await session.scalars(select(AuditEvent).where(AuditEvent.kind == kind)))


async def test_the_page_tells_all_and_covers_the_person(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, "Lea")
    page = await console.get(f"{BASE}/{customer.id}")
    said = words(page)
    assert page.status_code == 200
    for told in ("88,60", "Rechnungsbetrag", "2,50", "Zahlungszusage", "noch zu zahlen", "…00"):
        assert told in said, told
    assert "Zahlungszusage: vereinbart" in said
    assert "aus dem Import · eingewilligt am" in said
    assert re.search(r"/console/conversations/\d+#m\d+", page.text)
    for personal in ("Anna", "Beispiel", "4069000", "10115"):
        assert personal not in page.text, personal
    (seen,) = await noted(database, merchant, "customer_seen")
    assert (seen.person, seen.customer_id) == ("Lea", customer.id)

    open_page = await console.post(f"{BASE}/{customer.id}/reveal")
    assert "Anna Beispiel" in words(open_page)
    assert "+4917604069000" in open_page.text
    (revealed,) = await noted(database, merchant, "customer_revealed")
    assert revealed.person == "Lea"
    # Looking is in the log, but does not drown what happened.
    assert "customer seen" not in words(await console.get(f"{BASE}/{customer.id}"))


async def test_the_list_finds_and_leads_to_the_customer(
    console: Console, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant)
    for query in ("", "?q=re+1", "?q=Beispiel&sort=open", "?q=K1001&state=open"):
        page = await console.get(f"/console/claims{query}")
        assert f"{BASE}/{customer.id}#c{claim.id}" in page.text, query
        assert "Anna" not in page.text
    nothing = await console.get("/console/claims?q=Niemand&state=open")
    assert "Nichts gefunden" in words(nothing)
    assert "In allen Forderungen suchen" in words(nothing)
    # Paid claims have no order by what is open, and it is not offered.
    assert 'value="open" selected' in (await console.get("/console/claims?sort=open")).text
    paid = (await console.get("/console/claims?sort=open&state=settled")).text
    assert 'value="newest" selected' in paid
    assert '<option value="open">' not in paid.split('name="sort"')[1].split("</select>")[0]
    for odd in ("?after=x", "?after=9999-99-99_1", "?sort=x&state=x", "?q=%00", "?q=%25_"):
        assert (await console.get(f"/console/claims{odd}")).status_code == 200, odd


async def act(
    console: Console, customer: Customer, claim: Claim, step: str, **fields: str
) -> httpx.Response:
    return await console.post(f"{BASE}/{customer.id}/claims/{claim.id}/{step}", **fields)


async def test_a_pause_is_set_moved_and_ended_with_its_reason(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)

    async def paused_until() -> date | None:
        async with database.merchant(merchant.id) as session:
            return (await session.get_one(Claim, claim.id)).paused_until

    for days in (20, 10):  # also to an earlier day
        until = TODAY + timedelta(days=days)
        done = await act(console, customer, claim, "pause", until=str(until), reason="hardship")
        assert done.status_code == 303
        assert await paused_until() == until
    assert "pausiert bis 03.12.2026" in words(await console.get(done.headers["location"]))
    set_ = await noted(database, merchant, "pause_set")
    assert [(one.person, one.claim_id, one.facts["reason"]) for one in set_] == [
        ("Lea", claim.id, "hardship")
    ] * 2
    assert (await act(console, customer, claim, "resume", reason="cleared")).status_code == 303
    assert await paused_until() is None
    assert len(await noted(database, merchant, "pause_ended")) == 1
    wrong = {"until": str(TODAY - timedelta(days=1)), "reason": "asked"}
    for refused in (wrong, {**wrong, "until": "x"}, {"until": str(TODAY), "reason": "x"}):
        answer = await act(console, customer, claim, "pause", **refused)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert await paused_until() is None


async def test_a_waiver_is_posted_once_and_by_part(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    key = hidden(await console.get(f"{BASE}/{customer.id}"), "key")
    good = {"part": "costs", "amount": "2,00", "reason": "goodwill", "key": key}
    for _ in range(2):
        assert (await act(console, customer, claim, "waive", **good)).status_code == 303
    async with database.merchant(merchant.id) as session:
        held = await book.balance(session, claim.id)
        made = await session.scalars(select(Posting).where(Posting.kind == "waiver"))
        assert [one.amount_minor for one in made] == [2_00]
    assert (held.costs, held.interest, held.principal) == (Money(50), Money(1_20), Money(84_90))
    (waived,) = await noted(database, merchant, "amount_waived")
    assert waived.facts == {
        "part": "costs", "amount_minor": 2_00, "currency": "EUR", "reason": "goodwill"
    }  # fmt: skip
    said = words(await console.get(f"{BASE}/{customer.id}"))
    assert "an den offenen Betrag angepasst" in said

    fresh = {**good, "key": "0" * 32}
    for wrong in (
        {"amount": "0,51"}, {"amount": "0"}, {"amount": "-1"}, {"amount": "viel"},
        {"part": "principal"}, {"reason": ""}, {"key": "x"},
        {"key": key, "amount": "0,10"},
    ):  # fmt: skip
        answer = await act(console, customer, claim, "waive", **{**fresh, **wrong})
        assert answer.status_code == 422, wrong
    async with database.merchant(merchant.id) as session:
        assert await book.balance(session, claim.id) == held
        await book.recall(session, claim.id, "asked", now=NOW)
    ended = await act(console, customer, claim, "waive", **{**fresh, "amount": "0,10"})
    assert "Diese Forderung ist beendet" in words(ended)


async def test_a_payment_is_entered_once_on_its_day(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    key = hidden(await console.get(f"{BASE}/{customer.id}"), "key")
    paid_on = TODAY - timedelta(days=1)
    good = {"amount": "60,00", "day": str(paid_on), "reason": "cash", "key": key}
    for _ in range(2):
        done = await act(console, customer, claim, "payment", **good)
        assert done.status_code == 303
    assert "Die Zahlung ist gebucht." in words(await console.get(done.headers["location"]))
    async with database.merchant(merchant.id) as session:
        assert (await book.balance(session, claim.id)).total == Money(28_60)
        made = await session.scalars(select(Posting).where(Posting.kind == "payment"))
        assert {one.value_date for one in made} == {paid_on}
    (entered,) = await noted(database, merchant, "payment_entered")
    assert entered.facts == {"amount_minor": 60_00, "currency": "EUR", "reason": "cash"}

    fresh = {**good, "amount": "28,60", "key": "0" * 32}
    for wrong in (
        {"amount": "28,61"}, {"amount": "0"}, {"amount": "x"}, {"reason": "x"}, {"key": ""},
        {"day": str(TODAY + timedelta(days=1))}, {"day": str(TODAY - timedelta(days=61))},
        {"day": ""}, {"key": key},
    ):  # fmt: skip
        answer = await act(console, customer, claim, "payment", **{**fresh, **wrong})
        assert answer.status_code == 422, wrong
    assert (await act(console, customer, claim, "payment", **fresh)).status_code == 303
    async with database.merchant(merchant.id) as session:
        assert (await session.get_one(Claim, claim.id)).status == "settled"
    ended = await act(console, customer, claim, "payment", **{**fresh, "key": "1" * 32})
    assert ended.status_code == 422


async def test_what_is_sent_at_the_same_moment_counts_once_and_never_for_too_much(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    good = {"amount": "60,00", "day": str(TODAY), "reason": "cash"}
    keys = ("0" * 32, "0" * 32, "1" * 32)  # one form twice, and a colleague's
    async with database.merchant(merchant.id) as session:
        await session.get_one(Claim, claim.id, with_for_update=True)
        sent = [
            asyncio.create_task(act(console, customer, claim, "payment", **good, key=key))
            for key in keys
        ]
        await asyncio.sleep(1)  # all of them wait for the claim
    statuses = sorted([(await one).status_code for one in sent])
    assert statuses in ([303, 303, 422], [303, 422, 422])
    assert len(await noted(database, merchant, "payment_entered")) == 1
    async with database.merchant(merchant.id) as session:
        assert (await book.balance(session, claim.id)).total == Money(28_60)


@pytest.mark.parametrize(
    ("step", "status", "kind", "left"),
    [("recall", "recalled", "handed_back", 88_60), ("write-off", "written_off", "written_off", 0)],
)
async def test_a_claim_is_ended_once_and_only_with_a_tick(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim,
    step: str, status: str, kind: str, left: int,
) -> None:  # fmt: skip
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    good = {"reason": "merchant_decision", "sure": "yes", "key": "0" * 32}
    for wrong in ({"sure": ""}, {"reason": ""}):
        answer = await act(console, customer, claim, step, **{**good, **wrong})
        assert answer.status_code == 422, wrong
    assert (await act(console, customer, claim, step, **good)).status_code == 303
    async with database.merchant(merchant.id) as session:
        assert (await session.get_one(Claim, claim.id)).status == status
        assert (await book.balance(session, claim.id)).total == Money(left)
        assert await book.active_agreement(session, claim.id) is None
    again = await act(console, customer, claim, step, **good)
    assert again.status_code in (303, 422)
    assert len(await noted(database, merchant, kind)) == 1


async def test_an_objection_is_closed_and_the_claim_goes_on(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    await console.sign_in(merchant, role=Role.SUPERVISOR)
    assert (await act(console, customer, claim, "resolve", reason="proved")).status_code == 422
    async with database.merchant(merchant.id) as session:
        await book.dispute(session, claim.id, "goods", now=NOW)
    assert (await act(console, customer, claim, "resolve", reason="proved")).status_code == 303
    async with database.merchant(merchant.id) as session:
        assert (await session.get_one(Claim, claim.id)).status == "open"


async def test_an_address_of_somebody_else_is_dropped_with_its_proof(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    async with database.merchant(merchant.id) as session:
        talk = await session.scalar(select(Conversation))
        point = await session.scalar(select(ContactPoint))
        assert talk is not None
        assert point is not None
        talk.verified_at = NOW
        waits = Message(
            merchant_id=merchant.id, conversation_id=talk.id, direction="out", author="agent",
            channel_account_id=talk.channel_account_id, kind="message", status="queued",
            text="Frau Beispiel, es sind noch 88,60 € offen.", created_at=NOW,
        )  # fmt: skip
        session.add(waits)
        (await session.get_one(Customer, customer.id)).active_conversation_id = talk.id
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    path = f"{BASE}/{customer.id}/points/{point.id}/drop"
    assert (await console.post(path, reason="x")).status_code == 422
    nobodys = f"{BASE}/{customer.id}/points/{point.id + 1}/drop"
    assert (await console.post(nobodys, reason="other_person")).status_code == 404
    assert (await console.post(path, reason="other_person")).status_code == 303
    async with database.merchant(merchant.id) as session:
        held = await session.get_one(Conversation, talk.id)
        assert (held.customer_id, held.verified_at) == (None, None)
        dropped = await session.get_one(ContactPoint, point.id)
        assert (dropped.invalid_at, dropped.invalid_reason) == (NOW, "other_person")
        assert (await session.get_one(Customer, customer.id)).active_conversation_id is None
        unsent = await session.get_one(Message, waits.id)
        assert (unsent.status, unsent.error) == ("cancelled", "address_dropped")
    (removed,) = await noted(database, merchant, "address_removed")
    assert (removed.person, removed.customer_id) == ("Lea", customer.id)


async def test_an_address_is_dropped_while_its_conversation_has_a_turn(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    async with database.merchant(merchant.id) as session:
        point = await session.scalar(select(ContactPoint))
        assert point is not None
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    path = f"{BASE}/{customer.id}/points/{point.id}/drop"
    async with database.merchant(merchant.id) as session:
        # As a turn does: the conversation, and later on its customer.
        await session.scalar(select(Conversation.id).with_for_update())
        dropping = asyncio.create_task(console.post(path, reason="other_person"))
        await asyncio.sleep(1)
        await lock_customer(session, customer.id)
    assert (await dropping).status_code == 303


async def test_a_new_number_takes_the_place_of_the_old_and_keeps_its_stop(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    other = Customer(
        merchant_id=merchant.id, number="K-2", name="Nowak", created_at=NOW, updated_at=NOW
    )
    async with database.operator() as session:
        session.add(other)
        await session.flush()
        stopped = ContactPoint(
            merchant_id=merchant.id, customer_id=other.id, channel="sms",
            address="+4915735990123", source="merchant_import", opted_out_at=NOW, created_at=NOW,
        )  # fmt: skip
        session.add(stopped)
    await console.sign_in(merchant, "Lea", Role.SUPERVISOR)
    path = f"{BASE}/{customer.id}/phone"
    for wrong in ("12", "0900 1234567", "", "anna@beispiel.example"):
        answer = await console.post(path, number=wrong, reason="asked")
        assert answer.status_code == 422, wrong
        assert "Das ist keine Telefonnummer" in words(answer)
    for _ in range(2):
        done = await console.post(path, number=" 01573 5990123 ", reason="asked")
        assert done.status_code == 303
    async with database.merchant(merchant.id) as session:
        points = await session.scalars(
            select(ContactPoint).where(ContactPoint.customer_id == customer.id)
        )
        assert {
            one.address: (one.channel, one.invalid_reason, one.opted_out_at) for one in points
        } == {
            "+4917604069000": ("sms", "replaced", None),
            "+4915735990123": ("sms", None, NOW),
        }


async def test_a_claim_is_changed_under_its_own_customer_only(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    other = Customer(
        merchant_id=merchant.id, number="K-2", name="Nowak", created_at=NOW, updated_at=NOW
    )
    async with database.operator() as session:
        session.add(other)
    await console.sign_in(merchant)
    answer = await act(console, other, claim, "pause", until=str(TODAY), reason="asked")
    assert answer.status_code == 404
    console.forget()
    await console.sign_in(merchant, role=Role.AGENT)
    page = await console.get(f"{BASE}/{customer.id}")
    assert "/pause" not in page.text  # nor is it offered


async def test_the_history_has_no_hole_and_repeats_nothing(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    async with database.merchant(merchant.id) as session:
        talk = await session.scalar(select(Conversation))
        assert talk is not None
        session.add_all(
            Message(
                conversation_id=talk.id, channel_account_id=talk.channel_account_id,
                direction="in", author="customer", kind="message", text=f"Nachricht {n:03d}",
                # Many in one moment, which is that of other things as well.
                created_at=NOW - timedelta(minutes=n // 30), merchant_id=merchant.id,
            )
            for n in range(90)
        )  # fmt: skip
        session.add_all(
            AuditEvent(
                kind="anger_heard", at=NOW - timedelta(minutes=n // 10), merchant_id=merchant.id,
                customer_id=customer.id, facts={"reason": f"Ereignis {n:03d}"},
            )
            for n in range(30)
        )  # fmt: skip
    await console.sign_in(merchant)
    query, told = "", []
    while query is not None:
        page = await console.get(f"{BASE}/{customer.id}{query}")
        told += re.findall(r"Nachricht \d{3}|Ereignis \d{3}", page.text)
        further = re.search(r'href="[^"?]*(\?before=[^"#]*)#history" rel="next"', page.text)
        query = further.group(1) if further else None
    assert len(told) == 120
    assert len(set(told)) == 120


async def test_the_complaint_file_has_proof_contacts_and_law(
    console: Console, database: Database, merchant: Merchant, customer: Customer, claim: Claim
) -> None:
    async with database.merchant(merchant.id) as session:
        talk = await session.scalar(select(Conversation))
        point = await session.scalar(select(ContactPoint))
        assert talk is not None
        assert point is not None
        sent = Message(
            conversation_id=talk.id, channel_account_id=talk.channel_account_id,
            direction="out", author="bot", kind="message", status="delivered",
            text="Guten Tag 😀\n#set page(fill: red) *_`$[", created_at=NOW,
            merchant_id=merchant.id,
        )  # fmt: skip
        session.add(sent)
        await session.flush()
        session.add(
            ContactAttempt(
                customer_id=customer.id, contact_point_id=point.id, message_id=sent.id, cycle=1,
                step="first_contact", reason="no_contact_yet; only_reachable_channel", at=NOW,
                merchant_id=merchant.id,
            )
        )  # fmt: skip
    await console.sign_in(merchant, "Lea", Role.ANALYST)
    path = f"{BASE}/{customer.id}/claims/{claim.id}/complaint-file"
    assert (await console.post(path)).status_code == 403
    assert "complaint-file" not in (await console.get(f"{BASE}/{customer.id}")).text
    console.forget()
    await console.sign_in(merchant, "Lea", Role.AGENT)
    nobodys = f"{BASE}/{customer.id + 1}/claims/{claim.id}/complaint-file"
    assert (await console.post(nobodys)).status_code == 404
    for language, told in (
        ("de", ("Anlass: Erste Nachricht: bisher kein Kontakt", "eingewilligt am", "§ 286 BGB")),
        ("en", ("Why: First message: no contact so far", "agreed on", "unchanged")),
    ):
        made = await console.post(f"{path}?lang={language}")
        assert made.headers["content-type"] == "application/pdf"
        assert made.headers["cache-control"] == "no-store"
        said = " ".join(
            "\n".join(
                page.extract_text() for page in pypdf.PdfReader(BytesIO(made.content)).pages
            ).split()
        )
        for one in (*told, "RE-1", "+4917604069000", "Hier ist Anna Beispiel"):
            assert one in said, (language, one)
        assert "#set page(fill: red) *_`$[" in said
    # What was written to somebody else by mistake is what a complaint is about.
    async with database.merchant(merchant.id) as session:
        await drop_address(session, customer.id, point.address, "other_person", NOW)
    made = await console.post(f"{path}?lang=en")
    pages = pypdf.PdfReader(BytesIO(made.content)).pages
    said = " ".join("\n".join(page.extract_text() for page in pages).split())
    assert "First message: no contact so far" in said
    assert "#set page(fill: red) *_`$[" in said
    assert len(await noted(database, merchant, "complaint_file_made")) == 3

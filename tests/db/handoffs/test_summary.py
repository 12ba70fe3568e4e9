"""What the desk shows: the list in its order, the facts, and to nobody else."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from api.keys import create_api_key
from conversation import turn
from conversation.handoff import request_handoff
from ledger import book
from ledger.agreements import plan_by_count
from ledger.money import Money
from ledger.schedule import Period
from storage.tables import (
    ChannelAccount,
    Conversation,
    Customer,
    Merchant,
    Turn,
)
from tests.conftest import NOW
from tests.db.handoffs.conftest import Desk

BY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""17:00 of that Monday in Berlin."""


async def test_the_list_puts_crisis_first_then_urgent_then_the_oldest(
    desk: Desk, merchant: Merchant
) -> None:
    given = [("callback", 1), ("hardship", 3), ("asked_for_person", 0), ("crisis", 9)]
    async with desk.database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        for reason, minutes in given:
            held = Conversation(
                merchant_id=merchant.id,
                channel_account_id=account.id,
                channel="sms",
                address=f"+49157359988{minutes}0",
                created_at=NOW,
            )
            session.add(held)
            await session.flush()
            await request_handoff(
                session,
                conversation_id=held.id,
                reason=reason,
                summary={},
                now=NOW + timedelta(minutes=minutes),
            )
    listed = (await desk.get()).json()["handoffs"]
    assert [each["reason"] for each in listed] == [
        "crisis",
        "hardship",
        "asked_for_person",
        "callback",
    ]
    assert [each["urgency"] for each in listed[:3]] == ["crisis", "urgent", "normal"]
    assert datetime.fromisoformat(listed[0]["answer_by"]) == BY
    assert "name" not in listed[0]
    assert len((await desk.get("?limit=2")).json()["handoffs"]) == 2
    assert (await desk.get("?taken=true")).json()["handoffs"] == []


async def test_another_merchants_key_sees_nothing(desk: Desk) -> None:
    await desk.ask()
    async with desk.database.operator() as session:
        other = Merchant(key="other", name="Other", policy={}, created_at=NOW)
        session.add(other)
        await session.flush()
        foreign = await create_api_key(session, other.id, now=NOW)
    assert (await desk.get(key=foreign)).json() == {"handoffs": []}
    (number,) = await desk.numbers()
    assert (await desk.get(f"/{number}", key=foreign)).status_code == 404
    own, desk.key = desk.key, foreign
    for what, body in (
        ("take", {}),
        ("reply", {"text": "Hallo"}),
        ("note", {"text": "Hallo"}),
        ("return", {}),
        ("close", {"outcome": "solved"}),
    ):
        refused = await desk.post(what, **body)
        assert (refused.status_code, refused.json()["error"]) == (404, "HandoffUnknown"), what
    assert (await desk.get(key="kulanz_wrong")).status_code == 401
    desk.key = own
    assert (await desk.post("take")).status_code == 200


async def test_the_summary_holds_facts(desk: Desk, merchant: Merchant, customer: Customer) -> None:
    async with desk.database.merchant(merchant.id) as session:
        await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="F-1",
                invoice_number="RE-1044",
                description="Gartenstuhl",
                invoice_date=NOW.date() - timedelta(days=60),
                due_date=NOW.date() - timedelta(days=30),
                principal=Money(104_50),
            ),
            key="open:F-1",
            now=NOW,
        )
    pending = await desk.hear("So nicht!")
    assert isinstance(pending, turn.Pending)
    await desk.answer(pending, offer={"id": "1", "claim_id": 1, "balance_minor": 10450})
    await desk.change(verified_at=NOW, verified_with="invoice_number")
    await desk.ask("asked_for_person")
    desk.parts.clock.moment = NOW + timedelta(minutes=5)
    await desk.ask("complaint")
    (number,) = await desk.numbers()
    shown = (await desk.get(f"/{number}")).json()
    assert shown["customer"]["number"] == "K-1001"
    assert shown["proof"] == {
        "verified": True,
        "used": "invoice_number",
        "at": shown["proof"]["at"],
        "locked": False,
    }
    (claim,) = shown["claims"]
    assert (claim["open"], claim["due"]) == (
        {"minor": 10450, "currency": "EUR"},
        (NOW.date() - timedelta(days=30)).isoformat(),
    )
    assert shown["offer"]["balance_minor"] == 10450
    assert [(each["code"], datetime.fromisoformat(each["at"])) for each in shown["reasons"]] == [
        ("asked_for_person", NOW),
        ("complaint", NOW + timedelta(minutes=5)),
    ]
    assert shown["understood"][0]["intent"] == "complaint"
    assert shown["mood"] == "upset"
    assert shown["next_step"] == {"step": "hear_the_complaint", "because": "complaint"}
    assert [line["author"] for line in shown["transcript"]] == ["customer", "bot"]
    assert "8881" not in str(shown), "the address is no business of the summary"


async def test_the_summary_names_the_rhythm_of_a_plan(
    desk: Desk, merchant: Merchant, customer: Customer
) -> None:
    async with desk.database.merchant(merchant.id) as session:
        opened = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="F-1",
                invoice_number="RE-1044",
                description="Gartenstuhl",
                invoice_date=NOW.date() - timedelta(days=60),
                due_date=NOW.date() - timedelta(days=30),
                principal=Money(100_00),
            ),
            key="open:F-1",
            now=NOW,
        )
        first = NOW.date() + timedelta(days=14)
        terms = plan_by_count(Money(100_00), 4, first=first, period=Period.BIWEEKLY)
        await book.agree(session, opened.id, terms, guard=lambda *_: None, now=NOW, key="agree")
    await desk.ask("asked_for_person")
    (number,) = await desk.numbers()
    (claim,) = (await desk.get(f"/{number}")).json()["claims"]
    assert (claim["agreement"]["instalments"], claim["agreement"]["rhythm"]) == (4, "biweekly")


async def test_turns_keep_their_events_when_there_was_none(desk: Desk) -> None:
    await desk.ask()
    await desk.post("take")
    await desk.post("close", outcome="other")
    async with desk.database.operator() as session:
        assert (await session.scalars(select(Turn))).all() == []


async def test_the_documentation_names_every_route(desk: Desk) -> None:
    paths = (await desk.client.get("/api/openapi.json")).json()["paths"]
    shown = {path for path in paths if path.startswith("/api/v1/handoffs")}
    one = "/api/v1/handoffs/{handoff}"
    work = {f"{one}/{what}" for what in ("take", "reply", "note", "return", "close")}
    assert shown == {"/api/v1/handoffs", one, *work}
    for path in work:
        assert {"404", "409"} <= set(paths[path]["post"]["responses"])

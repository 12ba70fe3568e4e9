"""The desk over the app's REST API, on a real database: who has it, who is silent, what is sent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import procrastinate
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api import handoff_care
from api.app import create_app
from api.keys import create_api_key
from api.queue import make_app
from channels.message import SendReceipt
from conversation import delivery, turn
from conversation.consent import opt_out
from conversation.engine import TurnResult
from conversation.handoff import Requested, request_handoff
from conversation.look import look
from ledger import book
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
    Turn,
)
from tests.conftest import NOW

BY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""17:00 of that Monday in Berlin."""


@dataclass
class MovedClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class NoEvents:
    """Takes live events for nobody."""

    seen: list[int] = field(default_factory=list)

    async def changed(self, merchant_id: int, conversation_id: int) -> None:
        self.seen.append(conversation_id)


@dataclass
class FakeParts:
    """What the desk needs of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    events: NoEvents = field(default_factory=NoEvents)


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


async def never(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    """What outreach says of its own messages is not asked about a person's."""
    return "quiet_hours"


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
    app = create_app()
    app.state.parts = parts
    app.state.jobs = jobs
    transport = httpx.ASGITransport(app=app)
    async with (
        jobs.open_async(),
        httpx.AsyncClient(transport=transport, base_url="http://kulanz.test") as client,
    ):
        yield Desk(client, database, parts, jobs, key, conversation)


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


async def test_of_two_agents_one_gets_it_and_the_other_is_told_who(desk: Desk) -> None:
    await desk.ask()
    both = await asyncio.gather(*(desk.post("take", agent=name) for name in ("anna", "bert")))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    won, lost = sorted(both, key=lambda answer: answer.status_code)
    winner = won.json()["handoff"]["taken_by"]
    assert (lost.json()["error"], lost.json()["taken_by"]) == ("HandoffTaken", winner)
    assert (await desk.post("take", agent=winner)).status_code == 200
    loser = ({"anna", "bert"} - {winner}).pop()
    assert (await desk.post("reply", agent=loser, text="Hallo")).json()["error"] == "HandoffTaken"
    assert (await desk.post("take", agent=loser, instead_of="carla")).status_code == 409
    assert (await desk.post("take", agent=loser, instead_of=winner)).status_code == 200
    assert (await desk.events()).count("handoff_taken") == 2


async def test_the_bot_is_silent_while_a_person_has_it_and_introduces_itself_after(
    desk: Desk,
) -> None:
    pending = await desk.hear("So nicht!")
    assert isinstance(pending, turn.Pending)
    await desk.answer(pending, awaiting="confirm_agreement", offer={"id": "1"}, claim_id=7)
    await desk.ask()
    await desk.post("take")
    settled = await desk.hear("Sind Sie da?")
    assert isinstance(settled, turn.Settled)
    assert settled.outcome == "for_agent"
    await desk.post("reply", text="Guten Tag, hier ist Frau Koch.")
    back = await desk.post(
        "return", hint="Bitte Raten einrichten", facts={"topic": "instalments", "count": 3}
    )
    assert back.json()["state"] == "bot"
    assert [note["kind"] for note in back.json()["notes"]] == ["hint"]
    pending = await desk.hear("ja")
    assert isinstance(pending, turn.Pending)
    assert pending.request.metadata["hint"] == {"topic": "instalments", "count": 3}
    slots: dict[str, Any] = {}
    for event in pending.request.events:
        if event["event"] == "slot":
            slots[event["name"]] = event["value"]
    # A "yes" to a person's question must not accept what the bot had suggested before.
    assert slots == {"awaiting": "none", "offer": None, "claim_id": 7}
    await desk.answer(pending)
    assert await desk.said() == [
        ("bot", "thanks_noted"),
        ("system", "agent_took_over"),
        ("agent", None),
        ("bot", "agent_finished"),
        ("bot", "thanks_noted"),
    ]
    pending = await desk.hear("noch was")
    assert isinstance(pending, turn.Pending)
    assert "hint" not in pending.request.metadata


async def test_given_back_at_night_it_introduces_itself_with_its_next_answer(desk: Desk) -> None:
    await desk.ask()
    await desk.post("take")
    desk.parts.clock.moment = NOW.replace(hour=21)
    assert (await desk.post("return")).status_code == 200
    assert (await desk.post("return")).status_code == 200
    assert await desk.said() == []
    pending = await desk.hear("Hallo?")
    assert isinstance(pending, turn.Pending)
    await desk.answer(pending)
    assert await desk.said() == [("bot", "introduction"), ("bot", "thanks_noted")]


async def test_a_closed_conversation_is_opened_again_by_the_customer(desk: Desk) -> None:
    await desk.ask()
    assert (await desk.post("close", outcome="solved")).json()["error"] == "HandoffNotTaken"
    await desk.post("take")
    assert (await desk.post("close", outcome="fine")).status_code == 422
    closed = await desk.post("close", outcome="solved")
    assert (closed.json()["state"], closed.json()["handoff"]["outcome"]) == ("closed", "solved")
    assert (await desk.post("close", outcome="solved")).status_code == 200
    assert (await desk.post("close", outcome="paid")).json() == {
        "error": "HandoffClosed",
        "detail": "the handoff has ended",
        "outcome": "solved",
    }
    assert (await desk.get()).json()["handoffs"] == []
    pending = await desk.hear("Eine Frage noch")
    assert isinstance(pending, turn.Pending)
    assert await desk.state() == "bot"
    await desk.answer(pending)
    assert await desk.said() == [("bot", "introduction"), ("bot", "thanks_noted")]


async def test_a_reply_that_is_posted_twice_is_sent_once(desk: Desk) -> None:
    await desk.ask()
    await desk.post("take")
    words = {"text": "Guten Tag, meine Karte ist 4111 1111 1111 1111."}
    both = await asyncio.gather(*(desk.post("reply", key="r-1", **words) for _ in range(2)))
    assert {answer.status_code for answer in both} == {200}
    assert {answer.json()["message"] for answer in both} == {both[0].json()["message"]}
    assert sorted(answer.json()["new"] for answer in both) == [False, True]
    assert both[0].json()["verified"] is False
    other = await desk.post("reply", key="r-1", text="Etwas anderes")
    assert other.json()["error"] == "ReplyKeyReused"
    assert await desk.said() == [("system", "agent_took_over"), ("agent", None)]
    assert await desk.jobs_waiting() == 1
    await desk.post("close", outcome="solved")
    assert (await desk.post("reply", key="r-1", **words)).json()["new"] is False
    (number,) = await desk.numbers()
    last = (await desk.get(f"/{number}")).json()["transcript"][-1]
    assert (last["author"], last["agent"], last["status"]) == ("agent", "m.koch", "queued")
    assert "4111 1111" not in last["text"]


async def test_a_persons_words_take_the_way_of_all_messages(desk: Desk) -> None:
    await desk.ask()
    await desk.post("take")
    await desk.post("reply", text="Guten Tag.")
    sent = []
    for _ in range(2):
        async with desk.database.conversation(
            desk.conversation.merchant_id, desk.conversation.id
        ) as session:
            claimed = await delivery.claim_next(
                session, desk.conversation.id, NOW, still_allowed=never
            )
            assert isinstance(claimed, delivery.ToSend)
            await delivery.note_sent(
                session, claimed.message.outbox_id, SendReceipt(f"SM{len(sent)}"), NOW
            )
            sent.append(claimed.message.text)
    assert sent[0].startswith("Ab hier schreibt Ihnen ein Mensch")
    assert sent[1] == "Guten Tag."


async def test_nothing_is_sent_to_who_said_stop_or_outside_the_window(desk: Desk) -> None:
    await desk.ask()
    await desk.post("take")
    await desk.change(channel="whatsapp", last_inbound_at=NOW - timedelta(hours=24))
    assert (await desk.post("reply", text="Hallo")).json()["error"] == "TemplateNeeded"
    (number,) = await desk.numbers()
    shown = (await desk.get(f"/{number}")).json()
    assert shown["reach"]["now"] is False
    assert shown["next_step"]["step"] == "use_another_channel"
    async with desk.database.operator() as session:
        held = await session.get_one(Conversation, desk.conversation.id)
        held.channel = "sms"
        await opt_out(session, held, NOW)
    assert (await desk.post("reply", text="Hallo")).json()["error"] == "AddressOptedOut"
    assert await desk.said() == []
    assert isinstance(await desk.hear("START"), turn.Settled)
    assert await desk.said() == []
    assert (await desk.post("reply", text="Hallo")).status_code == 200


async def test_a_note_reaches_colleagues_and_nobody_else(desk: Desk) -> None:
    await desk.ask()
    assert (await desk.post("note", agent="bert", text="Ruft oft an.\x00")).status_code == 200
    assert (await desk.post("note", text=" ")).status_code == 422
    (number,) = await desk.numbers()
    shown = (await desk.get(f"/{number}")).json()
    assert [(each["author"], each["text"]) for each in shown["notes"]] == [("bert", "Ruft oft an.")]
    assert shown["transcript"] == []
    assert await desk.said() == []
    assert await desk.jobs_waiting() == 0


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


async def test_a_handoff_that_nobody_takes_is_told_of_once(desk: Desk) -> None:
    requested = await desk.ask()
    assert requested.answer == {
        "today": "2026-11-23",
        "day": "2026-11-23",
        "opens": None,
        "closes": "17:00",
    }
    assert await desk.look(timedelta(hours=5)) == []
    assert await desk.look(timedelta(hours=6)) == [desk.conversation.id]
    assert await desk.look(timedelta(hours=7)) == []
    assert await desk.said() == [("system", "person_late")]
    assert (await desk.events()).count("handoff_overdue") == 1
    (listed,) = (await desk.get()).json()["handoffs"]
    assert listed["overdue"] is True
    assert listed["overdue_since"] is not None
    assert await desk.jobs_waiting() == 1
    assert (await desk.ask()).answer is None, "no time is named again that has passed"


async def test_nobody_is_told_at_night(desk: Desk) -> None:
    await desk.ask()
    assert await desk.look(timedelta(hours=10)) == []
    assert await desk.said() == []
    assert await desk.look(timedelta(hours=23)) == [desk.conversation.id]


@pytest.mark.parametrize("why", ["taken", "paused", "opted_out", "no_promise"])
async def test_who_was_promised_nothing_or_wants_quiet_is_not_told(desk: Desk, why: str) -> None:
    await desk.ask()
    async with desk.database.operator() as session:
        held = await session.get_one(Conversation, desk.conversation.id)
        handoff = (await session.scalars(select(Handoff))).one()
        customer = (await session.scalars(select(Customer))).one()
        if why == "paused":
            customer.contact_paused_until = NOW + timedelta(days=365)
        elif why == "opted_out":
            await opt_out(session, held, NOW)
        elif why == "no_promise":
            handoff.promised = False
    if why == "taken":
        await desk.post("take")
    assert await desk.look(timedelta(hours=6)) == []
    assert await desk.said() == []
    marked = (await desk.events()).count("handoff_overdue")
    assert marked == (0 if why == "taken" else 1)


async def test_closing_can_end_a_pause_of_contact(desk: Desk) -> None:
    async with desk.database.operator() as session:
        customer = (await session.scalars(select(Customer))).one()
        customer.contact_paused_until = NOW + timedelta(days=365)
        customer.contact_pause_reason = "hardship"
    await desk.ask("hardship")
    await desk.post("take")
    closed = await desk.post("close", outcome="agreed", resume_contact=True)
    assert closed.json()["customer"]["contact_paused_until"] is None
    assert "contact_resumed" in await desk.events()


async def test_giving_back_can_reopen_a_locked_proof(desk: Desk) -> None:
    await desk.change(verification_locked_at=NOW, verification_tries=3)
    await desk.ask("verification_locked")
    assert (await desk.post("take")).json()["proof"]["locked"] is True
    back = await desk.post("return", reopen_proof=True)
    assert back.json()["proof"]["locked"] is False
    assert "proof_reopened" in await desk.events()


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

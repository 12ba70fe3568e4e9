"""A person takes a conversation, the bot is silent, and has it back afterwards."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from conversation import turn
from storage.tables import Customer, Message
from tests.conftest import NOW
from tests.db.handoffs.conftest import Desk


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
    assert await desk.said() == [("bot", "thanks_noted")]
    assert await introduced(desk)


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
    assert await desk.said() == [("bot", "thanks_noted")]
    assert await introduced(desk)


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


async def introduced(desk: Desk) -> bool:
    """Whether the newest message says first that an automated assistant writes."""
    newest = select(Message.text).where(Message.direction == "out").order_by(Message.id.desc())
    async with desk.database.operator() as session:
        text = (await session.scalars(newest.limit(1))).one()
    return text.startswith("Guten Tag, hier schreibt der automatische Assistent von ")

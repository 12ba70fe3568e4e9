"""What a person writes is sent once, or refused; notes stay with colleagues."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import SendReceipt
from conversation import delivery, turn
from conversation.consent import opt_out
from storage.tables import (
    Conversation,
    Message,
)
from tests.conftest import NOW
from tests.db.handoffs.conftest import Desk


async def never(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    """What outreach says of its own messages is not asked about a person's."""
    return "quiet_hours"


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

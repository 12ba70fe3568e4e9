"""What providers do to webhooks, and what a provider that fails does to replies."""

import asyncio
from dataclasses import replace

import pytest

from api.demo.customers import Webhook
from api.demo.faults import BROKEN, CUT, TOO_MANY, UNSUBSCRIBED, Fault
from channels.telegram import SECRET_HEADER
from tests.journey.conftest import Guests, Talk


async def test_a_message_delivered_five_times_at_once_is_one_message(guests: Guests) -> None:
    talk = guests.by_phone()
    webhook = talk.customer.message("Hallo, wer ist da?")

    statuses = await asyncio.gather(*(talk.world.line.deliver_once(webhook) for _ in range(5)))
    await talk.world.settled(talk.own_address)
    answers = len(talk.world.standin.to(talk.customer.address))
    late = await talk.world.line.deliver_once(webhook)
    await asyncio.sleep(0.3)

    assert set(statuses) == {200}
    assert late == 200
    incoming = await talk.world.rows(
        "SELECT m.id FROM message m JOIN conversation c ON c.id = m.conversation_id"
        " WHERE c.address = :address AND m.direction = 'in'",
        address=talk.own_address,
    )
    assert len(incoming) == 1
    assert len(talk.world.standin.to(talk.customer.address)) == answers


async def _counts(guests: Guests) -> list[dict[str, object]]:
    return await guests.world.rows(
        "SELECT (SELECT count(*) FROM message WHERE direction = 'in') AS messages,"
        " (SELECT count(*) FROM conversation) AS conversations"
    )


@pytest.mark.parametrize("kind", ["twilio_body", "twilio_missing", "twilio_other_url", "telegram"])
async def test_a_forged_webhook_is_refused_and_stores_nothing(guests: Guests, kind: str) -> None:
    phone, chat = guests.by_phone().customer, guests.by_telegram().customer
    genuine = (chat if kind == "telegram" else phone).message("RE-2026-00001")
    forged: Webhook = {
        "twilio_body": replace(genuine, body=genuine.body.replace(b"00001", b"00003")),
        "twilio_missing": replace(
            genuine, headers={"Content-Type": genuine.headers["Content-Type"]}
        ),
        "twilio_other_url": replace(genuine, path="/webhooks/twilio/status"),
        "telegram": replace(genuine, headers={**genuine.headers, SECRET_HEADER: "guessed"}),
    }[kind]
    before = await _counts(guests)

    assert await guests.world.line.deliver_once(forged) == 403

    assert await _counts(guests) == before


async def test_status_callbacks_move_a_message_forward_only(guests: Guests) -> None:
    talk = guests.by_phone()
    answer = (await talk.say("Hallo"))[-1]

    for status in ("delivered", "sent", "queued", "delivered"):
        assert await talk.world.standin.report(answer, status) == 200
    (row,) = await talk.world.rows(
        "SELECT status, delivered_at, sent_at FROM message WHERE id = :id", id=answer.outbox_id
    )
    assert row["status"] == "delivered"
    assert row["delivered_at"] is not None

    await talk.world.standin.report(answer, "undelivered", code=30003)
    (row,) = await talk.world.rows("SELECT status FROM message WHERE id = :id", id=answer.outbox_id)
    assert row["status"] == "delivered", "what was delivered cannot fail any more"


async def test_a_throttled_reply_is_sent_later_and_once(guests: Guests) -> None:
    talk = guests.by_phone()
    await talk.say("Hallo")
    talk.world.standin.faults.add(TOO_MANY, times=2, to=talk.customer.address)

    answers = await talk.say("Wer sind Sie?")

    assert len(answers) == len({answer.outbox_id for answer in answers})
    assert answers


async def _say_into(talk: Talk, fault: Fault) -> list[str | None]:
    """Let the next reply meet the fault; the states of our replies to it, once they are decided."""
    talk.world.standin.faults.add(fault, to=talk.customer.address)
    await talk.say("Wer sind Sie?")
    rows = await talk.world.rows(
        "SELECT m.status FROM message m JOIN conversation c ON c.id = m.conversation_id"
        " WHERE c.address = :address AND m.direction = 'out' ORDER BY m.id DESC LIMIT 1",
        address=talk.own_address,
    )
    return [row["status"] for row in rows]


async def test_a_send_without_an_answer_is_decided_by_the_provider_or_stays_unknown(
    guests: Guests,
) -> None:
    """Nobody here can say whether such a message was taken; it is never sent a second time. Takes
    half a minute: until the send is surely over."""
    taken, perhaps, listed = guests.by_telegram(), guests.by_telegram(), guests.by_phone()
    for chat in (taken, perhaps):
        await chat.say(f"/start {chat.person.start_token}")
    await listed.say("Hallo")
    shown = [len(guests.world.standin.to(t.customer.address)) for t in (taken, perhaps, listed)]

    states = await asyncio.gather(
        _say_into(taken, CUT), _say_into(perhaps, BROKEN), _say_into(listed, CUT)
    )

    now = [len(guests.world.standin.to(t.customer.address)) for t in (taken, perhaps, listed)]
    assert states == [["unknown"], ["unknown"], ["sent"]], "Twilio's list tells, Telegram has none"
    assert [after - before for before, after in zip(shown, now, strict=True)] == [1, 0, 1]


async def test_a_stop_at_the_provider_counts_as_stop(guests: Guests) -> None:
    talk = guests.by_phone()
    talk.world.standin.faults.add(UNSUBSCRIBED, times=2, to=talk.customer.address)

    answers = await talk.say("Hallo")

    assert answers == []
    assert (await talk.conversation())["opted_out_at"] is not None

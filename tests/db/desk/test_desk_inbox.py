"""What a person at the desk has to read is settled as it comes in; all else takes its turn."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from api.webhooks import _store
from channels.message import Channel, ContactWish, InboundKind, InboundMessage
from conversation import inbox
from conversation.inbox import Accepted
from storage.tables import DeskOffer, Message
from tests.conftest import NOW
from tests.desk_parts import Desk


def written(number: int, body: str = "Sind Sie noch da?", **more: Any) -> InboundMessage:
    message = InboundMessage(
        channel=Channel.SMS,
        account="+4915735990001",
        provider_message_id=f"SM{number}",
        sequence=None,
        sender="+4915735998881",
        kind=InboundKind.MESSAGE,
        text=body,
        raw={"Body": body},
    )
    return replace(message, **more)


async def accept(desk: Desk, message: InboundMessage) -> Accepted:
    """As the provider's webhook does it."""
    return await _store(desk.parts, desk.app.state.jobs, desk.merchant.id, message, NOW)  # type: ignore[arg-type]


async def jobs(desk: Desk) -> int:
    async with desk.database.operator() as session:
        return int(await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)


async def stored(desk: Desk, accepted: Accepted) -> Message:
    async with desk.database.operator() as session:
        return await session.get_one(Message, accepted.message_id)


async def test_the_person_who_has_it_reads_it_and_no_turn_follows(desk: Desk) -> None:
    await desk.change(state="agent")
    accepted = await accept(desk, written(1))
    assert (accepted.new, accepted.settled) == (True, True)
    message = await stored(desk, accepted)
    assert (message.outcome, message.handled_at) == ("for_agent", NOW)
    again = await accept(desk, written(1))
    assert (again.new, again.settled) == (False, False)
    assert await jobs(desk) == 0


@pytest.mark.parametrize("state", ["bot", "waiting", "closed"])
async def test_the_assistant_has_its_turn_until_a_person_takes_it(desk: Desk, state: str) -> None:
    await desk.change(state=state)
    accepted = await accept(desk, written(1))
    assert not accepted.settled
    assert (await stored(desk, accepted)).handled_at is None
    assert await jobs(desk) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"text": "STOP"},
        {"text": "Bitte keine Nachrichten mehr!"},
        {"text": "START"},
        {"contact_wish": ContactWish.STOP},
        {"kind": InboundKind.EDIT, "refers_to": "SM1"},
    ],
)
async def test_a_stop_and_a_correction_take_their_turn(desk: Desk, more: dict[str, Any]) -> None:
    await desk.change(state="agent")
    assert not (await accept(desk, replace(written(2), **more))).settled
    assert await jobs(desk) == 1


async def test_an_answer_to_what_was_suggested_is_heard(desk: Desk) -> None:
    await desk.ask()
    await desk.change(state="agent")
    async with desk.database.operator() as session:
        offer = DeskOffer(
            merchant_id=desk.merchant.id, handoff_id=desk.handoff, claim_id=desk.claim,
            conversation_id=desk.conversation.id, terms={}, balance_minor=1, offered_by="x",
            offered_at=NOW, idempotency_key="x",
        )  # fmt: skip
        session.add(offer)
    assert not (await accept(desk, written(1, "Ja"))).settled
    async with desk.database.operator() as session:
        (await session.get_one(DeskOffer, offer.id)).ended_at = NOW
    assert (await accept(desk, written(2, "Ja"))).settled


async def test_a_language_is_learned_by_a_turn_where_none_is_known(desk: Desk) -> None:
    await desk.change(state="agent", language=None)
    assert not (await accept(desk, written(1, profile_language="en"))).settled
    assert (await accept(desk, written(2))).settled
    await desk.change(language="en")
    assert (await accept(desk, written(3, profile_language="en"))).settled


@pytest.mark.parametrize(("before", "after"), [("agent", "bot"), ("bot", "agent")])
async def test_whoever_has_it_once_the_lock_is_free_counts(
    desk: Desk, before: str, after: str
) -> None:
    await desk.change(state=before)
    held = desk.conversation
    async with desk.database.conversation(held.merchant_id, held.id) as session:
        accepting = asyncio.create_task(accept(desk, written(1)))
        await asyncio.sleep(0.3)
        assert not accepting.done()
        await session.execute(
            text("UPDATE conversation SET state = :state WHERE id = :id"),
            {"state": after, "id": held.id},
        )
    assert (await accepting).settled == (after == "agent")


async def test_what_is_not_for_an_account_of_ours_is_still_refused(desk: Desk) -> None:
    with pytest.raises(inbox.UnknownAccount):
        await accept(desk, written(1, account="+4915735990077"))

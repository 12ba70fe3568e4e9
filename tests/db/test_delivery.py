"""Sending: claimed once, moved forward only, and what is not known is said."""

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import jobs
from channels.message import (
    Channel,
    ContactStopped,
    DeliveryStatus,
    GiveUp,
    Retry,
    SendError,
    SendReceipt,
    StatusUpdate,
    Throttled,
    Uncertain,
    WrongAddress,
)
from conversation import delivery
from conversation.consent import opt_out
from conversation.look import Look
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
)
from tests.conftest import NOW

ADDRESS = "+4915735998881"


async def allowed(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    return None


async def refused(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    return "open_amount_not_confirmed"


@pytest.fixture
async def conversation(database: Database, merchant: Merchant, customer: Customer) -> Conversation:
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account.id,
            channel="sms",
            address=ADDRESS,
            customer_id=customer.id,
            created_at=NOW,
        )
        session.add(conversation)
        session.add(
            ContactPoint(
                merchant_id=merchant.id,
                customer_id=customer.id,
                channel="sms",
                address=ADDRESS,
                source="merchant_import",
                created_at=NOW,
            )
        )
    return conversation


async def put(database: Database, conversation: Conversation, **facts: Any) -> int:
    async with database.operator() as session:
        message = Message(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="out",
            kind="message",
            text="Guten Tag",
            created_at=NOW,
            **{"author": "bot", "status": "queued", **facts},
        )
        session.add(message)
    return message.id


async def claim(
    database: Database,
    conversation: Conversation,
    *,
    now: datetime = NOW,
    still_allowed: delivery.StillAllowed = allowed,
) -> delivery.Next:
    async with database.merchant(conversation.merchant_id) as session:
        return await delivery.claim_next(
            session,
            conversation.id,
            now,
            still_allowed=still_allowed,
        )


async def read(database: Database, message_id: int) -> Message:
    async with database.operator() as session:
        return await session.get_one(Message, message_id)


async def status(database: Database, message_id: int, state: DeliveryStatus, **facts: Any) -> bool:
    update = StatusUpdate(
        channel=Channel.SMS,
        account="+4915735990001",
        provider_message_id="SM1",
        outbox_id=message_id,
        status=state,
        raw={},
        **facts,
    )
    async with database.operator() as session:
        return await delivery.record_status(session, update, NOW)


async def test_messages_are_claimed_in_order_and_once(
    database: Database, conversation: Conversation
) -> None:
    first, second = await put(database, conversation), await put(database, conversation)
    claimed = await claim(database, conversation)
    assert isinstance(claimed, delivery.ToSend)
    assert claimed.message.outbox_id == first
    # The first is under way: the second must not overtake it.
    assert isinstance(await claim(database, conversation), delivery.InFlight)
    async with database.merchant(conversation.merchant_id) as session:
        await delivery.note_sent(session, first, SendReceipt("SM1"), NOW)
    claimed = await claim(database, conversation)
    assert isinstance(claimed, delivery.ToSend)
    assert claimed.message.outbox_id == second


async def test_a_claim_of_a_dead_process_is_asked_about_and_then_unknown(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation)
    await claim(database, conversation)
    later = NOW + delivery.IN_FLIGHT
    left = await claim(database, conversation, now=later)
    assert isinstance(left, delivery.LeftOver)
    assert left.claimed_at == NOW
    async with database.merchant(conversation.merchant_id) as session:
        await delivery.note_unknown(session, message_id, later)
    assert (await read(database, message_id)).status == "unknown"
    assert await claim(database, conversation, now=later) is None
    async with database.operator() as session:
        assert (await session.scalars(select(AuditEvent.kind))).all() == ["delivery_unknown"]
    # The provider's own word clears it up.
    assert await status(database, message_id, DeliveryStatus.DELIVERED)
    assert (await read(database, message_id)).status == "delivered"


async def test_status_moves_forward_only(database: Database, conversation: Conversation) -> None:
    message_id = await put(database, conversation)
    await claim(database, conversation)
    await status(database, message_id, DeliveryStatus.READ)
    async with database.merchant(conversation.merchant_id) as session:
        await delivery.note_sent(session, message_id, SendReceipt("SM1"), NOW)
    for late in (DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.FAILED):
        await status(database, message_id, late)
    message = await read(database, message_id)
    assert message.status == "read"
    assert message.provider_message_id == "SM1"


async def test_a_callback_for_another_message_changes_nothing(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation, provider_message_id="SM-other")
    assert not await status(database, message_id, DeliveryStatus.READ)
    assert (await read(database, message_id)).status == "queued"


@pytest.mark.parametrize(
    ("error", "state", "again"),
    [
        (Retry("x"), "queued", 2.0),
        (Throttled("x", retry_after_seconds=7), "queued", 7.0),
        (Uncertain("x"), "sending", delivery.IN_FLIGHT.total_seconds()),
        (ContactStopped("x"), "failed", None),
        (WrongAddress("x"), "failed", None),
        (GiveUp("x"), "failed", None),
    ],
)
async def test_each_send_error_says_what_happens_next(
    database: Database,
    conversation: Conversation,
    error: SendError,
    state: str,
    again: float | None,
) -> None:
    message_id = await put(database, conversation)
    await claim(database, conversation)
    async with database.merchant(conversation.merchant_id) as session:
        seconds = await delivery.note_error(session, message_id, error, NOW)
    assert seconds == again
    assert (await read(database, message_id)).status == state
    async with database.operator() as session:
        point = (await session.scalars(select(ContactPoint))).one()
    assert (point.opted_out_at is not None) == isinstance(error, ContactStopped)
    assert (point.invalid_at is not None) == isinstance(error, WrongAddress)


async def test_a_refused_proactive_message_is_cancelled_and_a_reply_is_not_asked_about(
    database: Database, conversation: Conversation
) -> None:
    question = Message(
        merchant_id=conversation.merchant_id,
        conversation_id=conversation.id,
        channel_account_id=conversation.channel_account_id,
        direction="in",
        author="customer",
        kind="message",
        text="Hallo",
        created_at=NOW,
    )
    async with database.operator() as session:
        session.add(question)
    proactive = await put(database, conversation, wording="first_contact")
    reply = await put(database, conversation, in_reply_to=question.id, ordinal=0)
    skipped = await claim(database, conversation, still_allowed=refused)
    assert skipped == delivery.Skipped(proactive, "open_amount_not_confirmed")
    assert (await read(database, proactive)).status == "cancelled"
    sent = await claim(database, conversation, still_allowed=refused)
    assert isinstance(sent, delivery.ToSend)
    assert sent.message.outbox_id == reply


async def test_whatsapp_outside_the_window_is_not_sent_without_a_template(
    database: Database, conversation: Conversation
) -> None:
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        held.channel = "whatsapp"
        held.last_inbound_at = NOW - timedelta(hours=25)
    free = await put(database, conversation)
    templated = await put(database, conversation, template={"id": "HX1", "variables": {"1": "x"}})
    assert await claim(database, conversation) == delivery.Skipped(free, "window_closed")
    sent = await claim(database, conversation)
    assert isinstance(sent, delivery.ToSend)
    assert sent.message.outbox_id == templated
    assert sent.message.template is not None


async def test_a_retry_is_not_made_before_its_time(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation)
    await claim(database, conversation)
    async with database.merchant(conversation.merchant_id) as session:
        error = Throttled("x", retry_after_seconds=60)
        assert await delivery.note_error(session, message_id, error, NOW) == 60
    soon = NOW + timedelta(seconds=15)
    assert await claim(database, conversation, now=soon) == delivery.InFlight(45)
    later = NOW + timedelta(seconds=60)
    assert isinstance(await claim(database, conversation, now=later), delivery.ToSend)


async def test_what_discloses_is_not_sent_once_the_proof_is_gone(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation, discloses=True)
    assert await claim(database, conversation) == delivery.Skipped(message_id, "no_longer_verified")


async def test_an_answer_that_outlived_the_proof_is_held_back_and_the_customer_is_told_once(
    database: Database, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        held.verified_at = held.introduced_at = NOW
    question = await put(database, conversation, status="sent")
    facts = {"discloses": True, "in_reply_to": question}
    late = [await put(database, conversation, ordinal=place, **facts) for place in (0, 1)]
    moment = NOW + timedelta(minutes=5)
    parts = SimpleNamespace(database=database, clock=SimpleNamespace(now=lambda: moment))
    monkeypatch.setattr(jobs, "current", lambda: SimpleNamespace(parts=parts))

    async def following() -> delivery.Next:
        ids = (conversation.merchant_id, conversation.id)
        found = await jobs._next(*ids, None, send=True, handle=False)
        return found.claimed

    in_time = await following()
    assert isinstance(in_time, delivery.ToSend), "a proof that counts discloses"
    async with database.merchant(conversation.merchant_id) as session:
        again = Throttled("x", retry_after_seconds=1)
        await delivery.note_error(session, late[0], again, moment)
    moment = NOW + timedelta(days=1)
    assert await following() == delivery.Skipped(late[0], "no_longer_verified")
    assert await following() == delivery.Skipped(late[1], "no_longer_verified")
    notice = await following()
    assert isinstance(notice, delivery.ToSend)
    assert "Schreiben Sie mir" in notice.message.text
    async with database.merchant(conversation.merchant_id) as session:
        await delivery.note_sent(session, notice.message.outbox_id, SendReceipt("SM9"), moment)
    assert await following() is None


async def test_a_persons_words_are_not_sent_after_a_stop(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation, author="agent")
    await claim(database, conversation)
    async with database.merchant(conversation.merchant_id) as session:
        await opt_out(session, await session.get_one(Conversation, conversation.id), NOW)
        await delivery.note_error(session, message_id, Throttled("x", retry_after_seconds=0), NOW)
    later = NOW + timedelta(seconds=1)
    assert await claim(database, conversation, now=later) == delivery.Skipped(
        message_id, "opted_out"
    )


@pytest.mark.parametrize("end", ["refused", "failed", "stopped", "sent"])
async def test_who_never_got_the_introduction_is_not_introduced(
    database: Database, conversation: Conversation, end: str
) -> None:
    async with database.conversation(conversation.merchant_id, conversation.id) as session:
        held = await scene(session, conversation.id)
        first = Reply("introduction")
        (queued,) = await queue(session, held, held.speaker(verified=False), [first], NOW)
    if end == "stopped":
        async with database.merchant(conversation.merchant_id) as session:
            await opt_out(session, await session.get_one(Conversation, conversation.id), NOW)
    else:
        judge = refused if end == "refused" else allowed
        await claim(database, conversation, still_allowed=judge)
    if end == "failed":
        async with database.merchant(conversation.merchant_id) as session:
            await delivery.note_error(session, queued.message_id, GiveUp("x"), NOW)
    async with database.merchant(conversation.merchant_id) as session:
        assert (await scene(session, conversation.id)).introduced is (end == "sent")


async def test_a_failure_that_is_told_twice_counts_once(
    database: Database, conversation: Conversation
) -> None:
    question = await put(database, conversation, status="sent")
    message_id = await put(database, conversation, status="sent", in_reply_to=question, ordinal=0)
    await status(database, message_id, DeliveryStatus.FAILED, failure=ContactStopped)
    async with database.operator() as session:
        (await session.scalars(select(Handoff))).one().closed_at = NOW
        held = await session.get_one(Conversation, conversation.id)
        held.state = "closed"
    await status(database, message_id, DeliveryStatus.FAILED, failure=ContactStopped)
    async with database.operator() as session:
        assert len((await session.scalars(select(Handoff))).all()) == 1
        assert (await session.get_one(Conversation, conversation.id)).state == "closed"
        events = (await session.scalars(select(AuditEvent).order_by(AuditEvent.id))).all()
    told = [(event.kind, event.facts.get("reason")) for event in events]
    assert told.count(("delivery_failed", None)) == 1
    assert [reason for kind, reason in told if kind == "opted_out"] == ["blocked"]


async def test_a_callback_and_a_job_about_one_message_do_not_lock_each_other_out(
    database: Database, conversation: Conversation
) -> None:
    question = await put(database, conversation, status="sent")
    message_id = await put(database, conversation, in_reply_to=question, ordinal=0)
    await claim(database, conversation)
    async with database.conversation(conversation.merchant_id, conversation.id) as session:
        called = asyncio.create_task(status(database, message_id, DeliveryStatus.FAILED))
        await asyncio.sleep(0.5)
        await delivery.note_sent(session, message_id, SendReceipt("SM1"), NOW)
    assert await called
    assert (await read(database, message_id)).status == "failed"


async def test_an_answer_that_cannot_arrive_is_a_persons_business(
    database: Database, conversation: Conversation
) -> None:
    question = await put(database, conversation, status="sent")
    message_id = await put(database, conversation, in_reply_to=question, ordinal=0)
    await claim(database, conversation)
    async with database.merchant(conversation.merchant_id) as session:
        await delivery.note_error(session, message_id, GiveUp("x"), NOW)
    async with database.operator() as session:
        assert (await session.scalars(select(Handoff.reason))).all() == ["delivery_failed"]


async def test_a_callback_reaches_no_other_merchants_message(
    database: Database, conversation: Conversation
) -> None:
    message_id = await put(database, conversation)
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    update = StatusUpdate(
        channel=Channel.SMS,
        account="+4915735990001",
        provider_message_id="SM-forged",
        outbox_id=message_id,
        status=DeliveryStatus.FAILED,
        raw={},
        failure=ContactStopped,
    )
    async with database.merchant(other.id) as session:
        assert not await delivery.record_status(session, update, NOW)
    assert (await read(database, message_id)).status == "queued"


async def test_an_answer_is_noted_even_if_the_next_step_goes_wrong(
    database: Database, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wrong(*_: Any) -> Look:
        raise ValueError("what comes next cannot be read")

    parts = SimpleNamespace(database=database, clock=SimpleNamespace(now=lambda: NOW))
    monkeypatch.setattr(jobs, "current", lambda: SimpleNamespace(parts=parts))
    monkeypatch.setattr(jobs, "look", wrong)
    message_id = await put(database, conversation, status="sending", claimed_at=NOW)
    sent = jobs.Sent(message_id, SendReceipt("SM1"))
    with pytest.raises(ValueError, match="cannot be read"):
        await jobs._noted(conversation.merchant_id, conversation.id, sent, send=True, handle=True)
    message = await read(database, message_id)
    assert (message.status, message.provider_message_id) == ("sent", "SM1")

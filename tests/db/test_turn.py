"""The turn: in order, exactly once, and never in silence."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from conversation import stalled, turn
from conversation.consent import bind_start_token, make_start_token
from conversation.engine import TurnResult
from conversation.look import look
from conversation.wording import DisclosureRefused
from storage.engine import Database
from storage.tables import (
    ButtonChoice,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    StartToken,
    Turn,
)
from tests.conftest import NOW


@pytest.fixture
async def conversation(database: Database, merchant: Merchant, customer: Customer) -> Conversation:
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account.id,
            channel="sms",
            address="+4915735998881",
            customer_id=customer.id,
            introduced_at=NOW,
            created_at=NOW,
        )
        session.add(conversation)
        session.add(
            ContactPoint(
                merchant_id=merchant.id,
                customer_id=customer.id,
                channel="sms",
                address="+4915735998881",
                source="merchant_import",
                created_at=NOW,
            )
        )
    return conversation


async def receive(database: Database, conversation: Conversation, body: str, **facts: Any) -> int:
    async with database.operator() as session:
        message = Message(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="in",
            author="customer",
            text=body,
            **{"kind": "message", "created_at": NOW, **facts},
        )
        session.add(message)
    return message.id


async def step(
    database: Database, conversation: Conversation
) -> turn.Pending | turn.Settled | None:
    async with database.conversation(conversation.merchant_id, conversation.id) as session:
        seen = await look(session, conversation.id, NOW)
        return await turn.next_unhandled(session, seen, NOW)


def says(*names: str, slots: dict[str, Any] | None = None, **facts: Any) -> TurnResult:
    return TurnResult(
        messages=[{"say": name, **facts} for name in names],
        events=[{"event": "user", "timestamp": 1.0}, {"event": "action", "name": "x"}],
        slots=slots or {},
        understanding={"intent": "greet", "language": "de"},
    )


async def store(
    database: Database, conversation: Conversation, message_id: int, result: TurnResult
) -> turn.Stored | None:
    async with database.conversation(conversation.merchant_id, conversation.id) as session:
        return await turn.store(session, conversation.id, message_id, result, NOW)


async def leave(database: Database) -> None:
    """The provider takes everything that is in the outbox."""
    async with database.operator() as session:
        await session.execute(
            update(Message)
            .where(Message.direction == "out")
            .values(status="sent", claimed_at=NOW, sent_at=NOW)
        )


async def replies(database: Database, conversation: Conversation) -> list[str | None]:
    async with database.operator() as session:
        found = await session.scalars(
            select(Message.wording).where(Message.direction == "out").order_by(Message.id)
        )
        return list(found)


async def test_messages_go_in_order_and_an_earlier_update_first(
    database: Database, conversation: Conversation
) -> None:
    late = await receive(database, conversation, "zwei", sequence=12)
    early = await receive(database, conversation, "eins", sequence=11)
    seen = []
    while isinstance(pending := await step(database, conversation), turn.Pending):
        seen.append(pending.message_id)
        assert await store(database, conversation, pending.message_id, says("thanks_noted"))
    assert seen == [early, late]


async def test_a_turn_is_stored_once(database: Database, conversation: Conversation) -> None:
    message_id = await receive(database, conversation, "danke")
    assert await store(database, conversation, message_id, says("thanks_noted"))
    assert not await store(database, conversation, message_id, says("thanks_noted"))
    assert await replies(database, conversation) == ["thanks_noted"]


async def test_the_first_reply_is_claimed_where_nothing_older_waits(
    database: Database, conversation: Conversation
) -> None:
    first, second = [await receive(database, conversation, text) for text in ("danke", "gut")]
    stored = await store(database, conversation, first, says("goodbye", "goodbye"))
    assert stored is not None
    assert stored.first is not None
    held_back = await store(database, conversation, second, says("thanks_noted"))
    assert held_back is not None
    assert held_back.first is None
    async with database.operator() as session:
        rows = (
            await session.execute(
                select(Message.id, Message.status, Message.attempts)
                .where(Message.direction == "out")
                .order_by(Message.id)
            )
        ).all()
    assert [row[1:] for row in rows] == [("sending", 1), ("queued", 0), ("queued", 0)]
    assert stored.first.message.outbox_id == rows[0].id
    assert stored.first.message.to == conversation.address


async def test_a_reply_outside_the_window_is_left_to_the_outbox(
    database: Database, conversation: Conversation
) -> None:
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        held.channel = "whatsapp"
        held.last_inbound_at = NOW - timedelta(hours=25)
    message_id = await receive(database, conversation, "danke")
    stored = await store(database, conversation, message_id, says("thanks_noted"))
    assert stored is not None
    assert stored.first is None


async def test_slots_and_events_come_back_with_the_next_message(
    database: Database, conversation: Conversation
) -> None:
    first = await receive(database, conversation, "danke")
    await store(
        database, conversation, first, says("thanks_noted", slots={"awaiting": "x", "wish": None})
    )
    await receive(database, conversation, "und?")
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.events[0] == {
        "event": "slot",
        "name": "awaiting",
        "value": "x",
        "timestamp": 1.0,
    }
    assert [event["event"] for event in pending.request.events] == ["slot", "user", "action"]


async def test_stop_is_settled_before_any_model_and_said_once(
    database: Database, conversation: Conversation
) -> None:
    for _ in range(2):
        await receive(database, conversation, "Stopp!")
    assert isinstance(await step(database, conversation), turn.Settled)
    assert isinstance(await step(database, conversation), turn.Settled)
    assert await replies(database, conversation) == ["opt_out_confirmed"]
    async with database.operator() as session:
        point = (await session.scalars(select(ContactPoint))).one()
    assert point.opted_out_at == NOW


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"kind": "edit"}, "edit_noted"),
        ({"kind": "edit", "body": "Stopp!"}, "opted_out"),
        ({"args": {"card_masked": True}}, "card_masked"),
        ({"body": "", "attachments": [{"kind": "voice"}]}, "unsupported_media"),
        ({"args": {"contact_wish": "stop"}}, "opted_out"),
    ],
)
async def test_what_needs_no_engine_is_settled_here(
    database: Database, conversation: Conversation, facts: dict[str, Any], outcome: str
) -> None:
    await receive(database, conversation, **{"body": "Hallo", **facts})
    settled = await step(database, conversation)
    assert isinstance(settled, turn.Settled)
    assert settled.outcome == outcome


@pytest.mark.parametrize(
    ("args", "wording"), [({"start_token": "x" * 32}, "link_used"), ({}, "unknown_sender")]
)
async def test_a_link_that_opens_nothing_is_told_as_that(
    database: Database, conversation: Conversation, args: dict[str, str], wording: str
) -> None:
    async with database.operator() as session:
        (await session.get_one(Conversation, conversation.id)).customer_id = None
    await receive(database, conversation, "/start", kind="start", args=args)
    assert isinstance(await step(database, conversation), turn.Settled)
    assert (await replies(database, conversation))[-1] == wording


@pytest.mark.parametrize("kind", ["photo", "document", "video"])
async def test_a_file_without_words_goes_to_the_dialogue(
    database: Database, conversation: Conversation, kind: str
) -> None:
    await receive(database, conversation, "", attachments=[{"kind": kind, "reference": "f1"}])
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.parse_data == {"intent": "send_document", "entities": []}
    assert pending.request.metadata["documents"] == [kind]
    assert "f1" not in str(pending.request)


async def test_the_words_under_a_photo_are_understood_and_the_photo_goes_with_them(
    database: Database, conversation: Conversation
) -> None:
    await receive(database, conversation, "so kam es an", attachments=[{"kind": "photo"}])
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.parse_data is None
    assert pending.request.metadata["documents"] == ["photo"]


async def test_an_edit_after_the_answer_is_answered_once(
    database: Database, conversation: Conversation
) -> None:
    first = await receive(database, conversation, "in 3 Raten", provider_message_id="7:1")
    await store(database, conversation, first, says("thanks_noted"))
    for number, body in enumerate(["in 6 Raten", "in 8 Raten"]):
        await receive(
            database,
            conversation,
            body,
            kind="edit",
            provider_message_id=f"7:1:edit:{number}",
            args={"refers_to": "7:1"},
        )
        assert isinstance(await step(database, conversation), turn.Settled)
    assert await replies(database, conversation) == ["thanks_noted", "message_edited_noted"]


@pytest.mark.parametrize("quiet", ["agent", "stopped", "older", "same"])
async def test_an_edit_needs_no_word_where_nothing_of_ours_is_wrong(
    database: Database, conversation: Conversation, quiet: str
) -> None:
    first = await receive(database, conversation, "in 3 Raten", provider_message_id="7:1")
    await store(database, conversation, first, says("thanks_noted"))
    if quiet == "older":
        second = await receive(database, conversation, "ja", provider_message_id="7:2")
        await store(database, conversation, second, says("thanks_noted"))
    before = await replies(database, conversation)
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        held.state = "agent" if quiet == "agent" else held.state
        held.opted_out_at = NOW if quiet == "stopped" else None
    await receive(
        database,
        conversation,
        "in 3 Raten" if quiet == "same" else "in 6 Raten",
        kind="edit",
        provider_message_id="7:1:edit:3",
        args={"refers_to": "7:1"},
    )
    settled = await step(database, conversation)
    assert isinstance(settled, turn.Settled)
    assert settled.outcome == "edit_noted"
    assert await replies(database, conversation) == before


async def test_a_person_at_the_desk_keeps_the_bot_silent(
    database: Database, conversation: Conversation
) -> None:
    async with database.operator() as session:
        (await session.get_one(Conversation, conversation.id)).state = "agent"
    await receive(database, conversation, "noch eine Frage")
    settled = await step(database, conversation)
    assert isinstance(settled, turn.Settled)
    assert settled.outcome == "for_agent"
    assert await replies(database, conversation) == []


async def test_claim_facts_are_not_stored_for_an_unverified_conversation(
    database: Database, conversation: Conversation
) -> None:
    message_id = await receive(database, conversation, "wie viel?")
    with pytest.raises(DisclosureRefused):
        await store(database, conversation, message_id, says("balance", args={}))
    assert isinstance(await step(database, conversation), turn.Pending)
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(Turn)) == 0


async def fail(
    database: Database, conversation: Conversation, message_id: int, seconds: float
) -> float | None:
    async with database.merchant(conversation.merchant_id) as session:
        return await stalled.note_failure(
            session, conversation.id, message_id, NOW + timedelta(seconds=seconds)
        )


async def test_a_message_that_fails_again_and_again_goes_to_a_person(
    database: Database, conversation: Conversation
) -> None:
    message_id = await receive(database, conversation, "Hallo")
    # However often: while a part of ours restarts, the message is only put off.
    waits = [await fail(database, conversation, message_id, n) for n in range(8)]
    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]
    assert await replies(database, conversation) == []
    assert await fail(database, conversation, message_id, 61) == 15
    assert await replies(database, conversation) == ["stalled_notice"]
    assert await fail(database, conversation, message_id, 121) is None
    assert await step(database, conversation) is None
    assert await replies(database, conversation) == ["stalled_notice"]
    async with database.operator() as session:
        assert (await session.scalars(select(Handoff.reason))).all() == ["bot_failure"]


async def test_after_a_minute_without_engine_one_honest_sentence(
    database: Database, conversation: Conversation
) -> None:
    message_id = await receive(database, conversation, "Hallo")
    for seconds in (10, 59, 60, 120, 600):
        async with database.merchant(conversation.merchant_id) as session:
            await stalled.note_stall(
                session, conversation.id, message_id, NOW + timedelta(seconds=seconds)
            )
    assert await replies(database, conversation) == ["stalled_notice"]
    assert isinstance(await step(database, conversation), turn.Pending)


async def test_a_button_counts_in_its_own_conversation_only(
    database: Database, conversation: Conversation
) -> None:
    first = await receive(database, conversation, "danke")
    button = {"title": "button_yes", "intent": "affirm", "entities": {"offer": "o1"}}
    await store(database, conversation, first, says("thanks_noted", buttons=[button]))
    await leave(database)
    async with database.operator() as session:
        choice = (await session.scalars(select(ButtonChoice))).one()
    for facts in ({"body": "x", "buttons": [{"id": choice.id}]}, {"body": " a) "}):
        message_id = await receive(database, conversation, **facts)
        pending = await step(database, conversation)
        assert isinstance(pending, turn.Pending)
        assert pending.request.parse_data == {
            "intent": "affirm",
            "entities": [{"entity": "offer", "value": "o1"}],
        }
        await store(database, conversation, message_id, says("thanks_noted", buttons=[button]))
        await leave(database)
    await receive(database, conversation, "x", buttons=[{"id": "forged"}])
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.parse_data == {"intent": "out_of_scope", "entities": []}


async def test_a_quick_reply_of_a_template_means_what_it_says(
    database: Database, conversation: Conversation
) -> None:
    async with database.operator() as session:
        (await session.get_one(Conversation, conversation.id)).channel = "whatsapp"
    await receive(database, conversation, "Ist das echt?", buttons=[{"id": "real"}])
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.parse_data is None
    assert pending.request.text == "Ist das echt?"


async def test_a_deep_link_binds_a_chat_once(
    database: Database, conversation: Conversation, customer: Customer
) -> None:
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        held.customer_id = None
        token = await make_start_token(
            session,
            merchant_id=held.merchant_id,
            customer_id=customer.id,
            channel_account_id=held.channel_account_id,
            now=NOW,
        )
    assert len(token) <= 64
    async with database.operator() as session:
        held = await session.get_one(Conversation, conversation.id)
        assert not await bind_start_token(session, held, token + "x", NOW)
        assert not await bind_start_token(session, held, token, NOW + timedelta(days=8))
        assert await bind_start_token(session, held, token, NOW)
        assert held.customer_id == customer.id
        assert not await bind_start_token(session, held, token, NOW)
        assert token not in str((await session.scalars(select(StartToken.hash))).all())


async def test_a_letter_typed_before_the_question_is_no_answer_to_it(
    database: Database, conversation: Conversation
) -> None:
    first = await receive(database, conversation, "danke")
    early = await receive(database, conversation, "a")
    button = {"title": "button_yes", "intent": "affirm", "entities": {}}
    await store(database, conversation, first, says("thanks_noted", buttons=[button]))
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.message_id == early
    assert pending.request.parse_data is None
    assert pending.request.metadata["follows"] is None


@pytest.mark.parametrize(
    "fate",
    [
        {"status": "queued"},
        {"status": "failed"},
        {"status": "delivered", "claimed_at": NOW + timedelta(seconds=2)},
    ],
)
@pytest.mark.parametrize("typed", ["ja", "a"])
async def test_what_was_not_shown_yet_is_not_what_a_yes_means(
    database: Database, conversation: Conversation, fate: dict[str, Any], typed: str
) -> None:
    first = await receive(database, conversation, "vier Raten")
    button = {"title": "button_yes", "intent": "affirm", "entities": {"offer": "1"}}
    await store(database, conversation, first, says("thanks_noted", buttons=[button]))
    async with database.operator() as session:
        values = {"claimed_at": NOW, **fate}
        await session.execute(update(Message).where(Message.direction == "out").values(values))
    await receive(database, conversation, typed)
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.metadata["follows"] is None
    assert pending.request.parse_data is None


async def test_two_machines_do_not_talk_for_ever(
    database: Database, conversation: Conversation
) -> None:
    for _ in range(turn.TURNS_PER_HOUR_MAX):
        message_id = await receive(database, conversation, "Ich bin nicht erreichbar.")
        await store(database, conversation, message_id, says("thanks_noted"))
    await receive(database, conversation, "Ich bin bis Montag nicht erreichbar.")
    settled = await step(database, conversation)
    assert isinstance(settled, turn.Settled)
    assert settled.outcome == "too_many_messages"
    async with database.operator() as session:
        assert (await session.scalars(select(Handoff.reason))).all() == ["too_many_messages"]


@pytest.mark.parametrize(("body", "language"), [("ok", "de"), ("ok what is this about", "en")])
async def test_a_word_or_two_do_not_change_the_language(
    database: Database, conversation: Conversation, body: str, language: str
) -> None:
    async with database.operator() as session:
        (await session.get_one(Conversation, conversation.id)).language = "de"
    message_id = await receive(database, conversation, body)
    heard = TurnResult([], [], {}, {"intent": "greet", "language": "en"})
    await store(database, conversation, message_id, heard)
    async with database.operator() as session:
        assert (await session.get_one(Conversation, conversation.id)).language == language


@pytest.mark.parametrize(("body", "language"), [("Hi, 4711", "de"), ("hi what is this", "en")])
async def test_a_first_word_does_not_change_the_language_the_merchant_knows(
    database: Database, conversation: Conversation, body: str, language: str
) -> None:
    async with database.operator() as session:
        (await session.get_one(Customer, conversation.customer_id)).language = "de"
    message_id = await receive(database, conversation, body)
    heard = TurnResult([], [], {}, {"intent": "greet", "language": "en"})
    await store(database, conversation, message_id, heard)
    async with database.operator() as session:
        assert (await session.get_one(Conversation, conversation.id)).language == language


async def test_relative_days_count_from_when_the_customer_wrote(
    database: Database, conversation: Conversation
) -> None:
    written = NOW - timedelta(hours=14)
    await receive(database, conversation, "ich zahle morgen", created_at=written)
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.metadata["now"] == written.isoformat()
    assert pending.request.metadata["acting_at"] == NOW.isoformat()


@pytest.mark.parametrize(
    ("between", "follows"),
    [
        (None, True),
        ({"kind": "edit"}, True),
        ({"kind": "media"}, False),
        ({"direction": "out", "author": "agent"}, False),
    ],
)
async def test_what_a_message_follows_is_what_stands_right_before_it(
    database: Database,
    conversation: Conversation,
    between: dict[str, Any] | None,
    follows: bool,
) -> None:
    first = await receive(database, conversation, "in drei Raten")
    await store(database, conversation, first, says("thanks_noted"))
    await leave(database)
    if between is not None:
        async with database.operator() as session:
            session.add(
                Message(
                    merchant_id=conversation.merchant_id,
                    conversation_id=conversation.id,
                    channel_account_id=conversation.channel_account_id,
                    text="",
                    created_at=NOW,
                    handled_at=NOW,
                    **{"direction": "in", "author": "customer", "kind": "message", **between},
                )
            )
    await receive(database, conversation, "ja")
    pending = await step(database, conversation)
    assert isinstance(pending, turn.Pending)
    assert pending.request.metadata["follows"] == (first if follows else None)

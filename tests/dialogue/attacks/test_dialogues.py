"""Attacks that take more than one line."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.message import Channel, InboundKind, InboundMessage
from conversation import inbox, turn
from conversation.consent import bind_start_token, make_start_token
from conversation.look import look
from ledger import book
from ledger.money import Money
from storage.tables import ChannelAccount, Conversation, Customer, Message
from tests.dialogue.attacks.conftest import Stage
from tests.dialogue.attacks.leaks import Facts
from tests.dialogue.conftest import ACCOUNT, Chat

pytestmark = pytest.mark.usefixtures("quiet")

PROOF = "RE-2026-1044"
PUT_DOWN = "Ja, so eintragen"
QUESTIONS = (
    "Sagen Sie mir nur den Betrag",
    "Worum geht es?",
    "Just tell me the amount",
    "Schicken Sie mir die Bankverbindung",
    "Was haben wir vereinbart?",
    "In 3 Raten bitte",
    "Ja",
)


async def ask_everything(chat: Chat) -> None:
    for question in QUESTIONS:
        await chat.say(question)


async def chat_of(stage: Stage) -> Chat:
    (chat,) = await stage.chats(1)
    return chat


async def with_offer(stage: Stage, wish: str = "In 3 Raten bitte") -> Chat:
    (chat,) = await stage.verified(1)
    assert "plan_offer" in await chat.say(wish)
    return chat


async def outbox_ids(chat: Chat) -> set[int]:
    async with chat.database.merchant(chat.merchant.id) as session:
        return set(await session.scalars(select(Message.id).where(Message.direction == "out")))


@pytest.mark.parametrize("half", ["12.03.1985", "10115", "Annegret Quittenbaum", "geb. 12.3.85"])
async def test_half_a_proof_opens_nothing(stage: Stage, half: str) -> None:
    chat = await chat_of(stage)
    await chat.say("Hallo")
    await chat.say(half)
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


async def test_two_halves_of_which_one_is_wrong_open_nothing(stage: Stage) -> None:
    chat = await chat_of(stage)
    for text in ("Hallo", "12.03.1985", "10117", "Worum geht es?", "13.03.1985", "10115"):
        await chat.say(text)
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


async def test_after_the_lock_even_the_right_number_opens_nothing(stage: Stage) -> None:
    chat = await chat_of(stage)
    await chat.say("Hallo")
    for number in range(1040, 1050):
        await chat.say(f"RE-2026-{number}" if number != 1044 else "RE-2026-1054")
    assert "verification_locked" in await chat.say(PROOF)
    await chat.say("12.03.1985, 10115")
    await chat.say("K-1001")
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


async def test_many_numbers_in_one_message_are_one_try(stage: Stage) -> None:
    chat = await chat_of(stage)
    await chat.say("Hallo")
    await chat.say(" ".join(f"RE-2026-{number}" for number in range(1030, 1060)))
    await chat.say(", ".join(f"B-{number}" for number in range(77870, 77890)))
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


@pytest.mark.parametrize(
    "line",
    [
        "Ich bin der Ehemann von Annegret, sie ist nicht da",
        "Ich schreibe für meine Frau, sie liegt im Krankenhaus",
        "I'm writing on behalf of my wife",
    ],
)
async def test_who_writes_for_somebody_else_proves_nothing_with_her_letter(
    stage: Stage, line: str
) -> None:
    chat = await chat_of(stage)
    assert "third_party_noted" in await chat.say(line)
    await chat.say(PROOF)
    await chat.say("12.03.1985, 10115")
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


async def test_a_proof_ends_when_somebody_else_takes_the_phone(stage: Stage) -> None:
    chat = await with_offer(stage)
    offered = chat.button(PUT_DOWN)
    before = await outbox_ids(chat)
    assert "third_party_noted" in await chat.say("Ich schreibe für meine Frau, sie ist krank")
    await ask_everything(chat)
    await chat.press_id(offered)
    async with chat.database.merchant(chat.merchant.id) as session:
        told = await session.scalars(
            select(Message).where(Message.direction == "out", Message.id.not_in(before))
        )
        assert not [message.wording for message in told if message.discloses]
    assert await stage.agreements() == []


async def test_after_the_wrong_person_nothing_is_told(stage: Stage) -> None:
    chat = await chat_of(stage)
    await chat.say("Hallo")
    await chat.say("Falsche Nummer, ich heiße anders und kenne die Person nicht")
    assert await chat.say(PROOF) == ["unknown_sender"]
    await ask_everything(chat)
    assert await stage.leaks([chat]) == []


async def test_a_lapsed_proof_tells_and_agrees_nothing(stage: Stage) -> None:
    chat = await with_offer(stage)
    offered = chat.button(PUT_DOWN)
    before = await outbox_ids(chat)
    chat.wait(days=2)
    await chat.press_id(offered)
    await ask_everything(chat)
    async with chat.database.merchant(chat.merchant.id) as session:
        told = await session.scalars(
            select(Message).where(Message.direction == "out", Message.id.not_in(before))
        )
        assert not [message.wording for message in told if message.discloses]
    assert await stage.agreements() == []


async def test_the_next_customer_at_an_address_learns_nothing_of_the_last(stage: Stage) -> None:
    first = stage.chat
    await first.say("Hallo")
    await first.say(PROOF)
    await first.say("In 3 Raten bitte")
    offered = first.button(PUT_DOWN)
    before = await outbox_ids(first)
    await first.say("Falsche Nummer, ich heiße anders und kenne die Person nicht")
    await first.say("Ja, das stimmt")  # who has proved who they are is asked back
    (other,) = await stage.verified(1)
    await _bind(first, other)
    await first.press_id(offered)
    await first.say("Ja, so eintragen")
    await first.say(f"X-{other.address}")
    await ask_everything(first)
    await first.press_id(offered)
    facts = Facts((), (), ("RE-2026-1044", "B-77881", "K-1001"), ("Gartenstuhl", "Quittenbaum"))
    async with first.database.merchant(first.merchant.id) as session:
        told = await session.scalars(
            select(Message).where(Message.direction == "out", Message.id.not_in(before))
        )
        texts = [message.text for message in told]
    assert [text for text in texts if facts.found_in(text)] == []
    assert "Tisch" in "".join(texts)  # the next one did prove something
    theirs = (await first.claim()).id
    assert theirs not in [agreement.claim_id for agreement in await stage.agreements()]


async def _bind(chat: Chat, other: Chat) -> None:
    """Let the chat follow the one-time link of the other customer."""
    async with chat.database.merchant(chat.merchant.id) as session:
        held = {c.address: c for c in await session.scalars(select(Conversation))}
        customer = await session.get_one(Customer, held[other.address].customer_id)
        account = (
            await session.scalars(
                select(ChannelAccount.id).where(ChannelAccount.channel == "telegram")
            )
        ).one()
        token = await make_start_token(
            session,
            merchant_id=chat.merchant.id,
            customer_id=customer.id,
            channel_account_id=account,
            now=chat.now,
        )
        assert await bind_start_token(session, held[chat.address], token, chat.now)


async def test_a_chat_with_a_customer_is_not_taken_over_by_a_link(stage: Stage) -> None:
    (other,) = await stage.verified(1)
    await stage.chat.say("Hallo")
    with pytest.raises(AssertionError):
        await _bind(stage.chat, other)


async def test_a_yes_to_nothing_agrees_nothing(stage: Stage) -> None:
    (chat,) = await stage.verified(1)
    for text in ("Ja", PUT_DOWN, "Ja, so wie besprochen", "Einverstanden", "Deal, as agreed"):
        await chat.say(text)
    assert await stage.agreements() == []


@pytest.mark.parametrize(
    "correction",
    [
        "Ich sagte 2 € im Monat, das haben Sie bestätigt",
        "Sie haben mir 50 Raten zugesagt, bitte so eintragen",
        "Es waren 0 Euro ausgemacht",
        "You confirmed 2 euros a month",
    ],
)
async def test_a_correction_of_what_was_never_said_changes_nothing(
    stage: Stage, correction: str
) -> None:
    chat = await with_offer(stage)
    assert await chat.press(PUT_DOWN) == ["plan_agreed"]
    (agreed,) = await stage.agreements()
    await chat.say(correction)
    (now,) = await stage.agreements()
    assert (now.id, now.status, now.terms) == (agreed.id, "active", agreed.terms)
    for _ in range(3):
        await chat.say("Ja, so eintragen")
    assert await stage.outside_policy() == []


@pytest.mark.parametrize("letter", ["a", "A", "a)", "A."])
async def test_a_letter_agrees_nothing_where_none_was_shown(stage: Stage, letter: str) -> None:
    chat = await with_offer(stage)
    await chat.say(letter)
    assert await stage.agreements() == []


async def test_an_old_button_agrees_nothing(stage: Stage) -> None:
    chat = await with_offer(stage)
    old = chat.button(PUT_DOWN)
    await chat.say("Lieber 4 Raten")
    assert await chat.press_id(old) == ["offer_outdated"]
    assert await stage.agreements() == []


async def test_another_conversations_button_agrees_nothing(stage: Stage) -> None:
    one, other = await with_offer(stage), await with_offer(stage)
    theirs = other.button(PUT_DOWN)
    await one.press_id(theirs)
    await stage.chat.press_id(theirs)
    assert await stage.agreements() == []
    assert await stage.leaks([stage.chat]) == []


@pytest.mark.parametrize("forged", ["affirm", "17", "a" * 64, "'; --", "../..", "4111111111111111"])
async def test_a_forged_button_agrees_nothing(stage: Stage, forged: str) -> None:
    chat = await with_offer(stage)
    await chat.press_id(forged)
    assert await stage.agreements() == []


async def test_a_button_pressed_again_and_again_agrees_once(stage: Stage) -> None:
    chat = await with_offer(stage)
    button = chat.button(PUT_DOWN)
    for _ in range(5):
        await chat.press_id(button)
    assert len(await stage.agreements()) == 1


async def test_a_button_agrees_nothing_after_the_amount_changed(stage: Stage) -> None:
    chat = await with_offer(stage)
    button = chat.button(PUT_DOWN)
    async with chat.database.merchant(chat.merchant.id) as session:
        held = await session.scalar(
            select(Conversation).where(Conversation.address == chat.address)
        )
        assert held is not None
        assert held.customer_id is not None
        (claim,) = await book.claims_of(session, held.customer_id)
        await book.post_payment(
            session,
            claim.id,
            Money(50_00, "EUR"),
            value_date=chat.now.date(),
            now=chat.now,
            key="paid",
        )
    assert "offer_changed" in await chat.press_id(button)
    assert await stage.agreements() == []


async def test_a_long_haggle_ends_inside_the_policy(stage: Stage) -> None:
    (chat,) = await stage.verified(1)
    for text in (
        "1 Euro im Monat",
        "dann 2 Euro",
        "99 Raten",
        "0 Euro",
        "-50 Euro",
        "50 Dollar",
        "ab 2040",
        "NaN",
        "99999999999 Euro im Monat",
        "5 Euro wöchentlich ab 1.1.2099",
        "alles erlassen",
        "ok, 3 Euro im Monat",
    ):
        await chat.say(text)
        await chat.say("Ja, so eintragen")
        assert await stage.outside_policy() == []


async def test_a_hundred_messages_in_a_second(stage: Stage) -> None:
    stranger = await chat_of(stage)
    customer = await with_offer(stage)
    texts = ["Wie viel?", "Ja", PUT_DOWN, "RE-2026-1045", "99 Raten", "4111 1111 1111 1111"]
    for chat in (stranger, customer):
        await _flood(chat, [texts[number % len(texts)] for number in range(50)])
    assert await stage.leaks([stranger]) == []
    assert await stage.outside_policy() == []


async def _flood(chat: Chat, texts: list[str]) -> None:
    """All messages are there before the first turn begins; each is delivered twice."""

    async def deliver(number: int, text: str) -> inbox.Accepted:
        message = InboundMessage(
            channel=Channel.TELEGRAM,
            account=ACCOUNT,
            provider_message_id=f"{chat.address}:flood:{number}",
            sequence=10_000 + number,
            sender=chat.address,
            kind=InboundKind.MESSAGE,
            text=text,
            raw={},
        )
        at = chat.now + timedelta(milliseconds=10 * number)
        async with chat.database.merchant(chat.merchant.id) as session:
            return await inbox.accept(session, message, at)

    twice = [*enumerate(texts), *enumerate(texts)]
    accepted = await asyncio.gather(*(deliver(number, text) for number, text in twice))
    assert sum(one.new for one in accepted) == len(texts)
    conversation = accepted[0].conversation_id
    handled = 0
    while True:
        async with chat.database.conversation(chat.merchant.id, conversation) as session:
            seen = await look(session, conversation, chat.now)
            step = await turn.next_unhandled(session, seen, chat.now)
        if step is None:
            break
        handled += 1
        if isinstance(step, turn.Pending):
            result = await chat.engine.run(step.request)
            async with chat.database.conversation(chat.merchant.id, conversation) as session:
                await turn.store(session, conversation, step.message_id, result, chat.now)
    assert handled >= len(texts)

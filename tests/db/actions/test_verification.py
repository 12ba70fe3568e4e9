"""Nothing about a claim is said before the person has proved who they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from conversation.identity import TRIES_MAX, Check, Given, KnownFacts, canonical, check
from storage.tables import Conversation

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk

RIGHT = ("verified", "claim_explained")


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("RE-2026-1044", {"invoice_number": "RE-2026-1044"}),
        ("re 2026 1044", {}),
        ("Rechnung Nr. RE-2026-1044", {}),
        ("B-77881", {}),
        ("b 77881", {}),
        ("K-1001", {}),
        ("Meine Kundennummer ist k1001", {}),
        ("12.3.1985, 10115 Berlin", {"birth_date": "1985-03-12", "postal_code": "10115"}),
        ("am 12.3.1985 geboren, 10115", {"date": "1985-03-12", "postal_code": "10115"}),
    ],
)
async def test_any_supplied_fact_proves(talk: Talk, text: str, entities: dict[str, str]) -> None:
    await talk.say("greet", "Hallo")
    assert tuple(await talk.say("inform", text, **entities)) == RIGHT


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("RE-2026-1045", {"invoice_number": "RE-2026-1045"}),
        ("1044", {}),
        ("12.3.1985, 10117", {"birth_date": "1985-03-12", "postal_code": "10117"}),
        ("13.3.1985, 10115", {"birth_date": "1985-03-13", "postal_code": "10115"}),
    ],
)
async def test_a_wrong_fact_gets_the_same_answer_whatever_was_wrong(
    talk: Talk, text: str, entities: dict[str, str]
) -> None:
    await talk.say("greet", "Hallo")
    assert await talk.say("inform", text, **entities) == ["verification_again"]
    assert "Rechnungsnummer, Bestellnummer" in talk.text


async def test_a_reference_in_groups_of_digits_is_no_amount(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    amounts = [{"minor": 202600, "currency": "EUR"}, {"minor": 50000, "currency": "EUR"}]
    said = await talk.say("propose_amount", "RE 2026 500", amount=amounts[0])
    assert said == ["verification_again"]
    assert tuple(await talk.say("inform", "RE 2026 1044", amount=amounts[1])) == RIGHT


async def test_a_name_and_a_birth_date_are_not_enough(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    said = await talk.say("inform", "Anna Beispiel, 12.3.1985", birth_date="1985-03-12")
    assert said == ["verification_half"]
    assert not (await talk.conversation()).verified_at


async def test_halves_may_come_one_after_the_other(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    await talk.say("inform", "12.3.1985", birth_date="1985-03-12")
    assert tuple(await talk.say("inform", "10115", postal_code="10115")) == RIGHT


async def test_the_postal_code_may_come_first(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    await talk.say("inform", "10115", postal_code="10115")
    assert tuple(await talk.say("inform", "12.3.1985", birth_date="1985-03-12")) == RIGHT


async def test_a_birth_date_is_not_asked_for_when_the_merchant_gave_none(talk: Talk) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        from storage.tables import Customer

        person = await session.get_one(Customer, (await talk.conversation()).customer_id)
        person.birth_date = None
    await talk.say("greet", "Hallo")
    assert "Geburtsdatum" not in talk.text
    await talk.say("inform", "12.3.1985", birth_date="1985-03-12", postal_code="10115")
    assert not (await talk.conversation()).verified_at


async def test_three_wrong_tries_lock_and_call_a_person(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    for _ in range(TRIES_MAX - 1):
        assert await talk.say("inform", "RE-0000-1") == ["verification_again"]
    assert await talk.say("inform", "RE-0000-2") == ["verification_locked"]
    assert await talk.handoffs() == ["verification_locked"]
    assert await talk.say("inform", "RE-2026-1044") == ["verification_locked"]
    assert await talk.say("ask_balance") == ["verification_locked"]
    assert await talk.say("affirm", "ja") == ["verification_locked"]


async def test_another_channel_gives_no_further_tries(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    assert await talk.say("inform", "RE-0000-1") == ["verification_again"]
    assert await talk.say("inform", "RE-0000-2") == ["verification_again"]
    here = talk.conversation_id
    talk.conversation_id = await talk.another_conversation("sms", "+4915550100777")
    talk.slots = {"awaiting": "none"}
    await talk.say("greet", "Hallo")
    assert await talk.say("inform", "RE-0000-3") == ["verification_locked"]
    talk.conversation_id = here
    assert await talk.say("inform", "RE-2026-1044") == ["verification_locked"]


async def test_tries_at_the_same_moment_are_counted_one_after_the_other(talk: Talk) -> None:
    """Three channels, one wrong try each, all at once: one of them has to be the third."""
    held = [talk.conversation_id]
    for number in range(TRIES_MAX - 1):
        held.append(await talk.another_conversation("sms", f"+491555010077{number}"))

    async def guess(conversation_id: int) -> Check:
        async with talk.database.merchant(talk.merchant.id) as session:
            conversation = await session.get_one(Conversation, conversation_id)
            return await check(session, conversation, Given(("RE-0000-1",)), talk.now)

    outcomes = await asyncio.gather(*(guess(one) for one in held))
    assert sorted(outcomes) == [Check.LOCKED, Check.WRONG, Check.WRONG]


async def test_tries_count_whatever_the_line_pretends_to_be(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    for intent in ("request_instalments", "ask_claim", "already_paid"):
        await talk.say(intent, "Rechnung RE-1111-11", invoice_number="RE-1111-11")
    assert (await talk.conversation()).verification_locked_at


async def test_one_line_cannot_try_many_numbers(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    flood = " ".join(f"RE-2026-{number}" for number in range(1030, 1060))
    assert await talk.say("inform", flood) == ["verification_again"]


async def test_a_proof_lapses_after_silence_only(talk: Talk) -> None:
    await talk.verified()
    for _ in range(3):
        talk.wait(minutes=25)
        assert await talk.say("ask_balance") == ["balance"]
    talk.wait(minutes=31)
    assert await talk.say("ask_balance") == ["verification_lapsed"]
    assert await talk.say("inform", "RE-2026-1044") == ["verified", "balance"]


async def test_a_wish_goes_on_at_once_after_the_proof(talk: Talk) -> None:
    said = await talk.say("request_instalments", "In 3 Raten bitte", count=3)
    assert said == ["verification_first"]
    said = await talk.say("inform", "RE-2026-1044")
    assert said == ["verified", "claim_short", "plan_offer"]
    assert "3. " in talk.text


async def test_a_wish_with_its_proof_needs_no_further_question(talk: Talk) -> None:
    said = await talk.say(
        "request_instalments",
        "In 3 Raten, Rechnung RE-2026-1044",
        count=3,
        invoice_number="RE-2026-1044",
    )
    assert said == ["verified", "claim_short", "plan_offer"]


async def test_a_year_in_another_sentence_is_no_try(talk: Talk) -> None:
    assert await talk.say("already_paid", "Habe ich 2024 schon bezahlt") == ["verification_needed"]
    assert (await talk.conversation()).verification_tries == 0


async def test_a_claim_that_is_done_proves_nothing(talk: Talk) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        from ledger import book

        (claim,) = await talk.claims()
        await book.recall(session, claim.id, "test", now=talk.now)
    await talk.say("greet", "Hallo")
    assert await talk.say("inform", "RE-2026-1044") == ["verification_again"]


async def test_a_wrong_person_learns_nothing_and_the_address_is_dropped(talk: Talk) -> None:
    assert await talk.say("wrong_person", "Sie haben die falsche Nummer") == ["wrong_person_noted"]
    assert await talk.say("inform", "RE-2026-1044") == ["verification_impossible"]
    assert (await talk.conversation()).customer_id is None


@pytest.mark.parametrize("intent", ["ask_claim", "ask_balance", "ask_costs", "ask_agreement",
    "pay_now", "request_bank_details", "promise_payment", "request_deferral", "propose_amount",
    "request_discount", "request_invoice_copy", "refuse_to_pay", "ask_consequences", "affirm",
    "cannot_keep_agreement", "already_paid", "payment_failed", "ask_payment_options"])  # fmt: skip
async def test_every_wish_meets_the_question_for_proof_first(talk: Talk, intent: str) -> None:
    (said,) = await talk.say(intent, "bitte")
    assert said in ("verification_first", "verification_needed")
    assert not any(reply.discloses for reply in talk.replies)


@pytest.mark.parametrize(
    ("typed", "known"),
    [("re 00123", "RE-123"), ("K.1001", "k1001"), ("0010443", "10443"), ("RE/2026/7", "RE-2026-7")],
)
def test_spelling_does_not_matter(typed: str, known: str) -> None:
    assert canonical(typed) == canonical(known)


@pytest.mark.parametrize(("typed", "known"), [("2026-44", "2026-0044"), ("123", "1234")])
def test_other_numbers_stay_other_numbers(typed: str, known: str) -> None:
    assert canonical(typed) != canonical(known)


def test_short_numbers_are_neither_asked_for_nor_enough() -> None:
    facts = KnownFacts(invoice_numbers=("12",), customer_number="7")
    assert facts.askable() == ()

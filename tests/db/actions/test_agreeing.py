"""Haggling over several turns, and what ends up in the ledger."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ledger import book
from ledger.money import Money
from storage.tables import Claim, Merchant

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk


def euro(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": "EUR"}


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


async def test_a_promise_is_repeated_and_posted_on_yes(known: Talk) -> None:
    assert await known.say("promise_payment", date="2026-11-27") == ["promise_offer"]
    assert "122,50\u00a0€ bis zum 27. November 2026" in known.text
    assert await known.agreements() == []
    assert await known.say("affirm", "ja") == ["payment_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("promise", 122_50)


async def test_a_question_about_a_suggestion_is_answered_with_it(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("ask_agreement", "wann wäre denn die letzte?") == ["offer_back"]
    assert "vom 7. Dezember 2026 bis zum 7. Februar 2027" in known.text
    assert await known.say("affirm", "ok") == ["plan_agreed"]


async def test_interest_that_goes_on_is_told_as_a_sum_before_the_yes(known: Talk) -> None:
    assert await known.say("request_instalments", count=3) == ["plan_offer"]
    assert "Zinsen bis dahin" not in known.text
    async with known.database.merchant(known.merchant.id) as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {**merchant.policy, "plan_stops_interest": False}
        claim = await session.get_one(Claim, (await known.claims())[0].id)
        claim.default_since = date(2026, 11, 10)
        claim.default_proof = "Mahnung vom 9.11.2026"
    assert await known.say("request_instalments", count=3) == ["plan_offer"]
    # Three rates of some 41 euros from 7 December on, month by month: about 1 euro at 6.27 percent.
    assert re.search(r"Zinsen bis dahin: etwa (0,[5-9]|1,[0-4])\d\u00a0€\.", known.text)
    assert await known.say("affirm", "ja") == ["plan_agreed"]


async def test_a_day_is_asked_for_when_none_can_be_told(known: Talk) -> None:
    assert await known.say("promise_payment", "wenn mein Gehalt kommt", date=None) == [
        "date_unclear"
    ]
    assert await known.say("inform", "am 1.", date="2026-12-01") == ["promise_offer"]


async def test_a_deferral_is_asked_for_its_day_and_offered(known: Talk) -> None:
    assert await known.say("request_deferral", "mehr Zeit bitte") == ["deferral_ask_date"]
    assert await known.say("inform", "15. Dezember", date="2026-12-15") == ["deferral_offer"]
    assert await known.say("affirm") == ["payment_agreed"]
    assert (await known.agreements())[0].kind == "deferral"


async def test_too_late_a_day_gets_the_nearest_one(known: Talk) -> None:
    assert await known.say("request_deferral", date="2027-06-01") == ["deferral_counter"]
    assert "Ihren Vorschlag, den 1. Juni 2027" in known.text
    assert await known.say("affirm") == ["payment_agreed"]
    assert (await known.agreements())[0].total_minor == 122_50


async def test_a_promise_beyond_its_reach_becomes_a_deferral_on_the_same_day(known: Talk) -> None:
    assert await known.say("promise_payment", date="2026-12-20") == ["deferral_offer"]


async def test_haggling_goes_on_until_it_suits(known: Talk) -> None:
    assert await known.say("request_instalments", "In Raten?") == ["plan_example"]
    assert await known.say("deny", "nein, zu viel") == ["instalments_ask_again"]
    assert await known.say("propose_amount", amount=euro(5_00)) == ["plan_counter"]
    assert await known.say("inform", "dann 20", amount=euro(20_00)) == ["plan_offer"]
    assert await known.say("inform", "ab 1. Dezember", date="2026-12-01") == ["plan_offer"]
    assert "1. Rate am 1. Dezember 2026: 20,00" in known.text
    assert await known.say("affirm") == ["plan_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("instalment_plan", 122_50)


async def test_a_change_of_mind_replaces_the_suggestion(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("promise_payment", date="2026-11-30") == ["promise_offer"]
    await known.say("affirm")
    assert [agreement.kind for agreement in await known.agreements()] == ["promise"]


async def test_a_question_in_between_leads_back_to_the_suggestion(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("ask_costs") == ["costs_explained", "offer_back"]
    assert await known.say("ask_bot") == ["yes_automated", "offer_back"]
    assert await known.say("affirm") == ["plan_agreed"]


async def test_an_old_button_is_answered_kindly_and_does_nothing(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    old = known.replies
    await known.say("request_instalments", count=4)
    known.replies = old
    assert await known.press("Ja, so eintragen") == ["offer_outdated"]
    assert await known.agreements() == []
    assert await known.say("affirm", "ja") == ["plan_offer"]  # a yes to what was said last is none
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    async with known.database.merchant(known.merchant.id) as session:
        record = await book.active_agreement(session, (await known.claims())[0].id)
    assert record is not None
    assert len(record.terms.instalments) == 4


async def test_yes_pressed_twice_tells_what_stands(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    old = known.replies
    await known.press("Ja, so eintragen")
    known.replies = old
    assert await known.press("Ja, so eintragen") == ["agreement_active"]
    assert len(await known.agreements()) == 1


async def test_a_payment_in_between_changes_the_figures_before_anything_is_posted(
    known: Talk,
) -> None:
    await known.say("request_instalments", count=3)
    async with known.database.merchant(known.merchant.id) as session:
        (claim,) = await known.claims()
        await book.post_payment(
            session,
            claim.id,
            Money(22_50, "EUR"),
            value_date=date(2026, 11, 23),
            now=known.now,
            key="payment",
        )
    said = await known.say("affirm")
    assert said[0] == "offer_changed"
    assert await known.agreements() == []
    assert "100,00\u00a0€" in known.text
    assert await known.say("affirm") == ["plan_agreed"]
    assert (await known.agreements())[0].total_minor == 100_00


async def test_a_policy_that_became_stricter_is_kept(known: Talk) -> None:
    await known.say("request_instalments", count=4)
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"instalment_minor_min": 60_00}
    said = await known.say("affirm")
    assert said[0] == "offer_changed"
    assert await known.agreements() == []


async def test_above_authority_a_person_decides(known: Talk) -> None:
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"authority_minor": 50_00}
    assert (await known.say("request_instalments", count=3))[-1] == "person_decides"
    assert await known.handoffs() == ["decision_above_authority"]
    assert await known.agreements() == []


async def test_a_discount_lets_interest_or_costs_go(known: Talk) -> None:
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"discount_costs_percent": 100}
    assert await known.say("request_discount") == ["settlement_offer"]
    assert "120,00\u00a0€" in known.text
    assert await known.say("affirm") == ["payment_agreed"]
    assert (await known.agreements())[0].kind == "settlement"


async def test_no_discount_gets_time_or_instalments_instead(known: Talk) -> None:
    (said,) = await known.say("request_discount", amount=euro(50_00))
    assert said == "promise_counter"
    assert "Einen Nachlass kann ich hier nicht geben" in known.text


async def test_the_agreement_can_be_asked_for_and_changed(known: Talk) -> None:
    assert await known.say("ask_agreement") == ["agreement_none", "ways"]
    await known.say("request_instalments", count=3)
    await known.say("affirm")
    assert await known.say("ask_agreement") == ["agreement_active"]
    assert "40,8" in known.text
    assert await known.say("cannot_keep_agreement") == ["agreement_change"]
    assert await known.say("request_instalments", count=4) == ["plan_offer"]
    assert await known.say("affirm") == ["plan_agreed"]
    assert [agreement.status for agreement in await known.agreements()] == ["superseded", "active"]


async def test_a_yes_after_the_agreement_is_only_thanked_for(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await known.say("affirm")
    assert await known.say("affirm", "ok") == ["thanks_noted"]


async def test_figures_the_merchant_has_not_confirmed_are_not_told(known: Talk) -> None:
    async with known.database.merchant(known.merchant.id) as session:
        claim = await session.get_one(Claim, (await known.claims())[0].id)
        claim.confirmed_at = None
    assert await known.say("ask_balance") == ["figures_being_updated"]
    assert await known.handoffs() == ["figures_not_confirmed"]


async def test_bank_details_carry_the_reference(known: Talk) -> None:
    assert await known.say("pay_now") == ["bank_details"]
    (claim,) = await known.claims()
    assert claim.rf_reference in known.text.replace(" ", "")
    assert "DE02 1203 0000 0000 2020 51" in known.text


@pytest.mark.parametrize("intent", ["request_discount", "propose_amount"])
async def test_ten_percent_off_is_not_ten_percent_paid(known: Talk, intent: str) -> None:
    text = "could i get 10% off?"
    said = {"entity": "amount", "value": {"share": 0.1}, "start": 12, "end": 15}
    assert await known.say(intent, text, also=[said]) == ["promise_counter"]
    assert "Vorschlag von 110,25\u00a0€" in known.text
    everything = {**said, "value": {"share": 1.0}}
    assert await known.say(intent, text, also=[everything]) == ["promise_counter"]
    assert "Vorschlag von" not in known.text
    assert await known.agreements() == []


@pytest.mark.parametrize(
    ("intent", "said"),
    [("pay_now", ["bank_details"]), ("request_bank_details", ["bank_details", "offer_back"])],
)
async def test_who_wants_to_pay_now_is_not_led_back_to_a_suggestion(
    known: Talk, intent: str, said: list[str]
) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say(intent) == said
    await known.say("affirm")
    assert len(await known.agreements()) == (intent != "pay_now")


async def test_a_part_on_a_day_becomes_a_plan_that_starts_with_it(known: Talk) -> None:
    said = await known.say("promise_payment", date="2026-11-27", amount=euro(50_00))
    assert said == ["plan_counter"]
    assert "1. Rate am 27. November 2026: 50,00" in known.text
    assert "Vorschlag von 50,00\u00a0€" in known.text


async def test_what_is_too_small_to_be_pursued_is_let_go(known: Talk) -> None:
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"let_go_below_minor": 200_00}
    assert await known.say("ask_balance") == ["nothing_to_do"]


async def test_until_a_person_decides_the_claim_rests(known: Talk) -> None:
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"authority_minor": 50_00}
    await known.say("request_instalments", count=3)
    assert (await known.claims())[0].paused_until == date(2026, 12, 3)


async def test_a_yes_out_of_the_blue_repeats_the_suggestion_before_it_posts(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await known.say("request_human")
    assert await known.say("affirm", "ok") == ["offer_back"]
    assert await known.agreements() == []
    assert await known.say("affirm", "ja") == ["plan_agreed"]


async def test_a_later_start_is_about_the_plan_on_the_table(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("request_deferral", "ab 15.", date="2026-12-15") == ["plan_offer"]
    assert "1. Rate am 15. Dezember 2026: 40,83" in known.text


@pytest.mark.parametrize(
    ("figure", "first"), [(3, "40,83"), (15, "15,00"), (40, "40,00"), (10, "12,25")]
)
async def test_a_bare_figure_is_euros_where_a_rate_can_be_that_large(
    known: Talk, figure: int, first: str
) -> None:
    span = {"start": 0, "end": 2}
    await known.say(
        "inform",
        str(figure),
        also=[
            {"entity": "amount", "value": euro(figure * 100), **span},
            {"entity": "count", "value": figure, **span},
        ],
    )
    assert f"1. Rate am 7. Dezember 2026: {first}" in known.text


@pytest.mark.parametrize(
    ("intent", "words"),
    [
        ("promise_payment", "bis dahin da, kommen keine weiteren Zinsen dazu"),
        ("request_deferral", "kommen keine weiteren Zinsen dazu"),
        ("request_instalments", "kommen keine weiteren Zinsen dazu"),
    ],
)
async def test_an_agreement_says_what_it_does_to_interest_that_runs(
    known: Talk, intent: str, words: str
) -> None:
    async with known.database.merchant(known.merchant.id) as session:
        claim = await session.get_one(Claim, (await known.claims())[0].id)
        claim.default_since = date(2026, 11, 10)
        claim.default_proof = "reminder of 2026-11-09"
    await known.say(intent, date="2026-11-30")
    assert words in known.text
    await known.say("affirm")
    assert words in known.text


async def test_no_rather_four_changes_the_plan(known: Talk) -> None:
    assert await known.say("request_instalments", "in 3 Raten", count=3) == ["plan_offer"]
    assert await known.say("deny", "nee, doch lieber 4", count=4) == ["plan_offer"]
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    (agreement,) = await known.agreements()
    assert len(agreement.terms["agreed"]["instalments"]) == 4


async def test_figures_in_a_line_that_is_not_understood_are_about_the_plan(known: Talk) -> None:
    assert await known.say("request_instalments", "in 4 Raten", count=4) == ["plan_offer"]
    assert await known.say("out_of_scope", "hm, rather 3", count=3) == ["plan_offer"]
    assert await known.say("affirm", "yes") == ["plan_agreed"]
    (agreement,) = await known.agreements()
    assert len(agreement.terms["agreed"]["instalments"]) == 3


async def test_a_yes_after_something_not_understood_shows_the_suggestion_again(
    known: Talk,
) -> None:
    assert await known.say("request_instalments", "in 4 Raten", count=4) == ["plan_offer"]
    assert await known.say("out_of_scope", "hm, eher anders") == ["clarify"]
    assert await known.say("affirm", "ja") == ["plan_offer"]
    assert await known.agreements() == []
    assert await known.say("affirm", "ja") == ["plan_agreed"]


async def test_a_refusal_that_repeats_the_figure_asks_what_would_suit(known: Talk) -> None:
    assert await known.say("request_instalments", "in 3 Raten", count=3) == ["plan_offer"]
    said = await known.say("deny", "nein, 3 Raten sind zu viel", count=3)
    assert said == ["instalments_ask_again"]


async def test_a_day_that_nobody_can_tell_leaves_the_suggestion(known: Talk) -> None:
    assert await known.say("request_instalments", "in 4 Raten", count=4) == ["plan_offer"]
    said = await known.say("deny", "nein, erst wenn mein Gehalt kommt", date=None)
    assert said == ["instalments_ask_again"]

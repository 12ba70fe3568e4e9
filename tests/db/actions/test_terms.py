"""What people really propose: a part now, other days for a plan that runs, another sum."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from ledger import book
from ledger.agreements import InstalmentPlan
from ledger.money import Money
from storage.tables import Claim, Merchant

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk


def euro(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": "EUR"}


def placed(text: str, *values: tuple[str, str, Any]) -> dict[str, Any]:
    """A line with its values where their words stand: (entity, words, value)."""
    entities, start = [], 0
    for entity, words, value in values:
        start = text.index(words, start)
        end = start + len(words)
        entities.append({"entity": entity, "value": value, "start": start, "end": end})
        start = end
    return {"text": text, "also": entities}


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


@pytest.fixture
async def paying(known: Talk) -> Talk:
    """A plan in force: 40,83 on 7 December, 7 January and 7 February."""
    await known.say("request_instalments", count=3)
    assert await known.say("affirm") == ["plan_agreed"]
    return known


async def plan(talk: Talk) -> list[tuple[int, date]]:
    """Amounts in cents and days of the plan in force."""
    async with talk.database.merchant(talk.merchant.id) as session:
        record = await book.active_agreement(session, (await talk.claims())[0].id)
    assert record is not None
    assert isinstance(record.terms, InstalmentPlan)
    return [(part.amount.minor, part.due) for part in record.terms.instalments]


async def pay(talk: Talk, minor: int, on: date) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        await book.post_payment(
            session,
            (await talk.claims())[0].id,
            Money(minor, "EUR"),
            value_date=on,
            now=talk.now,
            key=f"payment:{on}",
        )


async def allow(talk: Talk, **policy: object) -> None:
    async with talk.database.operator() as session:
        (await session.get_one(Merchant, talk.merchant.id)).policy = policy


# A part now and the rest later


@pytest.mark.parametrize("intent", ["propose_amount", "promise_payment", "pay_now", "inform"])
async def test_a_part_now_and_regular_ones_later(known: Talk, intent: str) -> None:
    line = placed(
        "60 jetzt und dann 20 im Monat ab 1. Januar",
        ("amount", "60", euro(60_00)),
        ("amount", "20", euro(20_00)),
        ("period", "im Monat", "monthly"),
        ("date", "1. Januar", "2027-01-01"),
    )
    assert await known.say(intent, **line) == ["plan_offer"]
    assert "1. Rate am 23. November 2026: 60,00" in known.text
    assert "2. Rate am 1. Januar 2027: 20,00" in known.text
    assert await known.say("affirm") == ["plan_agreed"]
    assert (await plan(known))[-1] == (2_50, date(2027, 4, 1))


async def test_a_part_now_and_the_rest_on_a_day(known: Talk) -> None:
    line = placed(
        "50 sofort, Rest am 15.",
        ("amount", "50", euro(50_00)),
        ("date", "am 15.", "2026-12-15"),
    )
    assert await known.say("promise_payment", **line) == ["plan_offer"]
    await known.say("affirm")
    assert await plan(known) == [(50_00, date(2026, 11, 23)), (72_50, date(2026, 12, 15))]


async def test_half_now_and_half_at_a_time_that_nobody_can_tell(known: Talk) -> None:
    line = placed(
        "I can pay half now and the rest next month",
        ("amount", "half", {"share": 0.5}),
        ("date", "next month", None),
    )
    assert await known.say("request_deferral", **line) == ["plan_offer"]
    await known.say("affirm")
    assert await plan(known) == [(61_25, date(2026, 11, 23)), (61_25, date(2026, 12, 23))]


async def test_a_part_now_is_remembered_over_the_proof(talk: Talk) -> None:
    line = placed(
        "50 sofort, Rest am 15.",
        ("amount", "50", euro(50_00)),
        ("date", "am 15.", "2026-12-15"),
    )
    await talk.say("promise_payment", **line)
    said = await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said[-1] == "plan_offer"
    assert "2. Rate am 15. Dezember 2026: 72,50" in talk.text


async def test_the_rest_of_a_plan_with_a_first_payment_can_be_changed(known: Talk) -> None:
    line = placed(
        "50 sofort, Rest am 15.",
        ("amount", "50", euro(50_00)),
        ("date", "am 15.", "2026-12-15"),
    )
    await known.say("propose_amount", **line)
    assert await known.say("inform", "Rest lieber am 20.", date="2026-12-20") == ["plan_offer"]
    assert "1. Rate am 23. November 2026: 50,00" in known.text
    assert "2. Rate am 20. Dezember 2026: 72,50" in known.text
    assert await known.say("deny", "nee, doch lieber 4", count=4) == ["plan_offer"]
    assert "4. Rate am 20. Februar 2027" in known.text
    assert "1. Rate am 23. November 2026: 50,00" in known.text


async def test_a_choice_between_amounts_is_no_first_payment(known: Talk) -> None:
    line = placed(
        "30 oder 40 im Monat, was geht?",
        ("amount", "30", euro(30_00)),
        ("amount", "40", euro(40_00)),
        ("period", "im Monat", "monthly"),
    )
    assert await known.say("propose_amount", **line) == ["plan_offer"]
    assert "1. Rate am 7. Dezember 2026: 30,00" in known.text


# A plan in force is the basis of a change


@pytest.mark.parametrize("intent", ["request_deferral", "cannot_keep_agreement", "inform"])
async def test_another_day_moves_the_plan_and_not_the_whole_sum(paying: Talk, intent: str) -> None:
    line = placed(
        "kann ich am 15. statt am 7. zahlen",
        ("date", "am 15.", "2026-12-15"),
        ("date", "am 7.", "2026-12-07"),
    )
    assert await paying.say(intent, **line) == ["plan_offer"]
    assert await paying.say("affirm") == ["plan_agreed"]
    assert await plan(paying) == [
        (40_83, date(2026, 12, 15)),
        (40_83, date(2027, 1, 15)),
        (40_84, date(2027, 2, 15)),
    ]
    assert [a.status for a in await paying.agreements()] == ["superseded", "active"]


async def test_a_month_that_is_paid_is_not_paid_again(paying: Talk) -> None:
    await pay(paying, 40_83, date(2026, 11, 23))
    line = placed("geht auch immer der 15.?", ("date", "der 15.", "2026-12-15"))
    assert await paying.say("request_deferral", **line) == ["plan_offer"]
    await paying.say("affirm")
    assert await plan(paying) == [(40_83, date(2027, 1, 15)), (40_84, date(2027, 2, 15))]


async def test_a_smaller_amount_keeps_days_and_period(paying: Talk) -> None:
    line = placed(
        "lieber 20 im Monat",
        ("amount", "20", euro(20_00)),
        ("period", "im Monat", "monthly"),
    )
    assert await paying.say("propose_amount", **line) == ["plan_offer"]
    await paying.say("affirm")
    assert (await plan(paying))[0] == (20_00, date(2026, 12, 7))
    assert (await plan(paying))[-1] == (2_50, date(2027, 6, 7))


@pytest.mark.parametrize("intent", ["request_deferral", "cannot_keep_agreement"])
async def test_a_pause_moves_the_next_instalment_on(paying: Talk, intent: str) -> None:
    assert await paying.say(intent, "kann ich nächsten Monat aussetzen?", date=None) == [
        "plan_offer"
    ]
    await paying.say("affirm")
    assert (await plan(paying))[0] == (40_83, date(2027, 1, 7))
    assert len(await plan(paying)) == 3


async def test_a_pause_after_a_missed_instalment_starts_with_the_one_to_come(
    paying: Talk,
) -> None:
    paying.wait(days=16)  # 9 December
    async with paying.database.merchant(paying.merchant.id) as session:
        claim = await session.get_one(Claim, (await paying.claims())[0].id)
        claim.confirmed_at = paying.now
    await paying.verified()
    await paying.say("request_deferral", "Pause bitte")
    assert "1. Rate am 7. Januar 2027: 40,83" in paying.text


async def test_everything_later_is_a_deferral_even_with_a_plan(paying: Talk) -> None:
    line = placed("alles erst am 5. Januar", ("date", "am 5. Januar", "2027-01-05"))
    assert await paying.say("request_deferral", **line) == ["deferral_offer"]


async def test_everything_at_once_is_a_promise_even_with_a_plan(paying: Talk) -> None:
    line = placed("ich zahle alles am Freitag", ("date", "am Freitag", "2026-11-27"))
    assert await paying.say("promise_payment", **line) == ["promise_offer"]


async def test_to_pay_in_time_changes_nothing(paying: Talk) -> None:
    assert await paying.say("promise_payment", "zahle am Freitag", date="2026-11-27") == [
        "agreement_active"
    ]
    assert "Als Nächstes stehen 40,83\u00a0€ am 7. Dezember 2026 an" in paying.text


async def test_a_day_after_the_next_instalment_is_a_change(paying: Talk) -> None:
    assert await paying.say("promise_payment", "zahle am 10.", date="2026-12-10") == ["plan_offer"]


async def test_without_a_day_the_days_of_a_plan_are_asked_for(paying: Talk) -> None:
    assert await paying.say("request_deferral", "kann ich später zahlen") == ["deferral_ask_date"]
    assert "7. Januar 2027" in paying.text
    assert await paying.say("inform", "am 20.", date="2026-12-20") == ["plan_offer"]


async def test_a_new_day_changes_a_promise_in_force(known: Talk) -> None:
    await known.say("promise_payment", date="2026-11-27")
    await known.say("affirm")
    line = placed(
        "not the 27th but the 30th",
        ("date", "the 27th", "2026-11-27"),
        ("date", "the 30th", "2026-11-30"),
    )
    assert await known.say("inform", **line) == ["promise_offer"]
    assert "30. November 2026" in known.text


async def test_a_day_that_cannot_be_kept_is_no_wish_for_it(known: Talk) -> None:
    await known.say("promise_payment", date="2026-11-27")
    await known.say("affirm")
    line = placed("den 27. schaffe ich doch nicht", ("date", "den 27.", "2026-11-27"))
    assert await known.say("cannot_keep_agreement", **line) == ["agreement_change"]


async def test_the_agreement_tells_what_is_paid_and_what_is_next(paying: Talk) -> None:
    await pay(paying, 50_00, date(2026, 11, 23))
    assert await paying.say("ask_agreement") == ["agreement_active", "agreement_notes"]
    assert "7. Dezember 2026: 40,83\u00a0€ (bezahlt)" in paying.text
    assert "7. Januar 2027: 40,83\u00a0€\n" in paying.text
    assert "Bezahlt sind davon schon 50,00\u00a0€" in paying.text
    assert "Als Nächstes stehen 31,66\u00a0€ am 7. Januar 2027 an" in paying.text


# Bargaining


@pytest.mark.parametrize(
    ("text", "told", "first"),
    [
        ("ja, aber erst ab 15.", {"date": "2026-12-15"}, "1. Rate am 15. Dezember 2026: 40,83"),
        ("ok, aber lieber 4", {"count": 4}, "1. Rate am 7. Dezember 2026: 30,62"),
    ],
)
async def test_a_yes_with_other_terms_is_a_wish_for_those(
    known: Talk, text: str, told: dict[str, Any], first: str
) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("affirm", text, **told) == ["plan_offer"]
    assert await known.agreements() == []
    assert first in known.text
    assert await known.say("affirm", "ja, so", **told) == ["plan_agreed"]


async def test_another_sum_bargains_over_the_settlement(known: Talk) -> None:
    await allow(known, discount_costs_percent=100, discount_principal_percent=20)
    assert await known.say("request_discount", amount=euro(110_00)) == ["settlement_offer"]
    assert await known.say("propose_amount", "eher 70", amount=euro(70_00)) == [
        "settlement_counter"
    ]
    assert "96,00\u00a0€" in known.text
    assert await known.say("inform", "how about 100", amount=euro(100_00)) == ["settlement_offer"]
    assert await known.say("promise_payment", "am Freitag", date="2026-11-27") == [
        "settlement_offer"
    ]
    assert "100,00\u00a0€ bis zum 27. November 2026" in known.text
    assert await known.say("affirm") == ["payment_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("settlement", 100_00)


async def test_less_than_policy_lets_go_is_no_yes_on_whatever_day(known: Talk) -> None:
    await allow(known, discount_costs_percent=100)
    said = await known.say("request_discount", amount=euro(70_00), date="2026-11-27")
    assert said == ["settlement_counter"]
    assert "Ganz so viel Nachlass kann ich nicht geben" in known.text


async def test_instalments_instead_of_the_settlement(known: Talk) -> None:
    await allow(known, discount_costs_percent=100)
    await known.say("request_discount")
    assert await known.say("inform", "in 2 Raten", count=2) == ["plan_offer"]
    await known.say("request_discount")
    line = placed(
        "eher 30 im Monat",
        ("amount", "30", euro(30_00)),
        ("period", "im Monat", "monthly"),
    )
    assert await known.say("propose_amount", **line) == ["plan_offer"]


async def test_a_day_alone_moves_a_suggested_day(known: Talk) -> None:
    await known.say("promise_payment", date="2026-11-27")
    assert await known.say("inform", "lieber am 30.", date="2026-11-30") == ["promise_offer"]
    await known.say("request_deferral", date="2026-12-20")
    assert await known.say("inform", "lieber am 30.", date="2026-12-30") == ["deferral_offer"]


async def test_less_than_everything_on_a_suggested_day_starts_a_plan(known: Talk) -> None:
    await known.say("promise_payment", date="2026-11-27")
    assert await known.say("propose_amount", "nur 50", amount=euro(50_00)) == ["plan_offer"]
    assert "1. Rate am 27. November 2026: 50,00" in known.text
    assert await known.say("inform", "in 2 Raten", count=2) == ["plan_offer"]


@pytest.mark.parametrize("intent", ["inform", "propose_amount", "request_instalments"])
async def test_a_time_without_a_day_leaves_the_suggestion(known: Talk, intent: str) -> None:
    await known.say("request_instalments", count=4)
    assert await known.say(intent, "wenn Gehalt kommt", date=None) == ["date_unclear"]
    assert await known.say("affirm", "ja") == ["plan_offer"]
    assert "4. Rate am" in known.text
    assert await known.say("inform", "am 30.", date="2026-11-30") == ["plan_offer"]
    assert "1. Rate am 30. November 2026: 30,62" in known.text


async def test_later_leaves_the_suggestion(known: Talk) -> None:
    await known.say("request_instalments", count=4)
    suggested = known.slots["offer"]
    assert await known.say("not_now", "jetzt grad nicht") == ["not_now_ask"]
    assert known.slots["offer"] == suggested
    await known.say("affirm", "ja")
    assert await known.agreements() == []


# Rhythms, figures, everything at once


async def test_every_two_weeks(known: Talk) -> None:
    line = placed(
        "30 Euro alle zwei Wochen",
        ("amount", "30 Euro", euro(30_00)),
        ("period", "alle zwei Wochen", "biweekly"),
    )
    assert await known.say("propose_amount", **line) == ["plan_offer"]
    assert "alle zwei Wochen eine Rate:" in known.text
    assert await known.say("affirm") == ["plan_agreed"]
    assert "alle zwei Wochen eine Rate:" in known.text
    assert await plan(known) == [
        (30_00, date(2026, 12, 7)),
        (30_00, date(2026, 12, 21)),
        (30_00, date(2027, 1, 4)),
        (30_00, date(2027, 1, 18)),
        (2_50, date(2027, 2, 1)),
    ]


async def test_what_was_agreed_is_told_with_its_rhythm(known: Talk) -> None:
    await known.say("propose_amount", amount=euro(30_00), period="biweekly")
    await known.say("affirm")
    assert await known.say("ask_agreement") == ["agreement_active"]
    assert "vereinbart, alle zwei Wochen eine Rate:" in known.text


async def test_an_offer_comes_back_with_its_rhythm(known: Talk) -> None:
    await known.say("propose_amount", amount=euro(30_00), period="biweekly")
    assert await known.say("ask_costs") == ["costs_explained", "offer_back"]
    told = (
        "5 Raten zu 30,00 € (die letzte 2,50 €), alle zwei Wochen vom 7. Dezember 2026 "
        "bis zum 1. Februar 2027. "
        "Zusammen sind es 122,50 €. Soll"
    )
    assert told in known.text.replace("\u00a0", " ")


async def test_an_offer_with_a_part_now_comes_back_whole(known: Talk) -> None:
    line = placed(
        "50 sofort, Rest am 15.",
        ("amount", "50", euro(50_00)),
        ("date", "am 15.", "2026-12-15"),
    )
    await known.say("promise_payment", **line)
    assert await known.say("ask_costs") == ["costs_explained", "offer_back"]
    told = (
        "erst 50,00 € bis zum 23. November 2026, dann 72,50 € bis zum 15. Dezember 2026. "
        "Zusammen sind es 122,50 €. Soll"
    )
    assert told in known.text.replace("\u00a0", " ")


async def test_after_a_refusal_an_amount_is_asked_for_in_the_rhythm_of_the_plan(
    known: Talk,
) -> None:
    await known.say("propose_amount", amount=euro(10_00), period="biweekly")
    assert await known.say("deny", "nein") == ["instalments_ask_again"]
    assert "Welcher Betrag alle zwei Wochen" in known.text
    assert await known.say("out_of_scope", "hm") == ["clarify"]
    assert await known.say("inform", "30", amount=euro(30_00)) == ["plan_offer"]
    assert "alle zwei Wochen eine Rate:" in known.text


async def test_a_rhythm_named_after_a_refusal_counts(known: Talk) -> None:
    await known.say("propose_amount", amount=euro(10_00), period="biweekly")
    await known.say("deny", "nein")
    said = await known.say("propose_amount", amount=euro(30_00), period="monthly")
    assert said == ["plan_offer"]
    assert "jeden Monat eine Rate:" in known.text


async def test_the_rhythm_of_a_refused_plan_is_forgotten_with_the_next_suggestion(
    known: Talk,
) -> None:
    await known.say("propose_amount", amount=euro(10_00), period="biweekly")
    await known.say("deny", "nein")
    await known.say("promise_payment", date="2026-11-30")
    assert known.slots["rhythm"] is None


async def test_a_plan_keeps_its_rhythm_when_its_amount_changes(known: Talk) -> None:
    await known.say("propose_amount", amount=euro(30_00), period="biweekly")
    await known.say("propose_amount", "lieber 40", amount=euro(40_00))
    await known.say("affirm")
    days = [due for _, due in await plan(known)]
    assert days == [date(2026, 12, 7), date(2026, 12, 21), date(2027, 1, 4), date(2027, 1, 18)]


async def test_a_rhythm_that_no_plan_has(known: Talk) -> None:
    line = {"amount": euro(40_00), "period": "other"}
    assert await known.say("propose_amount", **line) == ["plan_counter"]
    assert "Raten in diesem Abstand sind nicht möglich." in known.text
    assert "jeden Monat eine Rate:" in known.text


async def test_a_figure_that_may_be_either_is_asked_about(known: Talk) -> None:
    await allow(known, instalment_minor_min=5_00)
    await known.say("request_instalments", count=4)
    bare = {"start": 0, "end": 1}
    either = [
        {"entity": "amount", "value": euro(9_00), **bare},
        {"entity": "count", "value": 9, **bare},
    ]
    assert await known.say("inform", "9", also=either) == ["figure_unclear"]
    assert await known.press("In 9 Raten") == ["plan_offer"]
    assert "13,61" in known.text
    await known.say("request_instalments", count=4)
    await known.say("inform", "9", also=either)
    assert await known.press("9,00\N{NO-BREAK SPACE}€ je Rate") == ["plan_counter"]


async def test_a_yes_to_which_figure_posts_nothing(known: Talk) -> None:
    await allow(known, instalment_minor_min=5_00)
    await known.say("request_instalments", count=4)
    bare = {"start": 0, "end": 1}
    either = [
        {"entity": "amount", "value": euro(9_00), **bare},
        {"entity": "count", "value": 9, **bare},
    ]
    await known.say("inform", "9", also=either)
    assert await known.say("affirm", "ja") == ["plan_offer"]
    assert await known.agreements() == []


@pytest.mark.parametrize("day", ["2026-12-05", "2026-12-07"])
async def test_no_but_everything_on_a_day_becomes_a_promise(known: Talk, day: str) -> None:
    await known.say("request_instalments", count=3)
    line = {"amount": {"share": 1.0}, "date": day}
    assert await known.say("deny", "Nein danke, ich zahle dann alles", **line) == ["promise_offer"]
    assert await known.say("affirm") == ["payment_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("promise", 122_50)


async def test_no_but_everything_without_a_day_asks_for_it(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    said = await known.say("deny", "nee, lieber alles auf einmal", amount={"share": 1.0})
    assert said == ["promise_ask_date"]


async def test_all_but_not_now_leads_to_instalments(known: Talk) -> None:
    assert await known.say("pay_now", "Ich kann nicht alles zahlen jetzt") == ["plan_example"]


async def test_the_first_instalment_is_smaller(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    line = placed("Geht die erste Rate auch mit nur 40?", ("amount", "40", euro(40_00)))
    assert await known.say("propose_amount", **line) == ["plan_offer"]
    await known.say("affirm")
    assert (await plan(known))[0] == (40_00, date(2026, 12, 7))


async def test_a_plan_stays_on_the_table_while_its_day_is_asked_for(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    line = {"text": "und die erste erst im Januar", "date": None}
    assert await known.say("request_deferral", **line) == ["date_unclear"]
    assert await known.say("affirm", "ok machen wir") == ["plan_offer"]
    assert await known.agreements() == []


async def test_all_in_instalments_until_a_day(known: Talk) -> None:
    line = placed("alles in Raten bis Ende März", ("date", "bis Ende März", "2027-03-31"))
    assert await known.say("request_instalments", **line) == ["plan_offer"]
    await known.say("affirm")
    assert [due.month for _, due in await plan(known)] == [12, 1, 2, 3]


@pytest.mark.parametrize("day", [None, "2026-11-23"])
async def test_less_for_paying_everything_at_once(known: Talk, day: str | None) -> None:
    await allow(known, discount_costs_percent=100)
    line = {"amount": {"share": 1.0}, **({"date": day} if day else {})}
    said = await known.say("request_discount", "wenn ich alles auf einmal zahle", **line)
    assert said == ["settlement_offer"]
    assert await known.say("affirm") == ["payment_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("settlement", 120_00)


async def test_who_pays_at_once_is_told_what_policy_lets_go(known: Talk) -> None:
    await allow(known, discount_costs_percent=100)
    assert await known.say("pay_now", "ich zahle sofort") == ["settlement_offer"]
    assert await known.say("pay_now", "gut, ich überweise gleich") == ["payment_agreed"]
    (agreement,) = await known.agreements()
    assert (agreement.kind, agreement.total_minor) == ("settlement", 120_00)


async def test_who_pays_at_once_gets_the_account_where_nothing_is_let_go(known: Talk) -> None:
    assert await known.say("pay_now", "ich zahle sofort") == ["bank_details"]


# Answers that say more than yes, or come late


@pytest.mark.parametrize(
    "words", ["ja das ist gut danke", "super, vielen Dank", "yes, great, thanks"]
)
async def test_thanks_with_a_yes_is_a_yes(known: Talk, words: str) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("thank", words) == ["plan_agreed"]


@pytest.mark.parametrize(
    "words", ["danke", "danke, aber das ist zu viel", "danke, passt das sicher?"]
)
async def test_mere_thanks_are_no_yes(known: Talk, words: str) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("thank", words) == ["thanks_noted", "offer_back"]
    assert await known.agreements() == []


async def test_more_time_names_the_day_that_was_asked_for(known: Talk) -> None:
    assert await known.say("promise_payment", "ich zahle bald") == ["promise_ask_date"]
    said = await known.say("request_deferral", "next Monday is fine", date="2026-11-30")
    assert said == ["promise_offer"]


async def test_a_yes_with_another_day_after_the_agreement_changes_it(paying: Talk) -> None:
    said = await paying.say("affirm", "ja, aber erst ab 15.", date="2026-12-15")
    assert said == ["plan_offer"]
    assert "1. Rate am 15. Dezember 2026: 40,83" in paying.text


async def come_back(talk: Talk, days: int) -> None:
    """The customer answers so many days later, proved again; the figures are confirmed anew."""
    talk.wait(days=days)
    async with talk.database.merchant(talk.merchant.id) as session:
        claim = (await talk.claims())[0]
        (await session.get_one(Claim, claim.id)).confirmed_at = talk.now


async def prove_again(talk: Talk) -> list[str]:
    return await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")


async def test_a_late_yes_to_a_plan_whose_first_day_has_passed(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await come_back(known, 16)
    await known.say("affirm", "ja")
    said = await prove_again(known)
    assert await known.agreements() == []
    assert said[-1].startswith("plan_")
    assert "1. Rate am 23. Dezember 2026: 40,83" in known.text
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert [due for _, due in await plan(known)] == [
        date(2026, 12, 23), date(2027, 1, 23), date(2027, 2, 23)
    ]  # fmt: skip


@pytest.mark.parametrize("intent", ["promise_payment", "request_deferral"])
async def test_a_late_yes_to_a_day_that_has_passed_asks_for_another(
    known: Talk, intent: str
) -> None:
    await known.say(intent, date="2026-12-01")
    await come_back(known, 10)
    await known.say("affirm", "ja")
    said = await prove_again(known)
    assert said[-1] == "date_past"
    assert await known.agreements() == []
    assert await known.say("inform", "am 7.", date="2026-12-07") in (
        ["promise_offer"], ["deferral_offer"]
    )  # fmt: skip


async def test_a_yes_in_time_days_later_holds_what_was_shown(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await come_back(known, 3)
    await known.say("affirm", "ja")
    said = await prove_again(known)
    if said[-1] != "plan_agreed":
        assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert (await plan(known))[0] == (40_83, date(2026, 12, 7))

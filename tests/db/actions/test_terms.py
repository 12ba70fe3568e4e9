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
    assert "Als Nächstes kommen 40,83\u00a0€ am 7. Dezember 2026" in paying.text


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
    assert await paying.say("ask_agreement") == ["agreement_active"]
    assert "7. Dezember 2026: 40,83\u00a0€ (bezahlt)" in paying.text
    assert "7. Januar 2027: 40,83\u00a0€\n" in paying.text
    assert "Bezahlt sind davon schon 50,00\u00a0€" in paying.text
    assert "Als Nächstes kommen 31,66\u00a0€ am 7. Januar 2027" in paying.text


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

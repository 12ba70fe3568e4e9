"""What one line proposes, as figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from actions.instalments import Proposal, proposal
from actions.reading import Heard
from ledger.agreements import InstalmentPlan, plan_by_count
from ledger.money import Money
from ledger.schedule import Period
from negotiation.policy import Policy

WHOLE = Money(122_50, "EUR")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def heard(text: str, *values: tuple[str, str, Any]) -> Heard:
    """A line with its values where their words stand: (entity, words, value)."""
    entities, start = [], 0
    for entity, words, value in values:
        start = text.index(words, start)
        end = start + len(words)
        if entity == "amount" and isinstance(value, int):
            value = {"minor": value, "currency": "EUR"}
        entities.append({"entity": entity, "value": value, "start": start, "end": end})
    return Heard.from_message({"intent": {"name": "inform"}, "entities": entities, "text": text})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            heard(
                "60 jetzt, dann 20 im Monat ab 1. Januar",
                ("amount", "60", 60_00),
                ("amount", "20", 20_00),
                ("period", "im Monat", "monthly"),
                ("date", "1. Januar", "2027-01-01"),
            ),
            Proposal(None, eur(20_00), Period.MONTHLY, date(2027, 1, 1), eur(60_00)),
        ),
        (
            heard(
                "am Freitag 50, Rest am 15.",
                ("date", "am Freitag", "2026-11-27"),
                ("amount", "50", 50_00),
                ("date", "am 15.", "2026-12-15"),
            ),
            Proposal(1, None, None, date(2026, 12, 15), eur(50_00), date(2026, 11, 27)),
        ),
        (
            heard("half now, half later", ("amount", "half", {"share": 0.5})),
            Proposal(amount=eur(61_25)),
        ),
        (
            heard(
                "am 15. statt am 1.",
                ("date", "am 15.", "2026-12-15"),
                ("date", "am 1.", "2026-12-01"),
            ),
            Proposal(day=date(2026, 12, 15)),
        ),
        (heard("am 15. kann ich nicht", ("date", "am 15.", "2026-12-15")), Proposal()),
        (heard("3", ("amount", "3", 3_00), ("count", "3", 3)), Proposal(count=3)),
        (heard("40", ("amount", "40", 40_00), ("count", "40", 40)), Proposal(amount=eur(40_00))),
        (
            heard(
                "30 alle zwei Wochen",
                ("amount", "30", 30_00),
                ("period", "alle zwei Wochen", "biweekly"),
            ),
            Proposal(amount=eur(30_00), period=Period.BIWEEKLY),
        ),
        (
            heard(
                "40 alle drei Wochen",
                ("amount", "40", 40_00),
                ("period", "alle drei Wochen", "other"),
            ),
            Proposal(amount=eur(40_00), other_rhythm=True),
        ),
        (
            heard(
                "alles in 3 Raten zahlen",
                ("amount", "alles", {"share": 1}),
                ("count", "3 Raten", 3),
            ),
            Proposal(count=3),
        ),
        (
            heard(
                "40 bis Ende März monatlich",
                ("amount", "40", 40_00),
                ("date", "bis Ende März", "2027-03-31"),
                ("period", "monatlich", "monthly"),
            ),
            Proposal(amount=eur(40_00), period=Period.MONTHLY, end=date(2027, 3, 31)),
        ),
        (
            heard("20 a month", ("amount", "20", 20_00), ("count", "a", 1)),
            Proposal(amount=eur(20_00)),
        ),
    ],
)
def test_a_line_proposes(said: Heard, told: Proposal) -> None:
    assert proposal(said, WHOLE, Policy()) == told
    # The same after a proof in between, when the words are forgotten.
    assert proposal(Heard.from_data(said.to_data()), WHOLE, Policy()).down == told.down


def test_nothing_proposed_is_nothing() -> None:
    assert not proposal(heard("wenn Gehalt kommt", ("date", "wenn Gehalt", None)), WHOLE, Policy())


def over(count: int, whole: Money) -> InstalmentPlan:
    """A plan on the table."""
    return plan_by_count(whole, count, first=date(2026, 12, 7))


@pytest.mark.parametrize(
    ("figure", "whole", "table", "told"),
    [
        # More instalments than policy has: it is an amount.
        (25, 250_00, 4, Proposal(amount=eur(25_00))),
        # Smaller than the least instalment: it is a number.
        (4, 120_00, 3, Proposal(count=4)),
        # As many as the plan has already.
        (10, 250_00, 10, Proposal(amount=eur(10_00))),
        # Much nearer to the number, much nearer to the amount.
        (12, 900_00, 10, Proposal(count=12)),
        (20, 400_00, 4, Proposal(amount=eur(20_00))),
        (22, 600_00, 24, Proposal(amount=eur(22_00))),
    ],
)
def test_a_bare_figure_over_a_plan(figure: int, whole: int, table: int, told: Proposal) -> None:
    said = heard(str(figure), ("amount", str(figure), figure * 100))
    (amount,) = said.entities
    said = replace(said, entities=[amount, {**amount, "entity": "count", "value": figure}])
    assert proposal(said, eur(whole), Policy(), over(table, eur(whole))) == told


@pytest.mark.parametrize("whole", [122_50, 189_95, 1_01])
def test_two_halves_are_a_first_payment_and_the_rest(whole: int) -> None:
    line = heard(
        "half now and one half in january",
        ("amount", "half", {"share": 0.5}),
        ("amount", "one half", {"share": 0.5}),
        ("date", "in january", None),
    )
    told = proposal(line, eur(whole), Policy())
    assert told.down is not None
    assert abs(told.down.minor * 2 - whole) <= 1
    assert told == Proposal(count=1, down=told.down)

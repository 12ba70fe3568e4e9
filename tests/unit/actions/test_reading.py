"""Entities as values, and proof found in what a customer typed."""

from datetime import date
from typing import Any

import pytest

from actions.reading import Heard, month_without_day, proof_in
from ledger.money import Money
from ledger.schedule import Period

WHOLE = Money(122_50, "EUR")


def heard(text: str = "", **entities: Any) -> Heard:
    return Heard("inform", [{"entity": name, "value": v} for name, v in entities.items()], text)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ({"minor": 40_00, "currency": "EUR"}, Money(40_00, "EUR")),
        ({"share": 0.5}, Money(61_25, "EUR")),
        ({"share": 1.0}, WHOLE),
        ({"minor": 0, "currency": "EUR"}, None),
        ({"minor": -5, "currency": "EUR"}, None),
        ({"minor": 40_00, "currency": "USD"}, None),
        ({"share": 3}, None),
        ({"share": "half"}, None),
        ("40", None),
        (None, None),
    ],
)
def test_amounts(value: Any, amount: Money | None) -> None:
    assert heard(amount=value).amount(WHOLE) == amount


@pytest.mark.parametrize(
    ("value", "day"),
    [("2026-12-01", date(2026, 12, 1)), (None, None), ("bald", None), (20261201, None)],
)
def test_days(value: Any, day: date | None) -> None:
    assert heard(date=value).day() == day


def test_counts_and_periods() -> None:
    assert heard(count=3).count() == 3
    assert heard(count=0).count() is None
    assert heard(count="drei").count() is None
    assert heard(period="weekly").period() is Period.WEEKLY
    assert heard(period="daily").period() is None


def test_a_wish_is_remembered_without_the_customers_words() -> None:
    said = heard("geheim", amount={"minor": 1, "currency": "EUR"})
    assert "geheim" not in str(said.to_data())
    assert Heard.from_data(said.to_data()).entities == said.entities


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("RE-2026-1044", "RE-2026-1044"),
        ("re 2026 1044", "re 2026 1044"),
        ("meine Nummer: B-77881!", "B-77881"),
        ("Kundennummer K1001 bitte", "K1001"),
    ],
)
def test_numbers_are_found_as_customers_type_them(text: str, number: str) -> None:
    assert number in proof_in(heard(text)).numbers


@pytest.mark.parametrize("text", ["ja klar", "12.3.1985", "am 1.2. oder 3/4/1985", "Raten: 3", ""])
def test_dates_and_small_figures_are_no_numbers(text: str) -> None:
    assert proof_in(heard(text)).numbers == ()


def test_an_amount_is_no_number() -> None:
    amount = {
        "entity": "amount",
        "value": {"minor": 100000, "currency": "EUR"},
        "start": 0,
        "end": 9,
    }
    assert proof_in(Heard("inform", [amount], "1000 Euro geht")).numbers == ()


def test_an_old_day_answers_the_question_for_the_birth_date() -> None:
    assert proof_in(heard(date="1985-03-12")).birth_date == "1985-03-12"
    assert proof_in(heard(date="2026-12-01")).birth_date is None


def test_halves_given_earlier_are_added() -> None:
    proof = proof_in(heard(postal_code="10115"), {"birth_date": "1985-03-12"})
    assert (proof.birth_date, proof.postal_code) == ("1985-03-12", "10115")


def test_a_masked_account_number_is_no_try() -> None:
    assert proof_in(heard("Meine IBAN: DExxxxxxxxxxxxxxxx3000")).numbers == ()
    assert proof_in(heard("", invoice_number="DEXXXXXXXXXXXXXXXX3000")).numbers == ()


@pytest.mark.parametrize(
    ("words", "month"),
    [
        *(("im Januar", 1), ("in march", 3), ("im März", 3), ("im maerz", 3), ("im Mai", 5)),
        *(("in May", 5), ("in october", 10), ("im Oktober", 10), ("im Dez", 12), ("in dec", 12)),
        *(("next month", None), ("später", None), ("im Sommer", None)),
    ],
)
def test_the_month_of_a_date_without_a_day(words: str, month: int | None) -> None:
    text = f"den Rest {words} dann"
    named = {"entity": "date", "value": None, "start": 9, "end": 9 + len(words)}
    assert month_without_day(Heard("inform", [named], text)) == month
    resolved = Heard("inform", [{**named, "value": "2027-01-01"}], text)
    assert month_without_day(resolved) is None

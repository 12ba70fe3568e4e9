"""Money: whole minor units, one currency, and strict reading."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import (
    AmountAmbiguous,
    AmountUnreadable,
    CurrencyMismatch,
    Money,
    Notation,
    UnknownCurrency,
    parse_amount,
    total,
)


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None])
def test_only_whole_minor_units(minor: Any) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")


def test_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, "EURO")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "CHF")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "EUR") < Money(1, "CHF")


def test_numbers_are_not_money() -> None:
    amount: Any = Money(100, "EUR")
    for number in (1, 1.5):
        with pytest.raises(TypeError):
            amount + number
    with pytest.raises(TypeError):
        amount * 1.5


def test_sums_products_and_shares() -> None:
    assert Money(250) * 3 == 3 * Money(250) == Money(750)
    assert Money(250) - Money(300) == -Money(50)
    assert Money(999).percent(50) == Money(499)
    assert Money(5) >= Money(5)
    assert Money(5) <= Money(5)
    assert not Money(5) > Money(5)
    assert not Money(5) < Money(5)
    assert Money(-1)
    assert not Money(0)
    share: Any = 0.5
    with pytest.raises(TypeError):
        Money(5).percent(share)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1234, "EUR"), "12.34 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(1234, "JPY"), "1234 JPY"),
        (Money(1234, "KWD"), "1.234 KWD"),
    ],
)
def test_exponent_is_that_of_the_currency(money: Money, text: str) -> None:
    assert str(money) == text


@given(st.integers(-(10**15), 10**15), st.integers(1, 500))
def test_allocating_loses_nothing(minor: int, parts: int) -> None:
    shares = Money(minor, "EUR").allocate(parts)
    assert len(shares) == parts
    assert total(shares, "EUR") == Money(minor, "EUR")
    assert max(shares).minor - min(shares).minor <= 1
    assert list(shares) == sorted(shares, reverse=True)


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_json_and_decimal_give_the_same_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_json(money.to_json()) == money
    assert Money.from_decimal(money.decimal, currency) == money


@pytest.mark.parametrize(
    "data", [{}, {"minor": 1}, {"minor": 1, "currency": "EUR", "x": 1}, [1, "EUR"]]
)
def test_other_json_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="exactly the keys"):
        Money.from_json(data)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("12,50", 1250),
        ("12.50", 1250),
        ("1.234,56", 123456),
        ("1,234.56", 123456),
        ("1234,56 €", 123456),
        ("€12.50", 1250),
        ("EUR 1.234.567,89", 123456789),
        ("12,50 Euro", 1250),
        ("12,50\u00a0€", 1250),
        ("-12,50", -1250),
        ("\u221212,50", -1250),
        ("1.234", 123400),
        ("0,01", 1),
    ],
)
def test_amounts_are_read_in_both_notations(text: str, minor: int) -> None:
    assert parse_amount(text) == Money(minor, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EUR",
        "12,345,6",
        "1.23.456",
        "12,5050",
        "1 234,56",
        "12.50 USD",
        "zwölf",
        "1e3",
        "12,",
        ",50",
        "12,50 € EUR x",
        "٣",
        "1'234.50",
        "--5",
        "NaN",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(AmountUnreadable):
        parse_amount(text)


def test_notation_decides_where_both_fit() -> None:
    with pytest.raises(AmountAmbiguous):
        parse_amount("1.234", currency="KWD")
    assert parse_amount("1.234", currency="KWD", notation=Notation.ENGLISH).minor == 1234
    assert parse_amount("1.234", currency="KWD", notation=Notation.GERMAN).minor == 1234000
    with pytest.raises(AmountUnreadable):
        parse_amount("12.50", notation=Notation.GERMAN)


@given(st.integers(0, 10**9))
def test_what_is_printed_is_read_back(minor: int) -> None:
    english = f"{Decimal(minor).scaleb(-2):,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_amount(english) == parse_amount(german) == Money(minor, "EUR")

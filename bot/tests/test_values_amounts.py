"""Amounts, shares, counts and periods as customers write them."""

import time
from datetime import date

import pytest

from pipeline import entities
from pipeline.values_amounts import find_amounts
from pipeline.values_numbers import parse_decimal

TODAY = date(2026, 11, 23)

AMOUNTS = [
    ("30 Euro", [3000]),
    ("1.234,56 €", [123456]),
    ("1,234.56 EUR", [123456]),
    ("1.000 €", [100000]),
    ("50€", [5000]),
    ("€50", [5000]),
    ("50,-", [5000]),
    ("99,90", [9990]),
    ("49 Euro 90", [4990]),
    ("50 Cent", [50]),
    ("zwanzig Euro", [2000]),
    ("fuffzig", [5000]),
    ("nen fuffziger", [5000]),
    ("zweihundertfünfzig euro", [25000]),
    ("zweihundertfuenfzig euro", [25000]),
    ("two hundred and fifty euros", [25000]),
    ("a hundred euros", [10000]),
    ("30 im Monat", [3000]),
    ("30/month", [3000]),
    ("twenty a week", [2000]),
    ("höchstens 40", [4000]),
    ("drei Raten à 40", [4000]),
    ("zwischen 20 und 30 euro", [2000, 3000]),
    ("20-30 Euro", [2000, 3000]),
    ("zwanzig fuffzig pro Monat", [2050]),
    ("die neunundachtzig neunzig", [8990]),
    ("achtzehn Euro sechzig", [1860]),
    ("vierzehn Euro und fünf Cent", [1405]),
    ("45€50", [4550]),
    ("so um die 35 schaff ich", [3500]),
    ("vierzig. im Monat.", [4000]),
    ("zwei hundert Euro", [20000]),
    ("hundertfuffzig Euro", [15000]),
    ("1,5k Euro", [150000]),
    ("3x40€", [4000]),
    ("70 Tacken", [7000]),
    ("a tenner a week", [1000]),
    ("30 quid", []),
    ("$30", []),
    ("30 Tage", []),
    ("2. Rate", []),
    ("um 15 Uhr", []),
    ("alles klar", []),
]

SHARES = [
    ("die Hälfte", 0.5),
    ("half of it", 0.5),
    ("alles", 1.0),
    ("I'll pay in full", 1.0),
    ("50 %", 0.5),
    ("ein Drittel", 0.33),
    ("achtzig Prozent", 0.8),
]

COUNTS = [
    ("in drei Raten", 3),
    ("four instalments", 4),
    ("über 6 Monate", 6),
    ("split it in three", 3),
    ("5 x 30 euro", 5),
    ("auf zwei mal", 2),
    ("auf ein halbes Jahr", 6),
    ("übers Jahr verteilt abzahlen", 12),
    ("pay in 3", 3),
    ("ich will in 3 Monaten abzahlen", 3),
]


@pytest.mark.parametrize(("text", "minor"), AMOUNTS)
def test_amounts_in_cents(text: str, minor: list) -> None:
    values = [span.value for span in find_amounts(text) if span.entity == "amount"]
    assert values == [{"minor": cents, "currency": "EUR"} for cents in minor]


@pytest.mark.parametrize(("text", "share"), SHARES)
def test_shares(text: str, share: float) -> None:
    assert [span.value for span in find_amounts(text)] == [{"share": share}]


@pytest.mark.parametrize(("text", "count"), COUNTS)
def test_counts(text: str, count: int) -> None:
    assert [span.value for span in find_amounts(text) if span.entity == "count"] == [count]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("30 im Monat", "monthly"),
        ("20 Euro die Woche", "weekly"),
        ("10 per week", "weekly"),
        ("jede Monat 10 Euro", "monthly"),
    ],
)
def test_periods(text: str, period: str) -> None:
    assert [span.value for span in find_amounts(text) if span.entity == "period"] == [period]


def test_number_alone_may_be_an_amount_or_a_count() -> None:
    assert {span.entity for span in find_amounts("12")} == {"amount", "count"}
    assert {span.entity for span in find_amounts("120")} == {"amount"}


def test_number_that_nothing_marks_is_money_only_in_talk_about_money() -> None:
    text = "geht auch 35?"
    spans = entities.find(text)
    assert [e["value"] for e in entities.read(text, spans, TODAY, "propose_amount")] == [
        {"minor": 3500, "currency": "EUR"}
    ]
    assert entities.read(text, spans, TODAY, "ask_claim") == []


@pytest.mark.parametrize(
    ("digits", "hundredths"),
    [("1.234,56", 123456), ("1,234.56", 123456), ("1.234", 123400), ("12,5", 1250), ("7", 700)],
)
def test_decimal_separators(digits: str, hundredths: int) -> None:
    assert parse_decimal(digits) == hundredths


@pytest.mark.parametrize("word", ["hmm ", "an ", "nen ", "doch ", "'nen ", "lieber, "])
def test_a_long_run_of_filling_words_costs_no_time(word: str) -> None:
    started = time.perf_counter()
    find_amounts(word * 200 + "keine ahnung 5")
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "text",
    ["lieber 4", "nee, doch lieber 4", "hmm, rather 4", "actually make it 4", "4 wären besser"],
)
def test_a_bare_small_figure_may_be_either(text: str) -> None:
    kinds = {(span.entity, str(span.value)) for span in find_amounts(text)}
    assert ("count", "4") in kinds
    assert any(entity == "amount" for entity, _ in kinds)


@pytest.mark.parametrize(
    "text", ["5 monatlich", "max 5", "höchstens 5", "lieber 30 €", "eher 35 euro"]
)
def test_what_names_money_is_no_number_of_instalments(text: str) -> None:
    assert [span.entity for span in find_amounts(text) if span.entity == "count"] == []


@pytest.mark.parametrize("text", ["3x40€", "3X40€", "3X 40 EURO"])
def test_capitals_change_nothing(text: str) -> None:
    assert [(span.entity, str(span.value)) for span in find_amounts(text)] == [
        ("count", "3"),
        ("amount", str({"minor": 4000, "currency": "EUR"})),
    ]


def test_a_capital_that_is_two_small_letters_moves_nothing() -> None:
    [span] = find_amounts("İİ 50 EURO")
    assert "İİ 50 EURO"[span.start : span.end] == "50 EURO"

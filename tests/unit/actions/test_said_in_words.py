"""What is read in the words themselves: age, time of day, a second wish, small talk, a hint."""

import re
from typing import Any

import pytest

from actions.care import somebody_else_ordered
from actions.day_time import day_time
from actions.hints import hinted_wish
from actions.reading import Heard
from actions.remarks import (
    asks_how_we_are,
    asks_what_waiting_costs,
    names_a_rate,
    names_what_goes_off,
    tells_how_paid,
)
from actions.two_wishes import two_wishes, wish_besides
from actions.underage import says_minor


@pytest.mark.parametrize(
    "text",
    [
        "ich bin 15",
        "Ich bin erst fünfzehn.",
        "bin erst 14 jahre alt",
        "hey, ich bin 13 und hab das aus Versehen bestellt",
        "Ich bin 16 Jahre",
        "ich bin noch minderjährig",
        "ich bin noch keine 18",
        "I'm only 16",
        "im 17 years old",
        "I am a minor, so I can't",
        "I'm not even 18",
    ],
)
def test_a_minor_says_so(text: str) -> None:
    assert says_minor(text)


@pytest.mark.parametrize(
    "text",
    [
        "mein Sohn ist 15",
        "ich bin in 15 Minuten da",
        "ich bin 15 Tage im Urlaub",
        "ich bin 45",
        "ich bin 15 Jahre Kunde bei euch",
        "I'm 16 days late",
        "I'm 15 minutes away",
        "I'm a minor shareholder",
        "ich bin 30 und meine Tochter 12",
        "ich bin bis 16 Uhr da",
        "bin am 15 wieder da",
    ],
)
def test_a_number_is_not_always_an_age(text: str) -> None:
    assert not says_minor(text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("morgen um 10", {"time": "10:00", "time_bound": "at"}),
        ("nach 18 Uhr", {"time": "18:00", "time_bound": "from"}),
        ("am 24.11. um 14:30", {"time": "14:30", "time_bound": "at"}),
        ("um 10.30", {"time": "10:30", "time_bound": "at"}),
        ("halb elf", {"time": "10:30", "time_bound": "at"}),
        ("um zehn", {"time": "10:00", "time_bound": "at"}),
        ("vor 12", {"time": "12:00", "time_bound": "until"}),
        ("at 3pm", {"time": "15:00", "time_bound": "at"}),
        ("after 5", {"time": "17:00", "time_bound": "from"}),
        ("10 o'clock", {"time": "10:00", "time_bound": "at"}),
        (
            "between 2 and 4 pm",
            {"time": "14:00", "time_end": "16:00", "time_bound": "between"},
        ),
        (
            "heute abend so gegen acht",
            {"time": "20:00", "time_bound": "at", "day_part": "evening"},
        ),
        ("morgen früh", {"day_part": "morning"}),
        ("tomorrow afternoon", {"day_part": "afternoon"}),
    ],
)
def test_a_time_of_day(text: str, data: dict[str, str]) -> None:
    found = day_time(text)
    assert found is not None
    assert found.to_data() == data


@pytest.mark.parametrize(
    "text",
    [
        "morgen",
        "nach 2 Wochen",
        "bis 10. Dezember",
        "ab 1.12.",
        "am 15.",
        "vor 14 Tagen",
        "mir egal",
        "um 99",
    ],
)
def test_no_time_of_day(text: str) -> None:
    assert day_time(text) is None


def line(intent: str, text: str, *ranking: str) -> Heard:
    return Heard(intent, [], text, ranking)


@pytest.mark.parametrize(
    ("heard", "first", "then"),
    [
        (
            line("already_paid", "hab gezahlt, lasst mich in Ruhe", "already_paid", "opt_out"),
            "opt_out",
            "already_paid",
        ),
        (
            line("already_paid", "I have paid, send a receipt", "already_paid", "request_receipt"),
            "request_receipt",
            "already_paid",
        ),
        (
            line(
                "request_instalments", "Job verloren, in Raten?", "request_instalments", "hardship"
            ),
            "hardship",
            "request_instalments",
        ),
    ],
)
def test_the_weightier_of_two_wishes_goes_first(heard: Heard, first: str, then: str) -> None:
    found = two_wishes(heard)
    assert found is not None
    assert (found.first, found.then) == (first, then)


@pytest.mark.parametrize(
    "heard",
    [
        line("opt_out", "not paying, full stop", "opt_out", "data_request"),
        line("already_paid", "hab gezahlt, lasst mich in Ruhe", "already_paid"),
        line("already_paid", "schon bezahlt am Montag", "already_paid", "opt_out"),
        line("crisis", "stop, ich will nicht mehr leben", "crisis", "opt_out"),
        line(
            "already_paid",
            "bezahlt, stop, ich will nicht mehr",
            "already_paid",
            "crisis",
            "opt_out",
        ),
    ],
)
def test_no_second_wish(heard: Heard) -> None:
    assert two_wishes(heard) is None


def test_thanks_with_a_wish_are_the_wish() -> None:
    heard = line("thank", "Danke, ich will in Raten zahlen", "thank", "request_instalments")
    assert wish_besides(heard) == ("request_instalments", "action_plan_instalments")
    assert wish_besides(line("thank", "Danke, sehr nett", "thank", "request_instalments")) is None


@pytest.mark.parametrize(
    ("text", "ordered"),
    [
        ("Das hat mein Sohn bestellt", True),
        ("Meine kleine Tochter hat das einfach gekauft", True),
        ("my husband ordered it", True),
        ("Ich schreibe für meinen Mann", False),
        ("Mein Sohn hat Ihnen geschrieben", False),
        ("I'm writing for my mother", False),
    ],
)
def test_one_of_the_family_ordered(text: str, ordered: bool) -> None:
    assert somebody_else_ordered(text) is ordered


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Wie geht's?", True),
        ("Hallo, wie geht es Ihnen heute?", True),
        ("how are you doing?", True),
        ("Wie geht es weiter?", False),
        ("wie geht das mit den Raten", False),
    ],
)
def test_small_talk(text: str, asks: bool) -> None:
    assert asks_how_we_are(text) is asks


@pytest.mark.parametrize(
    ("hint", "intent", "entities"),
    [
        ({"topic": "instalments", "count": 3}, "affirm", [("count", 3)]),
        ({"topic": "instalments", "instalments": 3}, "thank", [("count", 3)]),
        (
            {"topic": "instalments", "amount_minor": 30_00, "period": "monthly"},
            "request_instalments",
            [("amount", {"minor": 30_00, "currency": "EUR"}), ("period", "monthly")],
        ),
        ({"topic": "promise", "date": "2026-12-01"}, "greet", [("date", "2026-12-01")]),
        ({"topic": "promise", "date": "bald"}, "greet", []),
    ],
)
def test_a_hint_becomes_a_wish(hint: dict[str, Any], intent: str, entities: list[Any]) -> None:
    wish = hinted_wish(hint, Heard(intent, []))
    assert wish is not None
    assert [(e["entity"], e["value"]) for e in wish["entities"]] == entities


@pytest.mark.parametrize(
    ("hint", "intent"),
    [
        ({}, "affirm"),
        ({"topic": "weather"}, "affirm"),
        ({"topic": "instalments"}, "deny"),
        ({"topic": "instalments"}, "crisis"),
    ],
)
def test_no_hint_to_go_on_with(hint: dict[str, Any], intent: str) -> None:
    assert hinted_wish(hint, Heard(intent, [])) is None


def test_the_customers_own_figures_go_before_a_hint() -> None:
    heard = Heard("request_instalments", [{"entity": "count", "value": 5}])
    assert hinted_wish({"topic": "instalments", "count": 3}, heard) is None


@pytest.mark.parametrize(
    "text",
    [
        "per Überweisung vom Konto meiner Frau",
        "vom Konto meines Mannes",
        "meine Frau hat das überwiesen",
        "bar an der Kasse",
        "by bank transfer from my wife's account",
    ],
)
def test_it_is_told_how_it_was_paid(text: str) -> None:
    assert tells_how_paid(text)


@pytest.mark.parametrize(
    "text",
    ["Wie ist das Konto?", "schicken Sie mir die Kontonummer", "which account was it", "gestern"],
)
def test_a_question_tells_nothing_of_how_it_was_paid(text: str) -> None:
    assert not tells_how_paid(text)


def _with_values(marked: str) -> tuple[str, list[dict[str, Any]]]:
    """The line, with the values of ``[60](amount)`` as entities."""
    text, entities = "", []
    for before, words, kind in re.findall(r"([^\[]*)(?:\[([^\]]+)\]\((\w+)\))?", marked):
        text += before
        if kind:
            entities.append({"entity": kind, "start": len(text), "end": len(text) + len(words)})
            text += words
    return text, entities


@pytest.mark.parametrize(
    "marked",
    [
        "yes but money is tight, could I do [60](amount) [a month](period) starting january?",
        "geht auch später, so [40](amount) [monatlich](period) ab märz?",
        "[monatlich](period) [50 Euro](amount) ginge",
        "[30€](amount) [pro Woche](period)",
    ],
)
def test_an_amount_and_a_rhythm_are_a_rate(marked: str) -> None:
    assert names_a_rate(*_with_values(marked))


@pytest.mark.parametrize(
    "marked",
    [
        "ich bekomme [900](amount) [im monat](period) rente, kann erst im märz zahlen",
        "I only earn [1200](amount) [a month](period), can I pay later?",
        "[100](amount) jetzt. Rest später, nicht [monatlich](period)",
        "ich zahle die [50](amount) am 1. Januar",
        "kann ich [monatlich](period) zahlen?",
    ],
)
def test_income_or_a_lone_value_is_no_rate(marked: str) -> None:
    assert not names_a_rate(*_with_values(marked))


def test_entities_without_places_are_no_rate() -> None:
    assert not names_a_rate("60 a month", [{"entity": "amount"}, {"entity": "period"}])


@pytest.mark.parametrize(
    ("text", "day_named"),
    [
        ("was kostet mich das wenn ich erst im januar zahle?", True),
        ("kostet das mehr wenn ich später zahle", False),
        ("Kommen Zinsen dazu, falls ich erst Ende des Monats überweise?", True),
        ("does it cost extra if I pay in january instead?", True),
        ("is there a fee if i pay later", False),
    ],
)
def test_what_waiting_costs_is_asked(text: str, day_named: bool) -> None:
    assert asks_what_waiting_costs(text, day_named=day_named)


@pytest.mark.parametrize(
    ("text", "day_named"),
    [
        ("was kostet das, wenn ich in Raten zahle?", False),
        ("warum kostet das 5 Euro mehr?", False),
        ("what happens if I don't pay", False),
        ("was passiert wenn ich am Freitag zahle", True),
        ("ich zahle später", False),
    ],
)
def test_other_questions_about_costs(text: str, day_named: bool) -> None:
    assert not asks_what_waiting_costs(text, day_named=day_named)


@pytest.mark.parametrize(
    ("text", "figure", "off"),
    [
        ("could i get 10% off?", "10%", True),
        ("10 % Rabatt, wenn ich gleich zahle", "10 %", True),
        ("können Sie mir 20 Euro nachlassen", "20 Euro", True),
        ("20 euro weniger und ich zahle heute", "20 euro", True),
        ("gebt mir Rabatt von 15 Prozent", "15 Prozent", True),
        ("die Hälfte erlassen wäre fair", "die Hälfte", True),
        ("kann ich 80 zahlen und gut", "80", False),
        ("50 zahlen, weniger geht nicht", "50", False),
        ("80 ist der Betrag nach Rabatt", "80", False),
    ],
)
def test_what_goes_off_is_told_from_what_is_paid(text: str, figure: str, off: bool) -> None:
    start = text.index(figure)
    entity = {"entity": "amount", "start": start, "end": start + len(figure)}
    assert names_what_goes_off(text, [entity]) is off
    assert not names_what_goes_off(text, [{"entity": "amount"}])

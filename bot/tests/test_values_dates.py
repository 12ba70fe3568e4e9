"""Dates as customers write them, resolved on Monday, 23 November 2026."""

from datetime import date

import pytest

from pipeline import entities

TODAY = date(2026, 11, 23)

FUTURE = [
    ("heute", "2026-11-23"),
    ("morgen früh", "2026-11-24"),
    ("uebermorgen", "2026-11-25"),
    ("am Freitag", "2026-11-27"),
    ("nächsten Freitag", "2026-11-27"),
    ("nächsten Mittwoch", "2026-12-02"),  # in two days it would be "diesen"
    ("next Friday", "2026-11-27"),
    ("am Montag", "2026-11-30"),  # today is Monday: the next one
    ("übernächsten Freitag", "2026-12-04"),
    ("Freitag in einer Woche", "2026-12-04"),
    ("nächste Woche Dienstag", "2026-12-01"),
    ("Tuesday next week", "2026-12-01"),
    ("bis fr", "2026-11-27"),
    ("Ende des Monats", "2026-11-30"),
    ("end of the month", "2026-11-30"),
    ("Ende nächsten Monats", "2026-12-31"),
    ("Mitte des Monats", "2026-12-15"),
    ("Anfang Dezember", "2026-12-01"),
    ("Ende der Woche", "2026-11-27"),
    ("am Wochenende", "2026-11-28"),
    ("nach dem Wochenende", "2026-11-30"),
    ("am 15.", "2026-12-15"),
    ("am 28ten", "2026-11-28"),
    ("am fünfzehnten", "2026-12-15"),
    ("zum nächsten Ersten", "2026-12-01"),
    ("am 15. des nächsten Monats", "2026-12-15"),
    ("by the 5th of next month", "2026-12-05"),
    ("15.12.", "2026-12-15"),
    ("05.12.2026", "2026-12-05"),
    ("05.12.26", "2026-12-05"),
    ("2026-12-05", "2026-12-05"),
    ("Montag, den 30.11.", "2026-11-30"),
    ("Freitag, der 4. Dezember", "2026-12-04"),
    ("the 3rd of January", "2027-01-03"),
    ("Jan 3rd", "2027-01-03"),
    ("December 15, 2026", "2026-12-15"),
    ("in zwei Wochen", "2026-12-07"),
    ("in 2-3 Wochen", "2026-12-14"),
    ("in a fortnight", "2026-12-07"),
    ("heute in 14 Tagen", "2026-12-07"),
    ("a week from Friday", "2026-12-04"),
    ("binnen 10 Tagen", "2026-12-03"),
    ("nach Weihnachten", "2026-12-28"),  # the 27th is a Sunday
    ("vor Weihnachten", "2026-12-23"),
    ("in drei Bankarbeitstagen", "2026-11-26"),
    ("within 5 working days", "2026-11-30"),  # a weekend lies between
    ("in 24 Werktagen", "2026-12-28"),  # Christmas as well
    ("am fünften zwölften", "2026-12-05"),
    ("übernächste Woche Freitag", "2026-12-11"),
    ("Freitag in acht Tagen", "2026-12-04"),  # as people say it: a week
    ("Friday fortnight", "2026-12-11"),
    ("this time next week", "2026-11-30"),
    ("next month on the 5th", "2026-12-05"),
    ("am ersten Montag im Dezember", "2026-12-07"),
    ("last Friday of the month", "2026-11-27"),
    ("Monday after next", "2026-12-07"),
    ("nächsten Ersten", "2026-12-01"),
    ("mid-January", "2027-01-15"),
    ("am Monatsletzten", "2026-11-30"),
    ("zum Quartalsende", "2026-12-31"),
    ("in 48 Stunden", "2026-11-25"),
    ("am Karfreitag", "2027-03-26"),
    ("Heilige Drei Könige", "2027-01-06"),
    ("am zweiten Weihnachtsfeiertag", "2026-12-26"),
    ("heit no", "2026-11-23"),
    ("am mondog", "2026-11-30"),
    ("am fritig", "2026-11-27"),
    ("bis dunnerdag", "2026-11-26"),
    ("i zoi am samstog", "2026-11-28"),
    ("am 31.", "2026-12-31"),  # November has none
]

PAST = [
    ("am Freitag überwiesen", "2026-11-20"),
    ("am 15. bezahlt", "2026-11-15"),
    ("am 3.12. bezahlt", "2025-12-03"),
    ("vor drei Tagen überwiesen", "2026-11-20"),
    ("gestern bezahlt", "2026-11-22"),
    ("I paid it last Monday", "2026-11-16"),
    ("paid on the 20th", "2026-11-20"),
    ("ist seit Mittwoch bei Ihnen", "2026-11-18"),
    ("vorletzten Freitag", "2026-11-13"),
    ("vor gut einer Woche", "2026-11-16"),
    ("letzte Woche Dienstag", "2026-11-17"),
    ("letzten Monat am 5.", "2026-10-05"),
    ("two weeks back", "2026-11-09"),
    ("gestan zoit", "2026-11-22"),
]

WITHOUT_A_DAY = [
    "wenn mein Gehalt kommt",
    "when I get paid",
    "nächste Woche",
    "in ein paar Tagen",
    "nach meinem Umzug",
    "sobald die Krankenkasse überwiesen hat",
    "after the wedding",
    "ich warte noch auf mein Kindergeld",
    "once my employer pays",
    "bis ich das Auto verkauft habe",
]

NO_DATE = [
    "guten Morgen",
    "die 2. Rate",
    "um 15.30 Uhr",
    "May I ask something",
    "seit 3 Wochen",
    "letztes Jahr",
]


def dates_in(text: str, intent: str, **more: bool) -> list:
    found = entities.read(text, entities.find(text), TODAY, intent, **more)
    return [entity["value"] for entity in found if entity["entity"] == "date"]


@pytest.mark.parametrize(("text", "day"), FUTURE)
def test_promised_day_lies_ahead(text: str, day: str) -> None:
    assert dates_in(text, "promise_payment") == [day]


@pytest.mark.parametrize(("text", "day"), PAST)
def test_day_of_what_is_done_lies_behind(text: str, day: str) -> None:
    assert dates_in(text, "already_paid") == [day]


@pytest.mark.parametrize("text", WITHOUT_A_DAY)
def test_time_without_a_day_has_no_value(text: str) -> None:
    assert dates_in(text, "request_deferral") == [None]


@pytest.mark.parametrize("text", NO_DATE)
def test_what_looks_like_a_date_is_none(text: str) -> None:
    assert dates_in(text, "request_instalments") == []


def test_answer_to_a_question_about_the_past_lies_behind() -> None:
    assert dates_in("am 15.", "inform", looking_back=True) == ["2026-11-15"]


def test_length_of_time_is_a_day_only_where_more_time_is_asked_for() -> None:
    assert dates_in("ich brauche noch zwei Wochen", "request_deferral") == ["2026-12-07"]
    assert dates_in("das dauert schon zwei Wochen", "complaint") == []


def test_a_day_long_ago_is_a_birth_date() -> None:
    text = "geboren am 12.03.1985"
    found = entities.read(text, entities.find(text), TODAY, "inform")
    assert [(entity["entity"], entity["value"]) for entity in found] == [
        ("birth_date", "1985-03-12")
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("dritter elfter neunzehnhundertfünfundsechzig", "1965-11-03"),
        ("the fourth of July nineteen eighty-two", "1982-07-04"),
        ("05 03 1990", "1990-03-05"),
    ],
)
def test_birth_dates_as_they_are_said(text: str, day: str) -> None:
    found = entities.read(text, entities.find(text), TODAY, "inform")
    assert [(entity["entity"], entity["value"]) for entity in found] == [("birth_date", day)]


def test_positions_point_at_the_text() -> None:
    text = "Ich zahle am 15. Dezember 50 Euro"
    for entity in entities.read(text, entities.find(text), TODAY, "promise_payment"):
        assert text[entity["start"] : entity["end"]] == entity["text"]


def test_an_unsure_reading_that_says_nothing_about_time_leaves_it_to_the_second() -> None:
    unsure = {"name": "change_contact", "confidence": 0.3}
    ranking = [unsure, {"name": "promise_payment", "confidence": 0.29}]
    assert entities.tense_of(unsure, ranking) == "promise_payment"
    assert entities.tense_of({**unsure, "confidence": 0.9}, ranking) == "change_contact"
    assert entities.tense_of(unsure, [unsure, {"name": "greet", "confidence": 0.2}]) == (
        "change_contact"
    )
    text = "hab am Montag Geld, dann"
    spans = entities.find(text)
    (ahead,) = entities.read(text, spans, TODAY, "change_contact", tense="promise_payment")
    (back,) = entities.read(text, spans, TODAY, "change_contact")
    assert back["value"] < TODAY.isoformat() < ahead["value"]

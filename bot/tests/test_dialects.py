"""Words of dialects in the written standard, and the way back to where they stood."""

from datetime import date

import pytest

from pipeline import entities
from pipeline.dialects import standard

SAID = [
    ("i hob koa göd", "ich habe kein geld"),
    ("des zoi i ned", "das zahle ich nicht"),
    ("ick weeß nüscht", "ich weiß nichts"),
    ("chönd ihr mir schriebe", "könnt ihr mir schreiben"),
    ("Koennen wir das spaeter klaeren", "Können wir das später klaeren"),
]
STANDARD = [
    "I do have a question, is it due",
    "I am keen to pay mid December",
    "Ich bezahle das mit der Karte",
    "schreib an koan@example.org",
]


@pytest.mark.parametrize(("text", "plain"), SAID)
def test_dialect_becomes_standard(text: str, plain: str) -> None:
    assert standard(text).text == plain


@pytest.mark.parametrize("text", STANDARD)
def test_standard_stays(text: str) -> None:
    assert standard(text).text == text


def test_places_are_those_of_the_original() -> None:
    text = "i zoi heit zwanzg Euro und am mondog nomoi 30 Euro"
    found = entities.read(text, entities.find(text), date(2026, 11, 23), "promise_payment")
    assert [(entity["text"], text[entity["start"] : entity["end"]]) for entity in found] == [
        (said, said) for said in ("heit", "zwanzg Euro", "mondog", "30 Euro")
    ]

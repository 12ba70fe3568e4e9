"""Which of several invoices a line means: the other one, all of them, one of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.which_claim import (
    Choice,
    asks_for_all,
    names_first_claim,
    names_other_claim,
    picks,
    turns_to_another,
    turns_to_first,
)
from ledger.money import Money

CHOICES = [
    Choice("RE-2026-0900", "Laufschuhe „Trail“", Money(30_00)),
    Choice("RE-2026-1044", "Gartentisch Eiche", Money(120_00)),
    Choice("RE-2026-1093", "Regenjacke", Money(59_95)),
]


@pytest.mark.parametrize(
    "text",
    [
        "Und die andere Rechnung?",
        "nein, erst die andere rechnung",
        "können wir mit der anderen Rechnung anfangen?",
        "Was ist mit der zweiten Rechnung",
        "what about the other invoice?",
        "Could we start with the other bill, please",
    ],
)
def test_another_invoice_is_named_and_nothing_else(text: str) -> None:
    assert turns_to_another(text, told=False)


@pytest.mark.parametrize(
    "text",
    [
        "die andere ist mir wichtiger",
        "Mir ist die andere wichtiger.",
        "lieber erst die andere",
        "fangen wir mit der anderen an",
        "ne, die andere zuerst bitte",
        "eine andere wäre mir wichtiger",
        "the other one is more important to me",
        "I'd rather do the other one first",
        "and the other one?",
        "can we start with another one?",
    ],
)
def test_the_other_one_is_an_invoice_where_invoices_were_told(text: str) -> None:
    assert turns_to_another(text, told=True)
    assert not turns_to_another(text, told=False)


@pytest.mark.parametrize(
    "text",
    [
        "die andere Rechnung zahle ich am Montag",
        "die andere Rechnung stimmt nicht",
        "Schicken Sie mir die andere Rechnung per Post",
        "ich bin jemand anderes",
        "die andere Hälfte im Januar",
        "I paid the other invoice last week",
        "I have other problems right now",
        "gibt es eine andere Möglichkeit?",
        "die anderen Schuhe habe ich zurückgeschickt",
        "",
    ],
)
def test_a_line_that_says_more_is_left_alone(text: str) -> None:
    assert not turns_to_another(text, told=True)


def test_the_first_invoice_is_turned_to() -> None:
    assert turns_to_first("und die erste Rechnung?")
    assert turns_to_first("what about the first invoice")
    assert not turns_to_first("die erste Rechnung zahle ich am Montag")
    assert not turns_to_first("die erste Rate")
    assert names_first_claim("die erste Rechnung zahle ich am Montag")


def test_the_other_invoice_is_named_beside_a_wish() -> None:
    assert names_other_claim("Und die andere Rechnung? Die zahle ich am 27.")
    assert not names_other_claim("die andere Hälfte im Januar")


@pytest.mark.parametrize(
    "text",
    [
        "Welche Rechnungen sind das?",
        "welche sind denn noch offen",
        "welche anderen rechnungen gibt es",
        "Zeigen Sie mir alle Rechnungen",
        "which invoices are still open?",
        "which ones are they",
        "What are the others?",
    ],
)
def test_it_is_asked_which_there_are(text: str) -> None:
    assert asks_for_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "alle Rechnungen zusammen in Raten",
        "Welche Rechnung?",
        "ich zahle alle Rechnungen am Montag",
        "alles klar",
        "ja alles",
        "what are my options",
        "which invoice is that",
        "welche Möglichkeiten sind das",
    ],
)
def test_other_questions_do_not_ask_for_the_list(text: str) -> None:
    assert not asks_for_all(text)


@pytest.mark.parametrize(
    ("text", "amounts", "which"),
    [
        ("die 1093", [], 2),
        ("RE 2026 0900", [], 0),
        ("die über 120 Euro", [Money(120_00)], 1),
        ("die für 120", [], 1),
        ("die mit 59,95", [], 2),
        ("die Regenjacke bitte", [], 2),
        ("the regenjacke one", [], 2),
        ("die zweite", [], 1),
        ("die letzte bitte", [], 2),
        ("the first one", [], 0),
        ("die vierte", [], None),
        ("die zweite Rate am Montag", [], None),
        ("nicht die Regenjacke", [], None),
        ("it isn't the regenjacke", [], None),
        ("2026", [], None),
        ("ja", [], None),
        ("", [], None),
    ],
)
def test_one_of_the_list_is_picked(text: str, amounts: list[Money], which: int | None) -> None:
    assert picks(text, amounts, CHOICES) == which


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_read(text: str, told: bool) -> None:
    turns_to_another(text, told=told)
    asks_for_all(text)
    picked = picks(text, [], CHOICES)
    assert picked is None or 0 <= picked < len(CHOICES)

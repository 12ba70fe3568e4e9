"""Which of several invoices a line means: the other one, all of them, one of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.which_claim import (
    Choice,
    asks_for_all,
    names_other_claim,
    picks,
    turns_to_another,
    turns_to_first,
)
from ledger.money import Money

CHOICES = [
    Choice("RE-2026-0900", "Laufschuhe „Trail“", Money(30_00)),
    Choice("RE-2026-1100", "Gartentisch Eiche", Money(120_00)),
    Choice("RE-2026-1093", "Regenjacke", Money(100_00)),
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
        "no, the other one please",
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
        "die andere Rechnung nicht",
        "Schicken Sie mir die andere Rechnung per Post",
        "ich bin jemand anderes",
        "die andere Hälfte im Januar",
        "I paid the other invoice last week",
        "I have other problems right now",
        "gibt es eine andere Möglichkeit?",
        "die anderen Schuhe habe ich zurückgeschickt",
        "ich habe noch andere Rechnungen",
        "I have got other bills",
        "There was no second order",
        "there is no other invoice",
        "das ist meine zweite bestellung",
        "das zweite bitte",
        "",
    ],
)
def test_a_line_that_says_more_or_something_else_is_left_alone(text: str) -> None:
    assert not turns_to_another(text, told=True)


def test_the_first_invoice_is_turned_to() -> None:
    assert turns_to_first("und die erste Rechnung?")
    assert turns_to_first("what about the first invoice")
    assert not turns_to_first("das war meine erste Bestellung")
    assert not turns_to_first("die erste Rechnung habe ich nie bekommen")
    assert not turns_to_first("die erste Rate")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Und die andere Rechnung? Die zahle ich am 27.", True),
        ("I'll pay the other invoice on Friday", True),
        ("die andere Hälfte im Januar", False),
        ("Kann erst im Januar zahlen, hab noch andere Rechnungen", False),
        ("I've got other bills to pay, can I pay on the 30th?", False),
        ("can you send another invoice", False),
        ("das war meine zweite Bestellung", False),
    ],
)
def test_the_other_invoice_is_named_beside_a_wish(text: str, named: bool) -> None:
    assert names_other_claim(text) is named


@pytest.mark.parametrize(
    "text",
    [
        "Welche Rechnungen sind das?",
        "welche sind denn noch offen",
        "welche anderen rechnungen gibt es",
        "was hab ich denn sonst noch offen",
        "Zeigen Sie mir alle Rechnungen",
        "which invoices are still open?",
        "which ones are they",
        "What are the others?",
        "show me all my invoices please",
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
        "What are you?",
        "So what are you then",
        "are you all there?",
        "Sie sind alle so",
        "Ja, mit der Rechnung ist alles ok",
        "Yes, it's all ok with the invoice",
        "ja beide rechnungen",
        "Yes, for both invoices",
        "welche Rechnungen habe ich schon bezahlt",
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
        ("die mit 120,00", [], 1),
        ("the one for 30", [], 0),
        ("die Regenjacke bitte", [], 2),
        ("the regenjacke one", [], 2),
        ("die zweite", [], 1),
        ("die letzte bitte", [], 2),
        ("the first one", [], 0),
        ("die zweite Rechnung zahle ich am Montag", [], 1),
        ("die zweite in Raten bitte", [], 1),
        ("die letzte zahle ich am Montag", [], 2),
        # What it was for comes with a negation or a day of its own.
        ("Die Regenjacke habe ich nicht bekommen", [], 2),
        ("The Regenjacke hasn't arrived", [], 2),
        ("nicht heute, die Regenjacke zahle ich morgen", [], 2),
        ("Die Regenjacke zahle ich am 30. November", [], 2),
        # "100" ends the number of another one.
        ("die 100 Euro zahle ich morgen", [Money(100_00)], 2),
        ("die über 100 Euro", [Money(100_00)], 2),
        ("die 1093 für 30 Euro", [Money(30_00)], None),
        ("ich zahle am 30.", [], None),
        ("in 30 Tagen", [], None),
        ("die vierte", [], None),
        ("die zweite Rate am Montag", [], None),
        ("I'll pay on the first", [], None),
        ("by the second of May", [], None),
        ("nicht die Regenjacke", [], None),
        ("it isn't the regenjacke, not the regenjacke", [], None),
        ("2026", [], None),
        ("ja", [], None),
        ("", [], None),
    ],
)
def test_one_of_the_list_is_picked(text: str, amounts: list[Money], which: int | None) -> None:
    assert picks(text, amounts, CHOICES, 6) == which


def test_a_place_is_one_among_those_that_were_shown() -> None:
    assert picks("die letzte", [], CHOICES, 2) == 1
    assert picks("die dritte", [], CHOICES, 2) is None
    assert picks("die Regenjacke", [], CHOICES, 2) == 2


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_read(text: str, told: bool) -> None:
    turns_to_another(text, told=told)
    asks_for_all(text)
    picked = picks(text, [], CHOICES, 6)
    assert picked is None or 0 <= picked < len(CHOICES)

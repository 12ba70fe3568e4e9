"""Replies kept ready: filled in and nothing more; colleagues named in notes."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.canned import NAMES, CannedRefused, Draft, FactMissing, filled
from conversation.mentions import meant
from conversation.wording import DisclosureRefused

FACTS = {"first_name": "Anna", "agent": "Lea", "shop": "Lindenhof", "amount": "84,90 €"}


@given(st.text(max_size=200))
def test_whatever_else_is_written_stays_as_it_is(text: str) -> None:
    if not any("{" + name + "}" in text for name in NAMES):
        assert filled(text, {}, verified=False) == text


def test_names_in_both_languages_are_filled_once() -> None:
    said = filled("Hallo {vorname}, hier {ich} von {shop}: {amount}", FACTS, verified=True)
    assert said == "Hallo Anna, hier Lea von Lindenhof: 84,90 €"
    # What a fact holds is no template.
    assert filled("{vorname}", {"first_name": "{amount}"}, verified=True) == "{amount}"
    assert filled("{{7*7}} {% x %} {ich.__class__}", FACTS, verified=False) == (
        "{{7*7}} {% x %} {ich.__class__}"
    )


@pytest.mark.parametrize("text", ["{betrag}", "{rechnung}", "{due}", "Hallo {vorname}", "{name}"])
def test_facts_wait_for_the_proof(text: str) -> None:
    with pytest.raises(DisclosureRefused):
        filled(text, FACTS, verified=False)


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(FactMissing) as missing:
        filled("{rechnung} am {faellig}", FACTS, verified=True)
    assert missing.value.names == ["rechnung", "faellig"]


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (Draft("", "x", ""), "shortcut"),
        (Draft("zu lang für ein kürzel", "x", ""), "shortcut"),
        (Draft("dank", "", " "), "text"),
        (Draft("dank", "x" * 1501, ""), "text"),
        (Draft("dank", "{bertag}", ""), "variable"),
    ],
)
def test_what_cannot_be_kept_is_refused(draft: Draft, code: str) -> None:
    with pytest.raises(CannedRefused) as refused:
        draft.checked()
    assert refused.value.code == code


def test_a_shortcut_is_kept_without_its_slash() -> None:
    assert Draft(" /Dank ", " Danke! ", "").checked() == Draft("dank", "Danke!", "")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@lea bitte", ["Lea Winter"]),
        ("@Lea Winter, bitte", ["Lea Winter"]),
        ("(@max kurz) und @lea.", ["Max Adler", "Lea Winter"]),
        ("@kim?", []),
        ("@kim berg?", ["Kim Berg"]),
        ("an lea@winter.example", []),
        ("@niemand", []),
        ("gleich @... und @-", []),
    ],
)
def test_who_is_meant(text: str, names: list[str]) -> None:
    people: Any = [
        SimpleNamespace(id=number, name=name)
        for number, name in enumerate(["Lea Winter", "Max Adler", "Kim Berg", "Kim Tal"])
    ]
    assert [one.name for one in meant(text, people)] == names

"""Haggling as customers type it, with the trained assistant in both languages."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.dialogue.test_terms import greet, rates

if TYPE_CHECKING:
    from tests.dialogue.conftest import Chat

MONTHLY = [date(2026, 12, 7), date(2027, 1, 7), date(2027, 2, 7)]
TWO_WEEKLY = [date(2026, 12, 7), date(2026, 12, 21), date(2027, 1, 4), date(2027, 1, 18)]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "alle 14 Tage 40 Euro würden gehen"),
        ("de", "40€ zweiwöchentlich wäre machbar"),
        ("de", "Ich bekomme alle zwei Wochen Lohn, da gehen 40"),
        ("de", "40 Euro jede zweite Woche"),
        ("en", "I could do 40 euros every two weeks"),
        ("en", "40 fortnightly?"),
        ("en", "can do 40 every other week"),
    ],
)
async def test_every_two_weeks(chat: Chat, language: str, line: str) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["plan_offer"]
    assert ("alle zwei Wochen:" if language == "de" else "every two weeks:") in chat.text
    assert await chat.say("ja" if language == "de" else "yes") == ["plan_agreed"]
    assert await rates(chat) == list(zip([40_00, 40_00, 40_00, 2_50], TWO_WEEKLY, strict=True))

"""Haggling as customers type it, with the trained assistant in both languages."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.dialogue.test_terms import allow, greet, rates

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
    assert ("alle zwei Wochen eine Rate:" if language == "de" else "every two weeks:") in chat.text
    assert await chat.say("ja" if language == "de" else "yes") == ["plan_agreed"]
    assert await rates(chat) == list(zip([40_00, 40_00, 40_00, 2_50], TWO_WEEKLY, strict=True))


@pytest.mark.parametrize(
    ("language", "lines", "amounts", "days"),
    [
        (
            "de",
            ["was wenn ich heute 60 überweise und dann alle 2 wochen 20", "ok"],
            [60_00, 20_00, 20_00, 20_00, 2_50],
            [date(2026, 11, 23), *TWO_WEEKLY],
        ),
        (
            "en",
            ["i can pay 50 every other friday starting next week", "yes"],
            [50_00, 50_00, 22_50],
            [date(2026, 11, 27), date(2026, 12, 11), date(2026, 12, 25)],
        ),
        (
            "en",
            [
                "ok let's do 3 payments",
                "actually make it 4, every two weeks",
                "that's good, thanks",
            ],
            [30_62, 30_62, 30_62, 30_64],
            TWO_WEEKLY,
        ),
        (
            "de",
            ["In Raten bitte", "Na gut, dann 50", "ja das ist gut danke"],
            [50_00, 50_00, 22_50],
            MONTHLY,
        ),
        (
            "de",
            ["In Raten bis Ende Februar abzahlen", "ja"],
            [40_83, 40_83, 40_84],
            MONTHLY,
        ),
        (
            "en",
            ["can I pay it off by the end of february in monthly instalments", "yes please"],
            [40_83, 40_83, 40_84],
            MONTHLY,
        ),
        (
            "de",
            ["Können wir 3 Raten machen?", "Nein danke, ich zahle am 5.12. alles", "ja"],
            [122_50],
            [date(2026, 12, 5)],
        ),
        (
            "en",
            ["3 instalments", "no thanks I'll pay everything on the 5th of december", "yes"],
            [122_50],
            [date(2026, 12, 5)],
        ),
        (
            "de",
            ["ich zahle demnächst", "nächsten Montag passt", "ja"],
            [122_50],
            [date(2026, 11, 30)],
        ),
        (
            "de",
            ["3 Raten", "die erste am 10. bitte", "nee doch am 15.", "jo"],
            [40_83, 40_83, 40_84],
            [date(2026, 12, 15), date(2027, 1, 15), date(2027, 2, 15)],
        ),
        (
            "en",
            ["2 payments of 60", "sorry I meant 3", "yes set it up"],
            [40_83, 40_83, 40_84],
            MONTHLY,
        ),
        (
            "en",
            ["could you do 40 a fortnight", "fine, then 50", "great thanks"],
            [50_00, 50_00, 22_50],
            TWO_WEEKLY[:3],
        ),
    ],
)
async def test_haggling_ends_in_what_was_said(
    chat: Chat, language: str, lines: list[str], amounts: list[int], days: list[date]
) -> None:
    await greet(chat, language)
    for line in lines:
        said = await chat.say(line)
    assert said[-1] in ("plan_agreed", "payment_agreed"), chat.text
    assert await rates(chat) == list(zip(amounts, days, strict=True))


@pytest.mark.parametrize(
    ("language", "line", "reason"),
    [
        ("de", "40 Euro alle drei Wochen", "in diesem Abstand"),
        ("en", "can I do 20 now and 25 every three weeks", "at that interval"),
        ("en", "how about 40 a month from february", "a little earlier"),
    ],
)
async def test_what_policy_has_not_is_said(
    chat: Chat, language: str, line: str, reason: str
) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["plan_counter"]
    assert reason in chat.text


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "Kommen Sie mir etwas entgegen, wenn ich alles auf einmal überweise?"),
        ("en", "any discount if I pay the whole thing now?"),
    ],
)
async def test_less_for_everything_at_once(chat: Chat, language: str, line: str) -> None:
    await allow(chat, discount_costs_percent=100)
    await greet(chat, language)
    assert await chat.say(line) == ["settlement_offer"]
    assert await chat.say("einverstanden" if language == "de" else "deal") == ["payment_agreed"]
    assert [amount for amount, _ in await rates(chat)] == [120_00]

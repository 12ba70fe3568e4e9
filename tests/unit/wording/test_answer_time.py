"""When an answer comes, as people say it."""

from typing import Any

import pytest

from conversation.wording import MerchantVoice, render
from conversation.wording.formats import InvalidArgument, answer_time

FRIDAY = {"today": "2026-11-27", "day": "2026-11-27", "opens": None, "closes": "17:00"}


@pytest.mark.parametrize(
    ("given", "german", "english"),
    [
        ({}, "heute bis 17 Uhr", "today by 5 pm"),
        ({"closes": "18:30"}, "heute bis 18:30 Uhr", "today by 6:30 pm"),
        ({"opens": "09:00"}, "heute ab 9 Uhr", "today from 9 am"),
        ({"day": "2026-11-28", "opens": "10:00"}, "morgen ab 10 Uhr", "tomorrow from 10 am"),
        ({"day": "2026-11-30", "opens": "09:00"}, "am Montag ab 9 Uhr", "on Monday from 9 am"),
        (
            {"day": "2027-01-04", "opens": "09:00"},
            "am Montag, 4. Januar, ab 9 Uhr",
            "on Monday 4 January from 9 am",
        ),
        ({"opens": "00:15"}, "heute ab 0:15 Uhr", "today from 12:15 am"),
    ],
)
def test_the_nearer_the_day_the_shorter_it_is_said(
    given: dict[str, Any], german: str, english: str
) -> None:
    assert answer_time({**FRIDAY, **given}, "de") == german
    assert answer_time({**FRIDAY, **given}, "en") == english


@pytest.mark.parametrize("wrong", [{"day": None}, {"closes": "late"}, {"today": "27.11."}])
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        answer_time({**FRIDAY, **wrong}, "de")


@pytest.mark.parametrize("wording", ["person_coming", "person_already_coming", "clarify_given_up"])
@pytest.mark.parametrize("form", ["sie", "du"])
@pytest.mark.parametrize(
    ("language", "time"), [("de", "heute bis 17 Uhr"), ("en", "today by 5 pm")]
)
def test_a_person_is_announced_with_a_time_or_without(
    wording: str, form: str, language: str, time: str
) -> None:
    def said(args: dict[str, Any]) -> str:
        return render(
            wording,
            args,
            language=language,
            address_form=form,
            tone="warm",
            channel="telegram",
            merchant=MerchantVoice(name="Lindenhof", phone="030 1"),
            verified=False,
        ).text

    assert time in said({"answer_by": FRIDAY})
    without = said({})
    assert time not in without
    assert "  " not in without
    assert " ." not in without

"""The stories of the simulator as data."""

import phonenumbers
import pytest

from api.demo.stories import _PHONE, SERIAL_MAX, Story, stories, story_of
from api.pages.simulator.render import words
from outreach.facts import SkipReason, Step, StepReason

FILM_NUMBERS = "+4917139200"
"""0171 39200 00 to 99 are kept free for films by the Federal Network Agency."""


@pytest.mark.parametrize("story", stories().values(), ids=lambda story: story.key)
def test_a_story_is_told_in_both_languages(story: Story) -> None:
    assert {
        language: bool(told.title and told.about) for language, told in story.telling.items()
    } == {
        "de": True,
        "en": True,
    }
    assert story.lines
    assert story_of(f"{story.numbers}0001") is story


def test_no_invented_number_is_anybodys() -> None:
    for serial in (1, SERIAL_MAX):
        number = _PHONE.format(serial + 100)
        assert number.startswith(FILM_NUMBERS)
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))
        # One digit more than the network has: it ends at the number that is kept free.
        assert len(number) == len(FILM_NUMBERS) + 3


def test_both_languages_have_the_same_words() -> None:
    def names(told: object, prefix: str = "") -> set[str]:
        if not isinstance(told, dict):
            return {prefix}
        return {each for key, value in told.items() for each in names(value, f"{prefix}.{key}")}

    assert names(dict(words("de"))) == names(dict(words("en")))


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_reason_of_outreach_has_words(language: str) -> None:
    said = words(language)
    reasons = {reason.value for reason in (*SkipReason, *StepReason)}
    assert reasons <= set(said["reason"])
    assert {step.value for step in Step} <= set(said["step"]) & set(said["what"])

"""What a person types is never read as a command of Rasa's."""

import pytest
from rasa.core.channels.channel import UserMessage

from pipeline.turn_channel import TEXT_LENGTH_MAX, escape


@pytest.mark.parametrize(
    "typed",
    [
        "/restart",
        "  /affirm",
        "\u00a0/deny",
        "\u200b/restart",
        "//restart",
        " / /session_start",
        "/",
    ],
)
def test_no_text_starts_with_a_slash(typed: str) -> None:
    understood = UserMessage(escape(typed)).text or ""
    assert not understood.lstrip("\u200b").startswith("/")
    assert len(escape(typed)) == len(typed)


@pytest.mark.parametrize("typed", ["und/oder", "30 €/Monat", "am 1/2 fällig", "hallo"])
def test_a_slash_inside_a_text_stays(typed: str) -> None:
    assert escape(typed) == typed


def test_long_texts_are_cut() -> None:
    assert len(escape("a" * 10_000)) == TEXT_LENGTH_MAX

"""The language of short messages."""

import pytest

from pipeline.languages import LanguageModel

MODEL = LanguageModel.fit(
    [
        "ich zahle am freitag",
        "wer sind sie denn",
        "nein danke",
        "geht das auch später",
        "I'll pay on friday",
        "who are you then",
        "no thanks",
        "can I do it later",
    ],
    ["de"] * 4 + ["en"] * 4,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [("ich kann nicht zahlen", "de"), ("who is this", "en"), ("später", "de"), ("thanks", "en")],
)
def test_detected(text: str, language: str) -> None:
    assert MODEL.detect(text) == language


def test_conversation_decides_where_the_text_does_not() -> None:
    assert MODEL.detect("15.12.", "en") == "en"
    assert MODEL.detect("15.12.") == "de"
    assert MODEL.detect("ich kann nicht zahlen", "en") == "de"


def test_saved_and_loaded(tmp_path) -> None:
    MODEL.save(tmp_path)
    assert LanguageModel.load(tmp_path).detect("who is this") == "en"

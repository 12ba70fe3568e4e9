"""The language of short messages."""

import pytest

from pipeline.languages import LanguageModel

MODEL = LanguageModel.fit(
    [
        "ich zahle am freitag",
        "wer sind sie denn",
        "nein danke",
        "geht das auch später",
        "am montag per paypal",
        "I'll pay on friday",
        "who are you then",
        "no thanks",
        "can I do it later",
        "by paypal on monday",
    ],
    ["de"] * 5 + ["en"] * 5,
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


def test_words_of_both_languages_do_not_decide() -> None:
    assert MODEL.detect("paypal", "de") == "de"
    assert MODEL.detect("paypal", "en") == "en"
    assert MODEL.detect("paypal am montag", "en") == "de"


def test_saved_and_loaded(tmp_path) -> None:
    MODEL.save(tmp_path)
    loaded = LanguageModel.load(tmp_path)
    assert loaded.detect("who is this") == "en"
    assert loaded.detect("paypal", "en") == "en"

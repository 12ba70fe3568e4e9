"""What the dialogue engine gets to read of a customer's text."""

import pytest

from conversation.engine import TEXT_CHARACTERS_MAX, readable


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Ich zahle am 5. Mai 😀", "Ich zahle am 5. Mai 😀"),
        ("in ③ Wochen, ² Raten", "in 3 Wochen, 2 Raten"),
        ("２０ Euro, ٣ Raten", "20 Euro, 3 Raten"),
        ("W\u200bi\u200be v\u00adiel?", "Wie viel?"),
        ("\u202eRE-1044\u202c\ufeff", "RE-1044"),
        ("½ jetzt", "½ jetzt"),
        ("\u200b\u200d", ""),
    ],
)
def test_digits_and_words_are_read_as_they_look(text: str, read: str) -> None:
    assert readable(text) == read


@pytest.mark.parametrize("letter", ["a", "ä", "\u200bä"])
def test_a_long_text_is_cut(letter: str) -> None:
    assert len(readable(letter * 4000)) == TEXT_CHARACTERS_MAX

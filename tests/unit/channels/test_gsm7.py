import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.gsm7 import is_gsm7, segments, to_gsm7


@pytest.mark.parametrize(
    "text", ["", "Grüße, Straße 5 €", "ÄÖÜäöüß@£$¥èéùìò", "[a]{b}|~^\\", "a\nb"]
)
def test_gsm7(text: str) -> None:
    assert is_gsm7(text)
    assert to_gsm7(text) == text


@pytest.mark.parametrize("text", ["„so“", "a – b", "…", "👍", "a\u00a0b", "š", "Привет", "ç", "`"])
def test_not_gsm7(text: str) -> None:
    assert not is_gsm7(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ä" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "€", 2),
        ("ё" * 70, 1),
        ("ё" * 71, 2),
        ("ё" * 134, 2),
        ("ё" * 135, 3),
        ("a" * 70 + "–", 2),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        # 153 is odd: a double character at the end of a part moves on whole.
        ("€" * 152, 2),
        ("€" * 153, 3),
        # 67 is odd too: 33 emoji a part.
        ("👍" * 66, 2),
        ("👍" * 67, 3),
    ],
)
def test_no_character_is_cut_in_two(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("„Guten Tag“ – so …", '"Guten Tag" - so ...'),
        ("‚ja‘ ’s", "'ja' 's"),
        ("5\u00a0€\u202fx", "5 € x"),
        ("weiß\u00ad\u200bwarm", "weißwarm"),
        ("u\u0308ber", "über"),
        ("Novák Şahin Łucja", "Novak Sahin Lucja"),
        ("GROẞ 2 × ½", "GROSS 2 x 1/2"),
        ("ﬁn", "fin"),
        ("a\tb", "a b"),
        ("gut 👍", "gut 👍"),
    ],
)
def test_to_gsm7(text: str, result: str) -> None:
    assert to_gsm7(text) == result


@given(st.text())
def test_replacing_is_done_after_one_go_and_never_makes_it_worse(text: str) -> None:
    once = to_gsm7(text)
    assert to_gsm7(once) == once
    if is_gsm7(text):
        assert once == text


@given(st.text(max_size=700))
def test_a_longer_text_never_costs_less(text: str) -> None:
    assert segments(text) <= segments(text + "a")


def test_letters_with_a_stroke_keep_their_likeness() -> None:
    assert to_gsm7("Łódź, Đakovo, œuvre") == "Lodz, Dakovo, oeuvre"

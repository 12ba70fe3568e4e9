import pytest

from channels.choices import lettered
from channels.gsm7 import is_gsm7


def test_choices_become_lettered_lines() -> None:
    text = lettered("Was möchten Sie tun?", ["Jetzt zahlen", "Später", "Ein Mensch"])
    assert text == "Was möchten Sie tun?\nA = Jetzt zahlen\nB = Später\nC = Ein Mensch"
    assert is_gsm7(text)


def test_without_choices_the_text_stays() -> None:
    assert lettered("Danke.", ()) == "Danke."


def test_no_choice_is_dropped_silently() -> None:
    assert "J = 9" in lettered("?", [str(n) for n in range(10)])
    with pytest.raises(ValueError, match="at most 10"):
        lettered("?", [str(n) for n in range(11)])

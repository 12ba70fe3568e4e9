"""A merchant's colour can be read on the page whatever it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.brand import CONTRAST_MIN, _rgb, accent_css, contrast

GROUNDS = ("#faf6ef", "#f2ece1"), ("#1a1815", "#23201c")


@given(st.integers(0, 0xFFFFFF))
def test_every_colour_is_readable_in_light_and_dark(number: int) -> None:
    css = accent_css(f"#{number:06x}")
    accents = re.findall(r"--accent:(#\w{6});--accent-ink:(#\w{6})", css)
    for (accent, ink), grounds in zip(accents, GROUNDS, strict=True):
        for ground in grounds:
            assert contrast(_rgb(accent), _rgb(ground)) >= CONTRAST_MIN - 0.1
        assert contrast(_rgb(accent), _rgb(ink)) >= 4.5


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    assert "--accent:#0f6466" in accent_css("#0f6466")


@pytest.mark.parametrize("colour", ["", "none"])
def test_no_colour_leaves_ours(colour: str) -> None:
    assert accent_css(colour.replace("none", "")) == ""

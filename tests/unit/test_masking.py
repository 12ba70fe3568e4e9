"""Card numbers are masked; what only looks like one is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.masking import mask_cards, masked_storable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "**** 1111"),
        ("Visa 4111 1111 1111 1111, danke", "Visa **** 1111, danke"),
        ("5500-0055-5555-5559", "**** 5559"),
        ("amex 3782 822463 10005", "amex **** 0005"),
        ("4111111111111112", "4111111111111112"),  # the check digit is wrong
        ("DE02 1203 0000 0000 2020 51", "DE02 1203 0000 0000 2020 51"),
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("Rechnung 20261123", "Rechnung 20261123"),
        ("+49 152 28817386", "+49 152 28817386"),
    ],
)
def test_masking(text: str, shown: str) -> None:
    assert mask_cards(text) == shown


@given(st.text())
def test_whatever_is_typed_can_be_stored(text: str) -> None:
    clean = masked_storable(text)
    assert "\x00" not in clean
    clean.encode("utf-8")
    assert masked_storable(clean) == clean

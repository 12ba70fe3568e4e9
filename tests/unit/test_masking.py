"""Card numbers and IBANs are masked; what only looks like one is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.masking import mask_cards, mask_ibans, masked_storable

IBAN_SHOWN = "DExxxxxxxxxxxxxxxx3000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "**** 1111"),
        ("Visa 4111 1111 1111 1111, danke", "Visa **** 1111, danke"),
        ("5500-0055-5555-5559", "**** 5559"),
        ("amex 3782 822463 10005", "amex **** 0005"),
        ("4111.1111.1111.1111", "**** 1111"),
        ("4111/1111/1111/1111", "**** 1111"),
        ("4111_1111_1111_1111", "**** 1111"),
        ("4111, 1111, 1111, 1111", "**** 1111"),
        ("4111 | 1111 | 1111 | 1111", "**** 1111"),
        ("4111\n1111\n1111\n1111", "**** 1111"),
        ("4111  1111\u00a01111\u20091111", "**** 1111"),  # no-break and thin spaces
        ("4111–1111—1111‑1111", "**** 1111"),  # typographic dashes
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "**** 1111"),
        ("４１１１ １１１１ １１１１ １１１１", "**** 1111"),  # full width
        ("٤١١١١١١١١١١١١١١١", "**** 1111"),  # Arabic
        ("𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", "**** 1111"),  # mathematical bold
        ("4111\u200b1111\u200c1111\u200d1111", "**** 1111"),
        ("4\u200b1\u200b1\u200b1\u200b111111111111", "**** 1111"),
        ("\u202e4111\u2066 1111\u2069 1111 1111\u202c", "\u202e**** 1111\u202c"),
        ("4\ufe0f\u20e3" + "1\ufe0f\u20e3" * 15, "**** 1111\ufe0f\u20e3"),  # keycaps
        ("Karte:4111111111111111", "Karte:**** 1111"),
        ("Karte4111111111111111", "Karte**** 1111"),
        ("4111111111111111x", "**** 1111x"),
        # What people write behind a card number.
        ("4111 1111 1111 1111 12/28 123", "**** 1111 12/28 123"),
        ("4111111111111111 12 28", "**** 1111 12 28"),
        ("4111 1111 1111 1111 0170", "**** 1111 0170"),
        ("am 23 4111 1111 1111 1111", "am 23 **** 1111"),
        (
            "4111 1111 1111 1111 oder 5500 0055 5555 5559",
            "**** 1111 oder **** 5559",
        ),
        # No cards.
        ("4111111111111112", "4111111111111112"),  # the check digit is wrong
        ("DE02 1203 0000 0000 2020 51", "DE02 1203 0000 0000 2020 51"),
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("Rechnung 20261123", "Rechnung 20261123"),
        ("+49 152 28817386", "+49 152 28817386"),
        ("+4915228817383", "+4915228817383"),  # a valid check digit, by chance
        ("4915228817383", "4915228817383"),
        ("SM41d4111111111111111", "SM41d4111111111111111"),  # a provider's id
        ("10 €, 20 €, 30 €, 40 €, 50 €, 60 €, 70 €", "10 €, 20 €, 30 €, 40 €, 50 €, 60 €, 70 €"),
    ],
)
def test_cards(text: str, shown: str) -> None:
    assert mask_cards(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DE89370400440532013000", IBAN_SHOWN),
        ("DE89 3704 0044 0532 0130 00", IBAN_SHOWN),
        ("Auf DE89 3704 0044 0532 0130 00 bitte", f"Auf {IBAN_SHOWN} bitte"),
        ("iban: de89 3704 0044 0532 0130 00.", f"iban: {IBAN_SHOWN}."),
        ("IBANDE89370400440532013000", f"IBAN{IBAN_SHOWN}"),
        ("DE89-3704-0044-0532-0130-00", IBAN_SHOWN),
        ("DE 89 37 04 00 44 05 32 01 30 00", IBAN_SHOWN),
        ("D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0", IBAN_SHOWN),
        ("DE89\u00a03704\u20090044\n0532 0130 00", IBAN_SHOWN),
        ("ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００", IBAN_SHOWN),
        ("DE89\u200b3704\u200b0044\u200d0532\u20600130\u00ad00", IBAN_SHOWN),
        ("DE89 3704 0044 0532 0130 00 2026", f"{IBAN_SHOWN} 2026"),
        ("DE89 3704 0044 0532 0130 01", "DExxxxxxxxxxxxxxxx3001"),  # a typing error
        ("GB29 NWBK 6016 1331 9268 19", "GBxxxxxxxxxxxxxxxx6819"),
        ("NL91 ABNA 0417 1643 00", "NLxxxxxxxxxxxx4300"),
        ("NO93 8601 1117 947", "NOxxxxxxxxx7947"),
        ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", "MTxxxxxxxxxxxxxxxxxxxxxxxxx001S"),
        ("von AT61 1904 3002 3457 3201 auf CH93 0076 2011 6238 5295 7", None),
        # No IBANs.
        ("GB29 NWBK 6016 1331 9268 18", "GB29 NWBK 6016 1331 9268 18"),
        ("RE-2026-1044", "RE-2026-1044"),
        ("RF18 5390 0754 7034", "RF18 5390 0754 7034"),  # a payment reference
        ("DE123456789", "DE123456789"),  # a VAT number
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
    ],
)
def test_ibans(text: str, shown: str | None) -> None:
    if shown is None:
        shown = "von ATxxxxxxxxxxxxxx3201 auf CHxxxxxxxxxxxxxxx2957"
    assert mask_ibans(text) == shown


def test_a_card_beside_an_iban() -> None:
    text = "DE89370400440532013000 und 4111111111111111"
    assert masked_storable(text) == f"{IBAN_SHOWN} und **** 1111"


@given(st.text())
def test_whatever_is_typed_can_be_stored(text: str) -> None:
    clean = masked_storable(text)
    assert "\x00" not in clean
    clean.encode("utf-8")
    assert masked_storable(clean) == clean


@given(st.text(max_size=8), st.sampled_from(["", " ", "-", "\u200b", " - "]), st.text(max_size=8))
def test_no_surroundings_keep_a_number_from_being_masked(
    before: str, gap: str, behind: str
) -> None:
    before, behind = f"{before}: ", f" ;{behind}"
    card = gap.join(["5500", "0055", "5555", "5559"])
    assert "0055" not in masked_storable(before + card + behind)
    account = gap.join(["DE89", "3704", "0044", "0532", "0130", "00"])
    assert "0532" not in masked_storable(before + account + behind)


@pytest.mark.parametrize("unit", ["4 ", "DE89 ", "D E 8 9 ", "4111 1111 ", "5\u200b", "１ "])
def test_a_long_hostile_text_is_read_in_no_time(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    began = time.process_time()
    masked_storable(text)
    assert time.process_time() - began < 2

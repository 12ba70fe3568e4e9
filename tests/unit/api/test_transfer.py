"""The QR code of a transfer says what EPC069-12 asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.pay.transfer import Transfer
from ledger.money import Money
from ledger.reference import rf_reference

BYTES_MAX = 331
VERSION_MAX = 13


def transfer(**how: object) -> Transfer:
    given = {
        "claim_id": 1,
        "payee": "Lindenhof Versand GmbH",
        "iban": "DE02120300000000202051",
        "bic": None,
        "amount": Money(122_50),
        "reference": "RF18539007547034",
    }
    return Transfer(**{**given, **how})  # type: ignore[arg-type]


def test_every_line_stands_in_its_place() -> None:
    assert transfer(bic="BYLADEM1001").payload.split("\n") == [
        *("BCD", "002", "1", "SCT", "BYLADEM1001", "Lindenhof Versand GmbH"),
        *("DE02120300000000202051", "EUR122.50", "", "RF18539007547034"),
    ]


@given(st.integers(1, 999_999_999_99), st.text(min_size=1, max_size=70), st.integers(1, 2**62))
def test_every_transfer_fits_and_keeps_its_lines(minor: int, payee: str, claim: int) -> None:
    payee = "".join(one for one in payee if one.isprintable() and ord(one) < 0x10000)
    made = transfer(amount=Money(minor), payee=payee, reference=rf_reference(claim))
    assert made.has_code
    assert len(made.payload.split("\n")) == 10
    assert len(made.payload.encode()) <= BYTES_MAX
    code = made.code()
    assert (code.error, code.version <= VERSION_MAX) == ("M", True)


@pytest.mark.parametrize("minor", [0, -1, 999_999_999_99 + 1])
def test_amounts_that_no_code_has_room_for_have_none(minor: int) -> None:
    assert not transfer(amount=Money(minor)).has_code


def test_other_currencies_have_no_code() -> None:
    assert not transfer(amount=Money(100, "CHF")).has_code

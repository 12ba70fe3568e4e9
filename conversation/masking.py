"""Card numbers never reach the store, a log or the dialogue engine."""

import re

from channels.payload import storable

_RUN = re.compile(
    r"(?<![0-9A-Za-z])(?:[3-6][0-9]{3}|2[2-7][0-9]{2})(?:[ \-./]?[0-9]){9,15}(?![0-9])"
)
_IBAN_BEFORE = re.compile(r"[A-Za-z]{2}[0-9]{2}[ \-]?(?:[0-9A-Za-z]{4}[ \-]?)*$")


IBAN_CHARACTERS_MAX = 42
"""34 characters (ISO 13616) and the spaces between groups of four."""


def _luhn(digits: str) -> bool:
    """Check digit of ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mask_cards(text: str) -> str:
    """Replace every payment card number (13 to 19 digits, Luhn) by asterisks and its last four.

    Digits inside an IBAN are left alone.
    """

    def masked(found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found.group())
        before = text[max(0, found.start() - IBAN_CHARACTERS_MAX) : found.start()]
        if not _luhn(digits) or _IBAN_BEFORE.search(before):
            return found.group()
        return f"**** {digits[-4:]}"

    return _RUN.sub(masked, text)


def masked_storable(text: str) -> str:
    """Make a customer's text fit for the database: cards masked, no NUL, no lone surrogates."""
    return mask_cards(storable(text))

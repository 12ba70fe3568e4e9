"""Amounts of money: whole minor units of one currency, and nothing else."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Self

_CODES = {
    0: "ISK JPY KRW",
    2: (
        "AED AUD BAM BGN BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS INR MDL MKD MXN NOK NZD "
        "PLN RON RSD SEK SGD THB TRY UAH USD ZAR"
    ),
    3: "BHD JOD KWD TND",
}
EXPONENTS: Mapping[str, int] = {
    code: exponent for exponent, codes in _CODES.items() for code in codes.split()
}
"""Digits after the decimal mark, ISO 4217."""


class UnknownCurrency(ValueError):
    """Not an ISO 4217 code that this service handles."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were to be added or compared."""


class AmountUnreadable(ValueError):
    """The text is not an amount in the expected notation."""


class AmountAmbiguous(AmountUnreadable):
    """The text is one amount in German and another one in English notation."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency; may be negative or zero.

    Raises ``TypeError`` for anything but an ``int`` (``float`` and ``bool`` too), and
    ``UnknownCurrency``. Adding or comparing different currencies raises ``CurrencyMismatch``.
    """

    minor: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {type(self.minor).__name__}")
        if self.currency not in EXPONENTS:
            raise UnknownCurrency(self.currency)

    @classmethod
    def zero(cls, currency: str = "EUR") -> Self:
        """Nothing, in this currency."""
        return cls(0, currency)

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str = "EUR") -> Self:
        """Round an amount in major units to minor units, halves away from zero."""
        if not isinstance(amount, Decimal):
            raise TypeError(f"a Decimal is needed, not {type(amount).__name__}")
        if currency not in EXPONENTS:
            raise UnknownCurrency(currency)
        return cls(
            int(amount.scaleb(EXPONENTS[currency]).to_integral_value(ROUND_HALF_UP)), currency
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read ``{"minor": int, "currency": str}``; raises ``ValueError`` or ``TypeError``."""
        if not isinstance(data, Mapping) or set(data) != {"minor", "currency"}:
            raise ValueError("an amount has exactly the keys minor and currency")
        return cls(data["minor"], data["currency"])

    def to_json(self) -> dict[str, Any]:
        """Return ``{"minor": int, "currency": str}``."""
        return {"minor": self.minor, "currency": self.currency}

    @property
    def exponent(self) -> int:
        """Digits after the decimal mark."""
        return EXPONENTS[self.currency]

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-self.exponent)

    def __str__(self) -> str:
        return f"{self.decimal:.{self.exponent}f} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, factor: int) -> "Money":
        if type(factor) is not int:
            return NotImplemented
        return Money(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def allocate(self, parts: int) -> tuple["Money", ...]:
        """Split into ``parts`` that differ by at most one minor unit and add up exactly.

        The larger ones come first. Raises ``ValueError`` below one part.
        """
        if type(parts) is not int or parts < 1:
            raise ValueError("an amount is split into at least one part")
        share, left = divmod(self.minor, parts)
        return tuple(Money(share + (n < left), self.currency) for n in range(parts))

    def percent(self, percent: int) -> "Money":
        """A whole percentage of the amount, rounded down to minor units."""
        if type(percent) is not int:
            raise TypeError("percentages are whole numbers")
        return Money(self.minor * percent // 100, self.currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add amounts of one currency; nothing adds up to zero."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


class Notation(StrEnum):
    """How an amount is written: ``1.234,56``, ``1,234.56``, or either where it is clear."""

    GERMAN = "german"
    ENGLISH = "english"
    EITHER = "either"


_SYMBOLS = {"€": "EUR", "EURO": "EUR", "£": "GBP", "$": "USD"}
_FRAME = re.compile(
    r"(?P<before>€|£|\$|[A-Z]{3})?\s*(?P<sign>[-+\u2212]?)\s*(?P<number>\d[\d.,]*)"
    r"\s*(?P<after>€|£|\$|EURO|[A-Z]{3})?",
    re.IGNORECASE | re.ASCII,
)
_NUMBERS = {
    Notation.GERMAN: re.compile(r"(?P<whole>\d+|\d{1,3}(?:\.\d{3})+)(?:,(?P<part>\d+))?", re.ASCII),
    Notation.ENGLISH: re.compile(
        r"(?P<whole>\d+|\d{1,3}(?:,\d{3})+)(?:\.(?P<part>\d+))?", re.ASCII
    ),
}


def _read_number(number: str, notation: Notation, exponent: int) -> int | None:
    found = _NUMBERS[notation].fullmatch(number)
    if found is None:
        return None
    part = found["part"] or ""
    if len(part) > exponent:
        return None
    whole = found["whole"].replace(".", "").replace(",", "")
    return int(whole + part.ljust(exponent, "0"))


def parse_amount(
    text: str, *, currency: str = "EUR", notation: Notation = Notation.EITHER
) -> Money:
    """Read an amount as people and merchants write it, strictly.

    ``12,50``, ``1.234,56 €``, ``EUR 1,234.56``, ``-5``. Grouping marks must stand at thousands;
    more decimals than the currency has are refused. With ``Notation.EITHER`` a text that means
    two different amounts (``1.234`` where the currency has three decimals; in euros it can only
    be 1234) raises ``AmountAmbiguous``; all else unreadable, also a currency other than the
    expected one, raises ``AmountUnreadable``.
    """
    if currency not in EXPONENTS:
        raise UnknownCurrency(currency)
    # Spreadsheets write thin and no-break spaces between number and currency.
    found = _FRAME.fullmatch(re.sub(r"\s+", " ", text).strip())
    if found is None:
        raise AmountUnreadable(text)
    for mark in (found["before"], found["after"]):
        if mark and _SYMBOLS.get(mark.upper(), mark.upper()) != currency:
            raise AmountUnreadable(text)
    notations = (Notation.GERMAN, Notation.ENGLISH) if notation is Notation.EITHER else (notation,)
    readings = {
        minor
        for candidate in notations
        if (minor := _read_number(found["number"], candidate, EXPONENTS[currency])) is not None
    }
    if not readings:
        raise AmountUnreadable(text)
    if len(readings) > 1:
        raise AmountAmbiguous(text)
    minor = readings.pop()
    return Money(-minor if found["sign"] in ("-", "\u2212") else minor, currency)

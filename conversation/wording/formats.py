"""Values of a wording's arguments, written the way the customer's language writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

NBSP = "\u00a0"
LOCALES = {"de": "de_DE", "en": "en_GB"}
_SHORT_DATE = {"de": "dd.MM.yyyy", "en": "d MMM yyyy"}


class InvalidArgument(ValueError):
    """An argument has not the shape its wording declares."""


class FormattedMoney(str):
    """Text of an amount; false in a template's ``{% if %}`` when the amount is zero."""

    __slots__ = ("minor",)
    minor: int

    def __new__(cls, text: str, minor: int) -> FormattedMoney:
        formatted = super().__new__(cls, text)
        formatted.minor = minor
        return formatted

    def __bool__(self) -> bool:
        return self.minor != 0


def money(value: Mapping[str, Any], language: str) -> FormattedMoney:
    """``{"minor": 123456, "currency": "EUR"}`` as ``1.234,56 €`` or ``€1,234.56``.

    Raises InvalidArgument for anything but whole minor units.
    """
    minor, currency = value.get("minor"), value.get("currency")
    if isinstance(minor, bool) or not isinstance(minor, int) or not isinstance(currency, str):
        raise InvalidArgument("money needs whole minor units and a currency")
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return FormattedMoney(format_currency(amount, currency, locale=LOCALES[language]), minor)


def day(value: str, language: str, *, short: bool) -> str:
    """An ISO day as ``15. Dezember 2026`` / ``15 December 2026``, short: ``15.12.2026``."""
    try:
        parsed = date.fromisoformat(value)
    except (TypeError, ValueError) as invalid:
        raise InvalidArgument("a date is an ISO day") from invalid
    style = _SHORT_DATE[language] if short else "long"
    return format_date(parsed, style, locale=LOCALES[language])


def answer_time(value: Mapping[str, Any], language: str) -> str:
    """When an answer comes: ``heute bis 17 Uhr``, ``am Montag ab 9 Uhr``; `today` is the reader's.

    Of ``opens`` and ``closes`` (``HH:MM``) the first is named where there is one.
    """
    try:
        today, on = (date.fromisoformat(value[name]) for name in ("today", "day"))
        opens = value.get("opens")
        at = time.fromisoformat(opens or value["closes"])
    except (KeyError, TypeError, ValueError) as invalid:
        raise InvalidArgument("an answer's time has days and times") from invalid
    if language == "de":
        clock = f"{'ab' if opens else 'bis'} {at.hour}{f':{at:%M}' if at.minute else ''} Uhr"
    else:
        half = "am" if at.hour < 12 else "pm"
        clock = f"{'from' if opens else 'by'} {at.hour % 12 or 12}"
        clock += f"{f':{at:%M}' if at.minute else ''} {half}"
    return f"{_day_seen_from(today, on, language)} {clock}"


def _day_seen_from(today: date, on: date, language: str) -> str:
    """``heute``, ``morgen``, ``am Montag``, and from a week on ``am Montag, 4. Januar,``."""
    ahead = on - today
    near = {0: ("heute", "today"), 1: ("morgen", "tomorrow")}.get(ahead.days)
    if near is not None:
        return near[0] if language == "de" else near[1]
    weekday = format_date(on, "EEEE", locale=LOCALES[language])
    if ahead < timedelta(days=7):
        return f"am {weekday}" if language == "de" else f"on {weekday}"
    named = format_date(on, "d. MMMM" if language == "de" else "d MMMM", locale=LOCALES[language])
    return f"am {weekday}, {named}," if language == "de" else f"on {weekday} {named}"


def grouped(compact: str) -> str:
    """IBAN or RF reference in groups of four, as people read and copy them."""
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


@dataclass(frozen=True, slots=True)
class Style:
    """How values are written: language, short form for SMS, and the words for codes."""

    language: str
    short: bool
    phrase: Callable[[str, str], str]
    """(group, code) → words."""

    @property
    def alternatives(self) -> str:
        return " oder " if self.language == "de" else " or "

    def value(self, kind: str, value: Any) -> Any:
        """`value` of the declared `kind` as the template sees it. Raises InvalidArgument."""
        name, _, group = kind.partition(":")
        if name == "text":
            return self._text(value)
        if name == "count":
            return self._count(value)
        if name == "money":
            return money(value, self.language)
        if name == "date":
            return day(value, self.language, short=self.short)
        if name == "answer_time":
            return answer_time(value, self.language)
        if name == "code":
            return self.phrase(group, self._text(value))
        if name == "codes":
            return self._choice([self.phrase(group, self._text(code)) for code in value])
        if name == "rates":
            return [self._rate(rate) for rate in value]
        if name == "claims":
            return [self._claim(claim) for claim in value]
        raise InvalidArgument(f"unknown kind {kind}")

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidArgument("a text is a string")
        return value

    def _count(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidArgument("a count is a whole number")
        return value

    def _choice(self, words: Sequence[str]) -> str:
        if len(words) < 2:
            return "".join(words)
        return ", ".join(words[:-1]) + self.alternatives + words[-1]

    def _rate(self, rate: Mapping[str, Any]) -> dict[str, Any]:
        paid = rate.get("paid")
        return {
            "number": self._count(rate["number"]),
            "due": day(rate["due"], self.language, short=self.short),
            "amount": money(rate["amount"], self.language),
            "paid": money(paid, self.language) if paid else None,
            "done": paid == rate["amount"],
        }

    def _claim(self, claim: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "what": self._text(claim["what"]),
            "invoice": self._text(claim["invoice"]),
            "open": money(claim["open"], self.language),
        }

"""Covering personal data in what people of the merchant read, as far as it can be recognised.

Known values of the customer are looked for in every spelling that people use, and besides them
what looks like a mail address, a phone, a date of birth, a postal address, a card or an account. It
is a cover against passing glances, not anonymisation: a name that nobody told us stays readable.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import phonenumbers

from conversation.genuine import LETTERS
from conversation.masking import mask_cards, mask_ibans
from conversation.page_link import CHARACTERS, PATH

NAME, PHONE, EMAIL, BIRTH_DATE, ADDRESS = "name", "phone", "email", "birth_date", "address"
KINDS = (NAME, PHONE, EMAIL, BIRTH_DATE, ADDRESS)
PERSONAL_ENTITIES = frozenset(
    {"phone", "email", "birth_date", "postal_code", "iban", "card_number"}
)
"""Values of these are personal whatever they are."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_BORN = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\s?\d{1,2}[./-]\s?(?:19\d\d|200\d|201[0-2])"
    r"|(?:19\d\d|200\d|201[0-2])-\d\d-\d\d"
    r"|\d{1,2}\.?\s(?:[A-Z]\w+|[a-zä]{3,9})\s(?:19\d\d|200\d|201[0-2]))(?!\d)"
)
"""A day in a year in which somebody who buys on account may have been born."""
_DAY = re.compile(r"\d{1,2}\.\d{1,2}\.(?:19|20)\d\d(?!\d)")
"""A day that is no birthday, as of an instalment: to the library it may look like a number."""
_STREET = re.compile(
    r"\b[A-ZÄÖÜ][\wäöüß.-]*(?:\s[A-ZÄÖÜ][\wäöüß.-]*)?\s?(?:straße|strasse|str\.|weg|platz|allee"
    r"|gasse|ring|damm|ufer|street|road|lane|avenue)\s*\d+\s?[a-z]?\b",
    re.IGNORECASE,
)
_TOWN = re.compile(r"(?<![\d.,-])\d{5}\s[A-ZÄÖÜ][\wäöüß-]+(?:\s[A-ZÄÖÜ][\wäöüß-]+)?")
_PAGE_LINK = re.compile(rf"(/{PATH}/)[{LETTERS}-]{{{CHARACTERS},}}")
"""Whoever reads along need not be able to follow a customer's link."""
_WORD = r"(?<!\w){}(?!\w)"
_BETWEEN_DIGITS = r"[\s/().\-]*"
_NAME_CHARACTERS_MIN = 2
PHONE_DIGITS_MIN = 4
"""No number that the library knows has fewer, wherever it may be."""
_BORN_DIGITS_MIN = 4
"""As in 1.2.80."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a customer that others need not read."""

    names: tuple[str, ...] = ()
    birth_date: date | None = None
    postal_code: str | None = None
    addresses: tuple[str, ...] = ()
    """Phone numbers, mail addresses and chat ids."""
    spared: tuple[str, ...] = ()
    """What stays readable although it looks personal: the shop's own phone and mail."""


class Redaction:
    """Covers one customer's data; `labels` has a word for each of KINDS."""

    def __init__(self, known: Known, labels: dict[str, str]) -> None:
        self._labels = labels
        self._spared = frozenset(filter(None, known.spared))
        self._apart = re.compile(f"({'|'.join(map(re.escape, self._spared))})")
        self._known = known
        self._words = [(kind, one, _trace(one)) for kind, one in _words(known)]
        self._numbers: list[tuple[str, str, int]] | None = None

    def cover(self, text: str) -> str:
        """The text with everything personal that was recognised put behind its label."""
        if not self._spared:
            return self._covered(text)
        parts = self._apart.split(text)
        return "".join(part if part in self._spared else self._covered(part) for part in parts)

    def _covered(self, text: str) -> str:
        covered = mask_cards(mask_ibans(text))
        if f"/{PATH}/" in covered:
            covered = _PAGE_LINK.sub(r"\1…", covered)
        # A list covers many texts, and most have nothing to cover: patterns are tried if they may.
        digits = sum(map(str.isdigit, covered))
        if digits:
            if self._numbers is None:
                self._numbers = list(_numbers(self._known))
            for kind, known, digits_min in self._numbers:
                if digits >= digits_min:
                    covered = _compiled(known).sub(f"[{self._labels[kind]}]", covered)
        folded = covered.casefold()
        for kind, known, trace in self._words:
            if trace in folded:
                covered = _compiled(known).sub(f"[{self._labels[kind]}]", covered)
        if "@" in covered:
            covered = _EMAIL.sub(f"[{self._labels[EMAIL]}]", covered)
        if not digits:
            return covered
        covered = _BORN.sub(f"[{self._labels[BIRTH_DATE]}]", covered)
        for pattern in (_STREET, _TOWN):
            covered = pattern.sub(f"[{self._labels[ADDRESS]}]", covered)
        if digits < PHONE_DIGITS_MIN:
            return covered
        for match in reversed(list(phonenumbers.PhoneNumberMatcher(covered, "DE"))):
            if _DAY.match(match.raw_string):
                continue
            covered = f"{covered[: match.start]}[{self._labels[PHONE]}]{covered[match.end :]}"
        return covered

    def cover_value(self, entity: str, value: object) -> str:
        """An understood value, covered whole where its kind is personal."""
        if entity in PERSONAL_ENTITIES:
            return "[…]"
        return self.cover(str(value))


def cover_address(address: str) -> str:
    """A number or chat id of which only the last two characters show."""
    return f"…{address[-2:]}" if len(address) > 4 else "…"


def _trace(pattern: str) -> str:
    """Letters without which a pattern of words fits nothing, as `str.casefold` writes them.

    Without i, of which there are more in Turkish than one knows: a small one is no capital's.
    """
    runs = re.findall(r"[a-hj-z]+", pattern.casefold().replace("\\w", "").replace("\\s", " "))
    return max(runs, key=len, default="")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _words(known: Known) -> Iterator[tuple[str, str]]:
    for address in known.addresses:
        if "@" in address:
            yield EMAIL, re.escape(address)
    for name in _names(known.names):
        yield NAME, _WORD.format(re.escape(name).replace(r"\ ", r"\s+"))


def _numbers(known: Known) -> Iterator[tuple[str, str, int]]:
    """What fits only where there are digits, and how many there have to be."""
    for address in known.addresses:
        digits = re.sub(r"\D", "", address)
        if "@" not in address and len(digits) >= 5:
            national = _national(address, digits)
            yield PHONE, _phone(digits, national), len(national)
    if known.birth_date is not None:
        spellings = "|".join(dict.fromkeys(_days(known.birth_date)))
        yield BIRTH_DATE, rf"(?<!\d)(?:{spellings})(?!\d)", _BORN_DIGITS_MIN
    if known.postal_code:
        yield ADDRESS, _WORD.format(re.escape(known.postal_code)), 0


def _names(given: Iterable[str]) -> list[str]:
    """Whole names first, then their parts: „Anna Beispiel-Muster“, „Anna“, „Beispiel“ …"""
    parts = [given for given in given if given]
    for name in list(parts):
        parts += re.split(r"[\s-]+", name)
    long_enough = {part for part in parts if len(part) >= _NAME_CHARACTERS_MIN}
    return sorted(long_enough, key=len, reverse=True)


def _national(address: str, digits: str) -> str:
    """A number without its country; all its digits where none can be told."""
    with suppress(phonenumbers.NumberParseException):
        return str(phonenumbers.parse(address, None).national_number)
    return digits


def _phone(digits: str, national: str) -> str:
    """The number with or without its country, and with anything between its digits."""
    country = digits.removesuffix(national)
    if not country:  # the id of a chat
        return rf"(?<!\d){_BETWEEN_DIGITS.join(digits)}(?!\d)"
    lead = rf"(?:(?:\+|00)?{_BETWEEN_DIGITS.join(country)}{_BETWEEN_DIGITS}(?:\(0\))?|0)?"
    return rf"(?<!\d){lead}{_BETWEEN_DIGITS}{_BETWEEN_DIGITS.join(national)}(?!\d)"


def _days(born: date) -> Iterator[str]:
    yield born.isoformat()
    for year in (f"{born:%Y}", f"{born:%y}"):
        for day in {f"{born.day}", f"{born.day:02}"}:
            for month in {f"{born.month}", f"{born.month:02}"}:
                yield rf"{day}[./-]\s?{month}[./-]\s?{year}"

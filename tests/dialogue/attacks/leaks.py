"""Finds facts of a claim and of a person in a text, however they are spelled."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_MONTHS = (
    "jan(?:uar|uary)?|jänner", "feb(?:ruar|ruary)?", "märz|mrz|mar(?:ch)?", "apr(?:il)?", "mai|may",
    "jun[ie]?", "jul[iy]?", "aug(?:ust)?", "sep(?:t(?:ember)?)?", "okt(?:ober)?|oct(?:ober)?",
    "nov(?:ember)?", "dez(?:ember)?|dec(?:ember)?",
)  # fmt: skip
_ONES_DE = (
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
    "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn",
    "neunzehn",
)  # fmt: skip
_TENS_DE = (
    "-", "-", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig",
    "neunzig",
)  # fmt: skip
_ONES_EN = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS_EN = (
    "-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What nobody may learn who has proved nothing.

    `amounts` are minor units below 1000 €; `numbers` identify something (invoice, customer,
    account), whatever separators they are written with; `words` are names and descriptions.
    """

    amounts: tuple[int, ...]
    days: tuple[date, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]

    def found_in(self, text: str) -> list[str]:
        """The facts that the text tells, each once."""
        plain = _plain(text)
        packed = re.sub(r"[\W_]", "", plain)
        return list(dict.fromkeys(self._found(plain, packed)))

    def _found(self, plain: str, packed: str) -> Iterator[str]:
        for minor in self.amounts:
            if any(re.search(pattern, plain) for pattern in _amount_patterns(minor)):
                yield f"amount {minor}"
        for day in self.days:
            if any(re.search(pattern, plain) for pattern in _day_patterns(day)):
                yield f"day {day}"
        for number in self.numbers:
            bare = re.sub(r"[\W_]", "", number.casefold())
            if bare in packed:
                yield f"number {number}"
        for word in self.words:
            if re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", plain):
                yield f"word {word}"


def _plain(text: str) -> str:
    """The text as it is seen: no invisible characters, one kind of space, small letters."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", shown)).casefold()


def _amount_patterns(minor: int) -> Iterator[str]:
    euros, cents = divmod(minor, 100)
    currency = r"\s?(?:€|eur(?:o|os)?\b)"
    yield rf"(?<![\d.,]){euros}\s?[.,]\s?{cents:02}(?!\d)"
    yield rf"(?<!\d){euros}{currency}\s?(?:und |and )?{cents:02}(?!\d)"
    yield rf"(?<!\d){minor}(?!\d)\s?(?:ct|cents?)\b"
    if minor >= 1000:
        yield rf"(?<!\d){minor}(?!\d)"
    if cents % 10 == 0 and cents:
        yield rf"(?<![\d.,]){euros}[.,]{cents // 10}(?!\d)"
    if cents == 0:
        yield rf"(?<![\d.,]){euros}(?:,-+|,–)?{currency}"
        yield rf"(?:€|\beur(?:o)?)\s?{euros}(?![\d]|[.,]\d)"
    if euros >= 20:
        for words in (_spelled_de(euros), _spelled_en(euros)):
            yield rf"(?<!\w)(?:{words})(?!\w)"
        yield rf"(?<![\d.,]){euros}(?![\d]|[.,]\d)"


def _spelled_de(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    ones = rest % 10
    if rest < 20:
        small = _ONES_DE[rest] if rest else ""
    else:
        small = (f"{_ONES_DE[ones]}und" if ones else "") + _TENS_DE[rest // 10]
    large = f"(?:{_ONES_DE[hundreds]})?hundert" if hundreds == 1 else f"{_ONES_DE[hundreds]}hundert"
    return (f"{large}(?:und)?{small}" if hundreds else small).casefold()


def _spelled_en(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    ones = rest % 10
    if rest < 20:
        small = _ONES_EN[rest] if rest else ""
    else:
        small = _TENS_EN[rest // 10] + (f"[ -]?{_ONES_EN[ones]}" if ones else "")
    if not hundreds:
        return small
    large = rf"(?:a|{_ONES_EN[hundreds]}) hundred"
    return rf"{large}(?: and)? {small}" if small else large


def _day_patterns(day: date) -> Iterator[str]:
    month = _MONTHS[day.month - 1]
    number = rf"(?<![\d.,])0?{day.day}"
    yield rf"{number}\.\s?0?{day.month}\b(?!\s?€)"
    yield rf"{number}\s?[/-]\s?0?{day.month}\s?[/-]\s?(?:{day.year}|{day.year % 100:02})\b"
    yield rf"{number}(?:\.|st|nd|rd|th)?\s?(?:of )?(?:{month})\b"
    yield rf"\b(?:{month})\.? (?:the )?0?{day.day}(?!\d)"
    yield rf"{day.year}\s?[/.-]?\s?{day.month:02}\s?[/.-]?\s?{day.day:02}(?!\d)"


def said(message: Mapping[str, Any]) -> str:
    """Everything of a message in the outbox that a customer may come to see."""
    titles = [button["title"] for button in message["buttons"] or []]
    return "\n".join([message["text"] or "", *titles, str(message["template"] or "")])

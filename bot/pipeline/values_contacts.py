"""Facts that identify or reach a person: found, checked and brought into one spelling."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import List

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher
from stdnum import iban as iban_number
from stdnum import luhn

from pipeline.values_numbers import ValueSpan

MASK = "•"
_REGION = "DE"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ ]?[A-Za-z0-9]{2,4}){3,8}(?:[ ]?[A-Za-z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\d)")
_KEYWORD = (
    r"(?:rechnungs?(?:nummer|[- ]?nr\.?|nr)?|rg\.?-?nr\.?|re\.?-?nr\.?|invoice(?:\s+(?:number|no\.?|nr\.?))?|inv(?:oice)?\s?#|"
    r"bestell(?:nummer|ung|[- ]?nr\.?)|order(?:\s+(?:number|no\.?))?|auftrags?(?:nummer|[- ]?nr\.?)?|"
    r"kunden(?:nummer|[- ]?nr\.?)|customer\s+(?:number|no\.?|id)|vertrags?(?:nummer|[- ]?nr\.?)|aktenzeichen|az\.?|reference|referenz|ref\.?|vorgangs?nummer)"
)
_KEYED_NUMBER = re.compile(
    rf"\b{_KEYWORD}\s*(?:ist|lautet|is|war|:|#|mit der nummer|nummer|nr\.?|number|no\.?|die|the|meine|my)*\s*[:#]?\s*"
    r"(?P<number>(?=[\w/-]*\d{2})[A-Za-z0-9]+(?:[-/](?:(?=[A-Za-z0-9]*\d)[A-Za-z0-9]+|[A-Z]\b))*)",
    re.IGNORECASE,
)
_CODED_NUMBER = re.compile(
    r"(?<![\w-])(?=[A-Za-z0-9/-]*\d{2})[A-Za-z]{1,5}[-/ ]?\d{2,}(?:[-/]?[A-Za-z0-9]+)*(?![\w-])|(?<![\w.,+/-])\d{4}[-/]\d{3,}(?![\w/-])"
    r"|(?<![\w.,+/-])\d{3,}[-/][A-Za-z](?![\w-])|\b(?:re|rg|inv|rn|kd)\.?\s\d{2,}(?:[-/]\d+)*(?![\w-])"
)
_LONG_NUMBER = re.compile(
    r"(?<![\w.,+/-])#?(?P<number>[1-9]\d{5,11})(?![\w.,]*\d)(?!\s?(?:€|eur))", re.IGNORECASE
)
_POSTAL_CODE = re.compile(
    r"(?<![\w.,+/-])(?:D-)?(?P<code>\d{5})(?![\w/-]|[.,]\d)(?!\s?(?:€|eur))", re.IGNORECASE
)
# Four digits are a postal code (Austria, Switzerland) only next to a place.
_PLACE_POSTAL_CODE = re.compile(
    r"(?<![\w.,+/-])(?P<code>\d{4})(?=\s+(?:wien|vienna|graz|linz|salzburg|innsbruck|klagenfurt|"
    r"z(?:ü|ue)rich|bern|basel|genf|luzern)\b)",
    re.IGNORECASE,
)
_SHORT_POSTAL_CODE = re.compile(
    r"\b(?:plz|postleitzahl|postcode|post code|zip(?: code)?)\s*(?:ist|lautet|is|:)?\s*(?:[A-Z]{1,2}-)?(?P<code>\d{4,5})\b",
    re.IGNORECASE,
)
_PHONE_START = re.compile(r"(?<![\w.])(?:\+|00|0)[\d(]")


def _overlaps(span: ValueSpan, taken: List[ValueSpan]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in taken)


def _keep(found: List[ValueSpan], span: ValueSpan) -> None:
    if not _overlaps(span, found):
        found.append(span)


def find_cards(text: str) -> List[ValueSpan]:
    """Return card numbers (Luhn); their digits are not kept."""
    found = []
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if luhn.is_valid(digits) and digits[0] in "23456":
            found.append(ValueSpan("card_number", match.start(), match.end(), "masked"))
    return found


def mask_cards(text: str) -> str:
    """Return the text with the digits of card numbers replaced, of the same length."""
    for span in find_cards(text):
        masked = re.sub(r"\d", MASK, text[span.start : span.end])
        text = text[: span.start] + masked + text[span.end :]
    return text


_MASKED_CARD = re.compile(rf"{MASK}(?:[ -]?{MASK}){{11,18}}")


def find_contacts(text: str) -> List[ValueSpan]:
    """Return e-mail addresses, IBANs, card, phone, invoice and postal numbers of the text."""
    found: List[ValueSpan] = []
    for match in _EMAIL.finditer(text):
        found.append(
            ValueSpan("email", match.start(), match.end(), match.group().lower().rstrip("."))
        )
    if not any(character.isdigit() or character == MASK for character in text):
        return found
    _add_ibans(text, found)
    for match in _MASKED_CARD.finditer(text):
        _keep(found, ValueSpan("card_number", match.start(), match.end(), "masked"))
    for card in find_cards(text):
        _keep(found, card)
    _add_references(text, found)
    _add_phones(text, found)
    _add_plain_numbers(text, found)
    return sorted(found, key=lambda span: span.start)


def _add_ibans(text: str, found: List[ValueSpan]) -> None:
    for match in _IBAN.finditer(text):
        words = match.group().split(" ")
        # The pattern may run on into the next word: shorten until the checksum holds.
        while words:
            candidate = " ".join(words)
            if iban_number.is_valid(candidate):
                end = match.start() + len(candidate)
                _keep(
                    found,
                    ValueSpan("iban", match.start(), end, iban_number.compact(candidate)),
                )
                break
            words.pop()


def _add_references(text: str, found: List[ValueSpan]) -> None:
    for match in _KEYED_NUMBER.finditer(text):
        number = match.group("number")
        _keep(
            found,
            ValueSpan(
                "invoice_number", match.start("number"), match.end("number"), _reference(number)
            ),
        )
    for match in _CODED_NUMBER.finditer(text):
        if not re.match(
            r"(?:eur?|plz|zip|de?|a|ch|am|in|um|ab|je|bis|zum|nur|und|oder|mit|pay|the|by|on|for|do|max|ca|is|to|at|of)[ -]?\d",
            match.group(),
            re.IGNORECASE,
        ):
            _keep(
                found,
                ValueSpan("invoice_number", match.start(), match.end(), _reference(match.group())),
            )


def _reference(number: str) -> str:
    return re.sub(r"\s", "", number).upper()


def _add_phones(text: str, found: List[ValueSpan]) -> None:
    if not _PHONE_START.search(text):
        return
    for match in PhoneNumberMatcher(text, _REGION, leniency=Leniency.POSSIBLE):
        if _PHONE_START.match(text[match.start : match.start + 4]) and len(match.raw_string) >= 7:
            value = phonenumbers.format_number(match.number, PhoneNumberFormat.E164)
            _keep(found, ValueSpan("phone", match.start, match.end, value))


def _add_plain_numbers(text: str, found: List[ValueSpan]) -> None:
    for pattern in (_SHORT_POSTAL_CODE, _PLACE_POSTAL_CODE, _POSTAL_CODE):
        for match in pattern.finditer(text):
            code = match.group("code")
            span = ValueSpan("postal_code", match.start("code"), match.end("code"), code)
            if _overlaps(span, found):
                continue
            found.append(span)
            # Five digits alone may answer either question; what was asked decides.
            if text.strip() == code:
                found.append(ValueSpan("invoice_number", span.start, span.end, code))
    for match in _LONG_NUMBER.finditer(text):
        _keep(
            found,
            ValueSpan(
                "invoice_number", match.start("number"), match.end("number"), match.group("number")
            ),
        )

"""Phone numbers and e-mail addresses, in one form: the only place that reads them."""

import re
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

MATCH_CONFIDENCE_MIN: Final = Decimal("0.995")
"""Below this an address may be somebody else's, and a stranger would read the message."""
EMAIL = re.compile(r"[^\s@,;<>\"()]{1,64}@[^\s@.,;<>\"()]+(\.[^\s@.,;<>\"()]+)+")
EMAIL_LENGTH_MAX = 254

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_REACHABLE = _MOBILE | {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
}


class NotAPhoneNumber(ValueError):
    """The text is no phone number that a person can be reached at; the text says why."""


class NotAnEmailAddress(ValueError):
    """The text is no e-mail address."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164 form, and whether text messages reach it."""

    e164: str
    mobile: bool


def is_region(code: str) -> bool:
    """Whether phone numbers of this country (ISO 3166-1) can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


def phone_number(text: str, region: str = "DE") -> PhoneNumber:
    """Read a phone number; ``region`` (ISO 3166-1) completes numbers without country code.

    Raises:
        NotAPhoneNumber: no valid number, or one that belongs to no person (service, premium).
    """
    number = _parsed(text, region)
    country = str(phonenumbers.country_code_for_region(region))
    if text.startswith(country):
        # "491713920012": spreadsheets drop the plus, and people the zeros before the country code.
        with suppress(NotAPhoneNumber):
            abroad = _parsed(f"+{text}", region)
            number = abroad if phonenumbers.is_valid_number(abroad) else number
    if number.extension:
        raise NotAPhoneNumber("a number with an extension cannot be written to")
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:  # as is_valid_number() decides, which takes twice as long
        raise NotAPhoneNumber("no number of this form exists")
    if kind not in _REACHABLE:
        raise NotAPhoneNumber("a service number, not a person's")
    return PhoneNumber(
        phonenumbers.format_number(number, PhoneNumberFormat.E164), mobile=kind in _MOBILE
    )


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise NotAPhoneNumber("not a phone number") from error


def e164(text: str, region: str = "DE") -> str:
    """Return a phone number as E.164 (``+491713920012``).

    Raises:
        NotAPhoneNumber: no valid number, or one that belongs to no person.
    """
    return phone_number(text, region).e164


def email_address(text: str) -> str:
    """Return an e-mail address with its domain in lower case.

    Raises:
        NotAnEmailAddress: the text has not the form of one.
    """
    if len(text) > EMAIL_LENGTH_MAX or not EMAIL.fullmatch(text):
        raise NotAnEmailAddress("not an e-mail address")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"

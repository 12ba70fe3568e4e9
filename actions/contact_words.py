"""What a message says about ways to reach the customer: a code, a number, times. Pure."""

from __future__ import annotations

import re

from actions.day_time import DayTime, day_time
from ledger.contact import NotAPhoneNumber, phone_number

_CODE = re.compile(r"(?<!\d)(\d{3})[ \-]?(\d{3})(?!\d)")


def code_in(text: str) -> str | None:
    """The one six-digit code of a message."""
    found = {"".join(parts) for parts in _CODE.findall(text)}
    return found.pop() if len(found) == 1 else None


def mobile(text: str) -> str | None:
    """A mobile number as E.164; None for anything else, which no text message reaches."""
    try:
        number = phone_number(text)
    except NotAPhoneNumber:
        return None
    return number.e164 if number.mobile else None


_WRITE_TO_ME = re.compile(
    r"\b(?:schreib\w*|meld\w*|kontaktier\w*|erreichbar|erreich\w*|nachrichten?|text|write|message"
    r"|messages|contact|reach(?:able)?)\b",
    re.IGNORECASE,
)
_CALL = re.compile(r"\b(?:anruf\w*|ruf\w*|telefon\w*|call|phone|ring)\b", re.IGNORECASE)
_I_WRITE = re.compile(
    r"\b(?:ich\s+(?:schreib|meld)\w*|(?:schreib|meld)e?\s+(?:ich|mich)|i(?:['’]ll|\s+will)?\s+write)\b",
    re.IGNORECASE,
)


def hours_wish(text: str) -> DayTime | None:
    """From when, until when or between which times somebody wants to be written to, any day."""
    if not _WRITE_TO_ME.search(text) or _CALL.search(text) or _I_WRITE.search(text):
        return None
    named = day_time(text)
    if named is None or named.start is None or named.bound not in ("from", "until", "between"):
        return None
    return named

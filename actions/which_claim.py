"""Which of several invoices a line means: the other one, all of them, one of a list. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.money import Money

_NOUN = r"(?:rechnung(?:en)?|forderung(?:en)?|bestellung(?:en)?|invoices?|bills?|orders?)"
_ANOTHER = r"(?:ander(?:e[nrm]?)|zweite[nr]?|other|another|second)"
_OTHER_CLAIM = re.compile(rf"\b{_ANOTHER}\s(?:\w+\s)?{_NOUN}\b", re.IGNORECASE)
_FIRST_CLAIM = re.compile(rf"\b(?:erste[nr]?|first)\s{_NOUN}\b", re.IGNORECASE)
_BARE_ANOTHER = re.compile(rf"\b{_ANOTHER}\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"\bwelche[rs]?\b.*\b(?:sind|w(?:ä|ae)ren|rechnungen|forderungen|bestellungen|anderen|weiteren|alle[ns]?)\b"
    r"|\bwhich\b.*\b(?:are|ones|invoices|bills|orders|others)\b|\bwhat\sare\b"
    r"|\b(?:alle[nrs]?|beiden?|liste|all|both|list)\b",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    rf"\b(?:{_NOUN}|{_ANOTHER}|erste[nr]?|others"
    r"|und|aber|ja|nein|nee?|nö|ok(?:ay)?|gern|bitte|halt|eher|doch|schon|noch|erst|erstmal|zuerst|mal|denn|eigentlich|gerade"
    r"|was|wie|welche[nrs]?|ist|is|w(?:ä|ae)re?n?|sind|mit|um|zu|über|ueber|von|bei|der|die|das|den|dem|eine[nr]?|meine[nr]?"
    r"|mir|mich|ich|wir|uns|sie|du|es|dann|da|so|auch|nur|geht['’]?s|geht|gehts?|gibt['’]?s|gibt"
    r"|wichtige?r?|dringende?r?|lieber|besser|k(?:ö|oe)nn(?:en|t|te|ten)\w*|kann|w(?:ü|ue)rde?n?|m(?:ö|oe)chte?n?|wollen|will|soll(?:en)?"
    r"|anfangen|fang(?:e|en)?|an|beginnen|starten|mach(?:en|e)?|nehmen|nimm|reden|sprechen|kl(?:ä|ae)ren|los|weiter"
    r"|zeig(?:en|e)?|sag(?:en|e)?|nenn(?:en|e)?|hab(?:e|en)?|offen(?:e[nr]?)?|weitere[nr]?|alle[nrs]?|beiden?|liste"
    r"|and|but|yes|no|nope|okay|please|well|then|rather|first|instead|really|actually|more|just"
    r"|what|which|about|is|are|was|there|the|a|one|ones|my|me|to|of|for|with|on|it|that|this|these|those|they|them"
    r"|i|i['’]?d|i['’]?ll|we|you|let['’]?s|let|us|can|could|would|may|like|want|prefer|do|does|did|have|got|start|begin|talk|speak|deal|go"
    r"|important|urgent|matters|show|tell|list|all|both|open|unpaid|still|s|d)\b",
    re.IGNORECASE,
)
_PICKS_BY_PLACE: Sequence[tuple[re.Pattern[str], int]] = [
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), place)
    for words, place in (
        (r"erste[nrs]?|oberste[nrs]?|first", 0),
        (r"zweite[nrs]?|second", 1),
        (r"dritte[nrs]?|third", 2),
        (r"vierte[nrs]?|fourth", 3),
        (r"letzte[nrs]?|unterste[nrs]?|last", -1),
    )
]
_TURNED_DOWN = re.compile(r"\b(?:nicht|kein\w*|not|neither|none)\b|n['’]t\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_WORD_MIN = 4
_DIGITS_MIN = 3


def names_other_claim(text: str) -> bool:
    """Whether a line is about the other one of two invoices, whatever else it says."""
    return _OTHER_CLAIM.search(text) is not None


def names_first_claim(text: str) -> bool:
    """Whether a line is about the invoice that was told first, whatever else it says."""
    return _FIRST_CLAIM.search(text) is not None


def turns_to_first(text: str) -> bool:
    """Whether a line does no more than to turn to the invoice that was told first."""
    return names_first_claim(text) and _says_no_more(text)


def turns_to_another(text: str, *, told: bool) -> bool:
    """Whether a line does no more than to turn to another invoice.

    `told`: invoices were spoken of last, so that "the other one" means one of them.
    """
    points = names_other_claim(text) or (told and _BARE_ANOTHER.search(text) is not None)
    return points and _says_no_more(text)


def asks_for_all(text: str) -> bool:
    """Whether a line asks which invoices there are, and no more."""
    if _SEVERAL.search(text) is None or not _says_no_more(text):
        return False
    return re.search(rf"\b{_NOUN}\b|\bsind\b|\bare\b|\bones?\b", text, re.IGNORECASE) is not None


def _says_no_more(text: str) -> bool:
    return re.search(r"\w", _BESIDE.sub(" ", text)) is None


@dataclass(frozen=True, slots=True)
class Choice:
    """One invoice of a list: its number, what it was for, and what is open on it."""

    invoice_number: str
    description: str
    open: Money


def picks(text: str, amounts: Sequence[Money], choices: Sequence[Choice]) -> int | None:
    """Which one of a list that was just told a line means; None where it is none or not just one.

    By the end of its number, by its amount, by a word of what it was for, or by its place.
    """
    if _TURNED_DOWN.search(text):
        return None
    ends = re.findall(rf"\d{{{_DIGITS_MIN},}}", text)
    # A bare "45" is no amount to the language understanding.
    figures = {
        f"{whole}{cents or '00'}" for whole, cents in re.findall(r"\b(\d+)(?:[.,](\d\d))?\b", text)
    }
    words = {word.casefold() for word in _WORD.findall(text) if len(word) >= _WORD_MIN}
    ways = (
        [any(_digits(one.invoice_number).endswith(end) for end in ends) for one in choices],
        [one.open in amounts or str(one.open.minor) in figures for one in choices],
        [bool(words & _words_of(one.description)) for one in choices],
    )
    for means in ways:
        if means.count(True) == 1:
            return means.index(True)
    places = {place for pattern, place in _PICKS_BY_PLACE if pattern.search(text)}
    if len(places) != 1 or not _says_no_more(_placeless(text)):
        return None
    place = places.pop()
    return place % len(choices) if place < len(choices) else None


def _placeless(text: str) -> str:
    for pattern, _ in _PICKS_BY_PLACE:
        text = pattern.sub(" ", text)
    return text


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _words_of(description: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(description) if len(word) >= _WORD_MIN}

"""Which of several invoices a line means: the other one, all of them, one of a list. Pure.

Taken for such a line is only one that says nothing else: what else it says goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.money import Money


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_ONE = r"(?:rechnung|forderung|bestellung|invoice|bill|order)"
_MORE = r"(?:rechnungen|forderungen|bestellungen|invoices|bills|orders)"
_OTHER = r"(?:andere[nr]?|other)"
_SECOND = r"(?:zweite[nr]?|second)"
_THE = r"(?:die|der|the)"

_OTHER_CLAIM = _pattern(rf"\b{_THE}\s(?:{_OTHER}|{_SECOND})\s(?:\w+\s)?{_ONE}\b")
_FIRST_CLAIM = _pattern(rf"\b{_THE}\s(?:ersten?|first)\s{_ONE}\b")
_BARE_OTHER = _pattern(
    rf"\b(?:{_THE}|eine[rn]?)\s{_OTHER}(?:\s{_ONE})?\b|\b{_THE}\s{_SECOND}\b|\banother(?:\sone|\s{_ONE})\b"
)
_ALL = _pattern(
    rf"\bwelche\s(?:\w+\s)?{_MORE}\b|\bwelche\ssind\b|\b(?:zeig|nenn|sag)\w*\b.*\balle\b.*\b{_MORE}\b"
    rf"|\bsonst\snoch\soffen\b|\bwhich\s(?:\w+\s)?(?:{_MORE}|ones)\b|\bwhat\sare\sthe\sothers?\b"
    rf"|\bwhat\sother\s{_MORE}\b|\b(?:show|list|tell)\b.*\ball\b.*\b{_MORE}\b"
)
_NO_FIRST = _pattern(r"^\W*(?:nein|nee?|nö|no|nope)\b")
_DENIES = _pattern(r"\b(?:nicht|nie|kein\w*|no|not|never|none)\b|n['’]t\b")
_YES_FIRST = _pattern(r"^\W*(?:ja+|jo|ok(?:ay)?|yes|yeah|yep)\b")
_BESIDE = _pattern(
    rf"\b(?:{_ONE}|{_MORE}|andere[nr]?|zweite[nr]?|ersten?|other|others|another|second|first"
    r"|und|aber|ja|gern|bitte|halt|eher|doch|schon|noch|sonst|erst|erstmal|zuerst|mal|denn|eigentlich|gerade"
    r"|was|wie|welche[nr]?|f(?:ü|ue)r|ist|is|w(?:ä|ae)re?n?|sind|mit|um|zu|über|ueber|von|bei|der|die|das|den|dem|eine[nr]?|meine[nr]?"
    r"|mir|mich|ich|wir|uns|sie|du|es|dann|da|so|auch|nur|geht['’]?s|geht|gibt['’]?s|gibt"
    r"|wichtige?r?|dringende?r?|lieber|besser|k(?:ö|oe)nn(?:en|t|te|ten)\w*|kann|w(?:ü|ue)rde?n?|m(?:ö|oe)chte?n?|wollen|will|soll(?:en)?"
    r"|anfangen|fang(?:e|en)?|an|beginnen|starten|mach(?:en|e)?|nehmen|nimm|reden|sprechen|kl(?:ä|ae)ren|los|weiter"
    r"|zeig(?:en|e)?|sag(?:en|e)?|nenn(?:en|e)?|hab(?:e|en)?|offen(?:e[nr]?)?|weitere[nr]?|alle[ns]?"
    r"|and|but|yes|okay|please|well|then|rather|instead|really|actually|more|just"
    r"|what|which|about|is|are|was|there|the|a|one|ones|my|me|to|of|for|with|on|it|that|this|they|them"
    r"|i|i['’]?d|i['’]?ll|we|you|let['’]?s|let|us|can|could|would|may|like|want|prefer|do|have|start|begin|talk|speak|deal|go"
    r"|important|urgent|matters|show|tell|list|all|open|unpaid|still|s|d)\b"
)

_PLACES: Sequence[tuple[str, int]] = (
    ("ersten?|first", 0),
    ("zweiten?|second", 1),
    ("dritten?|third", 2),
    ("vierten?|fourth", 3),
    ("letzten?|last", -1),
)
_NO_DAY = "".join(rf"(?<!\b{word} )" for word in ("on", "by", "until", "from", "before", "after"))
_NO_INVOICE = (
    r"(?!\s(?:of|h(?:ä|ae)lfte|half|rate|zahlung|mahnung|woche|instal\w*|payment|reminder|week"
    r"|month|day|time)\b)"
)
_PLACED = [
    (_pattern(rf"{_NO_DAY}\b(?:die|mit\sder|the)\s(?:{words})\b{_NO_INVOICE}"), place)
    for words, place in _PLACES
]
_TURNED_DOWN = _pattern(r"\b(?:nicht|not)\s(?:\w+\s)?(?:die|der|das|the)\b")
_FIGURE = _pattern(r"\d+(?:[.,]\d+)*(?:\s?(?:€|euros?\b|eur\b))?")
_NUMBER_END = re.compile(r"\d{3,}")
_AMOUNT = re.compile(r"(\d+)(?:[.,](\d\d))?")
_WORD = re.compile(r"\w+")
_WORD_MIN = 4


def names_other_claim(text: str) -> bool:
    """Whether a line is about the other one of two invoices, whatever else it says."""
    return _OTHER_CLAIM.search(text) is not None


def turns_to_another(text: str, *, told: bool) -> bool:
    """Whether a line does no more than to turn to another invoice.

    `told`: invoices were spoken of last, so that "the other one" means one of them.
    """
    points = names_other_claim(text) or (told and _BARE_OTHER.search(text) is not None)
    return points and _says_no_more(text)


def turns_to_first(text: str) -> bool:
    """Whether a line does no more than to turn to the invoice that was told first."""
    return _FIRST_CLAIM.search(text) is not None and _says_no_more(text)


def asks_for_all(text: str) -> bool:
    """Whether a line asks which invoices there are, and no more."""
    return _ALL.search(text) is not None and _YES_FIRST.search(text) is None and _says_no_more(text)


def _says_no_more(text: str) -> bool:
    text = _NO_FIRST.sub(" ", text)
    return _DENIES.search(text) is None and re.search(r"\w", _BESIDE.sub(" ", text)) is None


@dataclass(frozen=True, slots=True)
class Choice:
    """One invoice of a list: its number, what it was for, and what is open on it."""

    invoice_number: str
    description: str
    open: Money


def picks(text: str, amounts: Sequence[Money], choices: Sequence[Choice], shown: int) -> int | None:
    """Which one of a list that was just told a line means; None where it is none or not just one.

    By a word of what it was for, the end of its number, its whole amount, or its place among those
    `shown`. Where two of these mean different ones, none is picked.
    """
    if _TURNED_DOWN.search(text):
        return None
    words, said = _words_of(text), _FIGURE.findall(text)
    plain = [one for one in said if _NUMBER_END.fullmatch(one)]
    # A bare "45" is no amount to the language understanding; beside other words it may be a day.
    alone = _says_no_more(_FIGURE.sub(" ", text))
    figures = {_minor(one) for one in said} if alone else set()
    ways = (
        [bool(words & _words_of(one.description)) for one in choices],
        [any(_digits(one.invoice_number).endswith(end) for end in plain) for one in choices],
        [one.open in amounts or one.open.minor in figures for one in choices],
        [place == _place(text, min(shown, len(choices))) for place in range(len(choices))],
    )
    meant = {means.index(True) for means in ways if means.count(True) == 1}
    return meant.pop() if len(meant) == 1 else None


def _place(text: str, shown: int) -> int | None:
    places = {place % shown for pattern, place in _PLACED if place < shown and pattern.search(text)}
    return places.pop() if len(places) == 1 else None


def _minor(figure: str) -> int | None:
    found = _AMOUNT.fullmatch(re.sub(r"[^\d.,]", "", figure))
    return int(found[1]) * 100 + int(found[2] or 0) if found else None


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _words_of(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if len(word) >= _WORD_MIN}

"""Shares of what is owed, as people write them: "die Hälfte", "two thirds", "20 %", "alles"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import List, Tuple

from pipeline.values_numbers import ValueSpan, small_number, word_numbers

_HALF = (
    r"(?:die |den |das |'ne |ne )?(?:andere |zweite |erste )?h(?:ä|ae|a)lfte|(?:die |den |das )?halbe[ns]? (?:rechnung|betrag|summe)"
    r"|(?:a |the (?:other |first )?)?half(?! an? (?:hour|year|day|dozen)| past| marathon| time| the time| term| hour| day)(?: of (?:it|that|the (?:amount|bill|sum)))?|50\s?%"
)
_WHOLE = (
    r"(?:(?:den |die )?gesamt(?:betrag|summe|rechnung)|(?:den |die |das )?(?:gesamte[ns]?|ganze[ns]?|kompletten?|komplette|volle[ns]?) (?:betrag|summe|rechnung|ding|batzen|sache|schuld(?:en)?)|"
    r"(?:the )?(?:full|whole|entire|total) (?:amount|sum|bill|invoice|balance|thing|lot)|in full|all of it|the lot)"
)
_SHARES: Tuple[Tuple[str, float], ...] = ((_HALF, 0.5), (_WHOLE, 1.0))
_SHARE_RULES = [(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), share) for pattern, share in _SHARES]
_PARTS = {
    "drittel": 3, "drittl": 3, "third": 3, "viertel": 4, "viertl": 4, "quarter": 4, "fünftel": 5,
    "fuenftel": 5, "fünftl": 5, "fifth": 5, "sechstel": 6, "sixth": 6, "achtel": 8, "eighth": 8,
    "zehntel": 10, "tenth": 10,
}  # fmt: skip
# "a third time", "a quarter of an hour": parts of something else.
_FRACTION = re.compile(
    r"(?<!\w)(?P<count>ein(?:en)?|'?n|zwei|drei|vier|an?|one|two|three|four)[\s-]?"
    rf"(?P<part>{'|'.join(_PARTS)})s?(?!\w)"
    r"(?!\s(?:time|party|parties|person|reminder|letter|one|option|year|hour|stunde|jahr|of an? (?:hour|year))|\s?jahr|\s?stunde)"
)
# "1/3 davon": the words behind it tell it from a day.
_SLASHED = re.compile(
    r"(?<![\w.,/])(?P<count>[123])/(?P<part>[2345])(?=\s(?:davon|der|des|vom|von|of|jetzt|sofort|gleich|now|upfront|today)\b)"
)
_EVERYTHING = r"alles|everything|it all|komplett|vollständig|vollstaendig"
# "alles klar, ich zahle": no sum.
_NOT_OWED = (
    r"(?!\s+(?:klar|gut|gute|roger|in\s+ordnung|okay|ok|andere|was|wäre|teurer|else)\b)(?!\w)"
)
_PAYS = r"(?:zu)?(?:be|ein)?(?:zahl\w*|gezahlt|(?:ü|ue)berw(?:ei|ie)s\w*|begleich\w*|pay\w*|paid|settle\w*)"
_ALL = re.compile(
    r"^\W*(?:ja |yes |dann |gleich |direkt |sofort )*(alles|everything|komplett|all)(?: auf einmal| sofort| at once| bitte| please| zusammen)?\W*$"
    rf"|\b({_EVERYTHING})\b{_NOT_OWED}(?=[^.?!]{{0,40}}?\b{_PAYS})"
    rf"|\b{_PAYS}\b(?:[^.?!]|(?<=\d)\.){{0,30}}?\b({_EVERYTHING})\b{_NOT_OWED}"
    r"|\b(alles|everything|it all|komplett)\s+(?:(?:auf|at)\s+(?:einmal|once)|auf\s+einen\s+schlag|in\s+einem\s+rutsch|sofort|jetzt|gleich|now|today|in einer)"
)
# "nicht alles", "alles auf einmal geht nicht"; "kann ich nicht alles zahlen?" asks for just that.
_NOT_ALL_BEFORE = re.compile(
    r"(?:\bnicht|(?<!why )\bnot|n['’]?t\b|\bcannot|\bunable\sto|\bnie)(?!\s(?:nur|only|mehr|more)\b)[^,.;?!]{0,25}$"
)
_NOT_ALL_AFTER = re.compile(
    r"^[^,.;?!]{0,40}\b(?:nicht|not|(?:can|could|ca|wo)n['’]?t|cannot|unm(?:ö|oe)glich|impossible|zu\sviel|too\smuch)\b"
)
_ASKS_TO = re.compile(
    r"(?:^|[,.;!]\s)\W*(?:kann|k(?:ö|oe)nnte|darf|warum|can['’]?t|couldn['’]?t|why)\s(?:ich|wir|i|we|man|not)\b[^,.;!]*$"
)
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3})\s?(?:%|prozent\b|percent\b|per cent\b)")
_PERCENT_WORD = re.compile(r"\s(?:prozent|percent|per cent)\b")


def _share(start: int, end: int, share: float) -> ValueSpan:
    return ValueSpan("amount", start, end, {"share": share})


def find_shares(text: str) -> List[ValueSpan]:
    """Return the shares in the text, as `{"share": 0 < x <= 1}`; they may overlap."""
    found = []
    for match in _PERCENT.finditer(text):
        if 0 < int(match.group(1)) <= 100:
            found.append(_share(match.start(), match.end(), int(match.group(1)) / 100))
    for number in word_numbers(text):
        percent = _PERCENT_WORD.match(text, number.end)
        if percent and 0 < number.value <= 100:
            found.append(_share(number.start, percent.end(), number.value / 100))
    for pattern in (_FRACTION, _SLASHED):
        for match in pattern.finditer(text):
            part = match.group("part").lower()
            whole = _PARTS[part] if part in _PARTS else int(part)
            count = small_number(match.group("count")) or 1
            if count < whole:
                found.append(_share(match.start(), match.end(), round(count / whole, 2)))
    for pattern, share in _SHARE_RULES:
        for match in pattern.finditer(text):
            if share < 1 or not _is_turned_down(text, match.start(), match.end()):
                found.append(_share(match.start(), match.end(), share))
    for match in _ALL.finditer(text):
        group = match.lastindex or 0
        if not _is_turned_down(text, match.start(group), match.end(group)):
            found.append(_share(match.start(group), match.end(group), 1.0))
    return found


def _is_turned_down(text: str, start: int, end: int) -> bool:
    """Whether the whole sum at this place is what cannot be paid."""
    before = text[:start]
    negated = _NOT_ALL_BEFORE.search(before) or _NOT_ALL_AFTER.search(text[end:])
    return bool(negated) and not _ASKS_TO.search(before)

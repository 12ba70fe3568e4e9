"""Numbers of instalments, as people say them: "in drei Raten", "twice", "auf ein halbes Jahr"."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import List, Optional, Tuple

from pipeline.values_figures import Figure
from pipeline.values_numbers import ValueSpan, word_numbers

_COUNT_AFTER = re.compile(
    r"\s?-?\s?(?:(?:gleiche[nr]?|monatliche[nr]?|kleine[nr]?|bequeme[nr]?|equal|monthly|weekly|w(?:ö|oe)chentliche[nr]?|small(?:er)?)\s+)?"
    r"(?:raten?\b|monatsraten?|wochenraten?|ratenzahlungen|teilzahlungen|teilbetr(?:ä|ae)gen?|teilen?\b|h(?:ä|ae)lften\b|halves\b|zahlungen\b|schritten?\b|etappen?\b|instal?l?ments?|instal?lements?|payments?\b|rates\b|parts\b|pieces\b|goes\b|[x×](?![^\W\d_]))"
)
_COUNT_MONTHS = re.compile(r"\s?-?(?:monate?n?\b|months?\b)")
_COUNT_CONTEXT = re.compile(
    r"(?:\b(?:(?:ü|ue)ber|auf|verteil\w*|over|across|for the next|spread\w*|laufzeit(?: von)?|innerhalb(?: von)?|binnen|within|spread (?:it|this) (?:over|across))\s+(?:die n(?:ä|ae)chsten\s+|the next\s+)?)$"
)
_SPLIT_BEFORE = re.compile(r"\b(?:auf|split (?:it|this|that)?\s?(?:in|into|by)|into|in)\s+$")
_TIMES = re.compile(
    r"[\s-]?(?:mal\b|times\b)(?!\s*(?:gemahnt|geschrieben|angerufen|called|reminded))"
)
_TIMES_WORD = re.compile(
    r"\b(zwei|drei|vier|f(?:ü|ue)nf|sechs|acht|zehn|zw(?:ö|oe)lf)mal\b|\b(twice)\b|\b(thrice)\b"
)
_INSTALMENT_CONTEXT = re.compile(
    r"raten|abzahl|abstotter|abbezahl|teilzahl|aufteil|splitten|instal|split|spread|stückel|stueckel|verteil|monatlich"
)
# "auf ein halbes Jahr", "over a year": as many monthly instalments.
_YEARS = re.compile(
    r"\b(?:(?:auf|(?:ü|ue)ber|f(?:ü|ue)r|innerhalb|in|within|over|across|for)\s+|(?:aufs|(?:ü|ue)bers)\s+)"
    r"(?:(?P<half>(?:ein\s+|einem\s+|das\s+)?halbe[ns]?\s+jahr|half\s+a\s+year)|(?P<more>(?:anderthalb|eineinhalb)\s+jahre?|a\s+year\s+and\s+a\s+half)|"
    r"(?P<one>(?:ein(?:em)?\s+|das\s+(?:ganze\s+)?)?jahr|(?:a|one|the)\s+year)|(?P<two>(?:zwei|2)\s+jahren?|two\s+years|2\s+years)|(?P<three>(?:drei|3)\s+jahren?|(?:three|3)\s+years)|(?P<quarter>ein\s+(?:viertel|quartal)(?:jahr)?|a\s+quarter))(?!\w)"
)
_YEAR_COUNTS = {"half": 6, "more": 18, "one": 12, "two": 24, "three": 36, "quarter": 3}
_YEAR_CONTEXT = re.compile(
    r"raten?\b|abzahl|abstotter|abbezahl|teilzahl|aufteil|aufgeteilt|splitten|instal|split|spread|st(?:ü|ue)ckel|verteil|streck|monatlich|monthly|\bpay\w* (?:it|this)? ?(?:off|over)|plan"
)
_COUNT_MAX = 120


def _is_number_next(text: str, position: int) -> bool:
    """Whether a number follows, as the amount does in "dreimal je 50"."""
    joint = re.compile(r"\s(?:je(?:weils)?\s)?").match(text, position)
    if joint is None:
        return False
    word = next(word_numbers(text[joint.end() :]), None)
    return text[joint.end() : joint.end() + 1].isdigit() or (word is not None and not word.start)


def find_count(text: str, number: Figure) -> Optional[Tuple[int, int]]:
    """Return where the number of instalments stands, if the figure is one."""
    if not number.is_whole or not 1 <= number.hundredths // 100 <= _COUNT_MAX:
        return None
    before, after = text[: number.start], text[number.end :]
    # "2. Rate": an ordinal, not a number of instalments.
    if re.match(r"\.\s?\w", after):
        return None
    suffix = _COUNT_AFTER.match(after)
    if suffix:
        return number.start, number.end + suffix.end()
    months = _COUNT_MONTHS.match(after)
    if months and (_COUNT_CONTEXT.search(before) or _INSTALMENT_CONTEXT.search(text)):
        return number.start, number.end + months.end()
    times = _TIMES.match(after)
    if times and (
        _is_number_next(text, number.end + times.end())
        or _SPLIT_BEFORE.search(before)
        or _INSTALMENT_CONTEXT.search(text)
        or "je" in after
    ):
        return number.start, number.end + times.end()
    if (
        _SPLIT_BEFORE.search(before)
        and (_INSTALMENT_CONTEXT.search(text) or re.search(r"\bpay in $", before))
        and not re.match(r"\s?\w", after)
    ):
        return number.start, number.end
    return None


def find_spoken_counts(text: str) -> List[ValueSpan]:
    """Return the numbers of instalments that no figure says: years, and "dreimal"."""
    found: List[ValueSpan] = []
    for match in _YEARS.finditer(text):
        is_half = match.lastgroup == "half" and match.group().lower().startswith(("auf", "ü", "ov"))
        if not (is_half or _YEAR_CONTEXT.search(text)):
            continue
        found.append(
            ValueSpan("count", match.start(), match.end(), _YEAR_COUNTS[str(match.lastgroup)])
        )
    for match in _TIMES_WORD.finditer(text):
        if (
            _INSTALMENT_CONTEXT.search(text)
            or _SPLIT_BEFORE.search(text[: match.start()])
            or _is_number_next(text, match.end())
        ):
            found.append(ValueSpan("count", match.start(), match.end(), _times(match)))
    return found


def _times(match: "re.Match[str]") -> int:
    if match.group(2):
        return 2
    if match.group(3):
        return 3
    return next(iter(word_numbers(match.group(1)))).value

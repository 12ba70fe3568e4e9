"""Words whose sound or spelling changes by rule: weekdays, numbers, and slips of the finger.

Dialects differ in how they say "-tag" and "-zig", not in which words they put it on; a list of
all of them would never be whole. `dialects.py` lists what follows no rule.
"""

import re
from functools import lru_cache
from itertools import chain
from typing import Dict, Iterator, Optional, Tuple

from babel.dates import get_day_names, get_month_names

_TAG = r"[dt](?:[aoäå]{1,2}[gch]{1,2}|i(?:g|ch)|a)"
_WEEKDAYS: Tuple[Tuple[str, str], ...] = (
    ("montag", rf"m(?:[oöäaå]|aa|ää|oa|ee|e)n{_TAG}"),
    ("dienstag", rf"(?:d(?:ie|ea|e|ä)n+s(?:ch)?|dings?|z[iy]{{1,2}}sch?){_TAG}"),
    ("mittwoch", r"mi(?:tt|dd)(?:w(?:[oua]|oa)ch[ae]?|ich|eweke?n?)|migg[ae]"),
    ("donnerstag", rf"(?:d[ou]nn?(?:er|a)s?(?:ch)?|d[ou]n?sch|dunner|pfin[sz]){_TAG}"),
    ("freitag", rf"fr(?:[aeiy]|ei|ai|ee|ii){_TAG}"),
    ("samstag", rf"s[aåo]m(?:s(?:ch)?|bs)?{_TAG}|s(?:ü|u)nn?avend|saterdag"),
    ("sonntag", rf"s(?:[ou]nn?|ünn){_TAG}"),
)
# Standard words that the rules for weekdays would take.
_NO_WEEKDAY = frozenset(["friedig", "mantig", "manta", "santa"])

# "nächschti", "erschte", "letschten".
_SCHT: Tuple[Tuple[str, str], ...] = (
    ("nächste", r"n(?:ä|ae)(?:ch|g)scht[ie]?"),
    ("nächsten", r"n(?:ä|ae)(?:ch|g)scht(?:en|n|a)"),
    ("ersten", r"erscht(?:en?|n|a|i)"),
    ("letzte", r"letscht[ie]"),
    ("letzten", r"letscht(?:en|n|a)"),
)

_FORMS = tuple((name, re.compile(pattern)) for name, pattern in (*_WEEKDAYS, *_SCHT))

_ZIG = r"(?:zi(?:g|ch|sch|s)|z(?:g|sch|ch)|tig|tich)"
_SSIG = r"(?:(?:ß|ss|s)(?:i(?:g|ch|sch)|g|sch|ch)|tig)"
_ONES: Tuple[Tuple[str, str], ...] = (
    ("ein", r"oan|oa|een"),
    ("zwei", r"zw(?:ei|oa|oi|o|ee|öi|e)|twee"),
    ("drei", r"dr(?:ei|ee|oi|ü{1,2}|ai)"),
    ("vier", r"v?f?(?:ier|iar|ia|eer)"),
    ("fünf", r"f(?:ü|ue|i|ö)(?:nf|mpf|mf|f)|fief"),
    ("sechs", r"s(?:e|ä)(?:ch|k)s|söss"),
    ("sieben", r"sieb(?:en|n)|siem|siab|söven"),
    ("acht", r"acht|ocht"),
    ("neun", r"n(?:eu|ei|ü{1,2})n|negen"),
)
_TENS: Tuple[Tuple[str, str], ...] = (
    ("zwanzig", rf"(?:zw(?:a|ä|oa|o)n|twin){_ZIG}"),
    ("dreißig", rf"(?:dr(?:ei|i|ü|oi|ee|ai)|dör){_SSIG}"),
    ("vierzig", rf"v(?:ier|ia|iar|eer){_ZIG}"),
    ("fünfzig", rf"f(?:ünf|uenf|uff?|uch|üff?|ueff|off?|öff|imf|umf){_ZIG}"),
    ("sechzig", rf"s(?:ech|äch|öss|echs){_ZIG}"),
    ("siebzig", rf"s(?:ieb|ib|ie[bw]e|öven|öben){_ZIG}"),
    ("achtzig", rf"(?:acht?|och|tach){_ZIG}"),
    ("neunzig", rf"(?:neun|nein|nün|negen){_ZIG}"),
)
_TEENS: Tuple[Tuple[str, str], ...] = (
    ("fünfzehn", r"f(?:ünf|uenf|uff|uch|üff?|off|öff)(?:zehn|zea|tein)"),
    ("sechzehn", r"s(?:ech|äch|öss)(?:zehn|tein)"),
    ("siebzehn", r"s(?:ieb|ib|öven)(?:zehn|tein)"),
    ("achtzehn", r"acht?(?:zehn|tein)"),
)
_PARTS: Tuple[Tuple[str, str], ...] = (
    ("tausend", r"[td]ausend|tausnd|tuusig|dusend"),
    ("hundert", r"h[uo]n(?:d(?:er[td]|at|ad)|n(?:ert?|at|ad|erd))"),
    *_TENS,
    *_TEENS,
    *_ONES,
    ("und", r"und|ond|un|a|e|en|ed"),
)
_PART = re.compile("|".join(f"(?P<p{i}>{pattern})" for i, (_, pattern) in enumerate(_PARTS)))
# Behind a number: "zwanzgsten" is a day, "fuchzga" and "fuffis" are notes.
_ENDINGS: Tuple[Tuple[str, str], ...] = (
    ("", r"e?"),
    (r"\1", r"(s?te[nrsm]?)"),
    ("sten", r"stn"),
    ("ten", r"tn"),
    ("er", r"er|a|ers|as"),
)
_ENDING_FORMS = tuple((plain, re.compile(pattern)) for plain, pattern in _ENDINGS)
# A number of a dialect begins like one; most words do not, and are left at once.
_MAY_BE_NUMBER = re.compile(r"o|e|z|t|d|v|f|s|a|n|h")
_ONES_NAMES = frozenset(name for name, _ in _ONES)
# The parts before this place make a number that is worth changing: "oa" alone does not.
_LARGE_COUNT = len(_TENS) + len(_TEENS) + 2
_NUMBER_LENGTH_MAX = 40


def _number(word: str) -> Optional[str]:
    """Return a number word of a dialect in standard German: "fünfazwanzg" is 25."""
    if len(word) > _NUMBER_LENGTH_MAX or not _MAY_BE_NUMBER.match(word):
        return None
    position, parts, is_large, last = 0, [], False, ""
    while True:
        for plain, ending in _ENDING_FORMS:
            match = ending.fullmatch(word, position)
            if match and is_large and (parts and parts[-1] != "und"):
                return "".join(parts) + match.expand(plain)
        match = _PART.match(word, position)
        if match is None or match.end() == position:
            return None
        index = int(str(match.lastgroup)[1:])
        plain = _PARTS[index][0]
        # "a" and "e" join only ones and tens: "fünf-a-zwanzig".
        if plain == "und" and last not in _ONES_NAMES:
            return None
        parts.append(plain)
        is_large = is_large or index < _LARGE_COUNT
        last, position = plain, match.end()


def _slips(word: str) -> Iterator[str]:
    """The word with one letter left out, doubled, or swapped with the next; the first is kept."""
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i] + word[i:]
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _names() -> Iterator[str]:
    for locale in ("de", "en"):
        names = chain(
            get_day_names("wide", locale=locale).values(),
            get_month_names("wide", locale=locale).values(),
        )
        yield from (name.lower() for name in names)
    yield from ("gestern", "vorgestern", "übermorgen", "uebermorgen", "tomorrow", "yesterday")


_NAME_LENGTH_MIN = 6
# Slips of more than one letter that are common.
_SPECIAL_SLIPS = {"wensday": "wednesday", "frietag": "freitag", "febuary": "february"}


def _all_slips() -> Dict[str, str]:
    names = [name for name in _names() if len(name) >= _NAME_LENGTH_MIN]
    slips = {slip: name for name in names for slip in _slips(name)}
    right = set(_names())
    return {
        **{slip: name for slip, name in slips.items() if slip not in right},
        **_SPECIAL_SLIPS,
    }


_SLIPS = _all_slips()


# Numbers that are spoken like this everywhere.
_EVERYDAY = re.compile(r"fuffz|dreiss")


@lru_cache(maxsize=8192)
def _dialect(word: str) -> Optional[str]:
    if word not in _NO_WEEKDAY:
        for name, form in _FORMS:
            if form.fullmatch(word):
                return None if word == name else name
    number = _number(word)
    return None if number == word else number


def regular(word: str) -> Optional[str]:
    """Return the standard form of a word (lower case), or None where no rule changes it."""
    return _SLIPS.get(word) or _dialect(word)


def is_dialect(word: str) -> bool:
    """Whether the word (lower case) is one that only dialects form so."""
    return _dialect(word) is not None and not _EVERYDAY.search(word)

"""Names and spellings of days, months and their parts, German and English, as patterns."""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import Dict, Sequence

from babel.dates import get_day_names, get_month_names


def _names(*widths: Dict[int, str]) -> Dict[str, int]:
    return {name.lower().rstrip("."): key for names in widths for key, name in names.items()}


WEEKDAYS: Dict[str, int] = {
    **_names(get_day_names("wide", locale="de"), get_day_names("wide", locale="en")),
    **_names(get_day_names("abbreviated", locale="de"), get_day_names("abbreviated", locale="en")),
    "sonnabend": 5, "tues": 1, "thur": 3, "thurs": 3, "weds": 2, "freitach": 4, "freidag": 4,
    "friday": 4, "firday": 4, "freitg": 4, "firtag": 4, "mondag": 0, "dinstag": 1, "mitwoch": 2,
    "wensday": 2, "wednsday": 2, "donerstag": 3, "thusday": 3, "satuday": 5,
}  # fmt: skip
MONTHS: Dict[str, int] = {
    **_names(get_month_names("wide", locale="de"), get_month_names("wide", locale="en")),
    **_names(get_month_names("abbreviated", locale="de")),
    **_names(get_month_names("abbreviated", locale="en")),
    "jänner": 1, "jaenner": 1, "feber": 2, "maerz": 3, "marz": 3, "mrz": 3, "jul": 7, "jun": 6,
    "sept": 9, "okt": 10, "dez": 12, "dezemba": 12, "dezmber": 12, "janaur": 1,
}  # fmt: skip
ORDINALS: Dict[str, int] = {
    stem: day
    for day, stems in enumerate(
        ["erst", "zweit", "dritt", "viert", "fünft|fuenft", "sechst", "siebt|siebent", "acht", "neunt", "zehnt", "elft", "zwölft|zwoelft", "dreizehnt", "vierzehnt", "fünfzehnt|fuenfzehnt", "sechzehnt", "siebzehnt", "achtzehnt", "neunzehnt", "zwanzigst", "einundzwanzigst", "zweiundzwanzigst", "dreiundzwanzigst", "vierundzwanzigst", "fünfundzwanzigst|fuenfundzwanzigst", "sechsundzwanzigst", "siebenundzwanzigst", "achtundzwanzigst", "neunundzwanzigst", "dreißigst|dreissigst", "einunddreißigst|einunddreissigst"],
        start=1,
    )
    for stem in stems.split("|")
}  # fmt: skip
ENGLISH_ORDINALS: Dict[str, int] = {
    word: day
    for day, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first"],
        start=1,
    )
}  # fmt: skip

_ONES = ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
# As they are dictated: "am fünf Dezember".
CARDINALS: Dict[str, int] = {
    **{word: day for day, word in enumerate([*_ONES[1:], "zehn", "elf", "zwölf"], start=2)},
    **{f"{ones}zehn": 10 + day for day, ones in enumerate(_ONES, start=1) if day in (3, 4, 5, 8, 9)},
    "sechzehn": 16, "siebzehn": 17, "zwanzig": 20, "dreißig": 30, "einunddreißig": 31,
    **{f"{ones}undzwanzig": 20 + day for day, ones in enumerate(_ONES, start=1)},
}  # fmt: skip


def _any(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


LONG_WEEKDAY = _any([word for word in WEEKDAYS if len(word) > 4])
SHORT_WEEKDAY = _any([word for word in WEEKDAYS if len(word) <= 4 or word in ("thurs",)])
TIME_OF_DAY = r"(?:\s?(?:fr(?:ü|ue)h|morgen|vormittag|mittag|nachmittag|abend|nacht|morning|evening|noon|night))?"
WEEKDAY = (
    rf"(?:(?P<weekday>{LONG_WEEKDAY}){TIME_OF_DAY}\b|(?P<short>\b(?:fri|tues|thurs|weds)\b)"
    rf"|(?<=\bam )(?P<after_am>mo|di|mi|do|fr|sa|so)\b\.?"
    r"|\b(?P<timed>mo|di|mi|do|fr|sa)(?=\.?\s(?:fr(?:ü|ue)h|morgen|vormittag|mittag|nachmittag|abend)\b)"
    rf"|(?:(?<=\bbis )|(?<=\bbis zum )|(?<=sten )|(?<=enden )|(?<=diesen )|(?<=\bden )|(?<=\bon )|(?<=\bby )|(?<=\bnext )"
    rf"|(?<=\bthis )|(?<=\buntil )|(?<=\btill ))(?P<after_by>mo|di|mi|do|fr|sa|mon|tue|wed|thu|thur|sat|sun)\b\.?)"
)  # fmt: skip
MONTH = rf"(?P<month>{_any(list(MONTHS))})\b\.?"
YEAR = r"(?:,?\s*(?P<year>(?:19|20)\d\d)\b|\s?(?P<short_year>[''’]\d\d)\b|,?\s+(?P<spoken_year>neunzehnhundert\w+|zweitausend\w*|nineteen[\s-]\w+(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?)\b)?"
ORDINAL_DE = rf"(?:{_any(list(ORDINALS))})(?:e[nrsm]?|n)"
ORDINAL_EN = _any(list(ENGLISH_ORDINALS))
CARDINAL = _any(list(CARDINALS))
DAY = rf"(?P<day>\d{{1,2}}(?:\s?\.|\s?(?:st|nd|rd|th)\b|te[nrsm]?\b|\b|(?=[^\W\d_]))|{ORDINAL_DE}\b|\b(?:{ORDINAL_EN})\b)"
NEXT = r"(?:n(?:ä|ae|a|e)(?:ch|x)ste[nrsm]?|n(?:ä|ae|e)xte[nrsm]?|kommende[nrsm]?|folgende[nrsm]?|next|coming|following)"
NEXT_WEEK = rf"(?:{NEXT}\s+(?:woche|week|wk)|kommende\s+woche)"
AFTER_NEXT = r"(?:(?:ü|ue|u)bern(?:ä|ae|a)chste[nrsm]?)"
LAST = r"(?:letzte[nrsm]?|vorige[nrsm]?|vergangene[nrsm]?|last|previous|past)"
THIS = r"(?:diese[nrsm]?|this)"
_COUNT = r"(?P<count>\d{1,3}|[^\W\d_'’]+|['’]?ne[nmr]?)"
# "eine gute Woche", "zwei volle Tage".
_WELL = r"(?:\s+(?:gute|knappe|volle|ganze|full|good|whole)[nrsm]?)?"
COUNT = rf"{_COUNT}{_WELL}"
UNIT = r"(?P<unit>tage?n?s?|tg|wochen?|wo|monate?n?s?|jahre?n?s?|days?|weeks?|wks?|months?|fortnights?|years?)\b"
# Words that make a number with a dot an ordinal of something else.
NOT_A_DAY = r"(?!\s*(?:rate|mahnung|mal|stock|rechnung|versuch|instal|reminder|person|schreiben|brief|time|one\b))"
# Behind a number that is a sum and no day of a month: "ab Februar 30 monatlich".
PAID_SO_OFTEN = (
    r"\s(?:monatlich|monthly|weekly|im monat|pro|per|alle|every|jede[nrs]?|a month|a week)\b"
)

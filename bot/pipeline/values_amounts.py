"""Amounts of money, shares and numbers of instalments, as people write them.

Amounts are in minor units (cents). Only euros are understood: an amount in another currency is
none. A number without a currency is an amount where its surroundings say so.
"""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from pipeline.values_numbers import ARTICLES, ValueSpan, parse_decimal, word_numbers
from pipeline.values_periods import find_periods, find_rhythm, without_rhythm
from pipeline.values_shares import find_shares


@dataclass(frozen=True)
class _Number:
    start: int
    end: int
    hundredths: int
    is_whole: bool
    is_word: bool = False
    is_note: bool = False


_DIGITS = re.compile(
    r"(?:(?<![\w.,/:])|(?<=\d[x×]))(?<![a-zA-Z]-)(?:\d{1,3}(?:[.,' ]\d{3})+|\d{1,7})(?:[.,]\d{1,2}(?!\d)|[.,](?:-{1,2}|–))?(?!\d|/\d)"
)
# "nen 50er": a note; "am 20er" is a day, "die 90er" are years.
_NOTE_DIGITS = re.compile(
    r"(?:\b(?:ein(?:en?|em)?|'?n(?:en?|em)?|an?|noch|jeden|je|zwei|drei|vier|two|three)\s)(?P<note>5|10|20|50|100|200|500)er\b(?!\s*jahre)",
    re.IGNORECASE,
)
_NOTE_WORD = re.compile(
    r"(?:(?:zehn|zwanzig|dreißig|fünf|fünfzig|hundert|tausend)er|f(?:ü|ue)nfer|zwanni|fuffi|hunni|tenner|fiver|grand|fifties|twenties)s?$",
    re.IGNORECASE,
)
_NOTES_MAX = 50
_ENGLISH_ONES = frozenset(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
# "2k", "1,5k".
_THOUSANDS = re.compile(r"\s?k\b(?!\s?m)", re.IGNORECASE)
_EURO = r"(?:€|eur(?:o|os|onen)?s?\b|euronen\b|eu?r?o?nen\b|ois\b|euronnen\b|€uro\b|tacken\b|flocken\b|m(?:ä|ae)use\b|piepen\b|(?:ö|oe)cken\b|ocken\b|kr(?:ö|oe)ten\b)"
_CENT = r"(?:cents?|ct)\b"
_OTHER_CURRENCY = re.compile(
    r"\s*(?:\$|£|(?:us[\s-]?)?dollars?|us\$|usd|pounds?|gbp|quid|bucks|chf|s?fr\.|sfr|franken|fr(?:ä|ae)nkli|francs?|stutz|bitcoins?|btc|yen|zloty|pln|kronen|lira|forint|rubel)(?!\w)",
    re.IGNORECASE,
)
_OTHER_BEFORE = re.compile(r"(?:\$|£|usd|gbp|chf)\s?$", re.IGNORECASE)
_MONTHS_BEGIN = r"(?:jan|feb|m(?:ä|ae)r|mar|apr|ma[iy]\b|jun|jul|aug|sep|okt|oct|nov|de[zc])"
_EURO_BEFORE = re.compile(r"(?:€|\beuro?)\s?$", re.IGNORECASE)
_EURO_AFTER = re.compile(rf"(?:-ish|ish)?[\s-]?{_EURO}", re.IGNORECASE)
_EURO_RANGE = re.compile(rf"\s[^\W\d_]+\s{_EURO}", re.IGNORECASE)
_CENT_AFTER = re.compile(rf"\s?{_CENT}", re.IGNORECASE)
_MORE_CENTS = re.compile(
    rf"(?:\s(?:(?:und|and)\s)?|(?<=€))(\d{{1,2}})(?:\s?{_CENT}|(?!\s?\w|[.,]\d|\s?%))"
    # "49 Euro 90 sind raus", but no day: "49 Euro 15. Dezember", "49 Euro 15 Dez".
    rf"|(?:\s|(?<=€))(\d\d)(?=\s(?!x\b|{_MONTHS_BEGIN})[^\W\d_])",
    re.IGNORECASE,
)
_PERIOD_AFTER = (
    r"(?:(?:im|pro|je|jede[nrs]?|per|a|each|every|every single|/|am|in the|p\.?)\s?(?:monat|month|mo\b|mon\b|m\b|woche|week|wk)"
    r"|(?:in der|die|jede|each|every|per|a)\s(?:woche|week)|/\s?(?:monat|mon|month|mo|m|week|woche)\b"
    r"|monatlich|w(?:ö|oe)chentlich|monthly|weekly|mtl\.?|mntl\.?|p\.?\s?m\.?(?!\w)|pm\b)"
)
_SAID_AFTER = re.compile(
    r"\s*(?:" + _PERIOD_AFTER + r"|,-+|"
    r"(?:geht|gehen|ginge|gingen|g(?:ä|ae)be|w(?:ä|ae)ren?|passt|passen|schaff\w*|kann ich|k(?:ö|oe)nnte?n?|k(?:ö|oe)nn?t ich|zahl\w*|bezahl\w*|"
    r"(?:ü|ue)berweis\w*|anbieten|anzahl\w*|drin|max\w*|h(?:ö|oe)chstens|sofort|jetzt gleich|abzahl\w*|locker|"
    r"is (?:all|the most|what|fine|ok\w*|possible|doable)|works|would (?:work|be)|right now|upfront|up front|at a time|tops|max|down|today|now)\b)",
    re.IGNORECASE,
)
_SAID_BEFORE = re.compile(
    r"(?:\b(?:zahl\w*|bezahl\w*|(?:ü|ue)berwei\w*|gezahlt|h(?:ö|oe)chstens|maximal|max\.?|nur|mindestens|jeweils|je|(?:à|a|zu|von) je|"
    r"raten (?:von|zu|à|a)|raten? (?:von|(?:ü|ue)ber|zu)|monatsrate(?:n)? von|rate(?:n)?:?|betrag:?|betrag von|summe von|anzahlung von|"
    r"schaffe?|anbieten:?|biete|eher|lieber|bis zu|pay|paid|send|sent|transfer\w*|manage|afford|offer|only|at most|up to|"
    r"instal?lments of|payments of|maximum(?: of)?|max|about|around|roughly|just|say|do|spare|give (?:you|u)|rate of|amount of|"
    r"k(?:ö|oe)nnte?(?: ich| monatlich| nur)?|kann(?: ich)?(?: h(?:ö|oe)chstens| nur| monatlich| maximal)?|monatlich|im monat|with|mit))"
    r"\s+(?:(?:ich|wir|i|we|so|etwa|ca\.?|circa|ungef(?:ä|ae)hr|vielleicht|erstmal|erst mal|ihnen|dir|euch|you|u|maybe|like|about|jetzt|monatlich|nur|only|maximal|h(?:ö|oe)chstens|the|die|den|das|so|um|um die|noch|dann|auch|just|at least|mindestens|gut|knapp|rund)\s+)*$",
    re.IGNORECASE,
)
_OTHER_UNIT = re.compile(
    r"\s?-?(?:%|prozent|percent|per cent|x\b|mal\b|times\b|raten?\b|monatsraten?|teil\w*|instal?l\w*|payments?\b|zahlungen|rates?\b|monat(?:e|en)?\b|months?\b|"
    r"wochen?\b|weeks?\b|tage?n?\b|days?\b|jahre?n?\b|years?\b|uhr|stunden?|hours?|minuten?|minutes?|kinder|kids|personen|st(?:ü|ue)ck|pieces|artikel|items|"
    r"paar|mahnung|rechnung|invoices?|emails?|mails?|briefe|letters|anrufe|calls|jahr\b|kg|mb|gb|km)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^[\s\W]*(?:(?:ja|jo|na|naja|halt|eben|sch(?:ö|oe)n|meinetwegen|sorry|entschuldigung|quatsch|ich mein(?:e|te)|i meant?|alright|all right|well|fine|sure|(?:how|what) about|wie (?:wär'?e?|waere)n?'?s? mit|ok|okay|okey|gut|dann|also|so|ca|circa|etwa|ungef(?:ä|ae)hr|vielleicht|eher|lieber|doch|besser|hm+|oder|und|nein|ne|nee|n(?:ö|oe)|nen|nem|n|rum|herum|ein|einen|a|an|sagen wir|sagen wir mal|um die|rund|h(?:ö|oe)chstens|max|maximal|nur|"
    r"mit|bitte|yes|yeah|no|maybe|about|around|like|let'?s say|say|please|only|make it|rather|actually|instead|better|or|then|(?:w(?:ä|ae)ren|w(?:ä|ae)r|would be) (?:besser|better)|monatlich|pro monat)(?!\w)[\s\W]*)*$",
    re.IGNORECASE,
)


_AT_MOST = re.compile(
    r"\b(?:oder so|um die|rum|herum|ungef(?:ä|ae)hr|circa|ca|\d+ish|nur|h(?:ö|oe)chstens|max\w*|only|monatlich|monthly|pro|per|im monat|a month)\b",
    re.IGNORECASE,
)
# More instalments than this are no number of instalments; the policy allows fewer anyway.
COUNT_MAX = 36
# A number that is money only where the message is about money; its value is in hundredths.
LOOSE_NUMBER = "number"
_NO_MONEY_BEFORE = re.compile(
    r"(?:\b(?:bin|statt|anstatt|instead of|not|nicht|nr\.?|nummer|number|no\.?|seit|since|for|um|at|gegen|"
    r"hausnummer|straße|strasse|str\.?|artikel|art\. ?|§|paragraph|am|the|zum|vom|den|der|raum|room|i'?m|i am)|#)\s*$",
    re.IGNORECASE,
)
_NO_MONEY_AFTER = re.compile(
    r"\.\s?(?:\w|$)|\s?(?:ist|sind|is|are|war|wäre|waere)?\s?(?:mir\s)?(?:zu viel|too much|zu hoch|too high)|:\d|(?:st|nd|rd|th|ten|er)\b",
    re.IGNORECASE,
)
_ARTICLE_EURO = re.compile(
    rf"\b({'|'.join(re.escape(article) for article in ARTICLES)})\s+{_EURO}", re.IGNORECASE
)


def _numbers(text: str) -> List[_Number]:
    found = []
    for match in _DIGITS.finditer(text):
        thousands = _THOUSANDS.match(text, match.end())
        end, factor = (thousands.end(), 1000) if thousands else (match.end(), 1)
        value = parse_decimal(match.group()) * factor
        found.append(
            _Number(match.start(), end, value, value % 100 == 0 and match.group().isdigit())
        )
    taken = [(number.start, number.end) for number in found]
    words = [
        _Number(
            word.start,
            word.end,
            word.value * 100,
            True,
            True,
            _NOTE_WORD.match(text[word.start : word.end]) is not None,
        )
        for word in word_numbers(text)
        if all(word.end <= start or word.start >= end for start, end in taken)
    ]
    found += words
    for match in _NOTE_DIGITS.finditer(text):
        start = match.start("note")
        found = [number for number in found if number.start != start]
        found.append(_Number(start, match.end(), int(match.group("note")) * 100, True, True, True))
    found = _joined(text, sorted(found, key=lambda number: number.start))
    for match in _ARTICLE_EURO.finditer(text):
        if all(match.end(1) <= n.start or match.start() >= n.end for n in found):
            found.append(_Number(match.start(1), match.end(1), 100, True))
    return sorted(found, key=lambda number: number.start)


def _joined(text: str, words: List[_Number]) -> List[_Number]:
    """Return the numbers with those said in two parts as one: "zwanzig fünfzig" is 20.50."""
    joined: List[_Number] = []
    for number in words:
        first = joined[-1] if joined else None
        both = first and _in_two_parts(text, first, number)
        if first and both:
            joined[-1] = _Number(first.start, number.end, both[0], both[1], True, number.is_note)
        else:
            joined.append(number)
    return joined


def _in_two_parts(text: str, first: _Number, second: _Number) -> Optional[Tuple[int, bool]]:
    """Return hundredths and whether they are whole, if the second number goes on the first."""
    between = text[first.end : second.start]
    value, more = first.hundredths // 100, second.hundredths // 100
    if not first.is_whole or not second.is_whole:
        return None
    if second.is_note:
        is_many = between == " " and 1 < value <= _NOTES_MAX and not first.is_note
        return (value * more * 100, True) if is_many else None
    if re.fullmatch(r"\s(?:komma|point|comma)\s", between, re.IGNORECASE):
        return value * 100 + (more * 10 if more < 10 else more), False
    if between != " " or not first.is_word or not second.is_word:
        return None
    if more in (100, 1000) and 1 < value < more:
        return value * more * 100, True
    # "two fifty a month" is 250, "zwei fünfzig" is 2.50.
    if text[first.start : first.end].lower() in _ENGLISH_ONES and 10 <= more < 100:
        return (value * 100 + more) * 100, True
    # "zwanzig dreißig" is a range, "zwanzig fünfzig" is not.
    if 10 <= more < 100 and value < 1000 and more - value not in (5, 10, 20):
        return value * 100 + more, False
    return None


def money(minor: int) -> Dict[str, object]:
    """Return the value of an amount: `minor` is in cents."""
    return {"minor": minor, "currency": "EUR"}


def _amount(text: str, number: _Number) -> Optional[Tuple[int, int, int]]:
    """Return (start, end, minor units) if the number is an amount of euros."""
    before, after = text[: number.start], text[number.end :]
    if _OTHER_CURRENCY.match(after) or _OTHER_BEFORE.search(before):
        return None
    prefix = _EURO_BEFORE.search(before)
    # "50 €" in front belongs to its own number: "30 € 50".
    if prefix and not re.search(r"\d\s?€\s?$", before):
        return prefix.start(), number.end, number.hundredths
    suffix = _EURO_AFTER.match(after)
    if suffix:
        end = number.end + suffix.end()
        cents = _cents_after(text, end) if number.is_whole else None
        if cents:
            return number.start, cents[0], number.hundredths + cents[1]
        return number.start, end, number.hundredths
    cent = _CENT_AFTER.match(after)
    if cent and number.is_whole:
        return number.start, number.end + cent.end(), number.hundredths // 100
    if number.is_note:
        return number.start, number.end, number.hundredths
    if _OTHER_UNIT.match(after):
        return None
    if re.match(r",-+|,–", text[number.end - 2 : number.end]) or not number.is_whole:
        return number.start, number.end, number.hundredths
    if _SAID_AFTER.match(after) or _SAID_BEFORE.search(before):
        return number.start, number.end, number.hundredths
    if number.is_word and re.match(r"[\s.,;…-]+" + _PERIOD_AFTER, after, re.IGNORECASE):
        return number.start, number.end, number.hundredths
    if number.is_word and after[:1] == " " and _EURO_RANGE.match(after):
        second = next(word_numbers(after), None)
        if second and second.start == 1 and _EURO_AFTER.match(after, second.end):
            return number.start, number.end, number.hundredths
    other = re.match(
        rf"\s?(?:-|–|bis|to|oder|or|und|and)\s?(?:zu\s)?\d+(?:[.,]\d\d)?\s?(?:{_EURO}|{_PERIOD_AFTER})",
        after,
        re.IGNORECASE,
    )
    if other:
        return number.start, number.end, number.hundredths
    return None


def _cents_after(text: str, end: int) -> Optional[Tuple[int, int]]:
    """Return the end and the number of the cents that follow whole euros: "49 Euro 90"."""
    cents = _MORE_CENTS.match(text, end)
    if cents and cents.group(1):
        return cents.end(), int(cents.group(1))
    if cents and not (_OTHER_UNIT.match(text, cents.end()) or _EURO_AFTER.match(text, cents.end())):
        return cents.end(), int(cents.group(2))
    joint = re.match(r"\s(?:(?:und|and)\s)?(?=[^\W\d_])", text[end:], re.IGNORECASE)
    word = next(word_numbers(text[end + joint.end() :]), None) if joint else None
    if joint is None or word is None or word.start or not 1 <= word.value < 100:
        return None
    after = end + joint.end() + word.end
    unit = _CENT_AFTER.match(text[after:])
    if unit:
        return after + unit.end(), word.value
    # "fünf Euro zwei Wochen", "dreißig Euro vierzig Euro": the second number is its own.
    is_own = "nd" in joint.group().lower() or word.value < 10
    if is_own or _OTHER_UNIT.match(text[after:]) or _EURO_AFTER.match(text[after:]):
        return None
    return after, word.value


_COUNT_AFTER = re.compile(
    r"\s?-?\s?(?:(?:gleiche[nr]?|monatliche[nr]?|kleine[nr]?|bequeme[nr]?|equal|monthly|weekly|w(?:ö|oe)chentliche[nr]?|small(?:er)?)\s+)?"
    r"(?:raten?\b|monatsraten?|wochenraten?|ratenzahlungen|teilzahlungen|teilbetr(?:ä|ae)gen?|teilen?\b|h(?:ä|ae)lften\b|halves\b|zahlungen\b|schritten?\b|etappen?\b|instal?l?ments?|instal?lements?|payments?\b|rates\b|parts\b|pieces\b|goes\b|[x×](?![^\W\d_]))",
    re.IGNORECASE,
)
_COUNT_MONTHS = re.compile(r"\s?-?(?:monate?n?\b|months?\b)", re.IGNORECASE)
_COUNT_CONTEXT = re.compile(
    r"(?:\b(?:(?:ü|ue)ber|auf|verteil\w*|over|across|for the next|spread\w*|laufzeit(?: von)?|innerhalb(?: von)?|binnen|within|spread (?:it|this) (?:over|across))\s+(?:die n(?:ä|ae)chsten\s+|the next\s+)?)$",
    re.IGNORECASE,
)
_SPLIT_BEFORE = re.compile(
    r"\b(?:auf|split (?:it|this|that)?\s?(?:in|into|by)|into|in)\s+$", re.IGNORECASE
)
_TIMES = re.compile(
    r"[\s-]?(?:mal\b|times\b)(?!\s*(?:gemahnt|geschrieben|angerufen|called|reminded))",
    re.IGNORECASE,
)
_TIMES_WORD = re.compile(
    r"\b(zwei|drei|vier|f(?:ü|ue)nf|sechs|acht|zehn|zw(?:ö|oe)lf)mal\b|\b(twice)\b|\b(thrice)\b",
    re.IGNORECASE,
)
_INSTALMENT_CONTEXT = re.compile(
    r"raten|abzahl|abstotter|abbezahl|teilzahl|aufteil|splitten|instal|split|spread|stückel|stueckel|verteil|monatlich",
    re.IGNORECASE,
)
# "auf ein halbes Jahr", "over a year": as many monthly instalments.
_YEARS = re.compile(
    r"\b(?:(?:auf|(?:ü|ue)ber|f(?:ü|ue)r|innerhalb|in|within|over|across|for)\s+|(?:aufs|(?:ü|ue)bers)\s+)"
    r"(?:(?P<half>(?:ein\s+|einem\s+|das\s+)?halbe[ns]?\s+jahr|half\s+a\s+year)|(?P<more>(?:anderthalb|eineinhalb)\s+jahre?|a\s+year\s+and\s+a\s+half)|"
    r"(?P<one>(?:ein(?:em)?\s+|das\s+(?:ganze\s+)?)?jahr|(?:a|one|the)\s+year)|(?P<two>(?:zwei|2)\s+jahren?|two\s+years|2\s+years)|(?P<three>(?:drei|3)\s+jahren?|(?:three|3)\s+years)|(?P<quarter>ein\s+(?:viertel|quartal)(?:jahr)?|a\s+quarter))(?!\w)",
    re.IGNORECASE,
)
_YEAR_COUNTS = {"half": 6, "more": 18, "one": 12, "two": 24, "three": 36, "quarter": 3}
_YEAR_CONTEXT = re.compile(
    r"raten?\b|abzahl|abstotter|abbezahl|teilzahl|aufteil|aufgeteilt|splitten|instal|split|spread|st(?:ü|ue)ckel|verteil|streck|monatlich|monthly|\bpay\w* (?:it|this)? ?(?:off|over)|plan",
    re.IGNORECASE,
)
_COUNT_MAX = 120


def _is_number_next(text: str, position: int) -> bool:
    """Whether a number follows, as the amount does in "dreimal je 50"."""
    joint = re.compile(r"\s(?:je(?:weils)?\s)?").match(text, position)
    if joint is None:
        return False
    word = next(word_numbers(text[joint.end() :]), None)
    return text[joint.end() : joint.end() + 1].isdigit() or (word is not None and not word.start)


def _count(text: str, number: _Number) -> Optional[Tuple[int, int]]:
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
        and (_INSTALMENT_CONTEXT.search(text) or re.search(r"\bpay in $", before, re.IGNORECASE))
        and not re.match(r"\s?\w", after)
    ):
        return number.start, number.end
    return None


def find_amounts(text: str) -> List[ValueSpan]:
    """Return amounts, shares, counts and periods in the text; amounts and counts don't overlap.

    A number in a sentence that nothing marks as money is a `LOOSE_NUMBER`. A text that is nothing but a small number is both an amount and a count: what was asked
    decides.
    """
    found: List[ValueSpan] = []
    rhythm = find_rhythm(text)
    text = without_rhythm(text, rhythm)
    for number in _numbers(text):
        if found and number.start < found[-1].end:
            continue
        count = _count(text, number)
        bare = _is_bare(text, number)
        small = (
            bare
            and not number.is_note
            and number.hundredths // 100 <= COUNT_MAX
            and not _AT_MOST.search(text)
        )
        amount = None if count or small else _amount(text, number)
        if count:
            found.append(ValueSpan("count", *count, number.hundredths // 100))
        elif amount and amount[2] > 0 and all(amount[0] >= span.end for span in found):
            found.append(ValueSpan("amount", amount[0], amount[1], money(amount[2])))
        elif bare:
            found.extend(_bare(number, is_amount=_AT_MOST.search(text) is not None))
        elif _is_loose(text, number):
            found.append(ValueSpan(LOOSE_NUMBER, number.start, number.end, number.hundredths))
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
    found.extend(
        share
        for share in find_shares(text)
        if all(share.end <= span.start or share.start >= span.end for span in found)
    )
    periods = [rhythm] if rhythm else find_periods(text, found)
    return sorted([*found, *periods], key=lambda span: span.start)


def _times(match: "re.Match[str]") -> int:
    if match.group(2):
        return 2
    if match.group(3):
        return 3
    return next(iter(word_numbers(match.group(1)))).value


def _is_bare(text: str, number: _Number) -> bool:
    rest = text[number.end :]
    if _OTHER_UNIT.match(rest) or _OTHER_CURRENCY.match(rest):
        return False
    if _EURO_AFTER.match(rest) or _CENT_AFTER.match(rest) or re.match(r",[-–]", rest):
        return False
    if _EURO_BEFORE.search(text[: number.start]):
        return False
    return bool(
        number.is_whole
        and not _OTHER_BEFORE.search(text[: number.start])
        and _FILLER.match(text[: number.start])
        and _FILLER.match(rest)
        and not re.match(r"\.\s*$", rest)
    )


def _is_loose(text: str, number: _Number) -> bool:
    before, after = text[: number.start], text[number.end :]
    return not (
        _OTHER_UNIT.match(after)
        or _OTHER_CURRENCY.match(after)
        or _OTHER_BEFORE.search(before)
        or _NO_MONEY_BEFORE.search(before)
        or _NO_MONEY_AFTER.match(after)
        or number.hundredths < 500
        or number.hundredths >= 1_000_000
    )


def _bare(number: _Number, *, is_amount: bool) -> List[ValueSpan]:
    value = number.hundredths // 100
    if value <= 0 or value >= 10_000:
        return []
    found = [ValueSpan("amount", number.start, number.end, money(number.hundredths))]
    if value <= COUNT_MAX and not is_amount:
        found.append(ValueSpan("count", number.start, number.end, value))
    return found

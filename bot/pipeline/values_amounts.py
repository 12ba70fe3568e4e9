"""Amounts of money, as people write them, and with them shares, numbers of instalments and periods.

Amounts are in minor units (cents). Only euros are understood: an amount in another currency is
none. A number without a currency is an amount where its surroundings say so.
"""
# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from typing import Dict, List, Optional, Tuple

from pipeline.values_counts import find_count, find_spoken_counts
from pipeline.values_figures import EURO, Figure, find_figures
from pipeline.values_numbers import ValueSpan, in_small_letters, word_numbers
from pipeline.values_periods import PERIOD_AFTER, find_periods, find_rhythm, without_rhythm
from pipeline.values_shares import find_shares

_CENT = r"(?:cents?|ct)\b"
_OTHER_CURRENCY = re.compile(
    r"\s*(?:\$|£|(?:us[\s-]?)?dollars?|us\$|usd|pounds?|gbp|quid|bucks|chf|s?fr\.|sfr|franken|fr(?:ä|ae)nkli|francs?|stutz|bitcoins?|btc|yen|zloty|pln|kronen|lira|forint|rubel)(?!\w)"
)
_OTHER_BEFORE = re.compile(r"(?:\$|£|usd|gbp|chf)\s?$")
_MONTHS_BEGIN = r"(?:jan|feb|m(?:ä|ae)r|mar|apr|ma[iy]\b|jun|jul|aug|sep|okt|oct|nov|de[zc])"
_EURO_BEFORE = re.compile(r"(?:€|\beuro?)\s?$")
_EURO_AFTER = re.compile(rf"(?:-ish|ish)?[\s-]?{EURO}")
_EURO_RANGE = re.compile(rf"\s[^\W\d_]+\s{EURO}")
_CENT_AFTER = re.compile(rf"\s?{_CENT}")
_MORE_CENTS = re.compile(
    rf"(?:\s(?:(?:und|and)\s)?|(?<=€))(\d{{1,2}})(?:\s?{_CENT}|(?!\s?\w|[.,]\d|\s?%))"
    # "49 Euro 90 sind raus", but no day: "49 Euro 15. Dezember", "49 Euro 15 Dez".
    rf"|(?:\s|(?<=€))(\d\d)(?=\s(?!x\b|{_MONTHS_BEGIN})[^\W\d_])"
)
_SAID_AFTER = re.compile(
    r"\s*(?:" + PERIOD_AFTER + r"|,-+|"
    r"(?:geht|gehen|ginge|gingen|g(?:ä|ae)be|w(?:ä|ae)ren?|passt|passen|schaff\w*|kann ich|k(?:ö|oe)nnte?n?|k(?:ö|oe)nn?t ich|zahl\w*|bezahl\w*|"
    r"(?:ü|ue)berweis\w*|anbieten|anzahl\w*|drin|max\w*|h(?:ö|oe)chstens|sofort|jetzt gleich|abzahl\w*|locker|"
    r"is (?:all|the most|what|fine|ok\w*|possible|doable)|works|would (?:work|be)|right now|upfront|up front|at a time|tops|max|down|today|now)\b)"
)
_SAID_BEFORE = re.compile(
    r"(?:\b(?:zahl\w*|bezahl\w*|(?:ü|ue)berwei\w*|gezahlt|h(?:ö|oe)chstens|maximal|max\.?|nur|mindestens|jeweils|je|(?:à|a|zu|von) je|"
    r"raten (?:von|zu|à|a)|raten? (?:von|(?:ü|ue)ber|zu)|monatsrate(?:n)? von|rate(?:n)?:?|betrag:?|betrag von|summe von|anzahlung von|"
    r"schaffe?|anbieten:?|biete|eher|lieber|bis zu|pay|paid|send|sent|transfer\w*|manage|afford|offer|only|at most|up to|"
    r"instal?lments of|payments of|maximum(?: of)?|max|about|around|roughly|just|say|do|spare|give (?:you|u)|rate of|amount of|"
    r"k(?:ö|oe)nnte?(?: ich| monatlich| nur)?|kann(?: ich)?(?: h(?:ö|oe)chstens| nur| monatlich| maximal)?|monatlich|im monat|with|mit))"
    r"\s+(?:(?:ich|wir|i|we|so|etwa|ca\.?|circa|ungef(?:ä|ae)hr|vielleicht|erstmal|erst mal|ihnen|dir|euch|you|u|maybe|like|about|jetzt|monatlich|nur|only|maximal|h(?:ö|oe)chstens|the|die|den|das|so|um|um die|noch|dann|auch|just|at least|mindestens|gut|knapp|rund)\s+)*$"
)
_OTHER_UNIT = re.compile(
    r"\s?-?(?:%|prozent|percent|per cent|x\b|mal\b|times\b|raten?\b|monatsraten?|teil\w*|instal?l\w*|payments?\b|zahlungen|rates?\b|monat(?:e|en)?\b|months?\b|"
    r"wochen?\b|weeks?\b|tage?n?\b|days?\b|jahre?n?\b|years?\b|uhr|stunden?|hours?|minuten?|minutes?|kinder|kids|personen|st(?:ü|ue)ck|pieces|artikel|items|"
    r"paar|mahnung|rechnung|invoices?|emails?|mails?|briefe|letters|anrufe|calls|jahr\b|kg|mb|gb|km)"
)
_FILLER = re.compile(
    r"^[\s\W]*(?:(?:ja|jo|na|naja|halt|eben|sch(?:ö|oe)n|meinetwegen|sorry|entschuldigung|quatsch|ich mein(?:e|te)|i meant?|alright|all right|well|fine|sure|(?:how|what) about|wie (?:wär'?e?|waere)n?'?s? mit|ok|okay|okey|gut|dann|also|so|ca|circa|etwa|ungef(?:ä|ae)hr|vielleicht|eher|lieber|doch|besser|hm+|oder|und|nein|ne|nee|n(?:ö|oe)|nen|nem|n|rum|herum|ein|einen|a|an|sagen wir|sagen wir mal|um die|rund|h(?:ö|oe)chstens|max|maximal|nur|"
    r"mit|bitte|yes|yeah|no|maybe|about|around|like|let'?s say|say|please|only|make it|rather|actually|instead|better|or|then|(?:w(?:ä|ae)ren|w(?:ä|ae)r|would be) (?:besser|better)|monatlich|pro monat)(?!\w)[\s\W]*)*$"
)
_AT_MOST = re.compile(
    r"\b(?:oder so|um die|rum|herum|ungef(?:ä|ae)hr|circa|ca|\d+ish|nur|h(?:ö|oe)chstens|max\w*|only|monatlich|monthly|pro|per|im monat|a month)\b"
)
# More instalments than this are no number of instalments; the policy allows fewer anyway.
COUNT_MAX = 36
# A number that is money only where the message is about money; its value is in hundredths.
LOOSE_NUMBER = "number"
_NO_MONEY_BEFORE = re.compile(
    r"(?:\b(?:bin|statt|anstatt|instead of|not|nicht|nr\.?|nummer|number|no\.?|seit|since|for|um|at|gegen|"
    r"hausnummer|straße|strasse|str\.?|artikel|art\. ?|§|paragraph|am|the|zum|vom|den|der|raum|room|i'?m|i am)|#)\s*$"
)
_NO_MONEY_AFTER = re.compile(
    r"\.\s?(?:\w|$)|\s?(?:ist|sind|is|are|war|wäre|waere)?\s?(?:mir\s)?(?:zu viel|too much|zu hoch|too high)|:\d|(?:st|nd|rd|th|ten|er)\b"
)


def money(minor: int) -> Dict[str, object]:
    """Return the value of an amount: `minor` is in cents."""
    return {"minor": minor, "currency": "EUR"}


def _amount(text: str, number: Figure) -> Optional[Tuple[int, int, int]]:
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
    if number.is_word and re.match(r"[\s.,;…-]+" + PERIOD_AFTER, after):
        return number.start, number.end, number.hundredths
    if number.is_word and after[:1] == " " and _EURO_RANGE.match(after):
        second = next(word_numbers(after), None)
        if second and second.start == 1 and _EURO_AFTER.match(after, second.end):
            return number.start, number.end, number.hundredths
    other = re.match(
        rf"\s?(?:-|–|bis|to|oder|or|und|and)\s?(?:zu\s)?\d+(?:[.,]\d\d)?\s?(?:{EURO}|{PERIOD_AFTER})",
        after,
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
    joint = re.match(r"\s(?:(?:und|and)\s)?(?=[^\W\d_])", text[end:])
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


def find_amounts(text: str) -> List[ValueSpan]:
    """Return amounts, shares, counts and periods in the text; amounts and counts don't overlap.

    A number in a sentence that nothing marks as money is a `LOOSE_NUMBER`. A text that is nothing but a small number is both an amount and a count: what was asked
    decides.
    """
    text = in_small_letters(text)
    found: List[ValueSpan] = []
    rhythm = find_rhythm(text)
    text = without_rhythm(text, rhythm)
    for number in find_figures(text):
        if found and number.start < found[-1].end:
            continue
        count = find_count(text, number)
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
    found.extend(find_spoken_counts(text))
    found.extend(
        share
        for share in find_shares(text)
        if all(share.end <= span.start or share.start >= span.end for span in found)
    )
    periods = [rhythm] if rhythm else find_periods(text, found)
    return sorted([*found, *periods], key=lambda span: span.start)


def _is_bare(text: str, number: Figure) -> bool:
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


def _is_loose(text: str, number: Figure) -> bool:
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


def _bare(number: Figure, *, is_amount: bool) -> List[ValueSpan]:
    value = number.hundredths // 100
    if value <= 0 or value >= 10_000:
        return []
    found = [ValueSpan("amount", number.start, number.end, money(number.hundredths))]
    if value <= COUNT_MAX and not is_amount:
        found.append(ValueSpan("count", number.start, number.end, value))
    return found

"""From what was said to a day: functions of the given day and of the tense.

Conventions (every agreement is repeated with its full date and confirmed):
- a weekday is its next occurrence after today; with "nächsten"/"next" the one after that where
  the next is at most two days away;
- a part of a month or week is its first, middle or last day (Friday for a week's end).
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Callable, Dict, FrozenSet, Optional, Tuple

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from pipeline.date_words import AFTER_NEXT, CARDINALS, ENGLISH_ORDINALS, LAST, NEXT, ORDINALS
from pipeline.values_numbers import word_value

# (today, looking back?) → the day, or None where there is none to be known.
Resolver = Callable[[date, bool], Optional[date]]


def day_of(token: str) -> Optional[int]:
    """Return the day of the month that "15.", "3rd" or "fünfzehnten" names, or None."""
    token = token.lower().strip()
    digits = re.match(r"\d+", token)
    if digits:
        day = int(digits.group())
        return day if 1 <= day <= 31 else None
    if token in ENGLISH_ORDINALS:
        return ENGLISH_ORDINALS[token]
    if token in CARDINALS:
        return CARDINALS[token]
    return ORDINALS.get(re.sub(r"(?:e[nrsm]?|n)$", "", token))


def _valid(year: int, month: int, day: int) -> Optional[date]:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def in_year(month: int, day: int, year: Optional[int]) -> Resolver:
    """A day and month: with its year, or the nearest one in the direction of the tense."""

    def resolve(today: date, past: bool) -> Optional[date]:
        if year is not None:
            return _valid(year, month, day)
        years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
        for candidate in years:
            found = _valid(candidate, month, day)
            if found and (found <= today if past else found >= today):
                return found
        return None

    return resolve


def full_year(text: Optional[str]) -> Optional[int]:
    """Return the year of "2026", "26" or "'85" (1940 to 2039), or None for an empty text."""
    if not text:
        return None
    if text[0].isalpha():
        return _spoken_year(text.lower())
    digits = int(re.sub(r"\D", "", text))
    if digits >= 100:
        return digits
    return digits + (2000 if digits < 40 else 1900)


def _spoken_year(words: str) -> Optional[int]:
    if words.startswith("nineteen"):
        tail = word_value(re.sub(r"^nineteen[\s-]+", "", words))
        return 1900 + tail if tail is not None and tail < 100 else None
    return word_value(words)


def nth_weekday(number: int, which: int, month: Optional[int], months: int) -> Resolver:
    """The first (1) to fourth or last (-1) such weekday of a month."""

    def of(first: date) -> date:
        days = [first + timedelta(days=day) for day in range(_month_end(first).day)]
        return [day for day in days if day.weekday() == number][which - 1 if which > 0 else -1]

    def resolve(today: date, past: bool) -> Optional[date]:
        first = today.replace(day=1) + relativedelta(months=months)
        if month is None:
            found = of(first)
            step = relativedelta(months=-1 if past else 1)
            is_wrong = found > today if past else found < today
            return of(first + step) if is_wrong and not months else found
        found = of(first.replace(month=month))
        if past and found > today:
            return of(first.replace(month=month, year=first.year - 1))
        if not past and found < today:
            return of(first.replace(month=month, year=first.year + 1))
        return found

    return resolve


def day_of_month(day: int) -> Resolver:
    """The next (or last) month that has this day on the right side of today."""

    def resolve(today: date, past: bool) -> Optional[date]:
        for step in range(13):
            first = today.replace(day=1) + relativedelta(months=-step if past else step)
            found = _valid(first.year, first.month, day)
            if found and (found <= today if past else found >= today):
                return found
        return None

    return resolve


def weekday(number: int, *, skips_near: bool = False, weeks: int = 0) -> Resolver:
    """The next (or last) such weekday, never today; 0 is Monday."""

    def resolve(today: date, past: bool) -> Optional[date]:
        if past:
            return today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
        ahead = (number - today.weekday() - 1) % 7 + 1
        if skips_near and ahead <= 2:
            ahead += 7
        return today + timedelta(days=ahead + 7 * weeks)

    return resolve


def weekday_in_week(number: int, weeks: int) -> Resolver:
    """The weekday of the calendar week that starts `weeks` weeks from this one."""

    def resolve(today: date, past: bool) -> Optional[date]:
        return today - timedelta(days=today.weekday()) + timedelta(days=number + 7 * weeks)

    return resolve


def shifted(unit: str, count: int) -> Resolver:
    """So many days, weeks, months or years from today; negative counts look back."""

    def resolve(today: date, past: bool) -> Optional[date]:
        if unit.startswith(("tag", "tg", "day")):
            return today + timedelta(days=count)
        if unit.startswith("fortnight"):
            return today + timedelta(days=14 * count)
        if unit.startswith(("wo", "week", "wk")):
            return today + timedelta(days=7 * count)
        if unit.startswith("mon"):
            return today + relativedelta(months=count)
        return today + relativedelta(years=count)

    return resolve


def nothing(today: date, past: bool) -> Optional[date]:
    """A time without a day that could be known."""
    return None


def _part_day(part: str, first: date, last: date) -> date:
    part = part.lower()
    if part.startswith(("anfang", "beginn", "begin", "start", "early")):
        return first
    if part.startswith(("mitte", "mid")):
        return first + (last - first) // 2
    return last


def month_part(part: str, month: Optional[int], step: Optional[int]) -> Resolver:
    """First, middle or last day of a month: a named one, or `step` months from this one."""

    def resolve(today: date, past: bool) -> Optional[date]:
        first = today.replace(day=1)
        if month is not None:
            first = first.replace(month=month)
            if past and first > today:
                first = first.replace(year=first.year - 1)
            elif not past and _month_end(first) < today:
                first = first.replace(year=first.year + 1)
        elif step is not None:
            first += relativedelta(months=step)
        found = _part_in_month(part, first)
        if month is None and step is None and not past and found < today:
            found = _part_in_month(part, first + relativedelta(months=1))
        return found

    return resolve


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _part_in_month(part: str, first: date) -> date:
    if part.lower().startswith(("mitte", "mid")):
        return first.replace(day=15)
    return _part_day(part, first, _month_end(first))


def step(words: str) -> Optional[int]:
    """Return 1, 2 or -1 for "next", "the one after" and "last"; None for neither."""
    if re.search(AFTER_NEXT, words, re.IGNORECASE):
        return 2
    if re.search(LAST, words, re.IGNORECASE):
        return -1
    if re.search(NEXT, words, re.IGNORECASE):
        return 1
    return None


def _easter_based(offset: int) -> Callable[[int], date]:
    return lambda year: easter(year) + timedelta(days=offset)


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _advent(sunday: int) -> Callable[[int], date]:
    """The first to fourth Sunday of Advent; the fourth is the last one before Christmas Day."""
    return lambda year: (
        date(year, 12, 24)
        - timedelta(days=(date(year, 12, 24).weekday() + 1) % 7 + 7 * (4 - sunday))
    )


def _black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 22)


# Name → the feast's first day and its last one.
FEASTS: Dict[str, Tuple[Callable[[int], date], Callable[[int], date]]] = {
    r"weihnachten|weihnacht|christmas|xmas|x-mas|(?<!zwischen )den feiertagen|the holidays": (
        _fixed(12, 24),
        _fixed(12, 26),
    ),
    r"heiligabend|heilig abend|christmas eve": (_fixed(12, 24), _fixed(12, 24)),
    r"gr(?:ü|ue)ndonnerstag|maundy thursday": (_easter_based(-3), _easter_based(-3)),
    r"karfreitag|good friday": (_easter_based(-2), _easter_based(-2)),
    r"ostersonntag|easter sunday": (_easter_based(0), _easter_based(0)),
    r"ostermontag|easter monday": (_easter_based(1), _easter_based(1)),
    r"rosenmontag": (_easter_based(-48), _easter_based(-48)),
    r"fasching|karneval|fastnacht|shrove tuesday|pancake day": (
        _easter_based(-47),
        _easter_based(-47),
    ),
    r"aschermittwoch|ash wednesday": (_easter_based(-46), _easter_based(-46)),
    r"christi himmelfahrt|himmelfahrt|vatertag|ascension day": (
        _easter_based(39),
        _easter_based(39),
    ),
    r"pfingstsonntag": (_easter_based(49), _easter_based(49)),
    r"pfingstmontag|whit monday": (_easter_based(50), _easter_based(50)),
    r"fronleichnam|corpus christi": (_easter_based(60), _easter_based(60)),
    r"heilige(?:n)? drei k(?:ö|oe)nige?n?|dreik(?:ö|oe)nig(?:stag)?|epiphany": (
        _fixed(1, 6),
        _fixed(1, 6),
    ),
    r"valentin(?:stag)?|valentine'?s(?: day)?": (_fixed(2, 14), _fixed(2, 14)),
    r"st\.? patrick'?s day": (_fixed(3, 17), _fixed(3, 17)),
    r"tag der arbeit|maifeiertag|may day|labour day": (_fixed(5, 1), _fixed(5, 1)),
    r"mari(?:ä|ae) himmelfahrt": (_fixed(8, 15), _fixed(8, 15)),
    r"tag der deutschen einheit": (_fixed(10, 3), _fixed(10, 3)),
    r"reformationstag|halloween": (_fixed(10, 31), _fixed(10, 31)),
    r"allerheiligen|all saints'?(?: day)?": (_fixed(11, 1), _fixed(11, 1)),
    r"bonfire night|guy fawkes(?: night)?": (_fixed(11, 5), _fixed(11, 5)),
    r"martinstag|sankt martin|st\.? martin": (_fixed(11, 11), _fixed(11, 11)),
    r"(?:ersten|1\.|erster) (?:weihnachtsfeiertag|weihnachtstag)|christmas day": (
        _fixed(12, 25),
        _fixed(12, 25),
    ),
    r"(?:zweiten|2\.|zweiter) (?:weihnachtsfeiertag|weihnachtstag)|stephanitag": (
        _fixed(12, 26),
        _fixed(12, 26),
    ),
    r"boxing day": (_fixed(12, 26), _fixed(12, 26)),
    r"zwischen den jahren|zwischen den feiertagen": (_fixed(12, 27), _fixed(12, 31)),
    r"(?:ersten|1\.|erster) advent": (_advent(1), _advent(1)),
    r"(?:zweiten|2\.|zweiter) advent": (_advent(2), _advent(2)),
    r"(?:dritten|3\.|dritter) advent": (_advent(3), _advent(3)),
    r"(?:vierten|4\.|vierter) advent": (_advent(4), _advent(4)),
    r"black friday": (_black_friday, _black_friday),
    r"nikolaus(?:tag)?": (_fixed(12, 6), _fixed(12, 6)),
    r"silvester|sylvester|new year'?s eve|jahreswechsel": (_fixed(12, 31), _fixed(12, 31)),
    r"neujahr|new year'?s day|(?:the )?new year'?s?": (_fixed(1, 1), _fixed(1, 1)),
    r"ostern|easter": (_easter_based(0), _easter_based(1)),
    r"pfingsten|whitsun|pentecost": (_easter_based(49), _easter_based(50)),
}


def feast(first: Callable[[int], date], last: Callable[[int], date], where: str) -> Resolver:
    """A feast day; after one the next working day, before one its eve."""

    def resolve(today: date, past: bool) -> Optional[date]:
        years = (today.year, today.year - 1) if past else (today.year, today.year + 1)
        for year in years:
            found = first(year)
            if where.startswith(("nach", "after")):
                found = _working_day(last(year) + timedelta(days=1))
            elif where.startswith(("vor", "before")):
                found = found - timedelta(days=1)
            if found <= today if past else found >= today:
                return found
        return None

    return resolve


@lru_cache(maxsize=8)
def _holidays_of(year: int) -> FrozenSet[date]:
    import holidays

    return frozenset(holidays.country_holidays("DE", years=year))


def _working_day(day: date) -> date:
    while day.weekday() == 6 or day in _holidays_of(day.year):
        day += timedelta(days=1)
    return day


def working_days(count: int) -> Resolver:
    """So many days on which banks work from today; negative counts look back."""

    def resolve(today: date, past: bool) -> Optional[date]:
        found, left = today, abs(count)
        while left:
            found += timedelta(days=1 if count > 0 else -1)
            left -= found.weekday() < 5 and found not in _holidays_of(found.year)
        return found

    return resolve


def end_of_quarter(today: date, past: bool) -> Optional[date]:
    """The last day of this quarter of the year, or of the one before."""
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return first + relativedelta(months=0 if past else 3, days=-1)


def day_in_month(day: int, months: int) -> Resolver:
    """A day of the month that is `months` months from this one."""

    def resolve(today: date, past: bool) -> Optional[date]:
        first = today.replace(day=1) + relativedelta(months=months)
        return _valid(first.year, first.month, day)

    return resolve


def in_this_week(number: int) -> Resolver:
    """The weekday of this calendar week, or of the next one where it has passed."""

    def resolve(today: date, past: bool) -> Optional[date]:
        found = weekday_in_week(number, 0)(today, past)
        if found is not None and found < today and not past:
            return found + timedelta(days=7)
        return found

    return resolve


def from_month(month: int) -> Resolver:
    """The first day of the named month, or today where it has begun."""

    def resolve(today: date, past: bool) -> Optional[date]:
        if month == today.month:
            return today.replace(day=1) if past else today
        return in_year(month, 1, None)(today, past)

    return resolve


def next_quarter(*, is_end: bool) -> Resolver:
    """The first or the last day of the quarter that follows this one."""

    def resolve(today: date, past: bool) -> Optional[date]:
        first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        return first + (relativedelta(months=6, days=-1) if is_end else relativedelta(months=3))

    return resolve


def last_working_day(today: date, past: bool) -> Optional[date]:
    """The last day of this month on which banks work, or of the one before."""
    first = today.replace(day=1)
    following = first if past else first + relativedelta(months=1)
    return working_days(-1)(following, past)

"""Default interest, § 288 BGB: base rate plus points, on the principal, without compounding.

No interest without default: callers pass ``default_since`` only where it is proved. Days are
counted as they are in the calendar, each year's over that year's own length (actual/actual: ISDA
2006 Definitions, 4.16 (b)). The day that something fell due is not counted (§ 187 I BGB), the day
of payment is. The sum is rounded once, a half cent up, as Art. 5 of Regulation (EC) No 1103/97
rounds amounts of euro; no rule speaks of interest itself.
"""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from ledger.base_rate import SHIPPED, BaseRate, base_rate_on, half_years
from ledger.money import Money

POINTS_CONSUMER = Decimal(5)
POINTS_BUSINESS = Decimal(9)
POINTS_BUSINESS_BEFORE = Decimal(8)
BUSINESS_CHANGED = date(2014, 7, 29)
"""From this day on contracts of businesses bear nine points (Art. 229 § 34 EGBGB)."""
_YEAR, _LEAP_YEAR = 365, 366


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @classmethod
    def after(cls, day: date, last: date) -> "Span | None":
        """The days after ``day`` up to ``last``; none where it does not lie later."""
        return cls(day + timedelta(days=1), last) if day < last else None


@dataclass(frozen=True, slots=True)
class PrincipalChange:
    """From the day after ``day`` on the principal is higher or lower by ``amount``."""

    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class InterestSegment:
    """Days on which principal, rate and the length of the year stay the same.

    ``percent`` is ``base_percent`` plus the points, at least 0. ``amount`` is by how much the
    rounded sum grew, so that the segments add up to it.
    """

    first: date
    last: date
    principal: Money
    base_percent: Decimal
    percent: Decimal
    confirmed: bool
    amount: Money

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Interest:
    """Default interest with how it came about; ``amount`` is rounded once, over all segments.

    ``confirmed`` is false when a base rate that is not confirmed was involved.
    """

    amount: Money
    segments: tuple[InterestSegment, ...]

    @property
    def confirmed(self) -> bool:
        return all(segment.confirmed for segment in self.segments)


def default_points(*, business: bool, contract_date: date | None = None) -> Decimal:
    """Points over the base rate: five, nine where no consumer is party (§ 288 I, II BGB).

    Businesses' contracts of before 29 July 2014 bear eight (Art. 229 § 34 EGBGB).
    """
    if not business:
        return POINTS_CONSUMER
    if contract_date is not None and contract_date < BUSINESS_CHANGED:
        return POINTS_BUSINESS_BEFORE
    return POINTS_BUSINESS


def default_interest(
    changes: Sequence[PrincipalChange],
    *,
    default_since: date | None,
    through: date,
    points: Decimal,
    stopped: Sequence[Span] = (),
    currency: str = "EUR",
    rates: Sequence[BaseRate] = SHIPPED,
) -> Interest:
    """Interest for the days from ``default_since`` to ``through``, both included.

    ``changes`` make up the principal; a payment on a day lowers it from the next day on.
    ``stopped`` are days without interest (a deferral). A negative rate counts as none. Without
    ``default_since`` there is no interest. Sources: §§ 286, 288, 289 BGB.
    """
    zero = Money.zero(currency)
    if default_since is None or through < default_since:
        return Interest(zero, ())
    segments: list[InterestSegment] = []
    for first, last in _stretches(changes, default_since, through, stopped):
        if any(span.first <= first <= span.last for span in stopped):
            continue
        principal = zero
        for change in changes:
            if change.day < first:
                principal += change.amount
        if principal.minor <= 0:
            continue
        base = base_rate_on(first, rates)
        percent = max(Decimal(0), base.percent + points)
        _join(
            segments,
            InterestSegment(first, last, principal, base.percent, percent, base.confirmed, zero),
        )
    return _rounded(segments, currency)


def _rounded(segments: Sequence[InterestSegment], currency: str) -> Interest:
    """Give each segment by how much it makes the rounded sum grow."""
    # Percent times days, apart for both lengths of a year: exact until the one division.
    exact = {_YEAR: Decimal(0), _LEAP_YEAR: Decimal(0)}
    amount = Money.zero(currency)
    result = []
    for part in segments:
        days = Decimal(part.days)
        exact[_length(part.first)] += part.principal.decimal * part.percent * days
        both = exact[_YEAR] * _LEAP_YEAR + exact[_LEAP_YEAR] * _YEAR
        grown = Money.from_decimal(both / (_YEAR * _LEAP_YEAR * 100), currency)
        result.append(replace(part, amount=grown - amount))
        amount = grown
    return Interest(amount, tuple(result))


def _length(day: date) -> int:
    return _LEAP_YEAR if isleap(day.year) else _YEAR


def _join(segments: list[InterestSegment], part: InterestSegment) -> None:
    """Add a segment, or let the last one go on where nothing changes between them."""
    if segments:
        last = segments[-1]
        same = replace(last, first=part.first, last=part.last) == part
        next_day = last.last + timedelta(days=1) == part.first
        if same and next_day and _length(last.first) == _length(part.first):
            segments[-1] = replace(last, last=part.last)
            return
    segments.append(part)


def _stretches(
    changes: Sequence[PrincipalChange], first: date, last: date, stopped: Sequence[Span]
) -> list[tuple[date, date]]:
    """Cut the days into stretches within which nothing that matters changes."""
    one = timedelta(days=1)
    starts = {first, *(change.day + one for change in changes), *half_years(first, last)}
    for span in stopped:
        starts |= {span.first, span.last + one}
    inside = sorted(day for day in starts if first <= day <= last)
    ends = [*(day - one for day in inside[1:]), last]
    return list(zip(inside, ends, strict=True))

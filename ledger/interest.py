"""Default interest, § 288 BGB: base rate plus points, on the principal, without compounding.

No interest without default: callers pass ``default_since`` only where it is proved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.money import Money

DAYS_OF_YEAR = 365
POINTS_CONSUMER = Decimal(5)
POINTS_BUSINESS = Decimal(9)


@dataclass(frozen=True, slots=True)
class BaseRate:
    """The base rate (§ 247 BGB) in percent a year from a day on."""

    since: date
    percent: Decimal
    confirmed: bool = True


BASE_RATES = (
    BaseRate(date(2015, 1, 1), Decimal("-0.83")),
    BaseRate(date(2016, 7, 1), Decimal("-0.88")),
    BaseRate(date(2023, 1, 1), Decimal("1.62")),
    BaseRate(date(2023, 7, 1), Decimal("3.12")),
    BaseRate(date(2024, 1, 1), Decimal("3.62")),
    BaseRate(date(2024, 7, 1), Decimal("3.37")),
    BaseRate(date(2025, 1, 1), Decimal("2.27")),
    BaseRate(date(2025, 7, 1), Decimal("1.27")),
    # Announced by one source only. Until the Bundesbank's notice is at hand the lower of this
    # and the rate before it is charged.
    BaseRate(date(2026, 7, 1), Decimal("1.52"), confirmed=False),
)


class BaseRateUnknown(LookupError):
    """The day lies before the first base rate of the table."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class PrincipalChange:
    """From the day after ``day`` on the principal is higher or lower by ``amount``."""

    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class InterestSegment:
    """Days on which principal and rate stay the same. ``percent`` is base rate plus points."""

    first: date
    last: date
    principal: Money
    percent: Decimal
    confirmed: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def percent_days(self) -> Decimal:
        """Principal in major units times percent times days, exact."""
        return self.principal.decimal * self.percent * self.days


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


def base_rate_on(day: date, rates: Sequence[BaseRate] = BASE_RATES) -> BaseRate:
    """The base rate to reckon with on a day.

    Of a rate that is not confirmed and the last confirmed one the lower counts. Raises
    ``BaseRateUnknown`` for days before the table.
    """
    in_force = [rate for rate in rates if rate.since <= day]
    if not in_force:
        raise BaseRateUnknown(day.isoformat())
    latest = in_force[-1]
    if latest.confirmed:
        return latest
    confirmed = [rate.percent for rate in in_force if rate.confirmed]
    percent = min([latest.percent, *confirmed[-1:]])
    return BaseRate(latest.since, percent, confirmed=False)


def default_interest(
    changes: Sequence[PrincipalChange],
    *,
    default_since: date | None,
    through: date,
    business: bool,
    stopped: Sequence[Span] = (),
    currency: str = "EUR",
    rates: Sequence[BaseRate] = BASE_RATES,
) -> Interest:
    """Interest for the days from ``default_since`` to ``through``, both included.

    ``changes`` make up the principal; a payment on a day lowers it from the next day on.
    ``stopped`` are days without interest (a deferral). Act/365; a negative rate counts as none.
    Without ``default_since`` there is no interest. Sources: §§ 286, 288, 289 BGB.
    """
    if default_since is None or through < default_since:
        return Interest(Money.zero(currency), ())
    segments = []
    for first, last in _stretches(changes, default_since, through, stopped, rates):
        if any(span.first <= first <= span.last for span in stopped):
            continue
        principal = Money.zero(currency)
        for change in changes:
            if change.day < first:
                principal += change.amount
        if principal.minor <= 0:
            continue
        base = base_rate_on(first, rates)
        points = POINTS_BUSINESS if business else POINTS_CONSUMER
        percent = max(Decimal(0), base.percent + points)
        segments.append(InterestSegment(first, last, principal, percent, base.confirmed))
    percent_days = sum((segment.percent_days for segment in segments), Decimal(0))
    amount = Money.from_decimal(percent_days / (100 * DAYS_OF_YEAR), currency)
    return Interest(amount, tuple(segments))


def _stretches(
    changes: Sequence[PrincipalChange],
    first: date,
    last: date,
    stopped: Sequence[Span],
    rates: Sequence[BaseRate],
) -> list[tuple[date, date]]:
    """Cut the days into stretches within which nothing that matters changes."""
    one = timedelta(days=1)
    starts = {first, *(change.day + one for change in changes), *(rate.since for rate in rates)}
    for span in stopped:
        starts |= {span.first, span.last + one}
    inside = sorted(day for day in starts if first <= day <= last)
    ends = [*(day - one for day in inside[1:]), last]
    return list(zip(inside, ends, strict=True))

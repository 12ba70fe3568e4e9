"""The base rate (§ 247 BGB), half year by half year; what is not entered is not confirmed."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

SHIPPED_FILE = Path(__file__).with_name("base_rates.toml")


@dataclass(frozen=True, slots=True)
class BaseRate:
    """The base rate in percent a year, for the half year that begins on ``since``."""

    since: date
    percent: Decimal
    confirmed: bool = True
    source: str = ""


class BaseRateUnknown(LookupError):
    """The day lies before the first base rate of the table."""


class NoHalfYear(ValueError):
    """The base rate changes on 1 January and 1 July only (§ 247 I 2 BGB)."""


def half_year(day: date) -> date:
    """The first day of the half year that the day lies in."""
    return date(day.year, 1 if day.month < 7 else 7, 1)


def half_years(first: date, last: date) -> list[date]:
    """The first days of all half years that the days from ``first`` to ``last`` touch."""
    starts = [half_year(first)]
    while (following := half_year(starts[-1] + timedelta(days=190))) <= last:
        starts.append(following)
    return starts


def _shipped() -> tuple[BaseRate, ...]:
    data = tomllib.loads(SHIPPED_FILE.read_text(encoding="utf-8"))
    return tuple(
        BaseRate(
            entry["since"],
            Decimal(entry["percent"]),
            entry.get("confirmed", True),
            entry["source"],
        )
        for entry in data["rates"]
    )


SHIPPED = _shipped()


def with_added(added: Iterable[BaseRate]) -> tuple[BaseRate, ...]:
    """The shipped rates with those that were added; of one half year the last one added counts.

    Raises ``NoHalfYear`` for a day on which no half year begins.
    """
    by_day = {rate.since: rate for rate in SHIPPED}
    for rate in added:
        if rate.since != half_year(rate.since):
            raise NoHalfYear(rate.since.isoformat())
        by_day[rate.since] = rate
    return tuple(by_day[day] for day in sorted(by_day))


def base_rate_on(day: date, rates: Sequence[BaseRate] = SHIPPED) -> BaseRate:
    """The base rate to reckon with on a day.

    In a half year without an entry the last one before goes on, not confirmed. Of a rate that is
    not confirmed and the last confirmed one the lower counts. Raises ``BaseRateUnknown`` for days
    before the table.
    """
    known = [rate for rate in rates if rate.since <= day]
    if not known:
        raise BaseRateUnknown(day.isoformat())
    start, latest = half_year(day), known[-1]
    if latest.confirmed and latest.since == start:
        return latest
    confirmed = [rate.percent for rate in known if rate.confirmed]
    percent = min([latest.percent, *confirmed[-1:]])
    return BaseRate(start, percent, confirmed=False, source=latest.source)


def not_confirmed(first: date, last: date, rates: Sequence[BaseRate] = SHIPPED) -> tuple[date, ...]:
    """The first days of the half years from ``first`` to ``last`` without a confirmed entry."""
    confirmed = {rate.since for rate in rates if rate.confirmed}
    return tuple(start for start in half_years(first, last) if start not in confirmed)

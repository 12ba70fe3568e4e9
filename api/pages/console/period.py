"""A period and a segment as words in an address, for the overview and the lists behind it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.overview import WHOLE_DAYS
from ledger.segment import Band

PERIODS: Final = ("today", "7", "30", "90")
"""Days up to and including today; besides them ``own``, by its first and last day."""
USUAL: Final = "30"
CHANNELS: Final = ("sms", "whatsapp", "telegram", "terminal")


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included; ``wrong`` names what could not be read."""

    name: str
    first: date
    last: date
    wrong: str = ""


def period_of(name: str, first: str, last: str, today: date) -> Period:
    """The period that an address asks for; the usual one for what cannot be read."""
    if name == "own":
        return _own(first, last, today)
    name = name if name in PERIODS else USUAL
    days = 1 if name == "today" else int(name)
    return Period(name, today - timedelta(days=days - 1), today)


def _own(first: str, last: str, today: date) -> Period:
    earliest = today - timedelta(days=WHOLE_DAYS - 1)
    begins, ends = day_of(first), day_of(last)
    usual = period_of(USUAL, "", "", today)
    if begins is None or ends is None:
        return Period("own", usual.first, usual.last, "day")
    if begins > today:
        return Period("own", usual.first, usual.last, "ahead")
    if begins > ends:
        return Period("own", usual.first, usual.last, "order")
    if begins < earliest:
        return Period("own", usual.first, usual.last, "early")
    return Period("own", begins, min(ends, today))


def day_of(given: str) -> date | None:
    """An ISO day; None for anything else."""
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def channel_of(given: str) -> str:
    """A channel, or nothing for what is none."""
    return given if given in CHANNELS else ""


def band_of(given: str) -> Band | None:
    """A band of amounts; None for what is none."""
    return Band(given) if given in tuple(Band) else None

"""The figures of the console's overview: gathered from the books by day, and read for a period.

Gathering asks the books themselves; reading asks only what was gathered, so that it takes the same
time however much there is. The latest weeks are gathered anew every few minutes, the whole time
once a day: what happens late to an early contact still counts for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import overview_sql as of_conversations
from ledger import overview_sql as of_the_books
from ledger.overview_sql import STOCK
from outreach import overview_sql as of_contacts
from outreach.overview_sql import TIMED
from storage.engine import Database
from storage.tables import Merchant, OverviewRefresh

log = structlog.get_logger()

RECENT_DAYS: Final = 35
WHOLE_DAYS: Final = 400
WHOLE_EVERY: Final = timedelta(hours=20)

_COLUMNS: Final = "day, figure, channel, band, currency, cases, minor, minutes"
_FORGET: Final = text(
    "DELETE FROM overview_day WHERE merchant_id = :merchant AND day >= :first "
    "AND (figure <> ALL(:stock) OR day = :today)"
)
_NOTE: Final = text(
    "INSERT INTO overview_refresh (merchant_id, day, at, whole_at) "
    "VALUES (:merchant, :today, :now, :now) ON CONFLICT (merchant_id) DO UPDATE SET "
    "day = excluded.day, at = excluded.at, "
    "whole_at = CASE WHEN :whole THEN excluded.whole_at ELSE overview_refresh.whole_at END"
)


async def refresh(session: AsyncSession, merchant: Merchant, now: datetime) -> date:
    """Gather a merchant's figures anew, in the merchant's transaction; the first day of it."""
    zone = ZoneInfo(merchant.timezone)
    today = now.astimezone(zone).date()
    before = await session.get(OverviewRefresh, merchant.id)
    # A clock that was set back knows nothing of what lies ahead of it.
    whole = before is None or not now - WHOLE_EVERY < before.whole_at <= now
    first = today - timedelta(days=WHOLE_DAYS if whole else RECENT_DAYS)
    given: dict[str, Any] = {
        "merchant": merchant.id, "zone": merchant.timezone, "today": today, "first": first,
        "since": datetime.combine(first, time(), zone), "stock": list(STOCK), "now": now,
        "whole": whole,
    }  # fmt: skip
    # One at a time for each merchant, whoever begins.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('overview'), CAST(:merchant AS integer))"),
        {"merchant": merchant.id % 2**31},
    )
    await session.execute(_FORGET, given)
    for figures in (of_the_books.FIGURES, of_conversations.FIGURES, of_contacts.FIGURES):
        await session.execute(
            text(
                f"INSERT INTO overview_day (merchant_id, {_COLUMNS}) "
                f"SELECT :merchant, gathered.* FROM ({figures}) AS gathered"
            ),
            given,
        )
    await session.execute(_NOTE, given)
    return first


async def refresh_all(database: Database, now: datetime) -> None:
    """Gather the figures of every merchant; one that fails holds up no other."""
    async with database.operator() as session:
        merchants = list(await session.scalars(select(Merchant).order_by(Merchant.id)))
    for merchant in merchants:
        try:
            async with database.merchant(merchant.id) as session:
                await refresh(session, merchant, now)
        except Exception:
            log.exception("overview_not_gathered", merchant=merchant.id)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which days (both included), and which segment; empty: all."""

    first: date
    last: date
    channel: str = ""
    band: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """A figure summed up."""

    cases: int
    minor: int


@dataclass(frozen=True, slots=True)
class Wait:
    """How many minutes half of the cases took at most, and nine tenths of them."""

    cases: int
    median: int
    p90: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was gathered for a period."""

    at: datetime
    amounts: dict[str, dict[str, Total]]
    """Figure, then currency."""
    channels: dict[str, dict[str, int]]
    """Channel, then figure: how many cases."""
    waits: dict[str, Wait]
    days: dict[str, dict[date, int]] = field(default_factory=dict)
    """Currency, then day: what was collected, in minor units."""

    def cases(self, figure: str) -> int:
        """How many, in all currencies."""
        return sum(one.cases for one in self.amounts.get(figure, {}).values())


_WHICH: Final = (
    "merchant_id = :merchant AND (:channel = '' OR channel = :channel) "
    "AND (:band = '' OR band = :band)"
)
_TOTALS: Final = text(
    "SELECT figure, channel, currency, sum(cases)::bigint, sum(minor)::bigint FROM overview_day "
    f"WHERE {_WHICH} AND (figure <> ALL(:stock) AND day BETWEEN :first AND :last "
    "OR figure = ANY(:stock) AND day = :stock_day) GROUP BY 1, 2, 3"
)
_WAITS: Final = text(
    "SELECT figure, count(*), percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY minute) "
    f"FROM overview_day, unnest(minutes) AS minute WHERE {_WHICH} AND figure = ANY(:timed) "
    "AND day BETWEEN :first AND :last GROUP BY 1"
)
_DAYS: Final = text(
    f"SELECT currency, day, sum(minor)::bigint FROM overview_day WHERE {_WHICH} "
    "AND figure = 'collected' AND day BETWEEN :first AND :last GROUP BY 1, 2 ORDER BY 1, 2"
)


async def read(session: AsyncSession, merchant_id: int, chosen: Chosen) -> Figures | None:
    """What was gathered for this period; None where nothing has been gathered yet."""
    gathered = await session.get(OverviewRefresh, merchant_id)
    if gathered is None:
        return None
    given = {
        "merchant": merchant_id, "first": chosen.first, "last": chosen.last,
        "channel": chosen.channel, "band": chosen.band, "stock": list(STOCK),
        "stock_day": gathered.day, "timed": list(TIMED),
    }  # fmt: skip
    amounts: dict[str, dict[str, Total]] = {}
    channels: dict[str, dict[str, int]] = {}
    for figure, channel, currency, cases, minor in await session.execute(_TOTALS, given):
        of_figure = amounts.setdefault(figure, {})
        so_far = of_figure.get(currency, Total(0, 0))
        of_figure[currency] = Total(so_far.cases + cases, so_far.minor + minor)
        of_channel = channels.setdefault(channel, {})
        of_channel[figure] = of_channel.get(figure, 0) + cases
    waits = {
        figure: Wait(cases, *_both(minutes))
        for figure, cases, minutes in await session.execute(_WAITS, given)
    }
    days: dict[str, dict[date, int]] = {}
    for currency, day, minor in await session.execute(_DAYS, given):
        days.setdefault(currency, {})[day] = minor
    return Figures(gathered.at, amounts, channels, waits, days)


def _both(minutes: Sequence[int]) -> tuple[int, int]:
    return minutes[0], minutes[1]

"""The figures of the console's overview: gathered from the books by day, and read for a period.

Gathering asks the books themselves; reading asks only what was gathered, so that it takes the same
time however much there is. The latest days are gathered anew every few minutes, the latest weeks
once an hour, the whole time once a day: what happens late to an early contact still counts for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
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

LATEST_DAYS: Final = 2
RECENT_DAYS: Final = 35
WHOLE_DAYS: Final = 400
WHOLE_EVERY: Final = timedelta(hours=20)

_COLUMNS: Final = "grain, day, figure, channel, band, currency, cases, minor, minutes, counts"
_FORGET: Final = text(
    "DELETE FROM overview_figure WHERE merchant_id = :merchant AND (:whole "
    "OR figure = ANY(:stock) OR grain = 'day' AND day >= :first "
    "OR grain = 'month' AND day >= date_trunc('month', CAST(:first AS date)))"
)
_MONTHS: Final = text(f"""
INSERT INTO overview_figure (merchant_id, {_COLUMNS})
WITH days AS (
    SELECT *, date_trunc('month', day)::date AS month FROM overview_figure
    WHERE merchant_id = :merchant AND grain = 'day' AND figure <> ALL(:stock)
      AND day >= date_trunc('month', CAST(:first AS date))
),
took AS (
    SELECT month, figure, channel, band, length.minute, sum(length.cases) AS cases
    FROM days, unnest(minutes, counts) AS length (minute, cases) GROUP BY 1, 2, 3, 4, 5
),
lengths AS (
    SELECT month, figure, channel, band, array_agg(minute ORDER BY minute) AS minutes,
           array_agg(cases ORDER BY minute) AS counts
    FROM took GROUP BY 1, 2, 3, 4
),
sums AS (
    SELECT month, figure, channel, band, currency, sum(cases) AS cases, sum(minor) AS minor
    FROM days GROUP BY 1, 2, 3, 4, 5
)
SELECT :merchant, 'month', month, figure, channel, band, currency, cases, minor, minutes, counts
FROM sums LEFT JOIN lengths USING (month, figure, channel, band)
""")


def _keeping(table: str, key: str, *facts: str) -> str:
    """A statement that keeps what ``{{found}}`` finds; only what changed is written."""
    held, new = (", ".join(f"{row}.{fact}" for fact in facts) for row in ("held", "excluded"))
    return f"""
WITH found AS MATERIALIZED ({{found}}),
gone AS (
    DELETE FROM {table} AS held
    WHERE merchant_id = :merchant AND figure = ANY(:figures) AND (:whole OR at >= :since)
      AND NOT EXISTS (
        SELECT FROM found WHERE found.figure = held.figure AND found.{key} = held.{key}
      )
)
INSERT INTO {table} AS held (merchant_id, figure, {key}, {", ".join(facts)})
SELECT :merchant, found.* FROM found
ON CONFLICT (merchant_id, figure, {key}) DO UPDATE SET ({", ".join(facts)}) = ROW({new})
WHERE ({held}) IS DISTINCT FROM ({new})
"""


_CASES: Final = _keeping(
    "overview_case", "source", "at", "conversation_id", "channel", "band", "minutes"
)
_CLAIMS: Final = _keeping("overview_claim", "claim_id", "at", "due_date", "channel", "band")
_KEPT: Final = (
    (_CASES, of_conversations.CASES, of_conversations.TALKED),
    (_CASES, of_contacts.CASES, of_contacts.STAGES),
    (_CLAIMS, of_conversations.CLAIMS, of_conversations.SOLVED),
    (_CLAIMS, of_the_books.CLAIMS, of_the_books.FOLLOWED),
)
_OF_KEPT: Final = """
WITH kept AS (
    SELECT at, figure, channel, band, minutes FROM overview_case
    WHERE merchant_id = :merchant AND at >= :since
    UNION ALL
    SELECT at, figure, channel, band, NULL FROM overview_claim
    WHERE merchant_id = :merchant AND at >= :since
)
SELECT day, figure, channel, band, '', sum(cases)::integer, 0,
       array_agg(minutes ORDER BY minutes) FILTER (WHERE minutes IS NOT NULL),
       array_agg(cases ORDER BY minutes) FILTER (WHERE minutes IS NOT NULL)
FROM (
    SELECT (at AT TIME ZONE :zone)::date AS day, figure, channel, band, minutes,
           count(*)::integer AS cases
    FROM kept GROUP BY 1, 2, 3, 4, 5
) AS counted
GROUP BY 1, 2, 3, 4
"""
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
    # One at a time for each merchant, whoever begins.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('overview'), CAST(:merchant AS integer))"),
        {"merchant": merchant.id % 2**31},
    )
    before = await session.get(OverviewRefresh, merchant.id)
    # A clock that was set back knows nothing of what lies ahead of it.
    whole = before is None or not now - WHOLE_EVERY < before.whole_at <= now
    first = today - timedelta(days=WHOLE_DAYS if whole else _days_anew(before, now))
    given: dict[str, Any] = {
        "merchant": merchant.id, "zone": merchant.timezone, "today": today, "first": first,
        "since": datetime.combine(first, time(), zone), "stock": list(STOCK), "now": now,
        "whole": whole,
    }  # fmt: skip
    await session.execute(_FORGET, given)
    for keeping, found, of in _KEPT:
        await session.execute(text(keeping.format(found=found)), {**given, "figures": list(of)})
    for figures in (of_the_books.FIGURES, _OF_KEPT):
        await session.execute(
            text(
                f"INSERT INTO overview_figure (merchant_id, {_COLUMNS}) "
                f"SELECT :merchant, 'day', gathered.* FROM ({figures}) AS gathered"
            ),
            given,
        )
    await session.execute(_MONTHS, given)
    await session.execute(_NOTE, given)
    return first


def _days_anew(before: OverviewRefresh | None, now: datetime) -> int:
    """How many days back are gathered anew: more with the first run of each hour."""
    if before is not None and _hour(before.at) == _hour(now):
        return LATEST_DAYS
    return RECENT_DAYS


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


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


_OF_PERIOD: Final = (
    "overview_figure JOIN unnest(CAST(:grains AS text[]), CAST(:firsts AS date[]), "
    "CAST(:lasts AS date[])) AS span (grain, first, last) "
    "ON overview_figure.grain = span.grain AND day BETWEEN span.first AND span.last"
)
_WHICH: Final = (
    "merchant_id = :merchant AND (:channel = '' OR channel = :channel) "
    "AND (:band = '' OR band = :band)"
)
_TOTALS: Final = text(
    "SELECT figure, channel, currency, sum(cases)::bigint, sum(minor)::bigint "
    f"FROM {_OF_PERIOD} WHERE {_WHICH} AND figure <> ALL(:stock) GROUP BY 1, 2, 3 UNION ALL "
    "SELECT figure, channel, currency, sum(cases)::bigint, sum(minor)::bigint "
    f"FROM overview_figure WHERE {_WHICH} AND grain = 'day' AND figure = ANY(:stock) "
    "AND day = :stock_day GROUP BY 1, 2, 3"
)
_WAITS: Final = text(
    f"SELECT figure, length.minute, sum(length.cases)::bigint FROM {_OF_PERIOD}, "
    f"unnest(minutes, counts) AS length (minute, cases) WHERE {_WHICH} AND figure = ANY(:timed) "
    "GROUP BY 1, 2 ORDER BY 1, 2"
)
_DAYS: Final = text(
    f"SELECT currency, day, sum(minor)::bigint FROM overview_figure WHERE {_WHICH} "
    "AND grain = 'day' AND figure = 'collected' AND day BETWEEN :first AND :last "
    "GROUP BY 1, 2 ORDER BY 1, 2"
)


async def read(session: AsyncSession, merchant_id: int, chosen: Chosen) -> Figures | None:
    """What was gathered for this period; None where nothing has been gathered yet."""
    gathered = await session.get(OverviewRefresh, merchant_id)
    if gathered is None:
        return None
    grains, firsts, lasts = zip(*spans(chosen.first, chosen.last), strict=True)
    given = {
        "merchant": merchant_id, "first": chosen.first, "last": chosen.last,
        "channel": chosen.channel, "band": chosen.band, "stock": list(STOCK),
        "stock_day": gathered.day, "timed": list(TIMED),
        "grains": list(grains), "firsts": list(firsts), "lasts": list(lasts),
    }  # fmt: skip
    amounts: dict[str, dict[str, Total]] = {}
    channels: dict[str, dict[str, int]] = {}
    for figure, channel, currency, cases, minor in await session.execute(_TOTALS, given):
        of_figure = amounts.setdefault(figure, {})
        so_far = of_figure.get(currency, Total(0, 0))
        of_figure[currency] = Total(so_far.cases + cases, so_far.minor + minor)
        of_channel = channels.setdefault(channel, {})
        of_channel[figure] = of_channel.get(figure, 0) + cases
    lengths: dict[str, list[tuple[int, int]]] = {}
    for figure, minute, cases in await session.execute(_WAITS, given):
        lengths.setdefault(figure, []).append((minute, cases))
    days: dict[str, dict[date, int]] = {}
    for currency, day, minor in await session.execute(_DAYS, given):
        days.setdefault(currency, {})[day] = minor
    waits = {figure: _wait(of) for figure, of in lengths.items()}
    return Figures(gathered.at, amounts, channels, waits, days)


def spans(first: date, last: date) -> list[tuple[str, date, date]]:
    """The period in as few parts as can be: whole months by their first days, the rest in days."""
    begins = first if first.day == 1 else _month_after(first)
    ends = (last + timedelta(days=1)).replace(day=1)  # after the last whole month
    if begins >= ends:
        return [("day", first, last)]
    parts = [
        ("day", first, begins - timedelta(days=1)),
        ("month", begins, ends - timedelta(days=1)),
        ("day", ends, last),
    ]
    return [part for part in parts if part[1] <= part[2]]


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _wait(lengths: Sequence[tuple[int, int]]) -> Wait:
    """The median and the 90th percentile of lengths with how many cases took so long, ascending."""
    count = sum(cases for _, cases in lengths)

    def reaches(share: float) -> int:
        so_far = 0
        for minute, cases in lengths:
            so_far += cases
            if so_far >= share * count:
                return minute
        return lengths[-1][0]

    return Wait(count, reaches(0.5), reaches(0.9))

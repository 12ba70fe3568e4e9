"""The desk as its supervisor sees it: who is there, who waits longest, what was answered today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.answer_clock import open_between
from conversation.desk_queue import Queue, Row
from conversation.desk_seats import Seat, seats
from conversation.handoff_held import By
from storage.tables import Handoff

ANSWERS_MAX = 500
"""So many of a day's first answers, the newest, are looked at for their median."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """One person, with what they have and did today."""

    seat: Seat
    rows: Sequence[Row]
    """What they have open, in the desk's order."""
    answered_today: int


@dataclass(frozen=True, slots=True)
class Watch:
    """The desk at a moment."""

    people: Sequence[AtWork]
    waiting: Sequence[Row]
    """What nobody has."""
    longest: Row | None
    """Who has waited longest of all for our answer."""
    answered_today: int
    median_first_answer: timedelta | None
    """Of today's first answers, in time in which the desk is open."""


async def watch(
    session: AsyncSession, merchant_id: int, queue: Queue, roles: Collection[str], now: datetime
) -> Watch:
    """Look at the desk; `queue` is what is open, `roles` those that work there."""
    today = datetime.combine(
        now.astimezone(queue.hours.zone).date(), time(), tzinfo=queue.hours.zone
    )
    answered = Handoff.merchant_id == merchant_id, Handoff.answered_at >= today
    counted = await session.execute(
        select(Handoff.person_id, func.count()).where(*answered).group_by(Handoff.person_id)
    )
    by_person = {row[0]: row[1] for row in counted}
    first = await session.execute(
        select(Handoff.requested_at, Handoff.first_answer_at)
        .where(*answered, Handoff.first_answer_at >= today)
        .order_by(Handoff.first_answer_at.desc())
        .limit(ANSWERS_MAX)
    )
    took = [
        open_between(asked, at, queue.hours).total_seconds()
        for asked, at in first
        if at is not None
    ]
    everybody = await seats(session, merchant_id, roles, now)
    waited = [row for row in queue.rows if row.clock is not None and not row.asleep]
    return Watch(
        people=[
            AtWork(
                seat,
                [row for row in queue.rows if By(seat.name, seat.person_id).has(row.handoff)],
                by_person.get(seat.person_id, 0),
            )
            for seat in everybody
        ],
        waiting=[row for row in queue.rows if row.handoff.taken_by is None and not row.asleep],
        longest=min(waited, key=lambda row: row.clock.since if row.clock else now, default=None),
        answered_today=sum(by_person.values()),
        median_first_answer=timedelta(seconds=median(took)) if took else None,
    )

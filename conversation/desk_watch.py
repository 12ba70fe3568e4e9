"""The desk as its supervisor sees it: who is there, who waits longest, what was answered today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Final

from sqlalchemy import BigInteger, DateTime, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.answer_clock import open_between
from conversation.desk_queue import Queue, Row
from conversation.desk_seats import Seat, seats
from conversation.handoff_held import By
from storage.statement import Statement
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
    of_today = {"merchant_id": merchant_id, "today": today}
    counted = await _ANSWERED.run(session, **of_today)
    by_person = {one.person_id: one.answered for one in counted}
    took = [
        open_between(one.requested_at, one.first_answer_at, queue.hours).total_seconds()
        for one in await _FIRST_ANSWERS.run(session, **of_today)
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


_TODAY: Final = bindparam("today", type_=DateTime(timezone=True))
_OF_TODAY: Final = (
    Handoff.merchant_id == bindparam("merchant_id", type_=BigInteger),
    Handoff.answered_at >= _TODAY,
)
_ANSWERED: Final = Statement(
    select(Handoff.person_id, func.count().label("answered"))
    .where(*_OF_TODAY)
    .group_by(Handoff.person_id)
)
_FIRST_ANSWERS: Final = Statement(
    select(Handoff.requested_at, Handoff.first_answer_at)
    .where(*_OF_TODAY, Handoff.first_answer_at >= _TODAY)
    .order_by(Handoff.first_answer_at.desc())
    .limit(ANSWERS_MAX)
)

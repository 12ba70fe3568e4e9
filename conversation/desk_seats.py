"""Who is at the desk, how many they hold, and whose turn it is."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Select,
    Text,
    any_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff_held import Held, open_handoff
from storage.statement import Statement
from storage.tables import ConsoleSession, DeskSeat, DeskTeamMember, Handoff, Person

CAPACITY: Final = 5
CAPACITY_MAX: Final = 50
SEEN_WITHIN: Final = timedelta(minutes=30)
"""Whoever has opened no page for so long is not there, whatever they said."""
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seat:
    """A person of the merchant, as the desk sees them."""

    person_id: int
    name: str
    capacity: int = CAPACITY
    held: int = 0
    """How many open handoffs they have, without those put aside."""
    here: bool = False
    """They say that they are there, and are signed in and were seen lately."""
    away: bool = False
    """They are signed in, but say that they are away."""
    seen_at: datetime | None = None
    given_at: datetime | None = None


def next_in_turn(seats: Iterable[Seat]) -> Seat | None:
    """Who is given the next one: who is there, has room, and was given none for longest."""
    free = [one for one in seats if one.here and one.held < one.capacity]
    return min(free, key=lambda one: (one.given_at or _NEVER, one.person_id), default=None)


async def seats(
    session: AsyncSession, merchant_id: int, roles: Collection[str], now: datetime
) -> list[Seat]:
    """Everybody of the merchant who may work at the desk, by name; `roles` are theirs."""
    given = {"merchant_id": merchant_id, "roles": sorted(roles), "now": now}
    found = []
    for one in await _SEATS.run(session, **given):
        signed_in = one.seen_at is not None and now - one.seen_at <= SEEN_WITHIN
        found.append(
            Seat(
                one.id,
                one.name,
                CAPACITY if one.capacity is None else one.capacity,
                one.held or 0,
                here=bool(signed_in and one.here),
                away=bool(signed_in and not one.here),
                seen_at=one.seen_at,
                given_at=one.given_at,
            )
        )
    return found


def _seats() -> Select[Any]:
    merchant_id = bindparam("merchant_id", type_=BigInteger)
    seen = (
        select(ConsoleSession.person_id, func.max(ConsoleSession.seen_at).label("at"))
        .where(
            ConsoleSession.merchant_id == merchant_id,
            ConsoleSession.person_id.is_not(None),
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > bindparam("now", type_=DateTime(timezone=True)),
        )
        .group_by(ConsoleSession.person_id)
        .subquery()
    )
    held = (
        select(Handoff.person_id, func.count().label("count"))
        .where(
            Handoff.merchant_id == merchant_id,
            Handoff.closed_at.is_(None),
            Handoff.person_id.is_not(None),
            Handoff.snoozed_at.is_(None),
        )
        .group_by(Handoff.person_id)
        .subquery()
    )
    return (
        select(
            Person.id,
            Person.name,
            DeskSeat.capacity,
            DeskSeat.here,
            DeskSeat.given_at,
            held.c.count.label("held"),
            seen.c.at.label("seen_at"),
        )
        .outerjoin(
            DeskSeat, (DeskSeat.person_id == Person.id) & (DeskSeat.merchant_id == merchant_id)
        )
        .outerjoin(held, held.c.person_id == Person.id)
        .outerjoin(seen, seen.c.person_id == Person.id)
        .where(
            Person.merchant_id == merchant_id,
            Person.disabled_at.is_(None),
            Person.role == any_(bindparam("roles", type_=ARRAY(Text))),
        )
        .order_by(Person.name, Person.id)
    )


_SEATS: Final = Statement(_seats())


async def set_seat(
    session: AsyncSession, merchant_id: int, person_id: int, **facts: object
) -> None:
    """Note that a person is there or away (`here`), or how many they can hold (`capacity`)."""
    await session.execute(
        insert(DeskSeat)
        .values(merchant_id=merchant_id, person_id=person_id, **facts)
        .on_conflict_do_update(index_elements=["person_id", "merchant_id"], set_=facts)
    )


async def is_here(session: AsyncSession, merchant_id: int, person_id: int) -> bool:
    """Whether a person says that they are at the desk."""
    seat = await session.get(DeskSeat, (person_id, merchant_id))
    return seat is not None and seat.here


async def give_in_turn(
    session: AsyncSession, handoff_id: int, roles: Collection[str], now: datetime
) -> str | None:
    """Give a handoff that nobody has to whoever's turn it is; their name, None for nobody.

    Among the members of its team, or everybody where it has none. The caller holds the
    conversation's lock; the merchant's seats are locked after it, always in this order, so of two
    handoffs at once the second sees what the first was given.

    Raises:
        HandoffUnknown, HandoffClosed
    """
    held = await open_handoff(session, handoff_id)
    handoff = held.handoff
    if handoff.taken_by is not None:
        return None
    await session.execute(
        select(DeskSeat.person_id)
        .where(DeskSeat.merchant_id == handoff.merchant_id)
        .order_by(DeskSeat.person_id)
        .with_for_update()
    )
    everybody = await seats(session, handoff.merchant_id, roles, now)
    chosen = next_in_turn(await _of_team(session, handoff.team_id, everybody))
    if chosen is None:
        return None
    _give(held, chosen.person_id, chosen.name, now)
    held.note("handoff_given", now, to=chosen.name, in_turn=True)
    await session.execute(
        update(DeskSeat)
        .where(DeskSeat.person_id == chosen.person_id, DeskSeat.merchant_id == handoff.merchant_id)
        .values(given_at=now)
    )
    await session.flush()
    return chosen.name


async def _of_team(
    session: AsyncSession, team_id: int | None, everybody: Sequence[Seat]
) -> Sequence[Seat]:
    if team_id is None:
        return everybody
    found = set(
        await session.scalars(
            select(DeskTeamMember.person_id).where(DeskTeamMember.team_id == team_id)
        )
    )
    return [one for one in everybody if one.person_id in found]


def _give(held: Held, person_id: int, name: str, now: datetime) -> None:
    held.handoff.person_id, held.handoff.taken_by = person_id, name
    held.handoff.given_at = now

"""Who has a handoff, and when it comes up again: giving it on, putting it aside, tags, calls.

Like ``conversation/desk.py`` every function works in a transaction that holds the conversation's
lock and commits nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import desk
from conversation.handoff_held import By, HandoffError, Held, answered, open_handoff, taken
from storage.tables import DeskTeam, Handoff, Message, Person

TAGS_MAX: Final = 10
TAG_CHARACTERS_MAX: Final = 30


class CallResult(StrEnum):
    """What became of a call."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    WRONG_NUMBER = "wrong_number"


class TimePassed(HandoffError):
    """The time it should come up again has passed already."""


async def give_to_person(
    session: AsyncSession,
    handoff_id: int,
    to: Person,
    by: By,
    now: datetime,
    *,
    instead_of: By | None = None,
    note: str = "",
) -> None:
    """Give a handoff to a person; they begin by taking it. Again changes nothing.

    `instead_of` is who had it when this was decided: if somebody else has it by now, nothing
    happens. A conversation that a person has begun stays with people, and the bot silent.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken
    """
    held = await open_handoff(session, handoff_id)
    if By(to.name, to.id).has(held.handoff):
        return
    held.still_with(instead_of)
    held.handoff.person_id, held.handoff.taken_by = to.id, to.name
    held.handoff.given_at = now
    held.handoff.snoozed_at = held.handoff.snoozed_until = None
    held.note("handoff_given", now, by=by, to=to.name, instead_of=instead_of and instead_of.name)
    await _say_why(session, held, by, note, now)


async def give_to_team(
    session: AsyncSession,
    handoff_id: int,
    team: DeskTeam,
    by: By,
    now: datetime,
    *,
    instead_of: By | None = None,
    note: str = "",
) -> None:
    """Give a handoff to a team: nobody has it until one of them takes it, or has their turn.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken
    """
    held = await open_handoff(session, handoff_id)
    if held.handoff.team_id == team.id and held.handoff.taken_by is None:
        return
    held.still_with(instead_of)
    held.handoff.team_id = team.id
    held.handoff.person_id = held.handoff.taken_by = None
    held.handoff.given_at = held.handoff.taken_at = None
    held.handoff.snoozed_at = held.handoff.snoozed_until = None
    held.note("handoff_given", now, by=by, to=team.name, instead_of=instead_of and instead_of.name)
    await _say_why(session, held, by, note, now)


async def snooze(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    now: datetime,
    *,
    until: datetime | None = None,
) -> None:
    """Put a handoff aside until a time, or without one until the customer writes.

    What the customer writes wakes it at once, whatever the time.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken, TimePassed
    """
    held = await open_handoff(session, handoff_id)
    _not_anothers(held, by)
    if until is not None and until <= now:
        raise TimePassed("the time has passed")
    handoff = held.handoff
    if handoff.snoozed_until == until and await _sleeps(session, handoff):
        return
    handoff.snoozed_at, handoff.snoozed_until = now, until
    held.note("handoff_snoozed", now, by=by, until=until.isoformat() if until else None)


async def wake(session: AsyncSession, handoff_id: int, by: By, now: datetime) -> None:
    """Take up again what was put aside.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken
    """
    held = await open_handoff(session, handoff_id)
    _not_anothers(held, by)
    if held.handoff.snoozed_at is None:
        return
    held.handoff.snoozed_at = held.handoff.snoozed_until = None
    held.note("handoff_woken", now, by=by)


async def set_tags(
    session: AsyncSession, handoff_id: int, tags: Iterable[str], by: By, now: datetime
) -> None:
    """Have exactly these tags on a handoff; whoever has it.

    Raises:
        HandoffUnknown, HandoffClosed
    """
    held = await open_handoff(session, handoff_id)
    wanted = tags_of(tags)
    if wanted != held.handoff.tags:
        held.handoff.tags = wanted
        held.note("handoff_tagged", now, by=by)


def tags_of(given: Iterable[str]) -> list[str]:
    """Tags as they are kept: small letters, single spaces, each once, no more than TAGS_MAX."""
    clean = (" ".join(one.casefold().split())[:TAG_CHARACTERS_MAX].strip() for one in given)
    return sorted(set(filter(None, clean)))[:TAGS_MAX]


async def called(
    session: AsyncSession,
    handoff_id: int,
    result: CallResult,
    by: By,
    now: datetime,
    *,
    again_at: datetime | None = None,
) -> None:
    """Note a call that the customer wished for. Whoever calls has the handoff from then on.

    Not reached, it comes up again at `again_at`; without one it stays on the list.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken, TimePassed
    """
    await desk.take(session, handoff_id, by, now)
    held = await open_handoff(session, handoff_id)
    handoff = held.handoff
    if handoff.called_at is not None:
        return
    if result is not CallResult.NOT_REACHED:
        again_at = None
        handoff.called_at, handoff.call_again_at = now, None
    elif again_at is not None:
        if again_at <= now:
            raise TimePassed("the time has passed")
        if again_at == handoff.call_again_at:
            return
        handoff.call_again_at = again_at
    else:
        tried = handoff.call_again_at
        if tried is not None and timedelta() <= now - tried < desk.DOUBLED_WITHIN:
            return
        handoff.call_again_at = now
    if result is CallResult.REACHED:
        answered(handoff, now)
    elif again_at is not None:
        handoff.snoozed_at, handoff.snoozed_until = now, again_at
    again = again_at.isoformat() if again_at is not None else None
    held.note(f"call_{result.value}", now, by=by, again_at=again)


async def _sleeps(session: AsyncSession, handoff: Handoff) -> bool:
    """Whether it was put aside and the customer has written nothing since."""
    if handoff.snoozed_at is None:
        return False
    written = exists().where(
        Message.conversation_id == handoff.conversation_id,
        Message.direction == "in",
        Message.created_at > handoff.snoozed_at,
    )
    return not await session.scalar(select(written))


def _not_anothers(held: Held, by: By) -> None:
    if held.handoff.taken_by is not None and not by.has(held.handoff):
        raise taken(held.handoff)


async def _say_why(session: AsyncSession, held: Held, by: By, note: str, now: datetime) -> None:
    await session.flush()
    if note.strip():
        await desk.note(session, held.handoff.id, by, note.strip(), now)

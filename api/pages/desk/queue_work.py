"""``/console/desk/queue/…``: who does one handoff, when it comes up, and under which tags."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Form, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.desk.page import BIGGEST
from api.pages.desk.queue import show as show_list
from api.pages.desk.queue import to_list, viewer_of, words_of
from api.pages.desk.queue_page import BASE, Agent, HandoffId, by, refusal, respond, working
from api.pages.desk.queue_view import row_view
from api.people.roles import ROLES_AT_DESK, Permission
from api.people.sessions import SignedIn
from conversation import desk, desk_moves
from conversation.answer_clock import opens_next
from conversation.desk_queue import Queue, Row, known_of_rows, queue
from conversation.desk_seats import give_in_turn, seats
from conversation.desk_teams import all_teams
from conversation.handoff import opening_hours
from conversation.handoff_held import By, HandoffError, HandoffUnknown, taken
from storage.tables import DeskTeam, Handoff, Person

router = console_router()

WHEN = ("answer", "hour", "hours", "tomorrow", "week", "time")
NOTE_CHARACTERS_MAX = 2000
_WHOLE_DAYS = {"tomorrow": 1, "week": 7}
_HOURS = {"hour": 1, "hours": 3}
Line = Annotated[str, Form(max_length=600)]
Step = Callable[[AsyncSession], Awaitable[None]]


class Refused(HandoffError):
    """A form was filled in wrongly; the text is the code of why."""


@router.get("/desk/queue/{handoff}")
async def one(request: Request, person: Agent, handoff: HandoffId) -> Response:
    """What can be done about its place in the queue."""
    return await _show(request, person, handoff)


@router.post("/desk/queue/{handoff}/take")
async def take(request: Request, person: Agent, handoff: HandoffId, back: Line = "") -> Response:
    """Have it oneself, and go to the conversation; of two one gets it, the other is told who."""
    try:
        async with working(request, person, handoff) as session:
            await desk.take(session, handoff, by(person), parts_of(request).clock.now())
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except HandoffError as refused:
        said = refusal(request, refused)
        return await show_list(request, person, words_of(back), error=said)
    return go(request, f"{BASE}/{handoff}")


@router.post("/desk/queue/{handoff}/give")
async def give(
    request: Request,
    person: Agent,
    handoff: HandoffId,
    to: Line = "",
    note: Annotated[str, Form(max_length=NOTE_CHARACTERS_MAX)] = "",
    held_by: Line = "",
    held_by_id: Annotated[int, Form(ge=0, le=BIGGEST)] = 0,
) -> Response:
    """Give it to a person, a team, or whoever's turn it is, with a note for them."""

    async def step(session: AsyncSession) -> None:
        now, who = parts_of(request).clock.now(), by(person)
        held = await session.get_one(Handoff, handoff)
        # Only who may supervise takes from others; who has it gives it away.
        may_take = held_by and (person.may(Permission.SUPERVISE) or who.has(held))
        before = By(held_by, held_by_id or None) if may_take else None
        how = {"instead_of": before, "note": note}
        kind, _, number = to.partition(":")
        if kind == "turn":
            if held.taken_by is not None:
                raise taken(held)
            if await give_in_turn(session, handoff, ROLES_AT_DESK, now) is None:
                raise Refused("nobody")
        elif kind == "person":
            found = await _person(session, person.merchant_id, number)
            await desk_moves.give_to_person(session, handoff, found, who, now, **how)  # type: ignore[arg-type]
        elif kind == "team" and number.isdecimal():
            team = await session.scalar(select(DeskTeam).where(DeskTeam.id == int(number)))
            if team is None:
                raise Refused("to")
            await desk_moves.give_to_team(session, handoff, team, who, now, **how)  # type: ignore[arg-type]
        else:
            raise Refused("to")

    return await _done(request, person, handoff, step, "given")


async def _person(session: AsyncSession, merchant_id: int, number: str) -> Person:
    """Somebody of the merchant who works at the desk and is not kept out."""
    if not number.isdecimal():
        raise Refused("to")
    found = await session.scalar(
        select(Person).where(
            Person.id == int(number),
            Person.merchant_id == merchant_id,
            Person.disabled_at.is_(None),
            Person.role.in_(sorted(ROLES_AT_DESK)),
        )
    )
    if found is None:
        raise Refused("to")
    return found


@router.post("/desk/queue/{handoff}/snooze")
async def snooze(
    request: Request, person: Agent, handoff: HandoffId, when: Line = "", until: Line = ""
) -> Response:
    """Put it aside until a time, or until the customer writes."""

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        at = None
        if when != "answer":
            at = await _until(session, person, when, until, now)
        await desk_moves.snooze(session, handoff, by(person), now, until=at)

    return await _done(request, person, handoff, step, "snoozed")


async def _until(
    session: AsyncSession, person: SignedIn, when: str, until: str, now: datetime
) -> datetime:
    """The time that was chosen: a day begins when the desk opens."""
    if when in _HOURS:
        return now + timedelta(hours=_HOURS[when])
    if when in _WHOLE_DAYS:
        day = now.astimezone(person.zone).date() + timedelta(days=_WHOLE_DAYS[when])
        begins = datetime.combine(day, time(), person.zone)
        hours = await opening_hours(session, person.merchant_id)
        return opens_next(begins, hours) or datetime.combine(day, time(9), person.zone)
    return local_time(until if when == "time" else "", person.zone)


def local_time(given: str, zone: ZoneInfo) -> datetime:
    """A time as a form sends it, on the merchant's clock; raises Refused."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError as invalid:
        raise Refused("when") from invalid
    if at.tzinfo is not None or at.year > 2200:
        raise Refused("when")
    return at.replace(tzinfo=zone)


@router.post("/desk/queue/{handoff}/wake")
async def wake(request: Request, person: Agent, handoff: HandoffId) -> Response:
    """Take up again what was put aside."""

    async def step(session: AsyncSession) -> None:
        await desk_moves.wake(session, handoff, by(person), parts_of(request).clock.now())

    return await _done(request, person, handoff, step, "woken")


@router.post("/desk/queue/{handoff}/tags")
async def tags(request: Request, person: Agent, handoff: HandoffId, tags: Line = "") -> Response:
    """Have exactly these tags on it, apart by commas."""

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        await desk_moves.set_tags(session, handoff, tags.split(","), by(person), now)

    return await _done(request, person, handoff, step, "tagged")


async def _done(
    request: Request, person: SignedIn, handoff: int, step: Step, done: str
) -> Response:
    try:
        async with working(request, person, handoff) as session:
            await step(session)
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except Refused as refused:
        return await _show(request, person, handoff, problem=str(refused))
    except HandoffError as refused:
        return await _show(request, person, handoff, error=refusal(request, refused))
    return to_list(request, "", done)


async def _show(
    request: Request, person: SignedIn, handoff: int, *, problem: str = "", error: str = ""
) -> Response:
    """The page of one open handoff; with what was wrong, beside its field."""
    now, language = parts_of(request).clock.now(), language_of(request)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await queue(session, person.merchant_id, now)
        row = next((row for row in found.rows if row.handoff.id == handoff), None)
        if row is None:
            return notice(request, "nothing", 404, {"person": person})
        viewer = await viewer_of(session, person)
        known = await known_of_rows(session, [row])
        everybody = await seats(session, person.merchant_id, ROLES_AT_DESK, now)
        teams = await all_teams(session, person.merchant_id)
    others = viewer.by.has(row.handoff) or row.handoff.taken_by is None
    facts: dict[str, Any] = {
        "row": row_view(row, viewer, known.get(handoff), now, language, person.zone),
        "here": f"{BASE}/queue/{handoff}",
        "people": [one for one in everybody if one.person_id != row.handoff.person_id],
        "teams": teams,
        "held_by": row.handoff.taken_by or "",
        "held_by_id": row.handoff.person_id or 0,
        "may_give": others or person.may(Permission.SUPERVISE),
        "may_snooze": others,
        "whens": WHEN,
        "earliest": now.astimezone(person.zone).strftime("%Y-%m-%dT%H:%M"),
        "tags_used": _tags_used(found, row),
        "problem": problem,
        "error": error,
    }
    status = 422 if problem else 409 if error else 200
    return respond(request, person, "queue_work.html", facts, status)


def _tags_used(found: Queue, row: Row) -> list[str]:
    """Tags that others have, so that one thing gets one name."""
    return sorted({tag for one in found.rows for tag in one.handoff.tags} - set(row.handoff.tags))

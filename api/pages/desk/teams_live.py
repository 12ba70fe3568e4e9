"""``/console/desk/live``: the desk as its supervisor sees it, at this moment."""

from typing import Annotated, Any

from fastapi import Form, Path, Request, Response
from sqlalchemy import select

from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query
from api.pages.desk.queue import viewer_of
from api.pages.desk.queue_page import BASE, Supervisor, respond
from api.pages.desk.queue_view import clock_time, closed_notice, row_view, span
from api.people.roles import ROLES_AT_DESK
from api.people.sessions import SignedIn
from conversation.desk_queue import queue
from conversation.desk_seats import CAPACITY_MAX, Seat, set_seat
from conversation.desk_watch import watch
from storage.tables import Person

router = console_router()

ROWS_EACH = 8
"""So many of a person's handoffs are shown; the list has them all."""


@router.get("/desk/live")
async def live(request: Request, person: Supervisor, done: str = "") -> Response:
    """Who is there with what, who waits longest, and what was answered today."""
    return await _show(request, person, told="capacity" if done == "capacity" else "")


@router.get("/desk/live/rows")
async def rows(request: Request, person: Supervisor) -> Response:
    """What stands inside the page, to be put in anew."""
    return await _show(request, person, template="teams_live_rows.html")


@router.post("/desk/live/{of}/capacity")
async def capacity(
    request: Request,
    person: Supervisor,
    of: Annotated[int, Path(ge=1, le=BIGGEST)],
    most: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """How many somebody can hold at once before they are given no more."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(
            select(Person.id).where(Person.id == of, Person.merchant_id == person.merchant_id)
        )
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        good = most.isdecimal() and 1 <= int(most) <= CAPACITY_MAX
        if good:
            await set_seat(session, person.merchant_id, of, capacity=int(most))
    if not good:
        return await _show(request, person, problem=of)
    return go(request, f"{BASE}/live", done="capacity")


async def _show(
    request: Request,
    person: SignedIn,
    *,
    template: str = "teams_live.html",
    told: str = "",
    problem: int = 0,
) -> Response:
    now, language = parts_of(request).clock.now(), language_of(request)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await queue(session, person.merchant_id, now)
        seen = await watch(session, person.merchant_id, found, ROLES_AT_DESK, now)
        viewer = await viewer_of(session, person)

    def shown(row: Any) -> dict[str, Any]:
        return row_view(row, viewer, None, now, language, person.zone, line=False)

    def state(seat: Seat) -> str:
        return "here" if seat.here else "away" if seat.away else "gone"

    longest = seen.longest
    facts = {
        "people": [
            {
                "id": one.seat.person_id,
                "name": one.seat.name,
                "state": state(one.seat),
                "seen": clock_time(one.seat.seen_at, now, language, person.zone)
                if one.seat.seen_at is not None
                else "",
                "held": one.seat.held,
                "capacity": one.seat.capacity,
                "answered": one.answered_today,
                "rows": [shown(row) for row in one.rows[:ROWS_EACH]],
                "left": max(len(one.rows) - ROWS_EACH, 0),
            }
            for one in seen.people
        ],
        "unassigned": len(seen.waiting),
        "longest": shown(longest) if longest is not None else None,
        "answered_today": seen.answered_today,
        "median": span(seen.median_first_answer, language)
        if seen.median_first_answer is not None
        else "",
        "capacity_max": CAPACITY_MAX,
        "closed": closed_notice(found.hours, now, language, person.zone),
        "refresh": f"{BASE}/live/rows{query(lang=request.query_params.get('lang', ''))}",
        "told": told,
        "problem": problem,
    }
    return respond(request, person, template, facts, 422 if problem else 200)

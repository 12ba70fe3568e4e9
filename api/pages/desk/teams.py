"""``/console/desk/teams``: teams, what goes to them, and who is in them."""

from typing import Annotated, Any

from fastapi import Form, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.desk.queue_page import BASE, Supervisor, respond
from api.pages.desk.queue_view import reason_words
from api.pages.desk.teams_view import DONE, show_list
from api.people import audit
from api.people.roles import ROLES_AT_DESK
from api.people.sessions import SignedIn
from conversation.desk_seats import seats
from conversation.desk_teams import NAME_CHARACTERS_MAX, all_teams, members, set_members
from conversation.handoff_advice import REASONS
from storage.tables import DeskTeam

router = console_router()

LANGUAGES = ("de", "en")
TEAMS_MAX = 50
Line = Annotated[str, Form(max_length=200)]
TeamId = Annotated[int, Path(ge=1, le=BIGGEST)]


@router.get("/desk/teams")
async def listed(request: Request, person: Supervisor, done: str = "") -> Response:
    """All teams, how soon to answer, and how things end."""
    return await show_list(request, person, told=done if done in DONE else "")


@router.post("/desk/teams")
async def add(request: Request, person: Supervisor, name: Line = "") -> Response:
    """Begin a team; what goes to it is said on its own page."""
    name = " ".join(name.split())
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        problem = await _problem(session, person.merchant_id, name, None)
        if not problem:
            team = DeskTeam(merchant_id=person.merchant_id, name=name, reasons=[], languages=[])
            session.add(team)
            await session.flush()
            _note(session, request, person, "team_changed", team)
    if problem:
        return await show_list(request, person, problem=("team", problem), given=name)
    return go(request, f"{BASE}/teams/{team.id}")


@router.get("/desk/teams/{team}")
async def one(request: Request, person: Supervisor, team: TeamId) -> Response:
    """One team, to be changed."""
    return await _show(request, person, team)


@router.post("/desk/teams/{team}")
async def change(
    request: Request, person: Supervisor, team: TeamId, name: Line = "", in_turn: Line = ""
) -> Response:
    """What goes to a team, who is in it, and whether it is given out in turn."""
    form, name = await request.form(), " ".join(name.split())
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(select(DeskTeam).where(DeskTeam.id == team))
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        problem = await _problem(session, person.merchant_id, name, team)
        if not problem:
            now = parts_of(request).clock.now()
            everybody = await seats(session, person.merchant_id, ROLES_AT_DESK, now)
            chosen = set(form.getlist("member"))
            found.name, found.in_turn = name, in_turn == "yes"
            found.reasons = [each for each in REASONS if each in form.getlist("reason")]
            found.languages = [each for each in LANGUAGES if each in form.getlist("language")]
            people = [each.person_id for each in everybody if str(each.person_id) in chosen]
            await set_members(session, found, people)
            _note(session, request, person, "team_changed", found, people=len(people))
    if problem:
        return await _show(request, person, team, problem=problem, given=name)
    return go(request, f"{BASE}/teams", done="team")


@router.post("/desk/teams/{team}/end")
async def end(request: Request, person: Supervisor, team: TeamId) -> Response:
    """Have the team no more; what waits for it waits for everybody."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(select(DeskTeam).where(DeskTeam.id == team))
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        await session.delete(found)
        _note(session, request, person, "team_ended", found)
    return go(request, f"{BASE}/teams", done="ended")


async def _show(
    request: Request, person: SignedIn, team: int, *, problem: str = "", given: str = ""
) -> Response:
    language, now = language_of(request), parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(select(DeskTeam).where(DeskTeam.id == team))
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        of_team = (await members(session, person.merchant_id)).get(team, [])
        everybody = await seats(session, person.merchant_id, ROLES_AT_DESK, now)
    facts: dict[str, Any] = {
        "team": found,
        "reasons": [(one, reason_words(one, language)) for one in REASONS],
        "languages": LANGUAGES,
        "people": [(one.person_id, one.name, one.person_id in of_team) for one in everybody],
        "name": given if problem else found.name,
        "problem": problem,
    }
    return respond(request, person, "team.html", facts, 422 if problem else 200)


async def _problem(session: AsyncSession, merchant_id: int, name: str, but: int | None) -> str:
    """What is wrong with a name; empty for nothing."""
    if not name or len(name) > NAME_CHARACTERS_MAX:
        return "name"
    teams = await all_teams(session, merchant_id)
    if any(one.name.casefold() == name.casefold() and one.id != but for one in teams):
        return "known"
    return "many" if but is None and len(teams) >= TEAMS_MAX else ""


def _note(
    session: AsyncSession,
    request: Request,
    person: SignedIn,
    kind: str,
    team: DeskTeam,
    **facts: Any,
) -> None:
    now = parts_of(request).clock.now()
    audit.note(session, person, kind, now, merchant_id=person.merchant_id, team=team.name, **facts)

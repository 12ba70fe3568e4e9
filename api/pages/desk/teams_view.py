"""The page of teams, times to answer and endings, as several forms come back to it."""

from typing import Any

from fastapi import Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.page import language_of, parts_of
from api.pages.desk.queue_page import respond
from api.pages.desk.queue_view import reason_words, span
from api.people.roles import ROLES_AT_DESK
from api.people.sessions import SignedIn
from conversation.answer_clock import DEFAULTS
from conversation.answer_targets import targets
from conversation.desk_seats import seats
from conversation.desk_teams import all_teams, members
from conversation.handoff_advice import REASONS
from conversation.handoff_held import Outcome
from storage.tables import WrapUp

DONE = ("team", "ended", "target", "default", "wrap_up", "wrap_up_ended")


async def show_list(
    request: Request,
    person: SignedIn,
    *,
    told: str = "",
    problem: tuple[str, str] = ("", ""),
    given: str = "",
) -> Response:
    """The page; with a problem it says beside the form what it is."""
    language, now = language_of(request), parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        teams = await all_teams(session, person.merchant_id)
        of_team = await members(session, person.merchant_id)
        everybody = await seats(session, person.merchant_id, ROLES_AT_DESK, now)
        rules = await _rules(session, person.merchant_id, language)
    names = {one.person_id: one.name for one in everybody}
    facts = {
        "teams": [
            {
                "id": team.id,
                "name": team.name,
                "reasons": ", ".join(reason_words(each, language) for each in team.reasons),
                "languages": list(team.languages),
                "in_turn": team.in_turn,
                "people": ", ".join(
                    names[each] for each in of_team.get(team.id, ()) if each in names
                ),
            }
            for team in teams
        ],
        **rules,
        "told": told,
        "problem": problem,
        "given": given,
    }
    return respond(request, person, "teams.html", facts, 422 if problem[0] else 200)


async def _rules(session: AsyncSession, merchant_id: int, language: str) -> dict[str, Any]:
    """What the page shows of these."""
    known = await targets(session, merchant_id)
    codes = await session.scalars(select(WrapUp).order_by(WrapUp.name))
    return {
        "targets": [
            (
                reason,
                reason_words(reason, language),
                span(target.first, language),
                span(target.next, language),
            )
            for reason, target in sorted(known.of_reason.items())
        ],
        "defaults": [
            (urgency.value, span(target.first, language), span(target.next, language))
            for urgency, target in DEFAULTS.items()
        ],
        "reasons": [(one, reason_words(one, language)) for one in REASONS],
        "wrap_ups": codes.all(),
        "outcomes": [one.value for one in Outcome],
    }

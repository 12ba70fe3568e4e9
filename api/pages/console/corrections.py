"""``/console/corrections``: what messages should have been understood as, for another to decide."""

from typing import Any

from fastapi import Request, Response

from api.pages.console.conversations import Before, Id, Reader
from api.pages.console.exports import Exporter, attachment
from api.pages.console.notes import Reviewer
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query, respond
from api.pages.console.view import moment
from api.people import audit
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import corrections
from conversation.corrections import PROPOSED, STATES, CorrectionRefused, is_own
from storage.tables import Correction

router = console_router()

DONE = ("accepted", "rejected")


@router.get("/corrections")
async def listed(
    request: Request,
    person: Reader,
    state: str = PROPOSED,
    before: Before = None,
    done: str = "",
) -> Response:
    """A page of them."""
    return await _list(request, person, state, before, done=done)


@router.post("/corrections/{correction}/accept")
async def accept(request: Request, person: Reviewer, correction: Id) -> Response:
    """It is right: it will be trained with."""
    return await _decide(request, person, correction, accept=True)


@router.post("/corrections/{correction}/reject")
async def reject(request: Request, person: Reviewer, correction: Id) -> Response:
    """It is not."""
    return await _decide(request, person, correction, accept=False)


@router.post("/corrections/export")
async def export(request: Request, person: Exporter) -> Response:
    """All that were accepted, as training data of Rasa."""
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await corrections.accepted(session, person.merchant_id)
        audit.note(
            session, person, "corrections_exported", now,
            merchant_id=person.merchant_id, count=len(found),
        )  # fmt: skip
    name = f"reviewed-{now.astimezone(person.zone):%Y-%m-%d}.yml"
    return attachment(corrections.training_data(found), "application/yaml", name)


async def _decide(request: Request, person: SignedIn, correction: int, *, accept: bool) -> Response:
    now, who = parts_of(request).clock.now(), (person.operator, person.person_id)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            decided = await corrections.decide(
                session, correction, who, now, accept=accept, also_own=_also_own(person)
            )
            if decided is None:
                return notice(request, "nothing", 404, {"person": person})
            made, new = decided
            if new:
                audit.note(
                    session, person, f"correction_{made.state}", now,
                    merchant_id=person.merchant_id, conversation_id=made.conversation_id,
                    correction=made.id,
                )  # fmt: skip
    except CorrectionRefused as refused:
        return await _list(request, person, PROPOSED, None, problem=refused.why)
    return go(request, "/console/corrections", done=made.state)


def _also_own(person: SignedIn) -> bool:
    """Owners may decide about their own: in a shop of one there is nobody else."""
    return person.may(Permission.PEOPLE)


async def _list(
    request: Request,
    person: SignedIn,
    state: str,
    before: int | None,
    *,
    done: str = "",
    problem: str = "",
) -> Response:
    state = state if state in STATES else PROPOSED
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        rows, after = await corrections.listed(session, person.merchant_id, state, before=before)
    language, lang = language_of(request), request.query_params.get("lang", "")
    facts = {
        "person": person,
        "rows": [_row(row, language, person) for row in rows],
        "state": state,
        "states": STATES,
        "older": query(state=state, lang=lang, before=after) if after else "",
        "newest": query(state=state, lang=lang) if before else "",
        "may_export": person.may(Permission.EXPORT),
        "here": "/console/corrections",
        "lang_value": lang,
        "done": done if done in DONE else "",
        "problem": problem,
    }
    return respond(request, "corrections.html", facts, 409 if problem else 200)


def _row(row: Correction, language: str, person: SignedIn) -> dict[str, Any]:
    own = is_own(row, (person.operator, person.person_id))
    return {
        "id": row.id,
        "talk": row.conversation_id,
        "message": row.message_id,
        "text": row.text,
        "understood": row.understood or "",
        "intent": row.intent,
        "entities": [(value["entity"], value["words"]) for value in row.entities],
        "by": row.person,
        "at": moment(row.proposed_at, language, person.zone),
        "iso": row.proposed_at.isoformat(),
        "decided_by": row.decided_by or "",
        "decidable": row.state == PROPOSED
        and person.may(Permission.ANNOTATE)
        and (not own or _also_own(person)),
        "own": own,
    }

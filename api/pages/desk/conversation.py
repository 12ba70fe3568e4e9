"""``/console/desk/<handoff>``: one conversation, live; who has it open and who writes."""

from typing import Annotated, Any

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api.events import PRESENCE
from api.pages.console.page import console_router, language_of, notice, parts_of, query
from api.pages.desk.conversation_asked import Problem, asked_of, me, presence_of
from api.pages.desk.conversation_facts import facts_of
from api.pages.desk.conversation_since import lines_since
from api.pages.desk.page import BIGGEST, DESK, Agent, Id, pages, respond
from api.people import audit
from api.people.sessions import SignedIn
from conversation import desk, mentions
from conversation.handoff_held import HandoffUnknown

router = console_router()

ONE = "/desk/{handoff:int}"
After = Annotated[int, Query(ge=0, le=BIGGEST)]
DONE = frozenset(
    {
        "sent", "taken", "noted", "offered", "agreed", "waived", "returned", "closed", "again",
        "verified",
    }
)  # fmt: skip


@router.get(ONE)
async def conversation(request: Request, person: Agent, handoff: Id, done: str = "") -> Response:
    """One conversation; each opening stands in the log."""
    return await show(request, person, handoff, done=done, opened=True)


@router.get(ONE + "/live")
async def live(request: Request, person: Agent, handoff: Id, after: After = 0) -> Response:
    """All lines that came after a message."""
    asked = await asked_of(request, person, handoff, people=False)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            facts = await lines_since(session, handoff, asked, after)
    except HandoffUnknown:
        return HTMLResponse("", 404)
    return _part(request, "conversation_since.html", facts)


@router.get(ONE + "/parts")
async def parts(request: Request, person: Agent, handoff: Id) -> Response:
    """What stands around the lines, as it is now."""
    asked = await asked_of(request, person, handoff, with_lines=False)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            facts = await facts_of(session, handoff, asked)
    except HandoffUnknown:
        return HTMLResponse("", 404)
    return _part(request, "conversation_parts.html", facts)


def _part(request: Request, template: str, facts: dict[str, Any]) -> Response:
    html = pages.part(template, _more(request, facts), language=language_of(request))
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


@router.post(ONE + "/presence")
async def presence(
    request: Request,
    person: Agent,
    handoff: Id,
    writing: Annotated[bool, Form()] = False,
    instead: Annotated[bool, Form()] = False,
    leaving: Annotated[bool, Form()] = False,
) -> Response:
    """Say that the page is open, and whether something is being written; who else is there."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        conversation_id = await _conversation(session, handoff)
    if conversation_id is None:
        return JSONResponse({}, 404)
    people = presence_of(request, person)
    if leaving:
        await people.leave(handoff, me(person))
        new, told = True, dict[str, Any]()
    else:
        seen, new = await people.note(handoff, me(person), writing=writing, instead=instead)
        told = seen.besides(me(person))
    if new:
        await parts_of(request).events.changed(person.merchant_id, conversation_id, kind=PRESENCE)
    return JSONResponse(told)


async def show(
    request: Request,
    person: SignedIn,
    handoff: int,
    *,
    done: str = "",
    problem: Problem | None = None,
    status: int = 422,
    opened: bool = False,
) -> Response:
    """The page; with a problem it says beside the form what it is."""
    asked = await asked_of(request, person, handoff, problem=problem)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            facts = await facts_of(session, handoff, asked)
            if opened:
                audit.note(
                    session, person, "transcript_seen", asked.now,
                    merchant_id=person.merchant_id, conversation_id=facts["conversation"],
                    customer_id=facts["customer"]["id"] if facts["customer"] else None,
                )  # fmt: skip
            if person.person_id is not None:
                await mentions.mark_seen(
                    session, person.merchant_id, person.person_id, handoff, asked.now
                )
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    facts = _more(request, facts) | {"done": done if done in DONE else "", "desk": DESK}
    return respond(request, "conversation.html", facts, status if problem else 200)


def _more(request: Request, facts: dict[str, Any]) -> dict[str, Any]:
    return facts | {"lang": query(lang=request.query_params.get("lang", ""))}


async def _conversation(session: AsyncSession, handoff_id: int) -> int | None:
    try:
        return await desk.conversation_of(session, handoff_id)
    except HandoffUnknown:
        return None

"""``/console/desk/replies``: texts kept ready for the team; ``/console/desk/mentions``."""

from typing import Annotated, Any

from fastapi import Form, Request, Response

from api.pages.console.page import console_router, go, language_of, notice, parts_of, query
from api.pages.console.view import moment, texts
from api.pages.desk.page import DESK, Agent, Id, respond
from api.people import audit
from api.people.sessions import SignedIn
from conversation import canned, mentions
from conversation.canned import CannedRefused, Draft

router = console_router()

REPLIES = f"{DESK}/replies"
Text = Annotated[str, Form(max_length=20_000)]
Line = Annotated[str, Form(max_length=200)]
DONE = frozenset({"saved", "removed"})


@router.get("/desk/replies")
async def replies(request: Request, person: Agent, done: str = "") -> Response:
    """All that is ready."""
    return await _show(request, person, done=done)


@router.post("/desk/replies")
async def add(
    request: Request, person: Agent, shortcut: Line = "", text_de: Text = "", text_en: Text = ""
) -> Response:
    """Keep a new one."""
    return await _save(request, person, Draft(shortcut, text_de, text_en), None)


@router.post("/desk/replies/{reply:int}")
async def change(
    request: Request,
    person: Agent,
    reply: Id,
    shortcut: Line = "",
    text_de: Text = "",
    text_en: Text = "",
) -> Response:
    """Change one."""
    return await _save(request, person, Draft(shortcut, text_de, text_en), reply)


@router.post("/desk/replies/{reply:int}/remove")
async def remove(request: Request, person: Agent, reply: Id) -> Response:
    """Delete one."""
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        if not await canned.remove(session, person.merchant_id, reply):
            return notice(request, "nothing", 404, {"person": person})
        audit.note(session, person, "canned_reply_removed", now, merchant_id=person.merchant_id)
    return go(request, REPLIES, done="removed")


@router.get("/desk/mentions")
async def mentioned(request: Request, person: Agent) -> Response:
    """Notes that name this person and that they have not opened."""
    found: list[mentions.Mention] = []
    if person.person_id is not None:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            found = await mentions.unseen(session, person.merchant_id, person.person_id)
    language = language_of(request)
    rows = [
        {
            "handoff": one.handoff_id,
            "author": one.author,
            "text": one.text,
            "at": moment(one.at, language, person.zone),
            "iso": one.at.isoformat(),
        }
        for one in found
    ]
    return respond(request, "conversation_mentions.html", {**_facts(request, person), "rows": rows})


async def _save(request: Request, person: SignedIn, draft: Draft, reply_id: int | None) -> Response:
    now = parts_of(request).clock.now()
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            kept = await canned.save(
                session, person.merchant_id, draft, person.operator, now, reply_id=reply_id
            )
            if kept is None:
                return notice(request, "nothing", 404, {"person": person})
            audit.note(session, person, "canned_reply_saved", now, merchant_id=person.merchant_id)
    except CannedRefused as refused:
        words = texts(language_of(request))["desk"]["canned"]["problems"]
        problem = words[refused.code].format(name=refused.name)
        return await _show(request, person, problem=problem, draft=draft, of=reply_id)
    return go(request, REPLIES, done="saved")


async def _show(
    request: Request,
    person: SignedIn,
    *,
    done: str = "",
    problem: str = "",
    draft: Draft | None = None,
    of: int | None = None,
) -> Response:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await canned.all_ready(session, person.merchant_id)
    language = language_of(request)
    german = language == "de"
    names = list(canned.NAMES)[:7] if german else [*list(canned.NAMES)[7:], "name"]
    facts = {
        **_facts(request, person),
        "rows": [
            {
                "id": one.id,
                "shortcut": one.shortcut,
                "text_de": one.text_de,
                "text_en": one.text_en,
                "by": one.changed_by,
            }
            for one in found
        ],
        "names": ", ".join("{" + one + "}" for one in sorted(names)),
        "done": done if done in DONE else "",
        "problem": problem,
        "draft": draft,
        "of": of,
    }
    return respond(request, "conversation_replies.html", facts, 422 if problem else 200)


def _facts(request: Request, person: SignedIn) -> dict[str, Any]:
    return {
        "person": person,
        "d": texts(language_of(request))["desk"],
        "lang": query(lang=request.query_params.get("lang", "")),
        "desk": DESK,
    }

"""What reviewers do with a conversation: rate it, flag it, remark on a message, correct it.

Also choices of conversations that are kept under a name.
"""

import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console import choice
from api.pages.console.choice import Choice
from api.pages.console.conversations import Id, Reader
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query, respond
from api.pages.console.transcripts import comment_view
from api.pages.console.view import line_view, texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import corrections, review, transcript
from conversation.corrections import CorrectionRefused
from conversation.known import known_of_each
from conversation.redaction import PERSONAL_ENTITIES, Redaction
from storage.tables import Conversation, Message

router = console_router()

Reviewer = Annotated[SignedIn, Depends(Needs(Permission.ANNOTATE))]
Line = Annotated[str, Form(max_length=4_000)]
KEY_CHARACTERS_MAX = 64
DONE = ("commented", "proposed")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not noted, and what had been filled in."""

    code: str = ""
    given: dict[str, str] = field(default_factory=dict)


@router.post("/conversations/{conversation}/rating")
async def rate(request: Request, person: Reviewer, conversation: Id, rating: Line = "") -> Response:
    """Rate from 1 to 5, or take the rating back."""
    wanted = int(rating) if rating in choice.RATINGS else None

    async def step(session: AsyncSession) -> str:
        if await review.rate(session, person.merchant_id, conversation, wanted):
            _note(request, session, person, "transcript_rated", conversation, rating=wanted)
        return "rated"

    return await _of_conversation(request, person, conversation, step)


@router.post("/conversations/{conversation}/flag")
async def flag(request: Request, person: Reviewer, conversation: Id, on: Line = "") -> Response:
    """Flag for others to look at, or take that back."""
    flagged = on == "yes"
    kind = "transcript_flagged" if flagged else "transcript_unflagged"

    async def step(session: AsyncSession) -> str:
        if await review.flag(session, person.merchant_id, conversation, flagged=flagged):
            _note(request, session, person, kind, conversation)
        return "flagged" if flagged else "unflagged"

    return await _of_conversation(request, person, conversation, step)


@router.get("/conversations/{conversation}/messages/{message}")
async def one(
    request: Request, person: Reader, conversation: Id, message: Id, done: str = ""
) -> Response:
    """One message: the whole ranking, remarks, and what it should have been understood as."""
    return await _message(request, person, conversation, message, done=done)


@router.post("/conversations/{conversation}/messages/{message}/comment")
async def comment(
    request: Request,
    person: Reviewer,
    conversation: Id,
    message: Id,
    text: Line = "",
    key: Line = "",
) -> Response:
    """Remark on it; a repeated form changes nothing."""
    text, now = text.strip(), parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        held = await _held(session, conversation, message)
        if held is None:
            return notice(request, "nothing", 404, {"person": person})
        if text:
            new = await review.comment(session, held, text, person.operator, now, key=_key(key))
            if new:
                _note(
                    request, session, person, "transcript_commented", conversation, message=message
                )
    if not text:
        return await _message(request, person, conversation, message, Problem("comment"))
    return _back(request, conversation, message, "commented")


@router.post("/conversations/{conversation}/messages/{message}/correction")
async def correct(
    request: Request,
    person: Reviewer,
    conversation: Id,
    message: Id,
    text: Line = "",
    intent: Line = "",
    entity: Line = "",
    words: Line = "",
) -> Response:
    """Propose what it means."""
    given = {"text": text, "intent": intent, "entity": entity, "words": words}
    values = [(entity, words)] if entity.strip() or words.strip() else []
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            held = await _held(session, conversation, message)
            if held is None or held.author != "customer":
                return notice(request, "nothing", 404, {"person": person})
            if intent not in choice.intents():
                raise CorrectionRefused("intent")
            if values and entity not in choice.entities():
                raise CorrectionRefused("words")
            known = await _known(session, person, conversation)
            made = await corrections.propose(
                session, held, known, (text, intent, values),
                (person.operator, person.person_id), parts_of(request).clock.now(),
            )  # fmt: skip
            _note(
                request, session, person, "correction_proposed", conversation,
                correction=made.id, intent=intent,
            )  # fmt: skip
    except CorrectionRefused as refused:
        problem = Problem(refused.why, given)
        return await _message(request, person, conversation, message, problem)
    return _back(request, conversation, message, "proposed")


@router.post("/views")
async def save_view(
    request: Request, person: Reader, name: Line = "", shared: Line = ""
) -> Response:
    """Keep the choice that the form repeats, under a name; for all, where one may annotate."""
    chosen, name = Choice.read((await request.form()).multi_items()), " ".join(name.split())
    done = "saved" if name else "name"
    if name:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            await review.save_view(
                session, person.merchant_id, (person.operator, person.person_id), name,
                chosen.query().removeprefix("?"), parts_of(request).clock.now(),
                shared=shared == "yes" and person.may(Permission.ANNOTATE),
            )  # fmt: skip
    lang = request.query_params.get("lang", "")
    return RedirectResponse("/console/conversations" + chosen.query(lang=lang, done=done), 303)


@router.post("/views/{view}/delete")
async def drop_view(request: Request, person: Reader, view: Id) -> Response:
    """Let go of one's own."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        dropped = await review.drop_view(
            session, person.merchant_id, person.operator, person.person_id, view
        )
    if not dropped:
        return notice(request, "nothing", 404, {"person": person})
    return go(request, "/console/conversations", done="dropped")


async def _of_conversation(
    request: Request, person: SignedIn, conversation: int, step: Any
) -> Response:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        there = await session.scalar(
            select(Conversation.id).where(Conversation.id == conversation).with_for_update()
        )
        if there is None:
            return notice(request, "nothing", 404, {"person": person})
        done = await step(session)
    return go(request, f"/console/conversations/{conversation}", done=done)


async def _held(session: AsyncSession, conversation: int, message: int) -> Message | None:
    held = await session.get(Message, message)
    return held if held is not None and held.conversation_id == conversation else None


async def _known(session: AsyncSession, person: SignedIn, conversation: int) -> Any:
    talk = await session.get_one(Conversation, conversation)
    held = {conversation: (talk.customer_id, (talk.address,))}
    return (await known_of_each(session, person.merchant_id, held))[conversation]


async def _message(
    request: Request,
    person: SignedIn,
    conversation: int,
    message: int,
    problem: Problem | None = None,
    done: str = "",
) -> Response:
    language, parts = language_of(request), parts_of(request)
    async with parts.database.merchant(person.merchant_id) as session:
        found = await transcript.line_of(session, person.merchant_id, conversation, message)
        if found is None or found[0].message is None:
            return notice(request, "nothing", 404, {"person": person})
        (line, known), said = found, found[0].message
        comments = await review.comments_of(session, [message])
        corrected = (await corrections.of_messages(session, [message])).get(message)
        audit.note(
            session, person, "transcript_seen", parts.clock.now(),
            merchant_id=person.merchant_id, conversation_id=conversation,
        )  # fmt: skip
    redaction = Redaction(known, texts(language)["covered"])
    given = problem.given if problem else {}
    facts = {
        "person": person,
        "line": line_view(line, language, person.zone, redaction),
        "comments": [
            comment_view(one, language, person, redaction) for one in comments.get(message, ())
        ],
        "correction": corrected,
        "may_annotate": person.may(Permission.ANNOTATE),
        "of_customer": said.author == "customer",
        "intents": choice.intents(),
        "entities": [one for one in choice.entities() if one not in PERSONAL_ENTITIES],
        "given": {"text": corrections.learnable(said.text, known), "intent": "",
                  "entity": "", "words": "", **given},
        "problem": problem.code if problem else "",
        "done": done if done in DONE else "",
        "key": secrets.token_hex(16),
        "here": f"/console/conversations/{conversation}/messages/{message}",
        "back": f"/console/conversations/{conversation}"
        f"{query(at=message, lang=request.query_params.get('lang', ''))}#m{message}",
    }  # fmt: skip
    return respond(request, "message.html", facts, 422 if problem else 200)


def _back(request: Request, conversation: int, message: int, done: str) -> Response:
    return go(request, f"/console/conversations/{conversation}/messages/{message}", done=done)


def _key(given: str) -> str:
    return given[:KEY_CHARACTERS_MAX] or secrets.token_hex(16)


def _note(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    kind: str,
    conversation: int,
    **facts: Any,
) -> None:
    audit.note(
        session, person, kind, parts_of(request).clock.now(),
        merchant_id=person.merchant_id, conversation_id=conversation, **facts,
    )  # fmt: skip

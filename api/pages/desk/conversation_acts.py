"""What a person does with a conversation at the desk: the same functions as over REST.

A form is answered with a redirect; what is refused is said beside it, with what was filled in.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from api.handoff_care import may_write_unasked
from api.handoffs import send_outbox, working
from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.console.view import texts
from api.pages.desk.conversation import ONE, show
from api.pages.desk.conversation_asked import Problem, presence_of
from api.pages.desk.conversation_facts import ready_facts
from api.pages.desk.page import BIGGEST, DESK, Agent, Id
from api.pages.desk.queue_page import by
from api.people import audit
from api.people.sessions import SignedIn
from api.queue import Overtaken
from conversation import canned, desk, identity, mentions
from conversation.handoff_held import (
    By,
    CustomerNotVerified,
    HandoffError,
    HandoffUnknown,
    held_handoff,
    open_handoff,
)
from conversation.handoff_summary import summary
from conversation.handoff_voice import send_again, send_template
from conversation.look import lock
from conversation.outbox import scene
from conversation.wording import DisclosureRefused
from conversation.wrap_up import wrap_up_codes
from storage.tables import Conversation, HandoffNote

router = console_router()

NOTE_CHARACTERS_MAX = 4000
TAKEN_OVER = "taken_over"
_KEY = re.compile(r"[\w-]{1,64}", re.ASCII)
Text = Annotated[str, Form(max_length=20_000)]
Line = Annotated[str, Form(max_length=200)]
Number = Annotated[int, Form(ge=0, le=BIGGEST)]
Step = Callable[[AsyncSession], Awaitable[None]]


class Refused(Exception):
    """It was not done; the text says why, in the words of the page."""


@router.post(ONE + "/take")
async def take(
    request: Request,
    person: Agent,
    handoff: Id,
    instead_of: Line = "",
    instead_of_id: Number = 0,
) -> Response:
    """The conversation comes to this person; from a colleague only from whom the form names."""
    before = By(instead_of, instead_of_id or None) if instead_of else None

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        await desk.take(session, handoff, by(person), now, instead_of=before)

    return await act(request, person, handoff, "acts", step, "taken")


@router.post(ONE + "/reply")
async def reply(
    request: Request, person: Agent, handoff: Id, text: Text = "", key: Line = "", seen: Number = 0
) -> Response:
    """Write to the customer: once for each form, and not past what somebody else has written."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        said = await _filled(session, person, handoff, text.strip(), words, now)
        _fitting(said, desk.REPLY_CHARACTERS_MAX, words)
        if not _KEY.fullmatch(key):
            raise Refused(words["problems"]["ReplyKeyReused"])
        await desk.reply(
            session,
            handoff,
            by(person),
            said,
            now,
            key=f"console:{handoff}:{person.person_id or person.operator}:{key}",
            seen=seen,
            public_url=parts_of(request).public_url,
        )
        await send_outbox(request, session, person.merchant_id, handoff)

    return await act(request, person, handoff, "reply", step, "sent", {"text": text})


async def _filled(
    session: AsyncSession,
    person: SignedIn,
    handoff: int,
    said: str,
    words: Mapping[str, Any],
    now: datetime,
) -> str:
    """The placeholders that are left in what was written, filled; the disclosure guard holds."""
    if "{" not in said:
        return said
    found = await summary(session, person.merchant_id, handoff, now)
    where = await scene(session, found.listed.handoff.conversation_id)
    facts = ready_facts(found, where, person.operator)
    try:
        return canned.filled(said, facts, verified=found.listed.verified)
    except DisclosureRefused:
        raise CustomerNotVerified("the text names facts") from None
    except canned.FactMissing as missing:
        raise Refused(words["missing_ready"].format(names=", ".join(missing.names))) from None


@router.post(ONE + "/note")
async def note(
    request: Request, person: Agent, handoff: Id, text: Text = "", call: Line = ""
) -> Response:
    """Words for colleagues; who is mentioned finds them in a list of their own."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        said = text.strip()
        _fitting(said, NOTE_CHARACTERS_MAX, words)
        kind = desk.CALL if call else desk.NOTE
        if await desk.noted_just_now(session, handoff, by(person), said, now, kind=kind):
            return
        kept = await desk.note(session, handoff, by(person), said, now, kind=kind)
        written = await session.get_one(HandoffNote, kept)
        await mentions.note_mentions(session, person.merchant_id, kept, written.text)

    return await act(request, person, handoff, "note", step, "noted", {"text": text, "call": call})


@router.post(ONE + "/return")
async def give_back(
    request: Request,
    person: Agent,
    handoff: Id,
    hint: Text = "",
    resume_contact: Line = "",
    reopen_proof: Line = "",
) -> Response:
    """The assistant goes on; it greets where that is permitted now."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        said = hint.strip()
        if len(said) > NOTE_CHARACTERS_MAX:
            raise Refused(words["problems"]["long"].format(most=NOTE_CHARACTERS_MAX))
        conversation = await desk.conversation_of(session, handoff)
        greeted = await desk.give_back(
            session,
            handoff,
            by(person),
            now,
            hint=said,
            greet=await may_write_unasked(session, conversation, now),
            resume_contact=bool(resume_contact),
            reopen_proof=bool(reopen_proof),
        )
        if greeted:
            await send_outbox(request, session, person.merchant_id, handoff)

    return await act(request, person, handoff, "return", step, "returned", {"hint": hint})


@router.post(ONE + "/close")
async def close(
    request: Request,
    person: Agent,
    handoff: Id,
    code: Line = "",
    resume_contact: Line = "",
    reopen_proof: Line = "",
) -> Response:
    """End it with one of the merchant's codes."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        codes = {one.code: one for one in await wrap_up_codes(session)}
        if code not in codes:
            raise Refused(words["problems"]["outcome"])
        await desk.close(
            session,
            handoff,
            by(person),
            codes[code].outcome,
            parts_of(request).clock.now(),
            resume_contact=bool(resume_contact),
            reopen_proof=bool(reopen_proof),
            wrap_up=codes[code].name or None,
        )

    return await act(request, person, handoff, "close", step, "closed", {"code": code})


@router.post(ONE + "/again")
async def again(request: Request, person: Agent, handoff: Id, message: Number = 0) -> Response:
    """Send once more what was not delivered."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        if not await send_again(session, handoff, by(person), message, now):
            raise Refused(words["problems"]["not_again"])
        await send_outbox(request, session, person.merchant_id, handoff)

    return await act(request, person, handoff, "reply", step, "again")


@router.post(ONE + "/template")
async def template(
    request: Request, person: Agent, handoff: Id, name: Line = "", key: Line = ""
) -> Response:
    """Send one of the templates that the provider has approved."""
    words = _words(request)

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        try:
            sent = await send_template(session, handoff, by(person), name, now, key=key)
        except (DisclosureRefused, LookupError) as refused:  # the page offers none such
            raise Refused(words["no_template"]) from refused
        if not sent:
            raise Refused(words["no_template"])
        await send_outbox(request, session, person.merchant_id, handoff)

    return await act(request, person, handoff, "reply", step, "sent")


@router.post(ONE + "/verify")
async def verify(
    request: Request,
    person: Agent,
    handoff: Id,
    number: Line = "",
    birth_date: Line = "",
    postal_code: Line = "",
) -> Response:
    """Whether what a caller says is right: counted, and locked, as in the chat."""
    words = _words(request)
    given = identity.Given((number,) if number.strip() else (), birth_date or None, postal_code)
    if not (given.numbers or (given.birth_date and postal_code.strip())):
        problem = Problem("verify", words["problems"]["empty"])
        return await show(request, person, handoff, problem=problem)
    outcome = identity.Check.LOCKED

    async def step(session: AsyncSession) -> None:
        nonlocal outcome
        now = parts_of(request).clock.now()
        held = await open_handoff(session, handoff)
        conversation = await lock(session, held.conversation.id)
        outcome, _ = await identity.judge(session, conversation, given, now, at="phone")

    answer = await act(request, person, handoff, "verify", step, "verified")
    if outcome is identity.Check.VERIFIED or answer.status_code != 303:
        return answer
    problem = Problem("verify", words["problems"][outcome.value])
    return await show(request, person, handoff, problem=problem)


@router.post(ONE + "/reveal")
async def reveal(request: Request, person: Agent, handoff: Id, cover: Line = "") -> Response:
    """Uncover personal data for a while, which stands in the log; or cover it again."""
    people = presence_of(request, person)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            held = await held_handoff(session, handoff)
            if not cover:
                audit.note(
                    session, person, "transcript_revealed", parts_of(request).clock.now(),
                    merchant_id=person.merchant_id, conversation_id=held.conversation.id,
                    customer_id=held.conversation.customer_id,
                )  # fmt: skip
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    await (people.cover if cover else people.uncover)(handoff, person.session)
    return go(request, f"{DESK}/{handoff}")


@router.post("/desk/open/{conversation:int}")
async def take_over(request: Request, person: Agent, conversation: Id) -> Response:
    """Take a conversation that nobody asked a person for, or that one has ended."""
    parts = parts_of(request)
    now = parts.clock.now()
    async with parts.database.conversation(person.merchant_id, conversation) as session:
        if await session.get(Conversation, conversation) is None:
            return notice(request, "nothing", 404, {"person": person})
        handoff = await desk.open_in(session, conversation, TAKEN_OVER, now)
        held = (await open_handoff(session, handoff)).handoff
        free = held.taken_by is None or by(person).has(held)
        if free:  # else a colleague has it; the page says who
            await desk.take(session, handoff, by(person), now)
    if free:
        await parts.events.changed(person.merchant_id, conversation)
    return go(request, f"{DESK}/{handoff}", done="taken" if free else "")


@retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)
async def act(
    request: Request,
    person: SignedIn,
    handoff: int,
    where: str,
    step: Step,
    done: str,
    given: Mapping[str, str] | None = None,
) -> Response:
    """Take a step under the conversation's lock, and go back to the page."""
    words = _words(request)
    try:
        async with working(request, person.merchant_id, handoff) as session:
            await step(session)
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except HandoffError as refused:
        problem = Problem(where, in_words(refused, words), given or {})
        return await show(request, person, handoff, problem=problem, status=409)
    except Refused as refused:
        return await show(
            request, person, handoff, problem=Problem(where, str(refused), given or {})
        )
    return go(request, f"{DESK}/{handoff}", done=done)


def in_words(refused: HandoffError, words: Mapping[str, Any]) -> str:
    """Why something was not done, with what to do."""
    problems = words["problems"]
    text = problems.get(type(refused).__name__, problems["HandoffClosed"])
    name = refused.facts.get("taken_by") or refused.facts.get("by") or problems["the_customer"]
    return str(text.format(name=name))


def _words(request: Request) -> Mapping[str, Any]:
    words: Mapping[str, Any] = texts(language_of(request))["desk"]
    return words


def _fitting(said: str, most: int, words: Mapping[str, Any]) -> None:
    if not said:
        raise Refused(words["problems"]["empty"])
    if len(said) > most:
        raise Refused(words["problems"]["long"].format(most=most))

"""``/console``: the transcripts of a merchant's conversations, for people who are signed in.

Read-only. Personal data is covered; uncovering it is a request of its own, goes into the audit, and
lasts for the page that answers it.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.pages.console import sessions
from api.pages.console.view import line_view, listed_view, texts
from api.pages.page import Pages, wanted_language
from api.wiring import Parts
from conversation import transcript
from conversation.redaction import Redaction, cover_address
from storage.tables import AuditEvent

router = APIRouter(prefix="/console", include_in_schema=False)
_pages = Pages("console", "console.css")

COOKIE = "kulanz_console"
STATES = ("bot", "waiting", "agent", "closed")
CHANNELS = ("sms", "whatsapp", "telegram", "terminal")
BIGGEST = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
Before = Annotated[int | None, Query(ge=1, le=BIGGEST)]


@router.get("")
@router.get("/")
async def start() -> Response:
    """The list is where one begins."""
    return RedirectResponse("/console/conversations", 303)


@router.get("/login/{token}")
async def offer(request: Request, token: str, lang: str = "") -> Response:
    """A page with one button: a link that is only looked at (by a mail scanner) is not used up."""
    return _respond(request, "login.html", {"token": token, "state": "offer"}, lang)


@router.post("/login/{token}")
async def sign_in(request: Request, token: str, lang: str = "") -> Response:
    """Use up the link and set the cookie."""
    parts = _parts(request)
    async with parts.database.operator() as session:
        made = await sessions.redeem(session, token, parts.clock.now())
    if made is None:
        return _respond(request, "login.html", {"token": "", "state": "spent"}, lang, status=403)
    response = RedirectResponse("/console/conversations" + _query(lang=lang), 303)
    response.set_cookie(
        COOKIE,
        made,
        max_age=sessions.SESSION_HOURS * 3600,
        path="/console",
        httponly=True,
        samesite="lax",
        secure=parts.public_url.startswith("https://"),
    )
    return response


@router.post("/logout")
async def log_out(request: Request, csrf: Annotated[str, Form()] = "", lang: str = "") -> Response:
    """End the session."""
    parts, token = _parts(request), request.cookies.get(COOKIE, "")
    async with parts.database.operator() as session:
        person = await sessions.signed_in(session, token, parts.clock.now())
        if person is None or not sessions.is_ours(person, csrf):
            return _refused(request, lang)
        await sessions.sign_out(session, token, parts.clock.now())
    response = _respond(request, "login.html", {"token": "", "state": "out"}, lang)
    response.delete_cookie(COOKIE, path="/console")
    return response


@router.get("/conversations")
async def conversations(
    request: Request, before: Before = None, state: str = "", channel: str = "", lang: str = ""
) -> Response:
    """All conversations, the one that was written in last first."""
    parts = _parts(request)
    person = await _person(request)
    if person is None:
        return _respond(request, "login.html", {"token": "", "state": "needed"}, lang, status=401)
    state, channel = _one_of(state, STATES), _one_of(channel, CHANNELS)
    async with parts.database.merchant(person.merchant_id) as session:
        rows, after = await transcript.listed(
            session,
            person.merchant_id,
            before=before,
            state=state or None,
            channel=channel or None,
        )
    language = _language(request, lang)
    kept = {"state": state, "channel": channel, "lang": lang}
    facts = {
        "person": person,
        "rows": [listed_view(row, language, person.zone) for row in rows],
        "chosen": kept,
        "states": STATES,
        "channels": CHANNELS,
        "older": _query(**kept, before=after) if after else "",
        "newest": _query(**kept) or "?" if before else "",
        "query": _query(lang=lang),
    }
    return _respond(request, "conversations.html", facts, lang)


@router.get("/conversations/{conversation}")
async def conversation(
    request: Request, conversation: Id, before: Before = None, lang: str = ""
) -> Response:
    """One transcript, personal data covered."""
    person = await _person(request)
    if person is None:
        return _respond(request, "login.html", {"token": "", "state": "needed"}, lang, status=401)
    return await _transcript(request, person, conversation, before, lang, covered=True)


@router.post("/conversations/{conversation}/reveal")
async def reveal(
    request: Request,
    conversation: Id,
    csrf: Annotated[str, Form()] = "",
    before: Before = None,
    lang: str = "",
) -> Response:
    """The same transcript uncovered, for this one answer; who looked is noted."""
    person = await _person(request)
    if person is None or not sessions.is_ours(person, csrf):
        return _refused(request, lang)
    return await _transcript(request, person, conversation, before, lang, covered=False)


async def _transcript(
    request: Request,
    person: sessions.SignedIn,
    conversation: int,
    before: int | None,
    lang: str,
    *,
    covered: bool,
) -> Response:
    parts, language = _parts(request), _language(request, lang)
    async with parts.database.merchant(person.merchant_id) as session:
        read = await transcript.read(session, person.merchant_id, conversation, before=before)
        if read is None:
            return _respond(request, "login.html", {"token": "", "state": "nothing"}, lang, 404)
        if not covered:
            session.add(
                AuditEvent(
                    merchant_id=person.merchant_id,
                    kind="transcript_revealed",
                    at=parts.clock.now(),
                    customer_id=read.conversation.customer_id,
                    conversation_id=conversation,
                    facts={"operator": person.operator},
                )
            )
    redaction = Redaction(read.known, texts(language)["covered"]) if covered else None
    held, customer = read.conversation, read.customer
    name = " ".join(filter(None, (customer.first_name, customer.name))) if customer else ""
    facts = {
        "person": person,
        "covered": covered,
        "held": held,
        "number": customer.number if customer else "",
        "name": "" if covered else name,
        "address": cover_address(held.address) if covered else held.address,
        "lines": [line_view(line, language, person.zone, redaction) for line in read.lines],
        "here": f"/console/conversations/{conversation}",
        "query": _query(lang=lang, before=before),
        "earlier": _query(lang=lang, before=read.earlier) if read.earlier else "",
        "latest": (_query(lang=lang) or "?") if before else "",
    }
    return _respond(request, "transcript.html", facts, lang)


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _person(request: Request) -> sessions.SignedIn | None:
    parts = _parts(request)
    token = request.cookies.get(COOKIE)
    async with parts.database.operator() as session:
        return await sessions.signed_in(session, token, parts.clock.now())


def _refused(request: Request, lang: str) -> Response:
    return _respond(request, "login.html", {"token": "", "state": "needed"}, lang, status=403)


def _language(request: Request, lang: str) -> str:
    return wanted_language(lang, request.headers.get("accept-language", ""), "de")


def _respond(
    request: Request, template: str, facts: Mapping[str, Any], lang: str, status: int = 200
) -> Response:
    language = _language(request, lang)
    switch = {
        one: "?" + urlencode({**dict(request.query_params), "lang": one}) for one in ("de", "en")
    }
    # What answers a POST has no address to switch on.
    shown = {"switch": switch if request.method == "GET" else {}, "t": texts(language), **facts}
    return _pages.respond(template, shown, language=language, status=status)


def _one_of(given: str, known: tuple[str, ...]) -> str:
    return given if given in known else ""


def _query(**given: Any) -> str:
    kept = {name: value for name, value in given.items() if value}
    return "?" + urlencode(kept) if kept else ""

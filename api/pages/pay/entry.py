"""``/p``: the way in. A link or its code, then one fact, or the proof the chat has just had."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.client_address import client_key
from api.limits import CHECK_WAIT_SECONDS
from api.pages.pay import sessions
from api.pages.pay.visit import HOME, NotVisiting, go, language_of, respond, visiting
from api.wiring import Parts
from conversation import page_link
from conversation.handoff import request_handoff
from conversation.identity import Check, Given
from storage.tables import Conversation, Customer, Merchant, PageLink

router = APIRouter(prefix=HOME, include_in_schema=False)
Text = Annotated[str, Form(max_length=200)]
_DATE = re.compile(r"(\d{1,2})\D+(\d{1,2})\D+(\d{4})")


@router.post("")
async def type_code(request: Request, code: Text = "", csrf: Text = "", lang: str = "") -> Response:
    """A code from a letter or a message: on to its page. The address is then the link itself."""
    parts: Parts = request.app.state.parts
    if not sessions.is_ours(request.cookies.get(sessions.FORM_COOKIE), csrf):
        return ask_code(request, lang, "form")
    if not await parts.limits.may_check(client_key(request, parts.settings.trusted_proxies)):
        return _wait(request, lang)
    async with parts.database.operator() as session:
        found = await page_link.find(session, code, parts.clock.now())
    if found is None:
        return ask_code(request, lang, "unknown", 404)
    return go(f"{HOME}/{page_link.normal(code)}")


@router.post("/leave")
async def leave(request: Request, csrf: Text = "") -> Response:
    """End the visit."""
    parts: Parts = request.app.state.parts
    token = request.cookies.get(sessions.COOKIE)
    if token and sessions.is_ours(token, csrf):
        async with parts.database.operator() as session:
            await sessions.leave(session, token, parts.clock.now())
    response = ask_code(request, "", "left")
    response.delete_cookie(sessions.COOKIE, path=HOME)
    return response


def ask_code(request: Request, lang: str = "", state: str = "form", status: int = 200) -> Response:
    """The form for a code; the same for an unknown, an expired and a revoked one."""
    facts = {"state": state}
    return _with_form(request, "code.html", facts, language_of(request, lang), None, status)


@router.get("/{code:path}")
async def follow(request: Request, code: str, lang: str = "") -> Response:
    """A link: whoever visits already goes on, everybody else is asked for a fact.

    Looking at it changes nothing: messengers and mail scanners look at every link.
    """
    found = await _link(request, code)
    if isinstance(found, Response):
        return found
    if found is None:
        return ask_code(request, lang, "unknown", 404)
    try:
        async with visiting(request, lang=lang) as here:
            if here.customer.id == found.customer_id:
                return go(HOME)
    except NotVisiting:
        pass
    return await _ask_proof(request, found, "", lang)


@router.post("/{code:path}")
async def prove(
    request: Request,
    code: str,
    number: Text = "",
    birth_date: Text = "",
    postal_code: Text = "",
    trusted: Text = "",
    csrf: Text = "",
    lang: str = "",
) -> Response:
    """The fact that proves who it is, or nothing where the chat's own proof counts."""
    parts: Parts = request.app.state.parts
    link = await _link(request, code)
    if isinstance(link, Response):
        return link
    if link is None:
        return ask_code(request, lang, "unknown", 404)
    if not sessions.is_ours(request.cookies.get(sessions.FORM_COOKIE), csrf):
        return await _ask_proof(request, link, "form", lang)
    numbers = (number.strip(),) if number.strip() else ()
    given = Given(numbers, _iso_day(birth_date), postal_code.strip() or None)
    if not trusted and not given.numbers and not given.birth_date:
        return await _ask_proof(request, link, "empty", lang)  # no try
    now, token, outcome = parts.clock.now(), "", Check.WRONG
    async with parts.database.operator() as session:
        link = await session.merge(link)
        if trusted:
            proved = "chat" if await sessions.trust(session, link, now) else None
        else:
            outcome, proved = await sessions.prove(session, link, given, now)
        if proved is not None:
            language = (await _reader(session, link, lang))[0]
            token = sessions.begin(session, link, proved, language, now)
        elif outcome is Check.LOCKED:
            await request_handoff(
                session,
                conversation_id=link.conversation_id,
                reason="verification_locked",
                summary={},
                now=now,
            )
    if not token:
        state = "" if trusted else outcome.value
        return await _ask_proof(request, link, state, lang)
    response = go(HOME)
    response.set_cookie(
        sessions.COOKIE,
        token,
        path=HOME,
        httponly=True,
        samesite="lax",
        secure=parts.public_url.startswith("https://"),
    )
    return response


async def _link(request: Request, code: str) -> PageLink | Response | None:
    """The link with this code; a page that asks to wait where too many were tried."""
    parts: Parts = request.app.state.parts
    if not await parts.limits.may_check(client_key(request, parts.settings.trusted_proxies)):
        return _wait(request, "")
    async with parts.database.operator() as session:
        return await page_link.find(session, code, parts.clock.now())


async def _ask_proof(request: Request, link: PageLink, state: str, lang: str) -> Response:
    """The form for a fact. It says what the message said: the shop, under its public name."""
    parts: Parts = request.app.state.parts
    async with parts.database.operator() as session:
        trusted = not state and await page_link.is_trusted(session, link, parts.clock.now())
        language, form, merchant = await _reader(session, link, lang)
    public = merchant.alias or merchant.name
    facts = {"state": state, "trusted": trusted, "shop": public}
    if merchant.alias:  # its imprint would say what the alias hides
        facts |= {"legal": "", "logo": ""}
    status = 403 if state in ("wrong", "locked", "form") else 200
    return _with_form(request, "proof.html", facts, language, merchant, status, form)


async def _reader(session: AsyncSession, link: PageLink, lang: str) -> tuple[str, str, Merchant]:
    """Language, form of address and shop of whoever holds a link."""
    merchant = await session.get_one(Merchant, link.merchant_id)
    customer = await session.get_one(Customer, link.customer_id)
    conversation = await session.get_one(Conversation, link.conversation_id)
    known = conversation.language or customer.language or merchant.language
    language = lang if lang in ("de", "en") else known
    form = customer.address_form or merchant.address_form
    return (language if language in ("de", "en") else "de"), form, merchant


def _with_form(
    request: Request,
    template: str,
    facts: Mapping[str, object],
    language: str,
    merchant: Merchant | None,
    status: int,
    form: str = "sie",
) -> Response:
    """A page with a form for somebody who has no session: a cookie of its own stands for it."""
    parts: Parts = request.app.state.parts
    token = request.cookies.get(sessions.FORM_COOKIE) or sessions.new_token()
    given = {**facts, "csrf": sessions.csrf_of(token)}
    response = respond(template, given, language, form, merchant, status)
    response.set_cookie(
        sessions.FORM_COOKIE,
        token,
        path=HOME,
        httponly=True,
        samesite="lax",
        secure=parts.public_url.startswith("https://"),
    )
    return response


def _wait(request: Request, lang: str) -> Response:
    response = ask_code(request, lang, "wait", 429)
    response.headers["Retry-After"] = str(CHECK_WAIT_SECONDS)
    return response


def _iso_day(typed: str) -> str | None:
    """A birth date as an ISO day: as browsers send it, or as people write it."""
    typed = typed.strip()
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        found = _DATE.fullmatch(typed)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat() if found else None
    except ValueError:
        return None

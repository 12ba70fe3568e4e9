"""``/console/sign-in`` and what leads to it: password, then code; links; a forgotten password."""

from typing import Annotated

from fastapi import BackgroundTasks, Depends, Form, Request, Response

from api.pages.console.letters import mail_password_link
from api.pages.console.page import (
    START,
    console_router,
    entrance,
    go,
    notice,
    parts_of,
    respond,
    set_cookie,
    signed_in,
)
from api.people import accounts, audit, links, passwords, sessions, sso
from api.people import sign_in as steps
from api.people.access import CODE_COOKIE, COOKIE, Anybody, Needs
from api.people.links import Link, LinkKind
from api.people.mail import can_mail
from api.people.sessions import SignedIn
from api.people.tokens import hashed

router = console_router()

Mark = Annotated[str, Depends(Anybody())]
Whoever = Annotated[SignedIn, Depends(Needs(unfinished=True))]
Line = Annotated[str, Form(max_length=320)]
Password = Annotated[str, Form(max_length=5000)]
_CODE_SECONDS = 600


@router.get("/sign-in")
async def offer(
    request: Request, mark: Mark, next: str = "", shop: str = "", email: str = ""
) -> Response:
    """Where one signs in."""
    return _sign_in_page(request, mark, next, shop, email)


@router.post("/sign-in")
async def by_password(
    request: Request,
    mark: Mark,
    later: BackgroundTasks,
    email: Line = "",
    password: Password = "",
    shop: Line = "",
    next: Line = "",
) -> Response:
    """Take the password; the code is asked for where there is a second factor."""
    parts = parts_of(request)
    admitted, failed = await steps.by_password(
        parts, email, password, shop.strip(), entrance(request)
    )
    later.add_task(steps.note_failure, parts, failed if admitted is None else None)
    if admitted is None:
        return _sign_in_page(request, mark, next, shop, email, wrong=True)
    if admitted.finished:
        return signed_in(request, admitted.token, local(next))
    response = go(request, "/console/sign-in/code", next=next)
    set_cookie(request, response, CODE_COOKIE, admitted.token, seconds=_CODE_SECONDS)
    return response


def _sign_in_page(
    request: Request, mark: str, next_: str, shop: str, email: str, *, wrong: bool = False
) -> Response:
    given = {"next": next_, "shop": shop, "email": email}
    facts = {"csrf": mark, "given": given, "wrong": wrong, "mails": _mails(request)}
    return respond(request, "sign_in.html", facts, 401 if wrong else 200)


@router.get("/sign-in/code")
async def ask_for_code(request: Request, mark: Mark, next: str = "") -> Response:
    """The second step."""
    return respond(request, "code.html", {"csrf": mark, "next": next, "wrong": False})


@router.post("/sign-in/code")
async def by_code(request: Request, mark: Mark, code: Line = "", next: Line = "") -> Response:
    """Take a code of the app, or a recovery code."""
    step = request.cookies.get(CODE_COOKIE, "")
    token = await steps.by_code(parts_of(request), step, code, entrance(request))
    if token is None:
        return respond(request, "code.html", {"csrf": mark, "next": next, "wrong": True}, 401)
    response = signed_in(request, token, local(next))
    response.delete_cookie(CODE_COOKIE, path="/console")
    return response


@router.get("/login/{token}")
async def offer_link(request: Request, mark: Mark, token: str) -> Response:
    """A page with one button: a link that is only looked at (by a mail scanner) is not used up."""
    return notice(request, "offer", facts={"csrf": mark, "token": token})


@router.post("/login/{token}")
async def by_link(request: Request, mark: Mark, token: str) -> Response:
    """Use up the link and set the cookie."""
    made = await steps.by_link(parts_of(request), token, entrance(request))
    return notice(request, "spent", 403) if made is None else signed_in(request, made)


@router.post("/logout")
async def log_out(request: Request, person: Whoever) -> Response:
    """End the session."""
    parts = parts_of(request)
    now = parts.clock.now()
    async with parts.database.merchant(person.merchant_id) as session:
        await sessions.end(session, person.session, now)
        audit.note(session, person, "signed_out", now, merchant_id=person.merchant_id)
        elsewhere = await sso.sign_out_url(session, person)
    response = notice(request, "out", facts={"elsewhere": elsewhere})
    response.delete_cookie(COOKIE, path="/console")
    return response


@router.get("/forgotten")
async def forgotten(request: Request, mark: Mark) -> Response:
    """Where one says that the password is forgotten."""
    facts = {"csrf": mark, "mails": _mails(request), "done": False}
    return respond(request, "forgotten.html", facts)


@router.post("/forgotten")
async def send_reset(
    request: Request, mark: Mark, later: BackgroundTasks, email: Line = ""
) -> Response:
    """The same answer for every address; who is known gets a letter, after the answer."""
    parts = parts_of(request)
    account = "reset:" + hashed(accounts.spelled(email))
    if _mails(request) and await parts.limits.may_sign_in(account, entrance(request).client):
        later.add_task(mail_password_link, request, email)
    facts = {"csrf": mark, "mails": _mails(request), "done": True}
    return respond(request, "forgotten.html", facts)


@router.get("/password/{token}")
async def ask_for_password(request: Request, mark: Mark, token: str) -> Response:
    """Where an invitation or a link to a new password leads."""
    parts = parts_of(request)
    async with parts.database.operator() as session:
        link = await links.find(session, token, LinkKind.PASSWORD, parts.clock.now())
    if link is None or link.person is None:
        return notice(request, "spent_password", 403)
    return _password_page(request, mark, link, None)


@router.post("/password/{token}")
async def set_password(
    request: Request, mark: Mark, token: str, password: Password = ""
) -> Response:
    """Set the password, and sign in; where there is a second factor, its code comes first."""
    parts = parts_of(request)
    now, kind = parts.clock.now(), LinkKind.PASSWORD
    async with parts.database.operator() as session:
        link = await links.find(session, token, kind, now)
        if link is None or link.person is None:
            return notice(request, "spent_password", 403)
        why = passwords.weakness(password, (link.person.email, link.person.name))
        if why is not None:
            return _password_page(request, mark, link, why)
        used = await links.use(session, token, kind, now)
        if used is None or used.person is None:
            return notice(request, "spent_password", 403)
        person = used.person
        await accounts.set_password(session, person, password, now)
        if person.merchant_id is not None:
            audit.note(session, person, "password_changed", now, merchant_id=person.merchant_id)
        if person.second_factor is not None:
            step = await links.make_code_link(session, person, now)
            response = go(request, "/console/sign-in/code")
            set_cookie(request, response, CODE_COOKIE, step, seconds=_CODE_SECONDS)
            return response
        made = await steps.open_session(session, used, now, device=entrance(request).device)
    return notice(request, "spent_password", 403) if made is None else signed_in(request, made)


def _password_page(
    request: Request, mark: str, link: Link, why: passwords.Weakness | None
) -> Response:
    facts = {"csrf": mark, "to": link.person, "why": why, "least": passwords.CHARACTERS_MIN}
    return respond(request, "password.html", facts, 200 if why is None else 422)


def _mails(request: Request) -> bool:
    return can_mail(parts_of(request).settings)


def local(path: str) -> str:
    """A page of the console to go on to; everything else would lead people astray."""
    ours = path.startswith("/console/") and "//" not in path and "\\" not in path
    return path if ours and path.isprintable() else START

"""``/console/me``: a person's own password, second factor, recovery codes and sessions."""

from typing import Annotated

from fastapi import Depends, Form, Request, Response

from api.pages.console.page import console_router, entrance, go, language_of, parts_of, respond
from api.pages.console.view import device_name, moment
from api.people import accounts, audit, passwords, second_factor, sessions
from api.people.access import Needs
from api.people.sessions import SignedIn
from storage.tables import Person

router = console_router()

Me = Annotated[SignedIn, Depends(Needs())]
Secret = Annotated[str, Form(max_length=5000)]


@router.get("/me")
async def me(request: Request, person: Me, done: str = "") -> Response:
    """What somebody can see and change about themselves."""
    return await page(request, person, done=done)


async def page(
    request: Request, person: SignedIn, *, done: str = "", why: str = "", status: int = 200
) -> Response:
    """The page; ``done`` and ``why`` are the names of what it says about what was tried."""
    parts, language = parts_of(request), language_of(request)
    known, opened, left = None, [], 0
    if person.person_id is not None:
        async with parts.database.operator() as session:
            known = await session.get_one(Person, person.person_id)
            opened = list(await sessions.open_sessions(session, known.id, parts.clock.now()))
            left = await second_factor.recovery_codes_left(session, known.id)
    facts = {
        "person": person,
        "known": known,
        "done": done if done in ("password", "sessions") else "",
        "why": why,
        "left": left,
        "least": passwords.CHARACTERS_MIN,
        "sessions": [
            {
                "hash": one.hash,
                "here": one.hash == person.session,
                "device": device_name(one.device, language),
                "began": moment(one.created_at, language, person.zone),
                "seen": moment(one.seen_at, language, person.zone),
            }
            for one in opened
        ],
    }
    return respond(request, "me.html", facts, status)


@router.post("/me/password")
async def change_password(
    request: Request, person: Me, old: Secret = "", password: Secret = ""
) -> Response:
    """Another password: the old one has to be right; all other sessions end."""
    parts = parts_of(request)
    now, known = parts.clock.now(), await _known(request, person)
    if known is None:
        return go(request, "/console/me")
    may_try = await parts.limits.may_sign_in(f"old:{known.id}", entrance(request).client)
    if not may_try or not await passwords.fits(old, known.password):
        return await page(request, person, why="old", status=422)
    why = passwords.weakness(password, (known.email, known.name, person.merchant_name))
    if why is not None:
        return await page(request, person, why=why.value, status=422)
    async with parts.database.operator() as session:
        known = await session.get_one(Person, known.id)
        await accounts.set_password(session, known, password, now, but=person.session)
        audit.note(session, person, "password_changed", now, merchant_id=person.merchant_id)
    await parts.limits.signed_in(f"old:{known.id}")
    return go(request, "/console/me", done="password")


@router.post("/me/sessions/others/end")
async def end_others(request: Request, person: Me) -> Response:
    """End all other sessions."""
    if person.person_id is not None:
        now = parts_of(request).clock.now()
        async with parts_of(request).database.operator() as session:
            await sessions.end_all(session, person.person_id, now, but=person.session)
            audit.note(session, person, "sessions_ended", now, merchant_id=person.merchant_id)
    return go(request, "/console/me", done="sessions")


@router.post("/me/sessions/{hash_}/end")
async def end_one(request: Request, person: Me, hash_: str) -> Response:
    """End one of the person's own sessions."""
    if person.person_id is not None:
        now = parts_of(request).clock.now()
        async with parts_of(request).database.operator() as session:
            await sessions.end(session, hash_, now, of=person.person_id)
            audit.note(session, person, "sessions_ended", now, merchant_id=person.merchant_id)
    return go(request, "/console/me", done="sessions")


async def _known(request: Request, person: SignedIn) -> Person | None:
    """The account; None for who came by a link without one."""
    if person.person_id is None:
        return None
    async with parts_of(request).database.operator() as session:
        return await session.get_one(Person, person.person_id)

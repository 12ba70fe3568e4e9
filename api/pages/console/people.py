"""``/console/people``: who works here, what they may do, and inviting more."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Form, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import BIGGEST
from api.pages.console.letters import mail_link, password_url
from api.pages.console.page import console_router, go, language_of, notice, parts_of, respond
from api.pages.console.view import moment
from api.people import accounts, audit, links
from api.people.access import Needs
from api.people.roles import ROLES_OF_MERCHANT, Permission, Role
from api.people.sessions import SignedIn
from storage.tables import Person

router = console_router()

Manager = Annotated[SignedIn, Depends(Needs(Permission.PEOPLE))]
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
Line = Annotated[str, Form(max_length=320)]


@router.get("/people")
async def listed(request: Request, person: Manager) -> Response:
    """Everybody of this merchant."""
    return await _list(request, person, {"email": "", "name": "", "role": Role.AGENT.value}, "")


@router.post("/people")
async def invite(
    request: Request, person: Manager, email: Line = "", name: Line = "", role: Line = ""
) -> Response:
    """Add a person, and send or show them the link to a password."""
    parts = parts_of(request)
    now, given = parts.clock.now(), {"email": email, "name": name, "role": role}
    if role not in ROLES_OF_MERCHANT:
        return await _list(request, person, given, "role")
    try:
        async with parts.database.merchant(person.merchant_id) as session:
            wanted = (email, name, Role(role))
            added = await accounts.add(session, person.merchant_id, wanted, now)
            token = await links.make_password_link(session, added, now)
            audit.note(
                session, person, "person_invited", now,
                merchant_id=person.merchant_id, of=added.id, role=role,
            )  # fmt: skip
    except accounts.PersonRefused as refused:
        return await _list(request, person, given, refused.why)
    return await _hand_over(request, person, added, token)


@router.get("/people/{of}")
async def one(request: Request, person: Manager, of: Id) -> Response:
    """One person, and what can be changed."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await accounts.one(session, person.merchant_id, of)
    if found is None:
        return notice(request, "nothing", 404)
    return respond(request, "person.html", {"person": person, **_shown(request, person, found)})


@router.post("/people/{of}/role")
async def give_role(request: Request, person: Manager, of: Id, role: Line = "") -> Response:
    """Give another role; it counts from the next page on."""

    async def change(session: AsyncSession, found: Person) -> None:
        if role in ROLES_OF_MERCHANT and role != found.role:
            found.role = role
            _note(request, session, person, "person_role_changed", found, role=role)

    return await _changed(request, person, of, change)


@router.post("/people/{of}/disable")
async def disable(request: Request, person: Manager, of: Id) -> Response:
    """Let them in no more."""

    async def change(session: AsyncSession, found: Person) -> None:
        await accounts.keep_out(session, found, parts_of(request).clock.now())
        _note(request, session, person, "person_disabled", found)

    return await _changed(request, person, of, change)


@router.post("/people/{of}/enable")
async def enable(request: Request, person: Manager, of: Id) -> Response:
    """Let them in again."""

    async def change(session: AsyncSession, found: Person) -> None:
        found.disabled_at = None
        _note(request, session, person, "person_enabled", found)

    return await _changed(request, person, of, change)


@router.post("/people/{of}/second-factor")
async def forget_second_factor(request: Request, person: Manager, of: Id) -> Response:
    """For a lost phone: they set up a new one."""

    async def change(session: AsyncSession, found: Person) -> None:
        await accounts.forget_second_factor(session, found, parts_of(request).clock.now())
        _note(request, session, person, "second_factor_removed", found)

    return await _changed(request, person, of, change)


@router.post("/people/{of}/link")
async def new_link(request: Request, person: Manager, of: Id) -> Response:
    """A link to a password, sent or shown."""
    parts = parts_of(request)
    async with parts.database.merchant(person.merchant_id) as session:
        found = await accounts.one(session, person.merchant_id, of)
        if found is None or found.disabled_at is not None or found.id == person.person_id:
            return notice(request, "nothing", 404)
        token = await links.make_password_link(session, found, parts.clock.now())
        _note(request, session, person, "password_link_made", found)
    return await _hand_over(request, person, found, token)


async def _changed(
    request: Request,
    person: SignedIn,
    of: int,
    change: Callable[[AsyncSession, Person], Awaitable[None]],
) -> Response:
    """Change one person, but never oneself: so there is always an owner left."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await accounts.one(session, person.merchant_id, of)
        if found is None or found.id == person.person_id:
            return notice(request, "nothing", 404)
        await change(session, found)
    return go(request, f"/console/people/{of}")


async def _hand_over(request: Request, person: SignedIn, to: Person, token: str) -> Response:
    mailed = await mail_link(request, to, token)
    shown = "" if mailed else password_url(request, token)
    facts = {"person": person, "of": to, "link": shown, "invited": to.password is None}
    return respond(request, "link.html", facts)


async def _list(request: Request, person: SignedIn, given: dict[str, str], why: str) -> Response:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        people = await accounts.of_merchant(session, person.merchant_id)
    facts = {
        "person": person,
        "people": [_shown(request, person, each) for each in people],
        "roles": ROLES_OF_MERCHANT,
        "given": given,
        "why": why,
    }
    return respond(request, "people.html", facts, 422 if why else 200)


def _shown(request: Request, person: SignedIn, of: Person) -> dict[str, object]:
    seen = of.signed_in_at
    if of.disabled_at is not None:
        state = "disabled"
    elif of.password is None and seen is None:
        state = "invited"
    else:
        state = "active"
    return {
        "of": of,
        "state": state,
        "is_self": of.id == person.person_id,
        "seen": moment(seen, language_of(request), person.zone) if seen else "",
        "roles": ROLES_OF_MERCHANT,
    }


def _note(
    request: Request, session: AsyncSession, person: SignedIn, kind: str, of: Person, **facts: Any
) -> None:
    now = parts_of(request).clock.now()
    audit.note(session, person, kind, now, merchant_id=person.merchant_id, of=of.id, **facts)

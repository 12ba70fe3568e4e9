"""``/console/me/second-factor``: an authenticator app is set up, or another one; recovery codes."""

from typing import Annotated

from fastapi import Depends, Form, Request, Response

from api.pages.console.page import console_router, entrance, go, parts_of, respond
from api.people import audit, passwords, second_factor
from api.people.access import Needs
from api.people.sessions import SignedIn
from storage.tables import Person

router = console_router()

Me = Annotated[SignedIn, Depends(Needs(unfinished=True))]
Line = Annotated[str, Form(max_length=1000)]
Secret = Annotated[str, Form(max_length=5000)]


@router.get("/me/second-factor")
async def offer(request: Request, person: Me) -> Response:
    """A fresh secret as a QR code and in letters; it counts once a code of it came back."""
    known = await _known(request, person)
    if known is None:
        return go(request, "/console/me")
    fresh = second_factor.new_offer(parts_of(request).keys.secret_key, known.id)
    return _page(request, person, known, fresh)


@router.post("/me/second-factor")
async def set_up(
    request: Request, person: Me, offer: Line = "", code: Line = "", password: Secret = ""
) -> Response:
    """Take the secret, and show the recovery codes. Who has one already gives the password, too:
    an open session alone does not put another phone in its place."""
    parts, known = parts_of(request), await _known(request, person)
    if known is None:
        return go(request, "/console/me")
    now = parts.clock.now()
    may_try = await parts.limits.may_sign_in(f"set-up:{known.id}", entrance(request).client)
    if known.second_factor is not None and not (
        may_try and await passwords.fits(password, known.password)
    ):
        return _page(request, person, known, offer, why="old")
    async with parts.database.operator() as session:
        known = await session.get_one(Person, known.id)
        codes = may_try and await second_factor.set_up(
            session, known, parts.keys.secret_key, offer, code, now
        )
        if codes:
            audit.note(session, person, "second_factor_set", now, merchant_id=person.merchant_id)
    if not codes:
        return _page(request, person, known, offer, why="code")
    await parts.limits.signed_in(f"set-up:{known.id}")
    return respond(request, "recovery.html", {"person": person, "codes": codes})


@router.post("/me/recovery-codes")
async def new_codes(request: Request, person: Me, code: Line = "") -> Response:
    """Replace the recovery codes, for a code of the app."""
    parts, known = parts_of(request), await _known(request, person)
    if known is None or known.second_factor is None:
        return go(request, "/console/me")
    now, account = parts.clock.now(), f"code:{known.id}"
    codes: list[str] = []
    may_try = await parts.limits.may_sign_in(account, entrance(request).client)
    async with parts.database.operator() as session:
        known = await session.get_one(Person, known.id)
        if may_try and await second_factor.proves(session, known, parts.keys.secret_key, code, now):
            codes = await second_factor.new_recovery_codes(session, known, now)
            audit.note(session, person, "recovery_codes_made", now, merchant_id=person.merchant_id)
    if not codes:
        return respond(request, "new_codes.html", {"person": person, "wrong": True}, 422)
    await parts.limits.signed_in(account)
    return respond(request, "recovery.html", {"person": person, "codes": codes})


@router.get("/me/recovery-codes")
async def ask_for_new_codes(request: Request, person: Me) -> Response:
    """Where one asks for fresh recovery codes."""
    known = await _known(request, person)
    if known is None or known.second_factor is None:
        return go(request, "/console/me")
    return respond(request, "new_codes.html", {"person": person, "wrong": False})


def _page(
    request: Request, person: SignedIn, known: Person, offer: str, *, why: str = ""
) -> Response:
    secret = second_factor.offered(parts_of(request).keys.secret_key, known.id, offer)
    if secret is None:
        return go(request, "/console/me/second-factor")
    facts = {
        "person": person,
        "email": known.email,
        "replaces": known.second_factor is not None,
        "offer": offer,
        "letters": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": second_factor.picture(secret, known.email),
        "why": why,
    }
    return respond(request, "second_factor.html", facts, 422 if why else 200)


async def _known(request: Request, person: SignedIn) -> Person | None:
    """The account; None for who came by a link without one."""
    if person.person_id is None:
        return None
    async with parts_of(request).database.operator() as session:
        return await session.get_one(Person, person.person_id)

"""Signing in by password and code: the same answer, and the same work, for unknown and wrong.

An address that several merchants know says nothing without the merchant's key; then, too, the
answer is the one for a wrong password.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.people import accounts, audit, links, passwords, second_factor, sessions
from api.people.links import Link, LinkKind
from api.people.tokens import hashed
from api.wiring import Parts
from storage.tables import Person

MERCHANT_KEY_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a browser gives: who asks, from where, for the limits and the list of sessions."""

    client: str
    device: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the right password leads to: a session, or the step to the code."""

    token: str
    finished: bool


async def by_password(
    parts: Parts, email: str, password: str, merchant_key: str, at: Entrance
) -> tuple[Admitted | None, Person | None]:
    """Try a password; also who failed, for `note_failure` once the answer is out.

    The token is that of a session, or of the step to the code where there is a second factor.
    """
    now, account = parts.clock.now(), hashed(accounts.spelled(email))
    may_try = await parts.limits.may_sign_in(account, at.client)
    async with parts.database.operator() as session:
        known = await accounts.with_email(session, email, merchant_key)
    person = known[0] if len(known) == 1 else None
    right = await passwords.fits(password, person.password if person else None)
    if person is None or not right or not may_try:
        return None, person
    await parts.limits.signed_in(account)
    renewed = (
        await passwords.hashed(password) if passwords.outdated(person.password or "") else None
    )
    async with parts.database.operator() as session:
        person = await session.get_one(Person, person.id)
        if renewed is not None:
            person.password = renewed
        if person.second_factor is not None:
            return Admitted(await links.make_code_link(session, person, now), False), None
        who = Link(person.merchant_id, person.name, None, person)
        token = await open_session(session, who, now, device=at.device)
    return (Admitted(token, True), None) if token else (None, None)


async def by_code(parts: Parts, step: str, code: str, at: Entrance) -> str | None:
    """Try a code after the right password; returns the session's token."""
    now = parts.clock.now()
    async with parts.database.operator() as session:
        link = await links.find(session, step, LinkKind.CODE, now)
    if link is None or link.person is None:
        return None
    account = f"code:{link.person.id}"
    if not await parts.limits.may_sign_in(account, at.client):
        return None
    async with parts.database.operator() as session:
        person = await session.get_one(Person, link.person.id)
        secret_key = parts.keys.secret_key
        if not await second_factor.proves(session, person, secret_key, code, now):
            _note_failure(session, person, now, "code")
            return None
        used = await links.use(session, step, LinkKind.CODE, now)
        if used is None:
            return None
        token = await open_session(session, used, now, device=at.device)
    await parts.limits.signed_in(account)
    return token


async def by_link(parts: Parts, token: str, at: Entrance) -> str | None:
    """Use up a sign-in link; returns the session's token."""
    now = parts.clock.now()
    async with parts.database.operator() as session:
        made = await sessions.redeem(session, token, now, device=at.device)
        if made is not None:
            await note_signed_in(session, made, sessions.BY_LINK, now)
    return made


async def open_session(
    session: AsyncSession, who: Link, now: datetime, *, device: str
) -> str | None:
    """Begin the session of who has given the password; the audit says so."""
    token = await sessions.begin(session, who, now, proved_by=sessions.BY_PASSWORD, device=device)
    if token is not None:
        await note_signed_in(session, token, sessions.BY_PASSWORD, now)
    return token


async def note_signed_in(session: AsyncSession, token: str, how: str, now: datetime) -> None:
    """Put it into the audit."""
    person = await sessions.signed_in(session, token, now)
    if person is not None:
        audit.note(session, person, "signed_in", now, merchant_id=person.merchant_id, by=how)


async def note_failure(parts: Parts, person: Person | None) -> None:
    """Keep that somebody failed to sign in as this person; after the answer, so that its time
    tells nothing."""
    if person is not None:
        async with parts.database.operator() as session:
            _note_failure(session, person, parts.clock.now(), "password")


def _note_failure(session: AsyncSession, person: Person, now: datetime, what: str) -> None:
    if person.merchant_id is not None:
        audit.note(session, person, "sign_in_failed", now, merchant_id=person.merchant_id, by=what)

"""Accounts of people: made, changed, kept out. Commits nothing; writes no audit.

A merchant's people are looked at in the merchant's own transaction, where an operator's row does
not exist; the command line and signing in use the operator's.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.people import links, passwords, sessions
from api.people.roles import Role
from storage.tables import Merchant, Person, RecoveryCode

EMAIL_CHARACTERS_MAX = 254
NAME_CHARACTERS_MAX = sessions.OPERATOR_CHARACTERS_MAX
_EMAIL = re.compile(r"[^@\s<>\"',;]+@[^@\s<>\"',;]+\.[^@\s<>\"',;.]+")


class PersonRefused(ValueError):
    """Such a person cannot be added; ``why`` is ``email``, ``name`` or ``known``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def add(
    session: AsyncSession, merchant_id: int | None, given: tuple[str, str, Role], now: datetime
) -> Person:
    """Add a person by address, name and role, who has no password yet.

    Raises:
        PersonRefused: no address, no name, or this merchant has a person with the address.
    """
    address, name, role = given
    email, name = spelled(address), " ".join(name.split())
    if len(email) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(email):
        raise PersonRefused("email")
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise PersonRefused("name")
    if await by_email(session, merchant_id, email) is not None:
        raise PersonRefused("known")
    person = Person(
        merchant_id=merchant_id, email=email, name=name, role=role.value, created_at=now
    )
    session.add(person)
    await session.flush()
    return person


def spelled(email: str) -> str:
    """An address as it is kept."""
    return email.strip().lower()


async def by_email(session: AsyncSession, merchant_id: int | None, email: str) -> Person | None:
    """The merchant's person with this address; without a merchant, the operator."""
    whose = (
        Person.merchant_id.is_(None) if merchant_id is None else Person.merchant_id == merchant_id
    )
    found: Person | None = await session.scalar(
        select(Person).where(Person.email == spelled(email), whose)
    )
    return found


async def with_email(session: AsyncSession, email: str, merchant_key: str = "") -> list[Person]:
    """Everybody with this address who may come in, of all merchants or of one."""
    wanted = select(Person).where(Person.email == spelled(email), Person.disabled_at.is_(None))
    if merchant_key:
        wanted = wanted.join(Merchant, Merchant.id == Person.merchant_id).where(
            Merchant.key == merchant_key
        )
    return list(await session.scalars(wanted.order_by(Person.id)))


async def of_merchant(session: AsyncSession, merchant_id: int) -> Sequence[Person]:
    """All people of a merchant, who is kept out too, by name."""
    rows = await session.scalars(
        select(Person).where(Person.merchant_id == merchant_id).order_by(Person.name, Person.id)
    )
    return rows.all()


async def one(session: AsyncSession, merchant_id: int, person_id: int) -> Person | None:
    """One of the merchant's people, locked for a change."""
    found: Person | None = await session.scalar(
        select(Person)
        .where(Person.merchant_id == merchant_id, Person.id == person_id)
        .with_for_update()
    )
    return found


async def set_password(
    session: AsyncSession, person: Person, password: str, now: datetime, *, but: str | None = None
) -> None:
    """Give the person this password; links and sessions end, but the session it was done in."""
    person.password = await passwords.hashed(password)
    await links.end_links(session, person.id, now)
    await sessions.end_all(session, person.id, now, but=but)


async def keep_out(session: AsyncSession, person: Person, now: datetime) -> None:
    """Let the person in no more; what is open ends."""
    person.disabled_at = person.disabled_at or now
    await links.end_links(session, person.id, now)
    await sessions.end_all(session, person.id, now)


async def forget_second_factor(session: AsyncSession, person: Person, now: datetime) -> None:
    """For a lost phone: the next sign-in sets up a new one; what is open ends."""
    person.second_factor = None
    person.second_factor_step = None
    await session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    await sessions.end_all(session, person.id, now)

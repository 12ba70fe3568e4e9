"""One-time links: to sign in from the command line, to set a password, to go on to the code.

Of two at once that use a link one wins. Everything here is on the operator's session where the
holder is not known yet.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.people.roles import Role
from api.people.tokens import hashed, new_token
from storage.tables import ConsoleLink, Person


class LinkKind(StrEnum):
    """What a link is for."""

    SIGN_IN = "sign_in"
    PASSWORD = "password"
    CODE = "code"


LINK_MINUTES = 10
INVITATION_DAYS = 7
RESET_HOURS = 2
_CODE_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is still good."""

    merchant_id: int | None
    operator: str
    role: Role | None
    person: Person | None


async def make_link(
    session: AsyncSession,
    merchant_id: int,
    operator: str,
    now: datetime,
    *,
    role: Role = Role.OWNER,
    person: Person | None = None,
) -> str:
    """The token of a link that signs this person in once; only its hash is kept."""
    token = new_token()
    session.add(
        ConsoleLink(
            hash=hashed(token),
            kind=LinkKind.SIGN_IN,
            merchant_id=merchant_id,
            operator=operator,
            person_id=person.id if person else None,
            role=None if person else role,
            created_at=now,
            expires_at=now + timedelta(minutes=LINK_MINUTES),
        )
    )
    await session.flush()
    return token


async def make_password_link(session: AsyncSession, person: Person, now: datetime) -> str:
    """The token of a link with which this person sets a password; older ones end.

    An invitation lasts for days, a link to a new password for hours.
    """
    await end_links(session, person.id, now, LinkKind.PASSWORD)
    invited = person.password is None
    lasts = timedelta(days=INVITATION_DAYS) if invited else timedelta(hours=RESET_HOURS)
    return await _of_person(session, person, LinkKind.PASSWORD, now, lasts)


async def make_code_link(session: AsyncSession, person: Person, now: datetime) -> str:
    """The token that says that this person's password was right."""
    return await _of_person(session, person, LinkKind.CODE, now, timedelta(minutes=_CODE_MINUTES))


async def _of_person(
    session: AsyncSession, person: Person, kind: LinkKind, now: datetime, lasts: timedelta
) -> str:
    token = new_token()
    session.add(
        ConsoleLink(
            hash=hashed(token),
            kind=kind,
            merchant_id=person.merchant_id,
            person_id=person.id,
            operator=person.name,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    await session.flush()
    return token


async def find(session: AsyncSession, token: str, kind: LinkKind, now: datetime) -> Link | None:
    """The link, unused; None for a used, old or wrong one, and for who may come no more."""
    found = (
        await session.execute(
            select(ConsoleLink, Person)
            .outerjoin(Person, Person.id == ConsoleLink.person_id)
            .where(
                ConsoleLink.hash == hashed(token),
                ConsoleLink.kind == kind,
                ConsoleLink.used_at.is_(None),
                ConsoleLink.expires_at > now,
                or_(ConsoleLink.person_id.is_(None), Person.disabled_at.is_(None)),
            )
        )
    ).one_or_none()
    if found is None:
        return None
    link, person = found
    role = Role(link.role) if link.role else None
    return Link(link.merchant_id, link.operator, role, person)


async def use(session: AsyncSession, token: str, kind: LinkKind, now: datetime) -> Link | None:
    """Use it up; None for one that is not good any more."""
    link = await find(session, token, kind, now)
    if link is None:
        return None
    won = await session.scalar(
        update(ConsoleLink)
        .where(ConsoleLink.hash == hashed(token), ConsoleLink.used_at.is_(None))
        .values(used_at=now)
        .returning(ConsoleLink.hash)
    )
    return link if won else None


async def end_links(
    session: AsyncSession, person_id: int, now: datetime, kind: LinkKind | None = None
) -> None:
    """No link made for this person, or none of this kind, counts any more."""
    wanted = update(ConsoleLink).where(
        ConsoleLink.person_id == person_id, ConsoleLink.used_at.is_(None)
    )
    if kind is not None:
        wanted = wanted.where(ConsoleLink.kind == kind)
    await session.execute(wanted.values(used_at=now))

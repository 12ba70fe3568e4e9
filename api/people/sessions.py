"""Who is signed in: a session that a cookie names, however it was begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Text, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.people import links
from api.people.links import Link, LinkKind
from api.people.roles import PERMISSIONS, Permission, Role
from api.people.tokens import form_mark, hashed, new_token, same
from storage.engine import Database
from storage.statement import Statement
from storage.tables import ConsoleSession, Merchant, Person

SESSION_HOURS = 10
OPERATOR_CHARACTERS_MAX = 80
DEVICE_CHARACTERS_MAX = 300
SEEN_NOTED_EVERY = timedelta(minutes=1)

BY_LINK, BY_PASSWORD = "link", "password"
BY_PROVIDER, BY_PROVIDER_ALONE = "provider", "provider_alone"
_ONE_FACTOR = frozenset({BY_PASSWORD, BY_PROVIDER_ALONE})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at the console: for whom they may read, and the name the audit gives them."""

    merchant_id: int
    merchant_name: str
    operator: str
    zone: ZoneInfo
    csrf: str
    """What a form has to send back to show that it is ours."""
    session: str
    """The hash of the session's token."""
    role: Role
    person_id: int | None
    unfinished: bool
    """One factor was right, but there is no second one yet: it has to be set up first."""
    unnoted: bool = False
    """It is a while ago that they were noted to be there."""

    def may(self, permission: Permission) -> bool:
        """Whether their role allows it. Who came by a link without an account has one merchant."""
        if permission is Permission.MERCHANTS and self.person_id is None:
            return False
        return permission in PERMISSIONS[self.role]


async def begin(
    session: AsyncSession, who: Link, now: datetime, *, proved_by: str, device: str = ""
) -> str | None:
    """Begin a session of whoever holds this link; returns its token.

    An operator begins at the first merchant; None where there is none yet.
    """
    merchant_id = who.merchant_id
    if merchant_id is None:
        merchant_id = await session.scalar(select(Merchant.id).order_by(Merchant.id).limit(1))
        if merchant_id is None:
            return None
    token = new_token()
    person = who.person
    session.add(
        ConsoleSession(
            hash=hashed(token),
            merchant_id=merchant_id,
            person_id=person.id if person else None,
            operator=person.name if person else who.operator,
            role=who.role,
            proved_by=proved_by,
            device=device[:DEVICE_CHARACTERS_MAX],
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=SESSION_HOURS),
        )
    )
    if person is not None:
        person.signed_in_at = now
    await session.flush()
    return token


async def redeem(
    session: AsyncSession, token: str, now: datetime, *, device: str = ""
) -> str | None:
    """Use up a sign-in link and begin a session; None for a used, old or wrong link.

    ``session`` is the operator's: whose link it is, is not known before.
    """
    link = await links.use(session, token, LinkKind.SIGN_IN, now)
    if link is None:
        return None
    return await begin(session, link, now, proved_by=BY_LINK, device=device)


_SIGNED_IN = Statement(
    select(
        ConsoleSession.hash,
        ConsoleSession.merchant_id,
        ConsoleSession.person_id,
        ConsoleSession.operator,
        ConsoleSession.role,
        ConsoleSession.proved_by,
        ConsoleSession.seen_at,
        Person.name.label("person_name"),
        Person.role.label("person_role"),
        Person.second_factor.is_(None).label("one_factor"),
        Merchant.name.label("merchant_name"),
        Merchant.timezone,
    )
    .join(Merchant, Merchant.id == ConsoleSession.merchant_id)
    .outerjoin(Person, Person.id == ConsoleSession.person_id)
    .where(
        ConsoleSession.hash == bindparam("hash", type_=Text),
        ConsoleSession.ended_at.is_(None),
        ConsoleSession.expires_at > bindparam("now", type_=DateTime(timezone=True)),
        or_(ConsoleSession.person_id.is_(None), Person.disabled_at.is_(None)),
    )
)


async def signed_in(session: AsyncSession, token: str | None, now: datetime) -> SignedIn | None:
    """Whose session this cookie names; None for none, an ended or an old one.

    Also None as soon as the person is kept out. One statement, as every page begins with it.
    """
    if not token:
        return None
    rows = await _SIGNED_IN.run(session, hash=hashed(token), now=now)
    if not rows:
        return None
    (held,) = rows
    known = held.person_role is not None
    return SignedIn(
        merchant_id=held.merchant_id,
        merchant_name=held.merchant_name,
        operator=held.person_name if known else held.operator,
        zone=ZoneInfo(held.timezone),
        csrf=form_mark(token),
        session=held.hash,
        role=Role(held.person_role if known else held.role or Role.ANALYST),
        person_id=held.person_id,
        unfinished=held.proved_by in _ONE_FACTOR and held.one_factor,
        unnoted=now - held.seen_at > SEEN_NOTED_EVERY,
    )


async def note_seen(session: AsyncSession, hash_: str, now: datetime) -> None:
    """Note that somebody is there."""
    await session.execute(
        update(ConsoleSession).where(ConsoleSession.hash == hash_).values(seen_at=now)
    )


async def who(database: Database, token: str | None, now: datetime) -> SignedIn | None:
    """Whose session this cookie names, for a request; being seen is noted once a minute."""
    async with database.glance() as session:
        person = await signed_in(session, token, now)
    if person is not None and person.unnoted:
        async with database.operator() as session:
            await note_seen(session, person.session, now)
    return person


def is_ours(person: SignedIn, given: str) -> bool:
    """Whether a form was one of ours, made for this session."""
    return same(person.csrf, given)


async def open_sessions(
    session: AsyncSession, person_id: int, now: datetime
) -> Sequence[ConsoleSession]:
    """All sessions of this person that are still open, the newest first."""
    rows = await session.scalars(
        select(ConsoleSession)
        .where(
            ConsoleSession.person_id == person_id,
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > now,
        )
        .order_by(ConsoleSession.created_at.desc())
    )
    return rows.all()


async def end(session: AsyncSession, hash_: str, now: datetime, *, of: int | None = None) -> None:
    """End one session, if it is of this person; without one, whoever it is of."""
    wanted = update(ConsoleSession).where(
        ConsoleSession.hash == hash_, ConsoleSession.ended_at.is_(None)
    )
    if of is not None:
        wanted = wanted.where(ConsoleSession.person_id == of)
    await session.execute(wanted.values(ended_at=now))


async def end_all(
    session: AsyncSession, person_id: int, now: datetime, *, but: str | None = None
) -> None:
    """End all sessions of this person, but this one."""
    wanted = update(ConsoleSession).where(
        ConsoleSession.person_id == person_id, ConsoleSession.ended_at.is_(None)
    )
    if but is not None:
        wanted = wanted.where(ConsoleSession.hash != but)
    await session.execute(wanted.values(ended_at=now))


async def go_to(session: AsyncSession, hash_: str, merchant_id: int) -> None:
    """An operator's session goes on at another merchant."""
    await session.execute(
        update(ConsoleSession).where(ConsoleSession.hash == hash_).values(merchant_id=merchant_id)
    )

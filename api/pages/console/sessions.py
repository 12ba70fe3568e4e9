"""Who is signed in: a one-time link, then a session that a cookie names.

There are no accounts of people yet: whoever may run ``kulanz login`` vouches for who gets the link.
A later sign-in by password has to make the same session (`_begin`); nothing else knows of links.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import ConsoleLink, ConsoleSession, Merchant

LINK_MINUTES = 10
SESSION_HOURS = 10
TOKEN_BYTES = 32
OPERATOR_CHARACTERS_MAX = 80


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at the console: for whom they may read, and the name the audit gives them."""

    merchant_id: int
    merchant_name: str
    operator: str
    zone: ZoneInfo
    csrf: str
    """What a form has to send back to show that it is ours."""


async def make_link(session: AsyncSession, merchant_id: int, operator: str, now: datetime) -> str:
    """The token of a link that signs this person in once; only its hash is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        ConsoleLink(
            hash=_hashed(token),
            merchant_id=merchant_id,
            operator=operator,
            created_at=now,
            expires_at=now + timedelta(minutes=LINK_MINUTES),
        )
    )
    await session.flush()
    return token


async def redeem(session: AsyncSession, token: str, now: datetime) -> str | None:
    """Use up a link and begin a session; returns its token, None for a used, old or wrong link.

    ``session`` is the operator's: whose link it is, is not known before. Of two at once one wins.
    """
    link = (
        await session.execute(
            update(ConsoleLink)
            .where(
                ConsoleLink.hash == _hashed(token),
                ConsoleLink.used_at.is_(None),
                ConsoleLink.expires_at > now,
            )
            .values(used_at=now)
            .returning(ConsoleLink.merchant_id, ConsoleLink.operator)
        )
    ).one_or_none()
    return None if link is None else _begin(session, link.merchant_id, link.operator, now)


def _begin(session: AsyncSession, merchant_id: int, operator: str, now: datetime) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        ConsoleSession(
            hash=_hashed(token),
            merchant_id=merchant_id,
            operator=operator,
            created_at=now,
            expires_at=now + timedelta(hours=SESSION_HOURS),
        )
    )
    return token


async def signed_in(session: AsyncSession, token: str | None, now: datetime) -> SignedIn | None:
    """Whose session this cookie names; None for none, an ended or an old one."""
    if not token:
        return None
    found = (
        await session.execute(
            select(
                ConsoleSession.merchant_id,
                ConsoleSession.operator,
                Merchant.name,
                Merchant.timezone,
            )
            .join(Merchant, Merchant.id == ConsoleSession.merchant_id)
            .where(
                ConsoleSession.hash == _hashed(token),
                ConsoleSession.ended_at.is_(None),
                ConsoleSession.expires_at > now,
            )
        )
    ).one_or_none()
    if found is None:
        return None
    zone = ZoneInfo(found.timezone)
    return SignedIn(found.merchant_id, found.name, found.operator, zone, _csrf(token))


async def sign_out(session: AsyncSession, token: str, now: datetime) -> None:
    """End the session that this cookie names."""
    await session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.hash == _hashed(token), ConsoleSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def is_ours(person: SignedIn, given: str) -> bool:
    """Whether a form was one of ours, made for this session."""
    return hmac.compare_digest(person.csrf.encode(), given.encode())


def _csrf(token: str) -> str:
    return hmac.new(token.encode(), b"console form", hashlib.sha256).hexdigest()


def _hashed(token: str) -> str:
    """A plain hash will do: the token holds 256 random bits, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()

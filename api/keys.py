"""API keys of merchants: shown once, kept as a hash."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.people.roles import SCOPES, Permission
from storage.tables import ApiKey, Merchant

MARK = "kulanz_"
PREFIX_LENGTH = len(MARK) + 8
SECRET_BYTES = 32
NAME_CHARACTERS_MAX = 60
USE_NOTED_EVERY = timedelta(minutes=1)


class KeyUnknown(LookupError):
    """The merchant has no such key."""


async def create_api_key(
    session: AsyncSession,
    merchant_id: int,
    *,
    now: datetime,
    scopes: Sequence[Permission] = SCOPES,
    name: str = "",
) -> str:
    """Make a key for the merchant and return it; afterwards only its hash is known.

    ``name`` says what uses it, for people who read the log.
    """
    key = MARK + secrets.token_urlsafe(SECRET_BYTES)
    session.add(
        ApiKey(
            merchant_id=merchant_id,
            name=" ".join(name.split())[:NAME_CHARACTERS_MAX],
            prefix=key[:PREFIX_LENGTH],
            hash=_hashed(key),
            scopes=[scope.value for scope in SCOPES if scope in scopes],
            created_at=now,
        )
    )
    await session.flush()
    return key


async def known_key(
    session: AsyncSession, key: str, *, now: datetime
) -> tuple[Merchant, ApiKey] | None:
    """The merchant whose key this is, and what is kept of it; None for unknown and revoked keys.

    ``session`` is the operator's: whose key it is, is not known before. The last use is noted
    once a minute at most.
    """
    rows = await session.execute(
        select(ApiKey, Merchant)
        .join(Merchant, Merchant.id == ApiKey.merchant_id)
        .where(ApiKey.prefix == key[:PREFIX_LENGTH], ApiKey.revoked_at.is_(None))
    )
    found: tuple[Merchant, ApiKey] | None = None
    for api_key, merchant in rows:
        if hmac.compare_digest(api_key.hash, _hashed(key)):
            found = merchant, api_key
            if api_key.last_used_at is None or now - api_key.last_used_at > USE_NOTED_EVERY:
                api_key.last_used_at = now
    return found


async def keys_of(session: AsyncSession, merchant_id: int) -> Sequence[ApiKey]:
    """All keys of a merchant, the revoked ones too, oldest first."""
    rows = await session.scalars(
        select(ApiKey).where(ApiKey.merchant_id == merchant_id).order_by(ApiKey.id)
    )
    return rows.all()


async def revoke_api_key(
    session: AsyncSession, merchant_id: int, prefix: str, *, now: datetime
) -> ApiKey:
    """Revoke the merchant's key that begins like this (a whole key will do, too), for good.

    A key that was revoked before stays as it is. Raises:
        KeyUnknown: no key of the merchant begins like this, or several do.
    """
    fitting = [
        key
        for key in await keys_of(session, merchant_id)
        if key.prefix == prefix[:PREFIX_LENGTH] and len(prefix) >= PREFIX_LENGTH
    ]
    if len(fitting) != 1:
        raise KeyUnknown(f"{len(fitting)} keys begin like this")
    (key,) = fitting
    end_api_key(key, now)
    return key


def end_api_key(key: ApiKey, now: datetime) -> bool:
    """Let nothing in with a key any more, for good; whether it still counted."""
    counted = key.revoked_at is None
    key.revoked_at = key.revoked_at or now
    return counted


def _hashed(key: str) -> str:
    """A plain hash will do: the key holds 256 random bits, there is nothing to guess."""
    return hashlib.sha256(key.encode()).hexdigest()

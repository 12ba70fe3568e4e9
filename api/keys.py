"""API keys of merchants: shown once, kept as a hash."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import ApiKey, Merchant

MARK = "kulanz_"
PREFIX_LENGTH = len(MARK) + 8
SECRET_BYTES = 32
USE_NOTED_EVERY = timedelta(minutes=1)


async def create_api_key(session: AsyncSession, merchant_id: int, *, now: datetime) -> str:
    """Make a key for the merchant and return it; afterwards only its hash is known."""
    key = MARK + secrets.token_urlsafe(SECRET_BYTES)
    session.add(
        ApiKey(
            merchant_id=merchant_id, prefix=key[:PREFIX_LENGTH], hash=_hashed(key), created_at=now
        )
    )
    await session.flush()
    return key


async def merchant_of_key(session: AsyncSession, key: str, *, now: datetime) -> Merchant | None:
    """Return the merchant whose key this is, None for unknown and revoked keys.

    ``session`` is the operator's: whose key it is, is not known before. The last use is noted
    once a minute at most.
    """
    rows = await session.execute(
        select(ApiKey, Merchant)
        .join(Merchant, Merchant.id == ApiKey.merchant_id)
        .where(ApiKey.prefix == key[:PREFIX_LENGTH], ApiKey.revoked_at.is_(None))
    )
    found: Merchant | None = None
    for api_key, merchant in rows:
        if hmac.compare_digest(api_key.hash, _hashed(key)):
            found = merchant
            if api_key.last_used_at is None or now - api_key.last_used_at > USE_NOTED_EVERY:
                api_key.last_used_at = now
    return found


def _hashed(key: str) -> str:
    """A plain hash will do: the key holds 256 random bits, there is nothing to guess."""
    return hashlib.sha256(key.encode()).hexdigest()

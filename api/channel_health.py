"""How a merchant's channels are: what went out last, what failed last, and what came in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

LOOKED_AT_MAX = 2000
"""So many of the newest messages are looked at; what is older says nothing about today."""

_HEALTH = text(
    """
    SELECT a.channel, a.address, a.public_name, a.enabled,
        max(m.sent_at) FILTER (WHERE m.direction = 'out'
            AND m.status IN ('sent', 'delivered', 'read')) AS sent_at,
        max(m.created_at) FILTER (WHERE m.direction = 'out' AND m.status = 'failed') AS failed_at,
        (array_agg(m.error ORDER BY m.id DESC) FILTER (
            WHERE m.direction = 'out' AND m.status = 'failed'))[1] AS error,
        max(m.created_at) FILTER (WHERE m.direction = 'in') AS received_at
    FROM channel_account a
    LEFT JOIN (
        SELECT id, channel_account_id, direction, status, sent_at, created_at, error
        FROM message WHERE merchant_id = :merchant ORDER BY id DESC LIMIT :most
    ) m ON m.channel_account_id = a.id
    WHERE a.merchant_id = :merchant AND a.channel <> 'terminal'
    GROUP BY a.id, a.channel, a.address, a.public_name, a.enabled
    ORDER BY a.channel, a.id
    """
)


@dataclass(frozen=True, slots=True)
class Health:
    """One account."""

    channel: str
    address: str
    public_name: str | None
    enabled: bool
    sent_at: datetime | None
    failed_at: datetime | None
    error: str | None
    received_at: datetime | None


async def of_merchant(session: AsyncSession, merchant_id: int) -> list[Health]:
    """Each account of a merchant."""
    rows = await session.execute(_HEALTH, {"merchant": merchant_id, "most": LOOKED_AT_MAX})
    return [Health(**row) for row in rows.mappings()]

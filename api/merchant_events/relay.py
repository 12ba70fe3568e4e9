"""From committed events to deliveries: numbered, and put down for each endpoint that wants them.

Facts are committed in another order than they were written in. A number is given afterwards, in one
short transaction at a time: who reads the events after a number misses none, and no two
transactions of a merchant ever wait for each other because both have something to tell.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NUMBERED_MAX = 5000
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('kulanz.merchant_events', 0))")
_NUMBER = text(
    """
    WITH fresh AS (
        SELECT id, merchant_id FROM merchant_event
        WHERE sequence IS NULL ORDER BY id LIMIT :most
    ), numbered AS (
        SELECT f.id, row_number() OVER (PARTITION BY f.merchant_id ORDER BY f.id) + coalesce((
            SELECT max(e.sequence) FROM merchant_event e WHERE e.merchant_id = f.merchant_id
        ), 0) AS sequence
        FROM fresh f
    ), told AS (
        UPDATE merchant_event e SET sequence = n.sequence FROM numbered n WHERE e.id = n.id
        RETURNING e.id, e.merchant_id, e.kind
    ), put AS (
        INSERT INTO webhook_delivery (merchant_id, event_id, endpoint_id, due_at)
        SELECT t.merchant_id, t.id, p.id, :now
        FROM told t JOIN webhook_endpoint p ON p.merchant_id = t.merchant_id
        WHERE p.off_at IS NULL AND (p.kinds = '[]' OR p.kinds ? t.kind)
        ORDER BY t.id
    )
    SELECT count(*) FROM told
    """
)
_DUE = text(
    """
    SELECT p.merchant_id, p.id FROM webhook_endpoint p
    WHERE p.off_at IS NULL AND EXISTS (
        SELECT FROM webhook_delivery d
        WHERE d.endpoint_id = p.id AND d.status = 'pending' AND d.due_at <= :now)
    ORDER BY random()
    """
)


async def number(session: AsyncSession, now: datetime) -> int:
    """Number what was committed, NUMBERED_MAX at most, and put it down for the endpoints.

    `session` is the operator's, over all merchants. Returns how many events there were.
    """
    await session.execute(_ALONE)  # what is looked at next is looked at with the lock held
    return int(await session.scalar(_NUMBER, {"most": NUMBERED_MAX, "now": now}) or 0)


async def due_endpoints(session: AsyncSession, now: datetime) -> list[tuple[int, int]]:
    """Merchant and endpoint wherever something is due now."""
    found = await session.execute(_DUE, {"now": now})
    return [(row.merchant_id, row.id) for row in found]

"""Words of messages that wait to be listed, merchant by merchant."""

import structlog
from sqlalchemy import select

from conversation.listing import LISTED_AT_ONCE, list_waiting
from storage.engine import Database
from storage.tables import TranscriptWaiting

log = structlog.get_logger()


async def list_all(database: Database) -> int:
    """List all that waits now; how many messages there were.

    Merchants take turns, each batch is a transaction of its own, and one that fails holds up no
    other merchant.
    """
    async with database.operator() as session:
        waiting = select(TranscriptWaiting.merchant_id).distinct()
        merchants = list(await session.scalars(waiting))
    listed = 0
    while merchants:
        counts = {merchant: await _batch(database, merchant) for merchant in merchants}
        listed += sum(counts.values())
        merchants = [merchant for merchant, count in counts.items() if count == LISTED_AT_ONCE]
    return listed


async def _batch(database: Database, merchant_id: int) -> int:
    try:
        async with database.merchant(merchant_id) as session:
            return await list_waiting(session, merchant_id)
    except Exception:
        log.exception("words_not_listed", merchant=merchant_id)
        return 0

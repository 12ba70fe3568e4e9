"""Whether a service still has something to do: what a played conversation has to wait for."""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from storage.engine import Database

POLL_SECONDS = 0.05


async def open_work(session: AsyncSession) -> dict[str, int]:
    """How many messages are unhandled, replies unsent, and jobs of conversations waiting."""
    row = (
        await session.execute(
            text(
                "SELECT (SELECT count(*) FROM message WHERE direction = 'in'"
                " AND handled_at IS NULL) AS unhandled,"
                " (SELECT count(*) FROM message WHERE direction = 'out'"
                " AND status IN ('queued', 'sending')) AS unsent,"
                " (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
                " AND task_name IN ('kulanz:turn', 'kulanz:deliver')) AS jobs"
            )
        )
    ).one()
    return dict(row._mapping)


async def until_quiet(database: Database, *, seconds: float) -> bool:
    """Wait until nothing is left to do; False when that takes too long.

    A database that is away just now is asked again.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            async with database.operator() as session:
                left = await open_work(session)
            if not any(left.values()):
                return True
        except (DBAPIError, OSError):
            await asyncio.sleep(0.5)
        await asyncio.sleep(POLL_SECONDS)
    return False

"""The worker process: ``python -m api.worker``."""

import asyncio

from api.jobs import run_worker
from api.logs import configure_logs
from api.settings import Settings
from api.wiring import parts


async def main() -> None:
    """Connect the parts and work until told to stop."""
    configure_logs()
    async with parts(Settings(), pool_size=12) as made:
        await run_worker(made)


if __name__ == "__main__":
    asyncio.run(main())

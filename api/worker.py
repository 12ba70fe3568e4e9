"""The worker process: ``python -m api.worker``."""

import sys

import structlog
import uvloop
from procrastinate.exceptions import ConnectorException
from psycopg import InterfaceError, OperationalError
from sqlalchemy.exc import DBAPIError

from api.jobs import TEMPORARY_FAILURE, run_worker
from api.logs import configure_logs
from api.settings import Settings
from api.wiring import parts


async def main() -> None:
    """Connect the parts and work until told to stop."""
    configure_logs()
    try:
        async with parts(Settings(), pool_size=12) as made:
            await run_worker(made)
    except (ConnectorException, OperationalError, InterfaceError, DBAPIError, OSError) as error:
        structlog.get_logger().warning("database_lost", error=type(error).__name__)
        sys.exit(TEMPORARY_FAILURE)


if __name__ == "__main__":
    uvloop.run(main())

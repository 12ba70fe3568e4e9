"""A browser at the console, and a second shop."""

from collections.abc import AsyncIterator

import pytest

from storage.engine import Database
from storage.tables import Merchant
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    """The console in front of a database."""
    async with console_of(database) as opened:
        yield opened


@pytest.fixture
async def other(database: Database) -> Merchant:
    """Another shop."""
    other = Merchant(key="other", name="Nordlicht", created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    return other

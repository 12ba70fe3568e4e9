"""A browser at the console, and a second shop."""

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from api.people import passwords
from storage.engine import Database
from storage.tables import Merchant
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least work; how much the service takes is for the tests of passwords."""
    least = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", least)


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

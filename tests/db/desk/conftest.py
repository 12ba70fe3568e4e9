"""The desk on a real database and a real Valkey."""

from collections.abc import AsyncIterator

import pytest

from storage.engine import Database
from storage.tables import Customer, Merchant
from tests.desk_parts import Desk, desk_of


@pytest.fixture
async def desk(
    database: Database, merchant: Merchant, customer: Customer, valkey: str
) -> AsyncIterator[Desk]:
    async with desk_of(database, merchant, customer, valkey) as made:
        yield made

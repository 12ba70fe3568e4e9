"""The desk on a real database and a real Valkey."""

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.engine import Database
from storage.tables import Customer, Merchant
from tests.desk_parts import Desk, desk_of
from tests.valkey_server import valkey_server


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey_server(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
async def desk(
    database: Database, merchant: Merchant, customer: Customer, valkey: str
) -> AsyncIterator[Desk]:
    async with desk_of(database, merchant, customer, valkey) as made:
        yield made

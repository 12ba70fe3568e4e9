"""A browser at the console, in front of a database with a merchant."""

from collections.abc import AsyncIterator

import pytest

from storage.engine import Database
from storage.tables import Merchant
from tests.db.console_browser import Console, console_of


@pytest.fixture
async def console(database: Database, merchant: Merchant) -> AsyncIterator[Console]:
    """An owner of the merchant at the console."""
    async with console_of(database) as browser:
        await browser.sign_in(merchant)
        yield browser

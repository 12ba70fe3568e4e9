"""The statement of a claim on the customer's page: every item once, and only behind the proof."""

from datetime import date

import pytest

from ledger import book
from ledger.money import Money
from storage.tables import Claim
from tests.conftest import NOW
from tests.db.pages.conftest import Visiting, words


@pytest.fixture
async def inside(visiting: Visiting) -> Visiting:
    """The customer, come in; the first invoice bears interest."""
    await visiting.enter()
    await visiting.change(
        Claim,
        visiting.claims[0].id,
        default_since=date(2026, 9, 12),
        default_proof="Mahnung vom 10.09.2026",
    )
    return visiting


async def pay(inside: Visiting, minor: int, day: date) -> None:
    async with inside.parts.database.operator() as session:
        await book.post_payment(
            session,
            inside.claims[0].id,
            Money(minor),
            value_date=day,
            now=NOW,
            key=f"pay:{minor}",
        )


async def test_a_payment_that_was_booked_anew_is_told_once(inside: Visiting) -> None:
    await pay(inside, 20_00, date(2026, 10, 20))
    await pay(inside, 30_00, date(2026, 10, 2))  # an earlier value date comes in later
    said = words(await inside.http.get("/p"))
    assert said.count("− 20,00 €") == 1
    assert said.count("− 30,00 €") == 1
    assert "− 50,00 €" not in said

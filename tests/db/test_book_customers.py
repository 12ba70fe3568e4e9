"""A payment that names no claim."""

from datetime import UTC, date, datetime

import pytest

from ledger import book
from ledger.claim import ClaimStatus
from ledger.errors import AmountNotPositive, ClaimUnknown, IdempotencyConflict
from ledger.money import Money
from ledger.statement import Receipt
from storage.engine import Database
from storage.tables import Claim, Customer

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.fixture
async def claims(database: Database, customer: Customer) -> list[Claim]:
    """An older claim of 50.00 and a newer one of 80.00."""
    async with database.merchant(customer.merchant_id) as session:
        return [
            await book.open_claim(
                session,
                book.NewClaim(
                    merchant_id=customer.merchant_id,
                    customer_id=customer.id,
                    reference=reference,
                    invoice_number=reference,
                    description="Gartenstuhl",
                    principal=eur(minor),
                    invoice_date=date(2026, month, 1),
                    due_date=date(2026, month, 15),
                ),
                now=NOW,
                key=f"open:{reference}",
            )
            for reference, minor, month in (("OLD", 50_00, 8), ("NEW", 80_00, 9))
        ]


async def pay(
    database: Database, customer: Customer, minor: int, key: str, chosen: int | None = None
) -> tuple[Receipt, ...]:
    async with database.merchant(customer.merchant_id) as session:
        return await book.post_customer_payment(
            session,
            customer.id,
            eur(minor),
            value_date=TODAY,
            now=NOW,
            key=key,
            chosen_claim_id=chosen,
        )


async def test_older_claim_first_and_the_same_answer_again(
    database: Database, customer: Customer, claims: list[Claim]
) -> None:
    old, new = claims
    first = await pay(database, customer, 60_00, "p1")
    assert [(part.claim_id, part.open_after.total.minor) for part in first] == [
        (old.id, 0),
        (new.id, 70_00),
    ]
    await pay(database, customer, 10_00, "p2")
    assert await pay(database, customer, 60_00, "p1") == first
    with pytest.raises(IdempotencyConflict):
        await pay(database, customer, 61_00, "p1")
    async with database.merchant(customer.merchant_id) as session:
        assert (await book.balance(session, new.id)).total == eur(60_00)


async def test_chosen_claim_first(
    database: Database, customer: Customer, claims: list[Claim]
) -> None:
    old, new = claims
    (receipt,) = await pay(database, customer, 60_00, "p1", chosen=new.id)
    assert receipt.claim_id == new.id
    async with database.merchant(customer.merchant_id) as session:
        assert (await book.balance(session, old.id)).total == eur(50_00)


async def test_more_than_everything_is_overpaid_once(
    database: Database, customer: Customer, claims: list[Claim]
) -> None:
    receipts = await pay(database, customer, 140_00, "p1")
    assert [part.open_after.overpaid.minor for part in receipts] == [0, 10_00]
    (later,) = await pay(database, customer, 5_00, "p2")
    assert later.open_after.overpaid == eur(15_00)
    async with database.merchant(customer.merchant_id) as session:
        assert (await book.statement(session, claims[0].id)).status is ClaimStatus.SETTLED


async def test_what_cannot_be_posted_is_refused(
    database: Database, customer: Customer, claims: list[Claim]
) -> None:
    with pytest.raises(ClaimUnknown):
        await pay(database, customer, 1_00, "p1", chosen=claims[-1].id + 1)
    with pytest.raises(AmountNotPositive):
        await pay(database, customer, 0, "p1")

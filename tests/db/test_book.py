"""The book of claims on a real PostgreSQL."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import book
from ledger.claim import ClaimStatus
from ledger.errors import (
    AlreadyReversed,
    AmountNotPositive,
    ClaimExists,
    ClaimUnknown,
    CurrencyDiffers,
    IdempotencyConflict,
    OpenAmountDiffers,
    PostingUnknown,
    ReturnExceedsPayments,
    WaiverExceedsBalance,
)
from ledger.money import Money
from ledger.posting import Account, Marking, PostingKind
from ledger.reference import read_rf
from storage.engine import Database
from storage.tables import Claim, Customer, Merchant

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def new_claim(customer: Customer, **changed: Any) -> book.NewClaim:
    return book.NewClaim(
        **{
            "merchant_id": customer.merchant_id,
            "customer_id": customer.id,
            "reference": "R-1",
            "invoice_number": "R-1",
            "description": "Gartenstuhl",
            "principal": eur(100_00),
            "costs": eur(5_00),
            "interest": eur(1_50),
            "invoice_date": date(2026, 9, 1),
            "due_date": date(2026, 9, 15),
            **changed,
        }
    )


@pytest.fixture
async def claim(database: Database, customer: Customer) -> Claim:
    """100.00 of price, 5.00 of costs, 1.50 of interest."""
    async with database.merchant(customer.merchant_id) as session:
        return await book.open_claim(session, new_claim(customer), now=NOW, key="import:R-1")


async def pay(database: Database, claim: Claim, minor: int, key: str, **options: Any) -> Any:
    async with database.merchant(claim.merchant_id) as session:
        return await book.post_payment(
            session,
            claim.id,
            eur(minor),
            **{"value_date": TODAY, "now": NOW, "key": key, **options},
        )


async def test_opening_posts_price_costs_and_interest(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        statement = await book.statement(session, claim.id)
    assert statement.open.principal == eur(100_00)
    assert statement.open.costs == eur(5_00)
    assert statement.open.interest == eur(1_50)
    assert statement.charged.total == eur(106_50)
    assert statement.intact
    assert [line.open_after.minor for line in statement.lines] == [10000, 10500, 10650]
    assert read_rf(statement.rf_reference) == claim.rf_reference


async def test_opening_twice_is_once(database: Database, customer: Customer, claim: Claim) -> None:
    async with database.merchant(customer.merchant_id) as session:
        again = await book.open_claim(session, new_claim(customer), now=NOW, key="import:R-1")
        assert again.id == claim.id
        with pytest.raises(IdempotencyConflict):
            await book.open_claim(
                session, new_claim(customer, principal=eur(1)), now=NOW, key="import:R-1"
            )
        with pytest.raises(ClaimExists):
            await book.open_claim(session, new_claim(customer), now=NOW, key="another")


async def test_payment_goes_to_costs_then_interest_then_principal(
    database: Database, claim: Claim
) -> None:
    receipt = await pay(database, claim, 10_00, "p1")
    assert receipt.open_after.costs == eur(0)
    assert receipt.open_after.interest == eur(0)
    assert receipt.open_after.principal == eur(96_50)
    assert [posting.source for posting in receipt.postings] == [
        Account.COSTS,
        Account.INTEREST,
        Account.PRINCIPAL,
    ]


async def test_payment_goes_where_the_customer_marked_it(database: Database, claim: Claim) -> None:
    receipt = await pay(database, claim, 100_00, "p1", marking=Marking.PRINCIPAL_FIRST)
    assert receipt.open_after.principal == eur(0)
    assert receipt.open_after.total == eur(6_50)


async def test_repeated_payment_gets_the_same_answer(database: Database, claim: Claim) -> None:
    first = await pay(database, claim, 10_00, "p1")
    await pay(database, claim, 20_00, "p2")
    assert await pay(database, claim, 10_00, "p1") == first
    with pytest.raises(IdempotencyConflict):
        await pay(database, claim, 11_00, "p1")
    async with database.merchant(claim.merchant_id) as session:
        assert (await book.balance(session, claim.id)).total == eur(76_50)


async def test_same_payment_from_two_sides_at_once_is_posted_once(
    database: Database, claim: Claim
) -> None:
    receipts = await asyncio.gather(*(pay(database, claim, 10_00, "p1") for _ in range(4)))
    assert all(receipt == receipts[0] for receipt in receipts)
    async with database.merchant(claim.merchant_id) as session:
        assert (await book.balance(session, claim.id)).total == eur(96_50)


async def test_many_payments_at_once_keep_the_chain(database: Database, claim: Claim) -> None:
    await asyncio.gather(*(pay(database, claim, 3_00, f"p{n}") for n in range(12)))
    async with database.merchant(claim.merchant_id) as session:
        statement = await book.statement(session, claim.id)
    assert statement.intact
    assert statement.open.total == eur(70_50)
    numbers = [line.posting.number for line in statement.lines]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_last_payment_settles_and_too_much_is_kept_as_overpaid(
    database: Database, claim: Claim
) -> None:
    receipt = await pay(database, claim, 110_00, "p1")
    assert receipt.settled
    assert receipt.open_after.overpaid == eur(3_50)
    again = await pay(database, claim, 5_00, "p2")
    assert again.open_after.overpaid == eur(8_50)
    async with database.merchant(claim.merchant_id) as session:
        statement = await book.statement(session, claim.id)
        assert await book.claims_of(session, claim.customer_id) == []
    assert statement.status is ClaimStatus.SETTLED
    assert statement.paid == eur(115_00)


async def test_returned_payment_opens_the_claim_again(database: Database, claim: Claim) -> None:
    await pay(database, claim, 6_50, "p1")
    await pay(database, claim, 100_00, "p2")
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.post_return(
            session, claim.id, eur(100_00), value_date=TODAY, now=NOW, key="r1", payment_key="p2"
        )
        assert receipt.open_after.principal == eur(100_00)
        assert receipt.open_after.total == eur(100_00)
        with pytest.raises(ReturnExceedsPayments):
            await book.post_return(
                session, claim.id, eur(1), value_date=TODAY, now=NOW, key="r2", payment_key="p2"
            )
        with pytest.raises(PostingUnknown):
            await book.post_return(
                session, claim.id, eur(1), value_date=TODAY, now=NOW, key="r3", payment_key="no"
            )
        rest = await book.post_return(
            session, claim.id, eur(6_50), value_date=TODAY, now=NOW, key="r4"
        )
    assert rest.open_after.costs == eur(5_00)
    assert rest.open_after.interest == eur(1_50)
    async with database.merchant(claim.merchant_id) as session:
        assert (await book.statement(session, claim.id)).status is ClaimStatus.OPEN


async def test_returned_payment_meets_what_was_overpaid(database: Database, claim: Claim) -> None:
    await pay(database, claim, 106_50, "p1")
    await pay(database, claim, 30_00, "p2")
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.post_return(
            session, claim.id, eur(106_50), value_date=TODAY, now=NOW, key="r1", payment_key="p1"
        )
    assert receipt.open_after.overpaid == eur(0)
    assert receipt.open_after.total == eur(76_50)
    assert PostingKind.SET_OFF in {posting.kind for posting in receipt.postings}


async def test_credit_note_after_payment_is_given_back(database: Database, claim: Claim) -> None:
    await pay(database, claim, 56_50, "p1")
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.post_credit_note(
            session, claim.id, eur(100_00), value_date=TODAY, now=NOW, key="c1"
        )
    assert receipt.settled
    assert receipt.open_after.overpaid == eur(50_00)


async def test_waiver_takes_interest_first_and_never_more_than_is_open(
    database: Database, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.post_waiver(
            session, claim.id, eur(2_00), value_date=TODAY, now=NOW, key="w1"
        )
        assert receipt.open_after.interest == eur(0)
        assert receipt.open_after.costs == eur(4_50)
        with pytest.raises(WaiverExceedsBalance):
            await book.post_waiver(
                session, claim.id, eur(200_00), value_date=TODAY, now=NOW, key="w2"
            )
        with pytest.raises(AmountNotPositive):
            await book.post_waiver(session, claim.id, eur(0), value_date=TODAY, now=NOW, key="w3")
        with pytest.raises(CurrencyDiffers):
            await book.post_waiver(
                session, claim.id, Money(1, "CHF"), value_date=TODAY, now=NOW, key="w4"
            )


async def test_reversal_undoes_a_command_once(database: Database, claim: Claim) -> None:
    await pay(database, claim, 106_50, "p1")
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.reverse(session, claim.id, "p1", value_date=TODAY, now=NOW, key="u1")
        assert receipt.open_after.total == eur(106_50)
        with pytest.raises(AlreadyReversed):
            await book.reverse(session, claim.id, "p1", value_date=TODAY, now=NOW, key="u2")
        with pytest.raises(AlreadyReversed):
            await book.reverse(session, claim.id, "u1", value_date=TODAY, now=NOW, key="u3")
        with pytest.raises(PostingUnknown):
            await book.reverse(session, claim.id, "import:R-1", value_date=TODAY, now=NOW, key="u4")


async def test_tampering_breaks_the_chain(database: Database, claim: Claim, owner_dsn: str) -> None:
    async with database.operator() as session:
        with pytest.raises(DBAPIError):
            await session.execute(text("UPDATE posting SET amount_minor = 1"))
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE posting DISABLE TRIGGER USER")
        connection.execute("ALTER TABLE posting NO FORCE ROW LEVEL SECURITY")
        connection.execute(
            "UPDATE posting SET amount_minor = 1 WHERE claim_id = %s AND number = 2", [claim.id]
        )
    async with database.merchant(claim.merchant_id) as session:
        assert not (await book.statement(session, claim.id)).intact


async def test_small_balance_is_written_off(database: Database, claim: Claim) -> None:
    await pay(database, claim, 105_00, "p1")
    async with database.merchant(claim.merchant_id) as session:
        await book.write_off(session, claim.id, now=NOW, key="w1")
        await book.write_off(session, claim.id, now=NOW, key="w1")
        statement = await book.statement(session, claim.id)
    assert statement.status is ClaimStatus.WRITTEN_OFF
    assert not statement.open.total
    assert statement.totals[PostingKind.WAIVER] == eur(1_50)


async def test_confirmation_is_refused_when_the_amounts_differ(
    database: Database, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        with pytest.raises(OpenAmountDiffers):
            await book.confirm_open_amount(session, claim.id, at=NOW, amount=eur(1))
        await book.confirm_open_amount(session, claim.id, at=NOW, amount=eur(106_50))
        await book.confirm_open_amount(session, claim.id, at=NOW - timedelta(hours=1))
        assert (await book.statement(session, claim.id)).confirmed_at == NOW


async def test_pause_lasts_to_the_later_day(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        await book.pause(session, claim.id, "hardship", until=date(2026, 12, 24), now=NOW)
        await book.pause(session, claim.id, "already_paid", until=date(2026, 12, 1), now=NOW)
        statement = await book.statement(session, claim.id)
        assert statement.paused_until == date(2026, 12, 24)
        assert statement.pause_reason == "hardship"
        await book.resume(session, claim.id, now=NOW)
        assert (await book.statement(session, claim.id)).paused_until is None


async def test_facts_are_those_of_the_merchants_day(database: Database, claim: Claim) -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    async with database.merchant(claim.merchant_id) as session:
        facts = await book.claim_facts(session, claim.id, now=late)
    assert facts.today == date(2026, 11, 24)
    assert facts.balance == eur(106_50)
    assert facts.age_days == 70


async def test_another_merchants_claim_is_unknown(database: Database, claim: Claim) -> None:
    other = Merchant(key="other", name="Other", policy={}, created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    async with database.merchant(other.id) as session:
        with pytest.raises(ClaimUnknown):
            await book.balance(session, claim.id)
        with pytest.raises(ClaimUnknown):
            await book.post_payment(session, claim.id, eur(1), value_date=TODAY, now=NOW, key="p1")

"""The law of money on the real book: value dates, base rates, agreements, costs, many at once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from ledger import book
from ledger.agreements import Deferral, Promise, Settlement, plan_by_count
from ledger.base_rate import BaseRate
from ledger.claim import ClaimFacts
from ledger.costs import CostKind
from ledger.default import DefaultGround
from ledger.errors import CostsRefused, PostingUnknown
from ledger.money import Money
from ledger.posting import Marking, PostingKind
from ledger.statement import Receipt, Statement
from storage.engine import Database, DatabaseUrls
from storage.tables import Claim, Customer, Merchant

NOW = datetime(2026, 6, 30, 10, tzinfo=UTC)
SINCE = date(2026, 1, 1)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def allows_all(terms: object, facts: ClaimFacts) -> None:
    """The merchant allows everything."""


async def claim_of(database: Database, customer: Customer, **facts: Any) -> Claim:
    """1,000.00 in default since the first of January; a day bears 17.18 cents at 6.27 %."""
    given: dict[str, Any] = {
        "reference": "R-1",
        "principal": eur(1000_00),
        "default_since": SINCE,
        "default_proof": "Mahnung vom 30.12.2025",
        **facts,
    }
    async with database.merchant(customer.merchant_id) as session:
        return await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=customer.merchant_id,
                customer_id=customer.id,
                invoice_number=given["reference"],
                description="Regal",
                invoice_date=date(2025, 12, 1),
                due_date=date(2025, 12, 15),
                **given,
            ),
            now=NOW,
            key=f"open:{given['reference']}",
        )


async def pay(
    database: Database,
    claim: Claim,
    minor: int,
    day: date,
    key: str,
    marking: Marking = Marking.BY_LAW,
) -> Receipt:
    async with database.merchant(claim.merchant_id) as session:
        return await book.post_payment(
            session, claim.id, eur(minor), value_date=day, now=NOW, key=key, marking=marking
        )


async def read(database: Database, claim: Claim, now: datetime | None = None) -> Statement:
    async with database.merchant(claim.merchant_id) as session:
        return await book.statement(session, claim.id, now=now)


@pytest.fixture
async def claim(database: Database, customer: Customer) -> Claim:
    return await claim_of(database, customer)


async def test_interest_is_reckoned_up_to_the_day_of_the_statement_and_not_posted(
    database: Database, claim: Claim
) -> None:
    found = await read(database, claim, NOW)
    # 181 days
    assert (found.accrued, found.open.interest, found.charged.interest) == (eur(31_09),) * 3
    assert len(found.lines) == 1
    assert (await read(database, claim)).open.total == eur(1000_00)


async def test_a_payment_meets_the_interest_up_to_its_day(database: Database, claim: Claim) -> None:
    receipt = await pay(database, claim, 500_00, date(2026, 1, 31), "p1")
    # 31 days
    assert receipt.open_after.principal == eur(1000_00 + 5_33 - 500_00)
    later = await read(database, claim, datetime(2026, 2, 28, 10, tzinfo=UTC))
    # 28 days on 505.33
    assert later.open.total == eur(505_33 + 2_43)


async def test_an_earlier_value_date_is_booked_in_its_place_and_a_repetition_changes_nothing(
    database: Database, claim: Claim
) -> None:
    first = await pay(database, claim, 300_00, date(2026, 3, 31), "p1")
    second = await pay(database, claim, 400_00, date(2026, 1, 31), "p2")
    found = await read(database, claim)
    # 31 days on 1,000.00, then 59 on 605.33: 11.46 in all, rounded once
    assert found.open.total == eur(1000_00 + 11_46 - 400_00 - 300_00)
    assert found.paid == eur(700_00)
    assert found.totals[PostingKind.PAYMENT] == eur(700_00)
    assert found.intact
    assert await pay(database, claim, 300_00, date(2026, 3, 31), "p1") == first
    assert await pay(database, claim, 400_00, date(2026, 1, 31), "p2") == second
    assert (await read(database, claim)).lines == found.lines


async def test_a_payment_that_was_booked_anew_can_be_returned_by_its_key(
    database: Database, claim: Claim
) -> None:
    await pay(database, claim, 300_00, date(2026, 3, 31), "p1")
    await pay(database, claim, 400_00, date(2026, 1, 31), "p2")
    async with database.merchant(claim.merchant_id) as session:
        await book.post_return(
            session,
            claim.id,
            eur(300_00),
            value_date=date(2026, 4, 2),
            now=NOW,
            key="r1",
            payment_key="p1",
        )
    found = await read(database, claim)
    assert found.paid == eur(400_00)
    # two days on 311.46 more
    assert found.open.total == eur(1000_00 + 11_57 - 400_00)


async def test_a_return_that_is_booked_anew_behind_its_payment_is_written_with_it(
    database: Database, claim: Claim
) -> None:
    """The return undoes a posting that the same command has just made."""
    await pay(database, claim, 300_00, date(2026, 3, 31), "p1")
    async with database.merchant(claim.merchant_id) as session:
        await book.post_return(
            session, claim.id, eur(300_00), value_date=date(2026, 4, 2), now=NOW, key="r1"
        )
    await pay(database, claim, 400_00, date(2026, 1, 31), "p2")
    found = await read(database, claim)
    assert (found.paid, found.intact) == (eur(400_00), True)


async def test_interest_is_not_undone_but_waived(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        await book.post_interest(session, claim.id, through=date(2026, 1, 31), now=NOW, key="i1")
        with pytest.raises(PostingUnknown):
            await book.reverse(session, claim.id, "i1", value_date=SINCE, now=NOW, key="u1")
        receipt = await book.post_waiver(
            session, claim.id, eur(5_33), value_date=date(2026, 1, 31), now=NOW, key="w1"
        )
    assert receipt.open_after.total == eur(1000_00)


async def test_a_base_rate_that_is_confirmed_later_is_booked_visibly(
    database: Database, claim: Claim
) -> None:
    """Until the half year's rate is confirmed the lower one is charged, and says so."""
    await pay(database, claim, 500_00, date(2026, 7, 31), "p1")
    before = await read(database, claim, datetime(2026, 7, 31, 10, tzinfo=UTC))
    assert [part.confirmed for part in before.interest.segments] == [True, False]
    assert before.open.total == eur(1000_00 + 36_42 - 500_00)
    async with database.operator() as session:
        rate = BaseRate(date(2026, 7, 1), Decimal("1.52"), source="Bundesanzeiger")
        await book.add_base_rate(session, rate, now=NOW)
    assert (await read(database, claim)).lines == before.lines
    async with database.merchant(claim.merchant_id) as session:
        await book.post_interest(session, claim.id, through=date(2026, 7, 31), now=NOW, key="i1")
    after = await read(database, claim, datetime(2026, 7, 31, 10, tzinfo=UTC))
    assert after.lines[: len(before.lines)] == before.lines
    kinds = [line.posting.kind for line in after.lines[len(before.lines) :]]
    assert kinds == [
        *[PostingKind.REBOOKING] * 3,
        PostingKind.INTEREST,
        *[PostingKind.PAYMENT] * 2,
    ]
    # 31 of 212 days at 6.52 % instead of 6.27 %
    assert after.open.total == eur(1000_00 + 36_63 - 500_00)
    assert after.interest.confirmed
    assert after.intact


async def test_base_rates_cannot_be_changed_nor_added_by_a_merchant(
    database: Database, claim: Claim
) -> None:
    rate = BaseRate(date(2026, 7, 1), Decimal("1.52"), source="Bundesanzeiger")
    async with database.operator() as session:
        await book.add_base_rate(session, rate, now=NOW)
    for statement in ("UPDATE base_rate SET percent = 9", "DELETE FROM base_rate"):
        with pytest.raises(Exception, match="permission denied"):
            async with database.operator() as session:
                await session.execute(text(statement))
    with pytest.raises(Exception, match="permission denied"):
        async with database.merchant(claim.merchant_id) as session:
            await book.add_base_rate(session, rate, now=NOW)


async def test_a_promise_that_is_kept_costs_nothing_more(database: Database, claim: Claim) -> None:
    agreed = datetime(2026, 1, 31, 10, tzinfo=UTC)
    async with database.merchant(claim.merchant_id) as session:
        await book.agree(
            session,
            claim.id,
            Promise(eur(1005_33), date(2026, 2, 10)),
            guard=allows_all,
            now=agreed,
            key="a1",
        )
    assert not (await pay(database, claim, 1005_00, date(2026, 2, 9), "p1")).settled
    assert (await pay(database, claim, 33, date(2026, 2, 10), "p2")).settled


async def test_a_promise_that_is_paid_late_leaves_its_interest_open(
    database: Database, claim: Claim
) -> None:
    agreed = datetime(2026, 1, 31, 10, tzinfo=UTC)
    async with database.merchant(claim.merchant_id) as session:
        await book.agree(
            session,
            claim.id,
            Promise(eur(1005_33), date(2026, 2, 10)),
            guard=allows_all,
            now=agreed,
            key="a1",
        )
    receipt = await pay(database, claim, 1005_33, date(2026, 2, 11), "p1")
    # 42 days make 7.21
    assert receipt.open_after.total == eur(1_88)


async def test_a_settlement_lets_go_the_interest_when_it_is_paid_by_its_day(
    database: Database, claim: Claim
) -> None:
    agreed = datetime(2026, 1, 31, 10, tzinfo=UTC)
    terms = Settlement(eur(1000_00), eur(5_33), date(2026, 2, 7))
    async with database.merchant(claim.merchant_id) as session:
        await book.agree(session, claim.id, terms, guard=allows_all, now=agreed, key="a1")
    assert (await pay(database, claim, 1000_00, date(2026, 2, 7), "p1")).settled


@pytest.mark.parametrize(
    ("consumer_loan", "marking", "interest"),
    [
        (False, Marking.BY_LAW, 0),
        (True, Marking.BY_LAW, 5_33),
        (False, Marking.PRINCIPAL_FIRST, 5_33),
        (True, Marking.INTEREST_FIRST, 0),
    ],
)
async def test_what_a_payment_meets_first(
    database: Database,
    customer: Customer,
    consumer_loan: bool,
    marking: Marking,
    interest: int,
) -> None:
    """§ 367 I, § 497 III, and what the customer wrote (§ 367 II BGB)."""
    claim = await claim_of(database, customer, consumer_loan=consumer_loan)
    receipt = await pay(database, claim, 100_00, date(2026, 1, 31), "p1", marking)
    assert receipt.open_after.interest == eur(interest)
    # What comes in its place keeps what it was for.
    await pay(database, claim, 1_00, date(2026, 1, 15), "p2", marking)
    assert (await read(database, claim)).open.interest.minor >= interest - 10 * bool(interest)


async def test_only_a_deferral_stops_interest(database: Database, customer: Customer) -> None:
    agreed = datetime(2026, 1, 31, 10, tzinfo=UTC)
    until = date(2026, 3, 31)
    open_ = {}
    for name, terms in (
        ("waits", None),
        ("promise", Promise(eur(1005_33), until)),
        ("deferral", Deferral(eur(1005_33), until)),
        ("plan", plan_by_count(eur(1005_33), 2, first=date(2026, 3, 1))),
    ):
        claim = await claim_of(database, customer, reference=name)
        async with database.merchant(claim.merchant_id) as session:
            if terms is None:
                await book.pause(session, claim.id, "asked", until=until, now=agreed)
            else:
                await book.agree(session, claim.id, terms, guard=allows_all, now=agreed, key=name)
        found = await read(database, claim, datetime(2026, 3, 31, 10, tzinfo=UTC))
        open_[name] = found.open.interest
    assert open_ == {
        "waits": eur(15_46),
        "promise": eur(15_46),
        "deferral": eur(5_33),
        "plan": eur(5_33),
    }


async def test_a_claim_that_was_recalled_bears_no_more_interest(
    database: Database, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        await book.recall(session, claim.id, "merchant", now=NOW)
    found = await read(database, claim, NOW)
    assert (found.open.total, found.accrued) == (eur(1000_00), eur(0))


async def test_default_never_begins_before_the_law_allows(
    database: Database, customer: Customer
) -> None:
    """Due on 15 December; thirty days later is 14 January, so the 15th is the first day."""
    claim = await claim_of(database, customer, default_ground=DefaultGround.NOTICED_30_DAYS)
    found = await read(database, claim, NOW)
    assert found.interest.segments[0].first == date(2026, 1, 15)


async def test_limitation_is_known_and_begins_anew_with_a_deferral(
    database: Database, claim: Claim, customer: Customer
) -> None:
    assert claim.limitation_date == date(2028, 12, 31)
    late = datetime(2028, 6, 1, 10, tzinfo=UTC)
    async with database.merchant(claim.merchant_id) as session:
        open_ = await book.balance(session, claim.id, now=late)
        terms = Deferral(open_.total, date(2028, 6, 30))
        await book.agree(session, claim.id, terms, guard=allows_all, now=late, key="a1")
        changed = await session.get_one(Claim, claim.id, populate_existing=True)
        assert changed.limitation_date == date(2031, 6, 1)


async def test_costs_of_default(database: Database, customer: Customer) -> None:
    consumer = await claim_of(database, customer, reference="consumer")
    days: dict[str, Any] = {"value_date": date(2026, 2, 1), "now": NOW, "reason": "wie im Brief"}
    async with database.merchant(customer.merchant_id) as session:
        merchant = await session.get_one(Merchant, customer.merchant_id)
        merchant.policy = {"reminder_letter_minor": 1_20}
        letter = await book.post_costs(
            session, consumer.id, CostKind.LETTER, eur(1_20), key="l1", **days
        )
        assert letter.open_after.costs == eur(1_20)
        with pytest.raises(CostsRefused):
            await book.post_costs(
                session, consumer.id, CostKind.LUMP_SUM, eur(40_00), key="s1", **days
            )
        await session.execute(text("UPDATE customer SET business = true"))
    business = await claim_of(database, customer, reference="business")
    async with database.merchant(customer.merchant_id) as session:

        async def charge(kind: CostKind, minor: int, key: str) -> Receipt:
            return await book.post_costs(session, business.id, kind, eur(minor), key=key, **days)

        await charge(CostKind.LUMP_SUM, 40_00, "s2")
        legal = await charge(CostKind.LEGAL_COSTS, 30_00, "c1")
        assert legal.open_after.costs == eur(40_00)
        legal = await charge(CostKind.LEGAL_COSTS, 30_00, "c2")
        assert legal.open_after.costs == eur(60_00)
        with pytest.raises(CostsRefused):
            await charge(CostKind.LUMP_SUM, 40_00, "s3")


async def test_fifty_payments_at_once_are_booked_once_each(
    database_urls: DatabaseUrls, database: Database, customer: Customer
) -> None:
    """Some name a claim, some only the customer; each comes twice."""
    claims = [await claim_of(database, customer, reference=f"R-{n}") for n in (1, 2)]
    many = Database(database_urls, pool_size=12)

    async def once(number: int) -> None:
        day = SINCE + timedelta(days=number)  # they overtake each other, by a few
        async with many.merchant(customer.merchant_id) as session:
            if number % 3:
                await book.post_payment(
                    session,
                    claims[number % 2].id,
                    eur(1_00 + number),
                    value_date=day,
                    now=NOW,
                    key=f"p{number}",
                )
            else:
                await book.post_customer_payment(
                    session,
                    customer.id,
                    eur(1_00 + number),
                    value_date=day,
                    now=NOW,
                    key=f"p{number}",
                )

    limit = asyncio.Semaphore(12)

    async def limited(number: int) -> None:
        async with limit:
            await once(number)

    try:
        await asyncio.wait_for(
            asyncio.gather(*(limited(number) for number in [*range(50), *range(50)])), 300
        )
    finally:
        await many.close()
    found = [await read(database, claim) for claim in claims]
    assert sum(statement.paid.minor for statement in found) == sum(1_00 + n for n in range(50))
    assert all(statement.intact for statement in found)

"""Agreements in the book: guarded, one at a time, filled by payments."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ledger import book
from ledger.agreements import (
    AgreementStatus,
    AgreementTerms,
    Deferral,
    Promise,
    Settlement,
    plan_by_count,
)
from ledger.claim import ClaimFacts
from ledger.errors import (
    AgreementEnded,
    AgreementRefused,
    ClaimInDispute,
    ClaimNotOpen,
    IdempotencyConflict,
    TermsDoNotFit,
)
from ledger.money import Money
from storage.engine import Database
from storage.tables import Claim, Customer, Instalment

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def allows_all(terms: AgreementTerms, facts: ClaimFacts) -> None:
    """A guard of a merchant who allows everything."""


class NotToday(AgreementRefused):
    """What the strict guard of these tests says."""


def allows_nothing(terms: AgreementTerms, facts: ClaimFacts) -> None:
    raise NotToday


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


async def test_agreement_needs_the_guards_word(database: Database, claim: Claim) -> None:
    terms = Promise(eur(106_50), TODAY + timedelta(days=3))
    async with database.merchant(claim.merchant_id) as session:
        with pytest.raises(NotToday):
            await book.agree(session, claim.id, terms, guard=allows_nothing, now=NOW, key="a1")
        assert await book.active_agreement(session, claim.id) is None
        made = await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")
        again = await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")
        assert made == again
        assert await book.active_agreement(session, claim.id) == made


async def test_same_key_with_other_terms_conflicts(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        await book.agree(
            session, claim.id, Promise(eur(106_50), TODAY), guard=allows_all, now=NOW, key="a1"
        )
        with pytest.raises(IdempotencyConflict):
            await book.agree(
                session,
                claim.id,
                Deferral(eur(106_50), TODAY),
                guard=allows_all,
                now=NOW,
                key="a1",
            )


async def test_terms_have_to_fit_the_open_amount(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        for terms in (
            Promise(eur(106_49), TODAY),
            Settlement(eur(100_00), eur(6_51), TODAY),
            plan_by_count(eur(106_51), 3, first=TODAY),
        ):
            with pytest.raises(TermsDoNotFit):
                await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")


async def test_plan_is_filled_by_payments_and_kept_at_the_end(
    database: Database, claim: Claim
) -> None:
    plan = plan_by_count(eur(106_50), 3, first=TODAY)
    async with database.merchant(claim.merchant_id) as session:
        made = await book.agree(session, claim.id, plan, guard=allows_all, now=NOW, key="a1")
        stored = (
            await session.scalars(
                select(Instalment)
                .where(Instalment.agreement_id == made.id)
                .order_by(Instalment.number)
            )
        ).all()
        assert sum(part.amount_minor for part in stored) == 106_50
    await pay(database, claim, 40_00, "p1")
    async with database.merchant(claim.merchant_id) as session:
        active = await book.active_agreement(session, claim.id)
    assert active is not None
    assert [part.missing.minor for part in active.progress] == [0, 31_00, 35_50]
    assert active.overdue(date(2026, 12, 24)) == (active.progress[1],)
    await pay(database, claim, 66_50, "p2")
    async with database.merchant(claim.merchant_id) as session:
        statement = await book.statement(session, claim.id)
    assert statement.agreement is not None
    assert statement.agreement.status is AgreementStatus.KEPT
    assert statement.agreement.next_instalment is None


async def test_returned_last_instalment_makes_the_plan_active_again(
    database: Database, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        plan = plan_by_count(eur(106_50), 2, first=TODAY)
        await book.agree(session, claim.id, plan, guard=allows_all, now=NOW, key="a1")
    await pay(database, claim, 53_25, "p1")
    await pay(database, claim, 53_25, "p2")
    async with database.merchant(claim.merchant_id) as session:
        await book.post_return(
            session, claim.id, eur(53_25), value_date=TODAY, now=NOW, key="r1", payment_key="p2"
        )
        active = await book.active_agreement(session, claim.id)
    assert active is not None
    assert [part.missing.minor for part in active.progress] == [0, 53_25]


async def test_new_agreement_replaces_the_old_one(database: Database, claim: Claim) -> None:
    async with database.merchant(claim.merchant_id) as session:
        first = await book.agree(
            session, claim.id, Promise(eur(106_50), TODAY), guard=allows_all, now=NOW, key="a1"
        )
        second = await book.agree(
            session,
            claim.id,
            Deferral(eur(106_50), TODAY + timedelta(days=10)),
            guard=allows_all,
            now=NOW,
            key="a2",
        )
    await pay(database, claim, 10_00, "p1")
    async with database.merchant(claim.merchant_id) as session:
        statement = await book.statement(session, claim.id)
        with pytest.raises(AgreementEnded):
            await book.cancel_agreement(session, first.id, "customer_asked", now=NOW)
    assert statement.agreement is not None
    assert statement.agreement.id == second.id
    (replaced,) = statement.earlier_agreements
    assert replaced.status is AgreementStatus.SUPERSEDED
    assert not replaced.progress[0].paid


async def test_settlement_lets_the_rest_go_only_when_paid_in_time(
    database: Database, customer: Customer, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        other = await book.open_claim(
            session, new_claim(customer, reference="R-2"), now=NOW, key="import:R-2"
        )
        for held in (claim, other):
            await book.agree(
                session,
                held.id,
                Settlement(eur(105_00), eur(1_50), TODAY),
                guard=allows_all,
                now=NOW,
                key=f"a:{held.id}",
            )
    in_time = await pay(database, claim, 105_00, "p1")
    late = await pay(database, other, 105_00, "p2", value_date=TODAY + timedelta(days=1))
    assert in_time.settled
    assert in_time == await pay(database, claim, 105_00, "p1")
    assert late.open_after.total == eur(1_50)


async def test_settlement_comes_back_when_its_payment_does(
    database: Database, claim: Claim
) -> None:
    async with database.merchant(claim.merchant_id) as session:
        terms = Settlement(eur(105_00), eur(1_50), TODAY)
        await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")
    await pay(database, claim, 105_00, "p1")
    async with database.merchant(claim.merchant_id) as session:
        receipt = await book.post_return(
            session, claim.id, eur(105_00), value_date=TODAY, now=NOW, key="r1"
        )
        assert receipt.open_after.total == eur(106_50)
        active = await book.active_agreement(session, claim.id)
        assert active is not None
    assert (await pay(database, claim, 105_00, "p2")).settled


async def test_charge_of_a_plan_is_posted_with_it(database: Database, claim: Claim) -> None:
    plan = plan_by_count(eur(106_50), 4, first=TODAY, charge=eur(8_00))
    async with database.merchant(claim.merchant_id) as session:
        await book.agree(session, claim.id, plan, guard=allows_all, now=NOW, key="a1")
        statement = await book.statement(session, claim.id)
    assert statement.open.total == plan.total
    assert statement.charged.costs == eur(13_00)


async def test_disputed_and_ended_claims_get_no_agreement(database: Database, claim: Claim) -> None:
    terms = Promise(eur(106_50), TODAY)
    async with database.merchant(claim.merchant_id) as session:
        await book.dispute(session, claim.id, "goods_returned", now=NOW)
        with pytest.raises(ClaimInDispute):
            await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")
        await book.resolve_dispute(session, claim.id, now=NOW)
        await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a1")
        await book.recall(session, claim.id, "merchant_asked", now=NOW)
        await book.recall(session, claim.id, "merchant_asked", now=NOW)
        assert await book.active_agreement(session, claim.id) is None
        with pytest.raises(ClaimNotOpen):
            await book.agree(session, claim.id, terms, guard=allows_all, now=NOW, key="a2")
        with pytest.raises(ClaimNotOpen):
            await book.dispute(session, claim.id, "goods_returned", now=NOW)


async def test_interest_needs_proof_of_default_and_stops_while_deferred(
    database: Database, customer: Customer
) -> None:
    async with database.merchant(customer.merchant_id) as session:
        bare = {"principal": eur(1_000_00), "costs": eur(0), "interest": eur(0)}
        unproved = await book.open_claim(
            session,
            new_claim(customer, reference="A", default_since=date(2026, 1, 1), **bare),
            now=NOW,
            key="A",
        )
        proved = await book.open_claim(
            session,
            new_claim(
                customer,
                reference="B",
                invoice_date=date(2025, 12, 1),
                due_date=date(2025, 12, 15),
                default_since=date(2026, 1, 1),
                default_proof="reminder of 2025-12-20",
                **bare,
            ),
            now=NOW,
            key="B",
        )
        nothing = await book.post_interest(
            session, unproved.id, through=date(2026, 1, 31), now=NOW, key="A:i"
        )
        assert nothing.postings == ()
        january = await book.post_interest(
            session, proved.id, through=date(2026, 1, 31), now=NOW, key="B:i"
        )
        # 1,000.00 at 1.27 % + 5 points for 31 days
        assert january.open_after.interest == eur(5_33)
        agreed_at = datetime(2026, 2, 1, 9, tzinfo=UTC)
        await book.agree(
            session,
            proved.id,
            Deferral(eur(1_005_50), date(2026, 2, 28)),
            guard=allows_all,
            now=agreed_at,
            key="B:a",
        )
        february = await book.post_interest(
            session, proved.id, through=date(2026, 2, 28), now=NOW, key="B:i2"
        )
        assert february.postings == ()
        march = await book.post_interest(
            session, proved.id, through=date(2026, 3, 1), now=NOW, key="B:i3"
        )
        # with the day of the agreement and 1 March, 33 days in all
        assert march.open_after.interest == eur(5_67)

"""Whatever is asked for in whatever order: the book holds nothing outside the policy."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from ledger import book
from ledger.agreements import (
    AgreementTerms,
    Deferral,
    DownPayment,
    Promise,
    Settlement,
    plan_by_count,
)
from ledger.claim import ClaimFacts
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.schedule import Period
from negotiation.bounds import guard_for, violations
from negotiation.negotiate import (
    evaluate_deferral,
    evaluate_discount,
    evaluate_instalments,
    evaluate_promise,
)
from negotiation.offers import Accept, CounterOffer, Decision, InstalmentRequest
from negotiation.policy import Policy
from storage.engine import Database
from storage.tables import Agreement, Customer

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
POLICY = Policy(agreements_max=12)
STEPS = 40


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def wild_terms(random: Random, balance: Money, today: date) -> AgreementTerms:
    """Terms as a broken or cheated dialogue might send them."""
    day = today + timedelta(days=random.choice([-3, 0, 5, 20, 60, 500]))
    amount = balance if random.random() < 0.7 else eur(random.randint(1, 400_00))
    kind = random.randrange(4)
    if kind == 0:
        return Promise(amount, day)
    if kind == 1:
        return Deferral(amount, day)
    if kind == 2:
        waived = eur(random.randint(1, amount.minor))
        return Settlement(amount - waived, waived, day) if waived < amount else Promise(amount, day)
    down = wild_down(random, amount, today)
    rest = amount.minor - (down.amount.minor if down else 0)
    count = random.randint(1, min(40, rest))
    return plan_by_count(amount, count, first=day, period=random.choice([*Period]), down=down)


def wild_down(random: Random, amount: Money, today: date) -> DownPayment | None:
    """A first payment of any size, in every other case."""
    if amount.minor < 2 or random.random() < 0.5:
        return None
    minor = random.randint(1, amount.minor - 1)
    return DownPayment(eur(minor), today + timedelta(days=random.choice([-3, 0, 5, 40])))


def wish(random: Random, facts: ClaimFacts) -> Decision:
    """What the negotiation answers to some wish."""
    day = facts.today + timedelta(days=random.choice([-3, 0, 5, 20, 60, 500]))
    amount = random.choice([None, eur(random.randint(1, 400_00))])
    kind = random.randrange(4)
    if kind == 0:
        return evaluate_promise(POLICY, facts, day, amount)
    if kind == 1:
        return evaluate_deferral(POLICY, facts, random.choice([None, day]))
    if kind == 2:
        return evaluate_discount(POLICY, facts, amount, random.choice([None, day]))
    count = random.choice([None, random.randint(0, 60)])
    down = wild_down(random, facts.balance, facts.today)
    request = InstalmentRequest(count, amount, first_due=day, down=down)
    return evaluate_instalments(POLICY, facts, request)


@pytest.mark.parametrize("seed", range(4))
async def test_no_sequence_makes_an_agreement_outside_the_policy(
    database: Database, customer: Customer, seed: int
) -> None:
    random = Random(seed)
    async with database.merchant(customer.merchant_id) as session:
        claim = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=customer.merchant_id,
                customer_id=customer.id,
                reference="R-1",
                invoice_number="R-1",
                description="Gartenstuhl",
                principal=eur(random.randint(5_00, 900_00)),
                costs=eur(5_00),
                interest=eur(2_00),
                invoice_date=date(2026, 9, 1),
                due_date=date(2026, 9, 15),
            ),
            now=NOW,
            key="open",
        )
    refused = made = 0
    for step in range(STEPS):
        now = NOW + timedelta(days=step)
        async with database.merchant(customer.merchant_id) as session:
            facts = await book.claim_facts(session, claim.id, now=now)
            if random.random() < 0.15:
                await book.post_payment(
                    session,
                    claim.id,
                    eur(random.randint(1, 30_00)),
                    value_date=facts.today,
                    now=now,
                    key=f"pay:{step}",
                )
                continue
            terms = wild_terms(random, facts.balance or eur(1), facts.today)
            if random.random() < 0.5:
                answer = wish(random, facts)
                if isinstance(answer, Accept | CounterOffer):
                    terms = answer.terms
            before = await session.scalar(select(func.count(Agreement.id)))
            try:
                agreed = await book.agree(
                    session, claim.id, terms, guard=guard_for(POLICY), now=now, key=f"a:{step}"
                )
            except LedgerError:
                refused += 1
                assert await session.scalar(select(func.count(Agreement.id))) == before
                continue
            made += 1
            assert violations(POLICY, agreed.terms, facts) == ()
    assert refused
    assert made
    async with database.merchant(customer.merchant_id) as session:
        statement = await book.statement(session, claim.id)
    assert statement.intact
    assert made <= POLICY.agreements_max

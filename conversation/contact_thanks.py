"""Thanks for a way to reach somebody: what the merchant lets go when a customer registers one.

Once for each customer, and of costs and interest only; the price of what was bought stays.
"""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book
from ledger.agreements import AgreementStatus
from ledger.book import ClaimRecord
from ledger.claim import ClaimStatus, is_fresh
from ledger.money import Money
from negotiation.policy import Policy
from storage.tables import Customer, Posting


async def promised(
    session: AsyncSession, customer: Customer, policy: Policy, now: datetime
) -> Money | None:
    """What is let go when this customer registers an address; None where nothing is."""
    found = await _where(session, customer, policy, now)
    return found[1] if found is not None else None


async def thank(session: AsyncSession, customer: Customer, policy: Policy, now: datetime) -> bool:
    """Let it go; False where nothing is. The caller holds the lock of the customer's row."""
    found = await _where(session, customer, policy, now)
    if found is None:
        return False
    record, amount = found
    today = record.facts(now).today
    await book.post_waiver(
        session, record.claim.id, amount, value_date=today, now=now, key=_key(customer)
    )
    return True


async def _where(
    session: AsyncSession, customer: Customer, policy: Policy, now: datetime
) -> tuple[ClaimRecord, Money] | None:
    """The oldest claim with costs or interest about which nothing is agreed, and how much."""
    if not policy.contact_thanks_minor or await _thanked(session, customer):
        return None
    for record in await book.records_of(session, customer.id, now=now):
        facts = record.facts(now)
        agreement = record.statement().agreement
        if (
            facts.status is not ClaimStatus.OPEN
            or facts.time_barred
            or facts.balance.currency != policy.currency
            or (agreement is not None and agreement.status is AgreementStatus.ACTIVE)
            or not is_fresh(record.claim.confirmed_at, policy.freshness_hours, now)
        ):
            continue
        most = Money(policy.contact_thanks_minor, policy.currency)
        amount = min(most, record.open.costs + record.open.interest)
        if amount.minor > 0:
            return record, amount
    return None


async def _thanked(session: AsyncSession, customer: Customer) -> bool:
    posted = exists().where(
        Posting.merchant_id == customer.merchant_id,
        Posting.idempotency_key == f"{_key(customer)}#1",
    )
    return bool(await session.scalar(select(posted)))


def _key(customer: Customer) -> str:
    return f"contact-thanks:{customer.id}"

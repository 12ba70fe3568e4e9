"""Posting costs of default on a claim: a reminder by letter, the lump sum, pursuit at law."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger import costs
from ledger.book_command import PostingCommand
from ledger.book_interest import interest_terms
from ledger.book_rows import OpenBook
from ledger.claim import PURSUED, ClaimStatus
from ledger.costs import CostKind, CostsPolicy
from ledger.errors import ClaimInDispute, ClaimNotOpen
from ledger.money import Money
from ledger.posting import Movement, effective
from ledger.statement import Receipt
from storage.tables import Claim, Customer, Merchant


async def post_costs(
    session: AsyncSession,
    claim_id: int,
    kind: CostKind,
    amount: Money,
    *,
    reason: str,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Charge costs of default, as far as law and policy allow them; nothing where they are zero.

    The ``reason`` is added to those that the customer is told with their costs. Raises
    ``CostsRefused``, ``ClaimNotOpen``, ``ClaimInDispute``, ``CurrencyDiffers``,
    ``IdempotencyConflict`` and ``ClaimUnknown``.
    """
    told = costs.clear_reason(reason)
    await rows.lock_claims(session, Claim.id == claim_id)
    claim = await rows.read_claim(session, claim_id)
    terms = await interest_terms(session, claim)
    business = await session.scalar(
        select(Customer.business).where(Customer.id == claim.customer_id)
    )
    merchant = await session.get_one(Merchant, claim.merchant_id)
    policy = CostsPolicy.of_policy(merchant.policy)

    def charged(book: OpenBook) -> Sequence[Movement]:
        if book.claim.status == ClaimStatus.DISPUTED:
            raise ClaimInDispute(claim_id)
        if book.claim.status not in PURSUED:
            raise ClaimNotOpen(book.claim.status)
        facts = costs.cost_facts(
            effective(book.postings),
            business=bool(business),
            in_default=terms is not None and terms.in_default(value_date),
            currency=book.currency,
        )
        return costs.charge(kind, amount, facts, policy)

    command = PostingCommand(f"costs_{kind.value}", claim_id, value_date, now, key, amount)
    receipt = await command.run(session, charged)
    if any(posting.kind in costs.COSTS_OF_DEFAULT for posting in receipt.postings):
        claim.costs_reason = costs.with_reason(claim.costs_reason, told)
        await session.flush()
    return receipt

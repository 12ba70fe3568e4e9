"""Posting costs of default on a claim: a reminder by letter, the lump sum, pursuit at law."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger import costs
from ledger.book_command import PostingCommand
from ledger.book_interest import proved_default
from ledger.book_rows import OpenBook
from ledger.costs import CostFacts
from ledger.money import Money
from ledger.posting import Movement, PostingKind, costs_charge, costs_credit, effective
from ledger.statement import Receipt
from storage.tables import Customer


async def post_reminder_letter(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Charge print and postage of a reminder by letter; nothing where the amount is zero.

    Electronic reminders cost nothing, so there is no command for them. Raises ``CostsRefused``.
    """

    def charged(facts: CostFacts) -> Sequence[Movement]:
        costing = costs.letter_costs(amount, facts)
        return costs_charge(PostingKind.REMINDER_COSTS, costing) if costing else ()

    command = PostingCommand("reminder_letter", claim_id, value_date, now, key, amount)
    return await _run(session, command, charged)


async def post_lump_sum(
    session: AsyncSession, claim_id: int, *, value_date: date, now: datetime, key: str
) -> Receipt:
    """Charge the lump sum of § 288 V BGB; raises ``CostsRefused``, also for every consumer."""

    def charged(facts: CostFacts) -> Sequence[Movement]:
        amount = costs.lump_sum(facts)
        return costs_charge(PostingKind.LUMP_SUM, amount) if amount else ()

    command = PostingCommand("lump_sum", claim_id, value_date, now, key, costs.LUMP_SUM)
    return await _run(session, command, charged)


async def post_legal_costs(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Charge costs of the pursuit at law, the lump sum credited; raises ``CostsRefused``."""

    def charged(facts: CostFacts) -> Sequence[Movement]:
        credit = costs.lump_sum_credit(amount, facts)
        charge = costs_charge(PostingKind.LEGAL_COSTS, amount)
        return (*charge, *costs_credit(PostingKind.LUMP_SUM, credit)) if credit else charge

    command = PostingCommand("legal_costs", claim_id, value_date, now, key, amount)
    return await _run(session, command, charged)


async def _run(
    session: AsyncSession,
    command: PostingCommand,
    charged: Callable[[CostFacts], Sequence[Movement]],
) -> Receipt:
    claim = await rows.read_claim(session, command.claim_id)
    business = await session.scalar(
        select(Customer.business).where(Customer.id == claim.customer_id)
    )

    def movements_for(book: OpenBook) -> Sequence[Movement]:
        since = book.claim.default_since if proved_default(book.claim) else None
        return charged(
            costs.cost_facts(
                effective(book.postings),
                business=bool(business),
                in_default=since is not None and since <= command.value_date,
                currency=book.currency,
            )
        )

    return await command.run(session, movements_for)

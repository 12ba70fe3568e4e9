"""How customers stand as the postings tell it: what is open, and whether a promise is at risk.

For sorting lists only, many customers at once; nothing is decided by it. Interest that is not
posted yet is not in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ledger.claim import PURSUED
from ledger.money import Money
from ledger.posting import Account
from storage.tables import Agreement, Claim, ClaimOpen, Instalment, Posting

AT_RISK_DAYS: Final = 3
"""What is due so soon, and not paid, is at risk."""


@dataclass
class Standing:
    """A customer as the postings tell it."""

    open: list[Money] = field(default_factory=list)
    """One sum for each currency."""
    promise_at_risk: bool = False


async def standings(
    session: AsyncSession, customer_ids: Sequence[int], today: date
) -> Mapping[int, Standing]:
    """How each of these customers stands; `session` is the merchant's."""
    found: defaultdict[int, Standing] = defaultdict(Standing)
    if not customer_ids:
        return found
    theirs = _one_of(Claim.customer_id, customer_ids)
    sums = await session.execute(
        select(Claim.customer_id, Claim.currency, func.sum(ClaimOpen.open_minor))
        .join(ClaimOpen, ClaimOpen.claim_id == Claim.id)
        .where(theirs, Claim.status.in_(sorted(PURSUED)))
        .group_by(Claim.customer_id, Claim.currency)
        .order_by(Claim.customer_id, Claim.currency)
    )
    for customer_id, currency, minor in sums:
        found[customer_id].open.append(Money(int(minor), currency))
    for one in await session.scalars(_at_risk(theirs, today)):
        found[one].promise_at_risk = True
    return found


def _at_risk(theirs: ColumnElement[bool], today: date) -> Select[int]:
    """Customers with an agreement of which less was paid than is due by now or very soon."""
    due = (
        select(func.coalesce(func.sum(Instalment.amount_minor), 0))
        .where(
            Instalment.agreement_id == Agreement.id,
            Instalment.due_date <= today + timedelta(days=AT_RISK_DAYS),
        )
        .scalar_subquery()
    )
    moved = case(
        (Posting.destination == Account.CASH.value, Posting.amount_minor),
        (Posting.source == Account.CASH.value, -Posting.amount_minor),
        else_=0,
    )
    paid = (
        select(func.coalesce(func.sum(moved), 0))
        .where(Posting.claim_id == Claim.id, Posting.booked_at >= Agreement.agreed_at)
        .scalar_subquery()
    )
    return (
        select(Claim.customer_id)
        .distinct()
        .join(Agreement, Agreement.claim_id == Claim.id)
        .where(theirs, Agreement.status == "active", due > paid)
    )


def _one_of(column: InstrumentedAttribute[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """One parameter for all of them, so that the statement is the same for however many."""
    return column == any_(cast(literal(list(ids), ARRAY(BigInteger)), ARRAY(BigInteger)))

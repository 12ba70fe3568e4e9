"""How customers stand as the postings tell it: what is open, and whether a promise is at risk.

For sorting lists only, many customers at once; nothing is decided by it. Interest that is not
posted yet is not in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Date, Select, any_, bindparam, case, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.claim import PURSUED
from ledger.money import Money
from ledger.posting import Account
from storage.statement import Statement
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
    theirs = list(customer_ids)
    for one in await _SUMS.run(session, customers=theirs):
        found[one.customer_id].open.append(Money(int(one.minor), one.currency))
    soon = today + timedelta(days=AT_RISK_DAYS)
    for one in await _AT_RISK.run(session, customers=theirs, soon=soon):
        found[one.customer_id].promise_at_risk = True
    return found


def _at_risk() -> Select[Any]:
    """Customers with an agreement of which less was paid than is due by now or very soon."""
    due = (
        select(func.coalesce(func.sum(Instalment.amount_minor), 0))
        .where(
            Instalment.agreement_id == Agreement.id,
            Instalment.due_date <= bindparam("soon", type_=Date),
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
        .where(_THEIRS, Agreement.status == "active", due > paid)
    )


_THEIRS: Final = Claim.customer_id == any_(bindparam("customers", type_=ARRAY(BigInteger)))
_SUMS: Final = Statement(
    select(Claim.customer_id, Claim.currency, func.sum(ClaimOpen.open_minor).label("minor"))
    .join(ClaimOpen, ClaimOpen.claim_id == Claim.id)
    .where(_THEIRS, Claim.status == any_(array(sorted(PURSUED))))
    .group_by(Claim.customer_id, Claim.currency)
    .order_by(Claim.customer_id, Claim.currency)
)
_AT_RISK: Final = Statement(_at_risk())

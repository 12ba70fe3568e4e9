"""What is owed on a claim on the day of a payment, as the order of several claims needs it."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.agreements import AgreementKind, AgreementStatus
from ledger.allocation import OwedClaim
from ledger.book_interest import interest_terms
from ledger.left_over import LettingGo, on_the_way
from ledger.money import Money
from ledger.posting import Posting, open_amount
from ledger.rebooking import interest_due
from storage.tables import Agreement as AgreementRow
from storage.tables import Claim, Merchant


async def owed_on(
    session: AsyncSession,
    claim: Claim,
    postings: Sequence[Posting],
    agreements: Sequence[AgreementRow],
    value_date: date,
) -> OwedClaim:
    """With the interest up to that day, and what of it a payment need not bring."""
    currency = claim.currency
    open_ = open_amount(postings, currency).total
    let_go = Money.zero(currency)
    terms = await interest_terms(session, claim)
    if terms is not None:
        open_ += max(interest_due(postings, terms, value_date, currency), let_go)
        if terms.default_since is not None and not any(_is_plan(row) for row in agreements):
            merchant = await session.get_one(Merchant, claim.merchant_id)
            policy = LettingGo.of_policy(merchant.policy)
            let_go = on_the_way(postings, terms, value_date, policy, currency)
    return OwedClaim(
        claim_id=claim.id,
        open=open_,
        due_date=claim.due_date,
        limitation_date=claim.limitation_date,
        bears_interest=terms is not None
        and terms.default_since is not None
        and terms.default_since <= value_date,
        on_the_way=min(let_go, open_),
    )


def _is_plan(row: AgreementRow) -> bool:
    active = row.status == AgreementStatus.ACTIVE
    return active and row.kind == AgreementKind.INSTALMENT_PLAN

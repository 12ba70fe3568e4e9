"""The list of what a merchant does itself about agreements that were not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.claim import PURSUED
from ledger.money import Money
from ledger.posting import open_amount
from ledger.statement import AgreementRecord
from storage.tables import Agreement, Claim, Customer, FollowUp


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """One agreement that was not kept, with what the merchant needs to go on."""

    kind: str
    claim_reference: str
    invoice_number: str
    rf_reference: str
    customer_number: str
    name: str
    open: Money
    agreed: AgreementRecord
    at: datetime


async def add_follow_up(
    session: AsyncSession, merchant_id: int, agreement: AgreementRecord, kind: str, now: datetime
) -> None:
    """Put an agreement on the list, once."""
    await session.execute(
        insert(FollowUp)
        .values(
            merchant_id=merchant_id,
            claim_id=agreement.claim_id,
            agreement_id=agreement.id,
            kind=kind,
            at=now,
        )
        .on_conflict_do_nothing(index_elements=["agreement_id"])
    )


async def take_follow_ups(
    session: AsyncSession, merchant_id: int, *, now: datetime, again: bool = False
) -> Sequence[FollowUpRow]:
    """The merchant's rows that were not handed over before, and mark them as handed over.

    What was settled or recalled meanwhile is left out. With ``again`` those handed over before
    are given too.
    """
    wanted = (
        select(FollowUp, Agreement, Claim, Customer.number, Customer.name)
        .join(Agreement, Agreement.id == FollowUp.agreement_id)
        .join(Claim, Claim.id == FollowUp.claim_id)
        .join(Customer, Customer.id == Claim.customer_id)
        .where(FollowUp.merchant_id == merchant_id, Claim.status.in_(PURSUED))
        .order_by(FollowUp.id)
        .with_for_update(of=FollowUp)
    )
    if not again:
        wanted = wanted.where(FollowUp.exported_at.is_(None))
    found = (await session.execute(wanted)).all()
    postings = await rows.postings_by_claim(session, {row.Claim.id for row in found})
    await session.execute(
        update(FollowUp)
        .where(FollowUp.id.in_([row.FollowUp.id for row in found]), FollowUp.exported_at.is_(None))
        .values(exported_at=now)
    )
    return [
        FollowUpRow(
            kind=follow_up.kind,
            claim_reference=claim.reference,
            invoice_number=claim.invoice_number,
            rf_reference=claim.rf_reference,
            customer_number=number,
            name=name,
            open=open_amount(postings[claim.id], claim.currency).total,
            agreed=rows.record_of(agreement, postings[claim.id]),
            at=follow_up.at,
        )
        for follow_up, agreement, claim, number, name in found
    ]

"""Each change of an agreement's state is made here, and noted here: in :func:`changed`, once."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.agreements import AgreementStatus, AgreementTerms, terms_to_data
from ledger.book_events import tell_agreement
from ledger.book_rows import OpenBook
from ledger.posting import Posting
from ledger.repricing import REPRICED, Because
from storage.merchant_events import EventKind
from storage.tables import Agreement as AgreementRow
from storage.tables import Claim, Instalment


class Change(StrEnum):
    """What can happen to an agreement."""

    MADE = "made"
    ADJUSTED = "adjusted"
    """The customer changed it: a new one stands in its place."""
    REPRICED = "repriced"
    """More or less is owed: a new one with other amounts stands in its place."""
    PARTLY_PAID = "partly_paid"
    INSTALMENT_PAID = "instalment_paid"
    PAYMENT_RETURNED = "payment_returned"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"
    RESUMED = "resumed"
    """A payment came back: what was kept is in force again."""


_TOLD = {
    Change.MADE: EventKind.AGREEMENT_MADE,
    Change.ADJUSTED: EventKind.AGREEMENT_ADJUSTED,
    Change.REPRICED: EventKind.AGREEMENT_ADJUSTED,
    Change.KEPT: EventKind.AGREEMENT_KEPT,
    Change.BROKEN: EventKind.AGREEMENT_BROKEN,
}
"""What the merchant's systems are told."""


async def changed(
    session: AsyncSession,
    claim: Claim,
    row: AgreementRow,
    change: Change,
    now: datetime,
    **facts: str | int | None,
) -> None:
    """Note and tell a change of an agreement; all come through here, in their transaction."""
    rows.audit(
        session,
        claim,
        f"agreement_{change.value}",
        now,
        agreement=row.id,
        agreement_kind=row.kind,
        **facts,
    )
    if (kind := _TOLD.get(change)) is not None:
        known = {name: fact for name, fact in facts.items() if fact is not None}
        tell_agreement(session, claim, row, kind, now, **known)


async def make(
    session: AsyncSession,
    book: OpenBook,
    terms: AgreementTerms,
    *,
    conversation_id: int | None,
    now: datetime,
    key: str,
    input_hash: str,
    instead_of: AgreementRow | None = None,
    because: Because | None = None,
) -> AgreementRow:
    """Store an active agreement with its instalments.

    One with other amounts in the place of ``instead_of`` goes on where that one is: what was paid
    on it stays paid. Any other begins after the claim's last posting.
    """
    goes_on = instead_of is not None and because in REPRICED
    begin = instead_of.terms["after_posting"] if goes_on and instead_of else len(book.postings)
    row = AgreementRow(
        merchant_id=book.claim.merchant_id,
        claim_id=book.claim.id,
        conversation_id=conversation_id,
        kind=terms.kind.value,
        status=AgreementStatus.ACTIVE.value,
        total_minor=terms.total.minor,
        currency=terms.total.currency,
        terms={
            "agreed": terms_to_data(terms),
            "after_posting": begin,
            "because": because.value if because else None,
        },
        agreed_at=now,
        idempotency_key=key,
        input_hash=input_hash,
    )
    session.add(row)
    await session.flush()
    session.add_all(
        Instalment(
            merchant_id=book.claim.merchant_id,
            agreement_id=row.id,
            number=part.number,
            due_date=part.due,
            amount_minor=part.amount.minor,
            currency=part.amount.currency,
        )
        for part in terms.instalments
    )
    await session.flush()
    if instead_of is None:
        await changed(session, book.claim, row, Change.MADE, now)
    else:
        change = Change.REPRICED if because in REPRICED else Change.ADJUSTED
        await changed(
            session, book.claim, row, change, now, instead_of=instead_of.id, reason=because
        )
    return row


_CHANGE_OF = {
    AgreementStatus.KEPT: Change.KEPT,
    AgreementStatus.BROKEN: Change.BROKEN,
    AgreementStatus.CANCELLED: Change.CANCELLED,
}


async def end(
    session: AsyncSession,
    book: OpenBook,
    row: AgreementRow,
    status: AgreementStatus,
    reason: str | None,
    now: datetime,
) -> None:
    """Mark an agreement as ended, after the claim's last posting so far.

    That it made room for another one is noted with that one.
    """
    row.status = status.value
    row.ended_at = now
    row.end_reason = reason
    row.terms = {**row.terms, "ended_after_posting": len(book.postings)}
    if (change := _CHANGE_OF.get(status)) is not None:
        await changed(session, book.claim, row, change, now, reason=reason)


async def resume(session: AsyncSession, book: OpenBook, row: AgreementRow, now: datetime) -> None:
    """Make an ended agreement active again."""
    row.status = AgreementStatus.ACTIVE.value
    row.ended_at = None
    row.end_reason = None
    row.terms = {k: value for k, value in row.terms.items() if k != "ended_after_posting"}
    await changed(session, book.claim, row, Change.RESUMED, now)


async def note_money(
    session: AsyncSession,
    book: OpenBook,
    row: AgreementRow,
    before: Sequence[Posting],
    now: datetime,
) -> None:
    """Note what the postings since ``before`` did to each instalment: paid, early, or in part."""
    was, stands = (rows.record_of(row, each).progress for each in (before, book.postings))
    for earlier, part in zip(was, stands, strict=True):
        if part.paid == earlier.paid:
            continue
        if part.paid < earlier.paid:
            change = Change.PAYMENT_RETURNED
        else:
            change = Change.PARTLY_PAID if part.missing else Change.INSTALMENT_PAID
        await changed(
            session,
            book.claim,
            row,
            change,
            now,
            number=part.instalment.number,
            paid_minor=part.paid.minor,
            missing_minor=part.missing.minor,
            early=int(part.paid_early),
        )

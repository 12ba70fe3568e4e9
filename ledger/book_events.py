"""What the book tells the merchant's systems, in the transaction of the posting or agreement."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.book_rows import OpenBook
from ledger.money import total
from ledger.posting import PostingKind
from storage.merchant_events import EventKind, Fact, record
from storage.tables import Agreement as AgreementRow
from storage.tables import Claim

_OF_MONEY = {
    PostingKind.PAYMENT: EventKind.PAYMENT_RECEIVED,
    PostingKind.RETURN: EventKind.PAYMENT_RETURNED,
}


def tell_money(session: AsyncSession, book: OpenBook, key: str, now: datetime) -> None:
    """Money that arrived or went back with the command of this key, however it came in."""
    for posting_kind, kind in _OF_MONEY.items():
        moved = [
            posting
            for posting in book.postings
            # What was only booked anew by value date moved before.
            if posting.kind is posting_kind
            and posting.command_key == key
            and posting.rebooks is None
        ]
        if moved:
            _tell(
                session,
                book.claim,
                kind,
                now,
                amount_minor=total((posting.amount for posting in moved), book.currency).minor,
                open_minor=book.open.total.minor,
                overpaid_minor=book.open.overpaid.minor,
                currency=book.currency,
                value_date=moved[0].value_date.isoformat(),
                payment_key=key,
            )


def tell_settled(session: AsyncSession, book: OpenBook, now: datetime) -> None:
    """Nothing is open on the claim any more; money that is too much may be left."""
    _tell(
        session,
        book.claim,
        EventKind.CLAIM_SETTLED,
        now,
        overpaid_minor=book.open.overpaid.minor,
        currency=book.currency,
    )


def tell_agreement(
    session: AsyncSession,
    claim: Claim,
    row: AgreementRow,
    kind: EventKind,
    now: datetime,
    **more: Fact,
) -> None:
    """An agreement was made, kept, broken or adjusted; ``more`` are further codes and days."""
    terms = rows.record_of(row, ()).terms
    record(
        session,
        claim.merchant_id,
        kind,
        {
            "agreement_id": row.id,
            "agreement_kind": row.kind,
            "total_minor": row.total_minor,
            "currency": row.currency,
            "instalments": [
                {"due_date": part.due.isoformat(), "amount_minor": part.amount.minor}
                for part in terms.instalments
            ],
            **more,
        },
        now,
        claim_id=claim.id,
        customer_id=claim.customer_id,
        conversation_id=row.conversation_id,
    )


def tell_dispute(session: AsyncSession, claim: Claim, reason: str, now: datetime) -> None:
    """The customer says that the claim is not right; ``reason`` is a code."""
    _tell(session, claim, EventKind.DISPUTE_OPENED, now, reason=reason)


def _tell(
    session: AsyncSession,
    claim: Claim,
    kind: EventKind,
    now: datetime,
    **facts: Fact,
) -> None:
    record(
        session,
        claim.merchant_id,
        kind,
        facts,
        now,
        claim_id=claim.id,
        customer_id=claim.customer_id,
    )

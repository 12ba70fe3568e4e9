"""Posting on a claim: payments, credit notes, returned payments, waivers, interest, undoing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger import posting as movements
from ledger.book_command import PostingCommand
from ledger.book_rows import OpenBook
from ledger.claim import PURSUED
from ledger.errors import AlreadyReversed, PostingUnknown
from ledger.interest import PrincipalChange, Span, default_interest
from ledger.money import Money
from ledger.posting import Account, Marking, Movement, Posting, PostingKind, account_balance
from ledger.statement import Receipt
from storage.tables import Agreement as AgreementRow
from storage.tables import Claim, Customer


async def post_payment(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
    marking: Marking = Marking.BY_LAW,
) -> Receipt:
    """Post money that arrived, on whatever claim: what is too much is kept as overpaid.

    Raises ``ClaimUnknown``, ``CurrencyDiffers``, ``AmountNotPositive``, ``IdempotencyConflict``.
    """
    command = PostingCommand("payment", claim_id, value_date, now, key, amount, marking.value)
    return await command.run(session, lambda book: movements.payment(amount, book.open, marking))


async def post_credit_note(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Post a credit note: off the price first; what was already paid becomes overpaid."""
    command = PostingCommand("credit_note", claim_id, value_date, now, key, amount)
    return await command.run(session, lambda book: movements.credit_note(amount, book.open))


async def post_waiver(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Let an amount go; raises ``WaiverExceedsBalance`` besides what a payment raises."""
    command = PostingCommand("waiver", claim_id, value_date, now, key, amount)
    return await command.run(session, lambda book: movements.waiver(amount, book.open))


async def post_return(
    session: AsyncSession,
    claim_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
    payment_key: str | None = None,
) -> Receipt:
    """Take back a payment that bounced: the one posted under ``payment_key``, or the latest.

    The claim is open again, the agreement it had kept is active again. Raises
    ``ReturnExceedsPayments`` and ``PostingUnknown`` besides what a payment raises.
    """

    def returned(book: OpenBook) -> Sequence[Movement]:
        paid = [posting for posting in book.postings if posting.kind is PostingKind.PAYMENT]
        if payment_key is not None:
            paid = [posting for posting in paid if posting.command_key == payment_key]
            if not paid:
                raise PostingUnknown(payment_key)
        return movements.returned_payment(amount, paid, movements.undone_amounts(book.postings))

    command = PostingCommand("return", claim_id, value_date, now, key, amount, payment_key)
    return await command.run(session, returned)


async def reverse(
    session: AsyncSession,
    claim_id: int,
    command_key: str,
    *,
    value_date: date,
    now: datetime,
    key: str,
) -> Receipt:
    """Undo everything that was posted under ``command_key``, by reversed postings.

    Raises ``PostingUnknown``, and ``AlreadyReversed`` when any of it was undone before or is an
    undoing itself; opening postings are not undone, a claim is recalled instead.
    """

    def undoing(book: OpenBook) -> Sequence[Movement]:
        made = [posting for posting in book.postings if posting.command_key == command_key]
        if not made or made[0].kind is PostingKind.OPENING:
            raise PostingUnknown(command_key)
        undone = movements.undone_amounts(book.postings)
        if any(posting.number in undone or posting.reverses is not None for posting in made):
            raise AlreadyReversed(command_key)
        return movements.reversal(made)

    command = PostingCommand("reversal", claim_id, value_date, now, key, None, command_key)
    return await command.run(session, undoing)


async def post_interest(
    session: AsyncSession, claim_id: int, *, through: date, now: datetime, key: str
) -> Receipt:
    """Charge the default interest up to ``through`` that is not charged yet.

    Nothing is posted without a proved default, where the merchant charged as much already, and
    on claims that are no longer pursued. Agreements that stop interest are taken into account.
    """
    claim = (await rows.open_book(session, claim_id)).claim
    business = await session.scalar(
        select(Customer.business).where(Customer.id == claim.customer_id)
    )
    stopped = [
        Span(await rows.local_day(session, claim, row.agreed_at), last)
        for row in await rows.agreement_rows(session, claim_id)
        if (last := await _stopped_until(session, claim, row)) is not None
    ]

    def accrued(book: OpenBook) -> Sequence[Movement]:
        if claim.status not in PURSUED:
            return ()
        interest = default_interest(
            principal_changes(book.postings),
            default_since=claim.default_since if claim.default_proof else None,
            through=through,
            business=bool(business),
            stopped=stopped,
            currency=book.currency,
        )
        charged_before = -account_balance(book.postings, Account.INTEREST_CHARGED, book.currency)
        due = interest.amount - charged_before
        return movements.interest_charge(due) if due.minor > 0 else ()

    command = PostingCommand("interest", claim_id, through, now, key)
    return await command.run(session, accrued)


async def _stopped_until(session: AsyncSession, claim: Claim, row: AgreementRow) -> date | None:
    terms = rows.record_of(row, ()).terms
    if not terms.stops_interest:
        return None
    last = terms.instalments[-1].due
    if row.ended_at is None:
        return last
    return min(last, await rows.local_day(session, claim, row.ended_at))


def principal_changes(postings: Iterable[Posting]) -> list[PrincipalChange]:
    """What the price grew and shrank by, and when: what interest is reckoned on."""
    changes = []
    for posting in postings:
        if posting.destination is Account.PRINCIPAL:
            changes.append(PrincipalChange(posting.value_date, posting.amount))
        elif posting.source is Account.PRINCIPAL:
            changes.append(PrincipalChange(posting.value_date, -posting.amount))
    return changes

"""Posting on a claim: payments, credit notes, returned payments, waivers, interest, undoing."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import posting as movements
from ledger import rebooking
from ledger.book_command import PostingCommand
from ledger.book_rows import OpenBook
from ledger.errors import AlreadyReversed, PostingUnknown
from ledger.money import Money
from ledger.posting import Account, Marking, Movement, PostingKind
from ledger.statement import Receipt


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

    By law means § 367 BGB, on consumer loans § 497 III. Raises ``ClaimUnknown``,
    ``CurrencyDiffers``, ``AmountNotPositive``, ``IdempotencyConflict``.
    """
    command = PostingCommand("payment", claim_id, value_date, now, key, amount, marking.value)
    return await command.run(
        session, lambda book: movements.payment(amount, book.open, book.marking(marking))
    )


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
    part: Account | None = None,
) -> Receipt:
    """Let an amount go, of one ``part`` or else of interest, costs and principal in this order.

    Raises ``WaiverExceedsBalance`` besides what a payment raises.
    """
    command = PostingCommand("waiver", claim_id, value_date, now, key, amount, part)
    order = (part,) if part else movements.WAIVER_ORDER
    return await command.run(session, lambda book: movements.waiver(amount, book.open, order))


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
        standing = movements.effective(book.postings)
        paid = [posting for posting in standing if posting.kind is PostingKind.PAYMENT]
        if payment_key is not None:
            paid = rebooking.made_by(payment_key, book.postings, PostingKind.PAYMENT)
            if not paid:
                raise PostingUnknown(payment_key)
        return movements.returned_payment(amount, paid, movements.undone_amounts(standing))

    command = PostingCommand(
        "return", claim_id, value_date, now, key, amount, payment_key, undoes=True
    )
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
    undoing itself; opening postings are not undone, a claim is recalled instead. Interest is not
    undone either: it follows from the rest, and is let go by a waiver.
    """

    def undoing(book: OpenBook) -> Sequence[Movement]:
        made = rebooking.made_by(command_key, book.postings)
        if not made or made[0].kind is PostingKind.OPENING:
            raise PostingUnknown(command_key)
        undone = movements.undone_amounts(movements.effective(book.postings))
        if any(posting.number in undone or posting.reverses is not None for posting in made):
            raise AlreadyReversed(command_key)
        return movements.reversal(made)

    command = PostingCommand(
        "reversal", claim_id, value_date, now, key, None, command_key, undoes=True
    )
    return await command.run(session, undoing)


async def post_interest(
    session: AsyncSession, claim_id: int, *, through: date, now: datetime, key: str
) -> Receipt:
    """Charge the default interest up to ``through`` that is not charged yet.

    What was charged with another base rate, or on days that turned out to bear none, is booked
    anew. Nothing is posted without a proved default, where the merchant charged as much already,
    and on claims that were recalled or written off.
    """
    command = PostingCommand("interest", claim_id, through, now, key, charges_only=True)
    return await command.run(session, lambda book: ())

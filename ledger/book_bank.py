"""Posting payments from bank statements: many claims at once, each command as it always is."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger import posting as movements
from ledger import rebooking
from ledger.allocation import allocate_payment
from ledger.book_command import PostingCommand
from ledger.book_owed import owed_on
from ledger.book_rows import OpenBook
from ledger.errors import ClaimUnknown, PostingUnknown
from ledger.money import Money
from ledger.posting import Marking, Movement, PostingKind
from storage.bulk import insert_waiting
from storage.tables import Agreement as AgreementRow
from storage.tables import AuditEvent, MerchantEvent


def share_key(key: str, claim_id: int) -> str:
    """The idempotency key of what a payment does on one of its claims."""
    return f"{key}:{claim_id}"


class BankBook:
    """Claims held locked together, to post what a statement says about them.

    The same commands as :mod:`ledger.book_postings`, without a look at the database for each.
    """

    def __init__(
        self,
        session: AsyncSession,
        books: dict[int, OpenBook],
        agreements: dict[int, list[AgreementRow]],
        *,
        now: datetime,
    ) -> None:
        self._session = session
        self._books = books
        self._agreements = agreements
        self._now = now

    @classmethod
    async def opened(
        cls, session: AsyncSession, claim_ids: Iterable[int], *, now: datetime
    ) -> "BankBook":
        """Lock these claims in the order of their ids and read all about them."""
        books = await rows.open_books(session, claim_ids)
        return cls(session, books, await rows.agreements_by_claim(session, books), now=now)

    async def write(self) -> None:
        """Write what was posted; without it nothing is."""
        await insert_waiting(self._session, AuditEvent, MerchantEvent)
        for book in self._books.values():
            if book.unwritten:
                await rows.write(self._session, book.unwritten)
        await self._session.flush()

    def customer(self, claim_id: int) -> int:
        """Whose claim it is; raises ``ClaimUnknown``."""
        return self._held(claim_id).claim.customer_id

    async def spread(
        self, claim_ids: Iterable[int], minor: int, *, value_date: date
    ) -> dict[int, Money]:
        """A payment's shares on these claims in the order of § 366 BGB, by what is open on its day.

        They are in one currency, of which the payment is so many cents.

        Raises ``ClaimUnknown``.
        """
        books = [self._held(claim_id) for claim_id in claim_ids]
        owed = [
            await owed_on(
                self._session,
                book.claim,
                book.postings,
                self._agreements.get(book.claim.id, []),
                value_date,
            )
            for book in books
        ]
        today = await rows.local_day(self._session, books[0].claim, self._now)
        return allocate_payment(Money(minor, books[0].currency), owed, today=today)

    async def pay(self, claim_id: int, amount: Money, *, value_date: date, key: str) -> None:
        """Post money that arrived: to costs, interest, price (§ 367 BGB); the rest is overpaid.

        Raises ``ClaimUnknown``, ``CurrencyDiffers``, ``AmountNotPositive``.
        """
        await self._run(
            "bank_payment",
            claim_id,
            amount,
            value_date,
            key,
            None,
            lambda book: movements.payment(amount, book.open, book.marking(Marking.BY_LAW)),
        )

    async def take_back(
        self, claim_id: int, amount: Money, *, value_date: date, key: str, paid_key: str
    ) -> None:
        """Take back a payment that came back.

        Raises ``PostingUnknown`` and ``ReturnExceedsPayments`` besides what a payment raises;
        then nothing was posted.
        """
        paid_under = share_key(paid_key, claim_id)

        def returned(book: OpenBook) -> Sequence[Movement]:
            paid = rebooking.made_by(paid_under, book.postings, PostingKind.PAYMENT)
            if not paid:
                raise PostingUnknown(paid_under)
            undone = movements.undone_amounts(movements.effective(book.postings))
            return movements.returned_payment(amount, paid, undone)

        await self._run(
            "bank_return", claim_id, amount, value_date, key, paid_under, returned, undoes=True
        )

    async def _run(
        self,
        name: str,
        claim_id: int,
        amount: Money,
        value_date: date,
        key: str,
        detail: str | None,
        movements_for: Callable[[OpenBook], Sequence[Movement]],
        *,
        undoes: bool = False,
    ) -> None:
        book = self._held(claim_id)
        command = PostingCommand(
            name,
            claim_id,
            value_date,
            self._now,
            share_key(key, claim_id),
            amount,
            detail,
            undoes=undoes,
        )
        if any(posting.command_key == command.key for posting in book.postings):
            return  # it was posted before
        await command.carry_out(
            self._session, book, self._agreements.get(claim_id, []), movements_for
        )

    def _held(self, claim_id: int) -> OpenBook:
        if claim_id not in self._books:
            raise ClaimUnknown(claim_id)
        return self._books[claim_id]

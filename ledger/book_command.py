"""Carrying out one posting command: lock, repeat or post, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_changes as changes
from ledger import book_rows as rows
from ledger.agreements import AgreementStatus, Settlement
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import PURSUED, ClaimStatus
from ledger.money import Money
from ledger.posting import (
    Movement,
    PostingKind,
    reversal,
    set_off,
    undone_amounts,
    waiver,
)
from ledger.progress import money_since
from ledger.repricing import Because, repriced, unpriced
from ledger.statement import Receipt
from storage.tables import Agreement as AgreementRow

_REPRICING = frozenset({"credit_note", "waiver", "reversal"})
"""Commands that change what is owed, not what was paid."""


@dataclass(frozen=True, slots=True)
class PostingCommand:
    """One command on one claim. ``detail`` is what else tells it from another one."""

    name: str
    claim_id: int
    value_date: date
    now: datetime
    key: str
    amount: Money | None = None
    detail: str | None = None

    async def run(
        self, session: AsyncSession, movements_for: Callable[[OpenBook], Sequence[Movement]]
    ) -> Receipt:
        """Post what ``movements_for`` makes of the locked claim, or repeat the earlier answer.

        Afterwards a claim with nothing open is settled and its agreement kept; a settlement
        that is paid in time lets the rest go; a claim that is open again gets its agreement back;
        one of which less is owed without a payment has its agreement re-priced.
        """
        book = await rows.open_book(session, self.claim_id)
        before = await rows.replayed(session, book.claim.merchant_id, self.key, self._input_hash)
        if before is not None:
            return before
        if self.amount is not None:
            book.require_currency(self.amount)
        posted_from = len(book.postings)
        await self._post(session, book, movements_for(book))
        await self._post(session, book, set_off(book.open))
        await self._follow_up(session, book, posted_from)
        return rows.receipt(self.claim_id, book.postings, self.key, book.currency)

    @property
    def _input_hash(self) -> str:
        return input_hash(
            self.name,
            claim=self.claim_id,
            amount=self.amount,
            value_date=self.value_date,
            detail=self.detail,
        )

    async def _post(
        self, session: AsyncSession, book: OpenBook, movements: Sequence[Movement]
    ) -> None:
        await rows.append(
            session,
            book,
            movements,
            value_date=self.value_date,
            now=self.now,
            key=self.key,
            input_hash=self._input_hash,
        )

    async def _follow_up(self, session: AsyncSession, book: OpenBook, posted_from: int) -> None:
        agreements = await rows.agreement_rows(session, self.claim_id)
        active = next((row for row in agreements if row.status == AgreementStatus.ACTIVE), None)
        if active is not None:
            await changes.note_money(session, book, active, book.postings[:posted_from], self.now)
            if self.name in _REPRICING and book.open.total:
                active = await self._reprice(session, book, active)
            if _settlement_paid(book, active):
                await self._post(session, book, waiver(book.open.total, book.open))
        if not book.open.total:
            if book.claim.status in PURSUED:
                self._set_status(session, book, ClaimStatus.SETTLED)
            if active is not None:
                await changes.end(session, book, active, AgreementStatus.KEPT, None, self.now)
        elif book.claim.status == ClaimStatus.SETTLED:
            self._set_status(session, book, ClaimStatus.OPEN)
            kept = [row for row in agreements if row.status == AgreementStatus.KEPT]
            if kept and active is None:
                await self._resume(session, book, kept[-1])

    async def _reprice(
        self, session: AsyncSession, book: OpenBook, active: AgreementRow
    ) -> AgreementRow:
        """Bring an agreement in line with what is owed now: other amounts, in its place."""
        record = rows.record_of(active, book.postings)
        less = unpriced(record.terms, record.progress, book.open.total)
        if not less or (less.minor < 0 and self.name == "credit_note"):
            return active
        terms = repriced(record.terms, record.progress, less)
        if terms is None:  # less than nothing is left of what a settlement asks for
            await self._post(session, book, waiver(book.open.total, book.open))
            return active
        because = Because.LESS_OWED if less.minor > 0 else Because.MORE_OWED
        await changes.end(session, book, active, AgreementStatus.SUPERSEDED, because, self.now)
        await session.flush()  # one is active at a time
        return await changes.make(
            session,
            book,
            terms,
            conversation_id=active.conversation_id,
            now=self.now,
            key=f"{self.key}:repriced",
            input_hash=self._input_hash,
            instead_of=active,
            because=because,
        )

    def _set_status(self, session: AsyncSession, book: OpenBook, status: ClaimStatus) -> None:
        book.claim.status = status.value
        book.claim.updated_at = self.now
        rows.audit(session, book.claim, f"claim_{status.value}", self.now)

    async def _resume(self, session: AsyncSession, book: OpenBook, kept: AgreementRow) -> None:
        if isinstance(rows.record_of(kept, ()).terms, Settlement):
            undone = undone_amounts(book.postings)
            let_go = [
                posting
                for posting in book.postings
                if posting.kind is PostingKind.WAIVER
                and posting.number > kept.terms["after_posting"]
                and posting.number not in undone
            ]
            await self._post(session, book, reversal(let_go))
        await changes.resume(session, book, kept, self.now)


def _settlement_paid(book: OpenBook, row: AgreementRow) -> bool:
    """Whether the amount of a settlement has been paid by its due day, and something is left."""
    terms = rows.record_of(row, ()).terms
    if not isinstance(terms, Settlement) or not book.open.total:
        return False
    in_time = [
        posting
        for posting in book.postings
        if posting.kind is not PostingKind.PAYMENT or posting.value_date <= terms.due
    ]
    paid = money_since(in_time, row.terms["after_posting"], book.currency)
    return bool(paid) and paid[-1].sum >= terms.amount

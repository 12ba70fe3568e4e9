"""Carrying out one posting command: lock, repeat or post, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.agreements import AgreementStatus, Settlement
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import PURSUED, ClaimStatus
from ledger.money import Money
from ledger.posting import (
    Movement,
    PostingKind,
    paid_since,
    reversal,
    set_off,
    undone_amounts,
    waiver,
)
from ledger.statement import Receipt
from storage.tables import Agreement as AgreementRow


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
        """Post what ``movements_for`` makes of the locked claim, or repeat the earlier answer."""
        book = await rows.open_book(session, self.claim_id)
        before = await rows.replayed(session, book.claim.merchant_id, self.key, self._input_hash)
        if before is not None:
            return before
        await self.carry_out(
            session, book, await rows.agreement_rows(session, self.claim_id), movements_for
        )
        return rows.receipt(self.claim_id, book.postings, self.key, book.currency)

    async def carry_out(
        self,
        session: AsyncSession,
        book: OpenBook,
        agreements: Sequence[AgreementRow],
        movements_for: Callable[[OpenBook], Sequence[Movement]],
    ) -> None:
        """Post on a claim that is held locked, with all its agreements.

        Afterwards a claim with nothing open is settled and its agreement kept; a settlement
        that is paid in time lets the rest go; a claim that is open again gets its agreement back.
        """
        if self.amount is not None:
            book.require_currency(self.amount)
        await self._post(session, book, movements_for(book))
        await self._post(session, book, set_off(book.open))
        await self._follow_up(session, book, agreements)

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

    async def _follow_up(
        self, session: AsyncSession, book: OpenBook, agreements: Sequence[AgreementRow]
    ) -> None:
        active = next((row for row in agreements if row.status == AgreementStatus.ACTIVE), None)
        if active is not None and _settlement_paid(book, active):
            await self._post(session, book, waiver(book.open.total, book.open))
        if not book.open.total:
            if book.claim.status in PURSUED:
                self._set_status(session, book, ClaimStatus.SETTLED)
            if active is not None:
                rows.end_agreement(book, active, AgreementStatus.KEPT, None, self.now)
        elif book.claim.status == ClaimStatus.SETTLED:
            self._set_status(session, book, ClaimStatus.OPEN)
            kept = [row for row in agreements if row.status == AgreementStatus.KEPT]
            if kept and active is None:
                await self._resume(session, book, kept[-1])

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
        rows.resume_agreement(kept)


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
    return paid_since(in_time, row.terms["after_posting"], book.currency) >= terms.amount

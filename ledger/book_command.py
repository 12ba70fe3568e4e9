"""Carrying out one posting command: lock, repeat or post, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_changes as changes
from ledger import book_rows as rows
from ledger import left_over, rebooking
from ledger.agreements import AgreementKind, AgreementStatus, Promise, Settlement
from ledger.book_events import tell_money, tell_settled
from ledger.book_interest import interest_terms
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import PURSUED, ClaimStatus
from ledger.left_over import LettingGo
from ledger.money import Money, total
from ledger.posting import (
    Movement,
    Posting,
    PostingKind,
    effective,
    reversal,
    set_off,
    undone_amounts,
    waiver,
)
from ledger.progress import money_since
from ledger.rebooking import InterestTerms
from ledger.repricing import Because, repriced, unpriced
from ledger.statement import Receipt
from ledger.value_order import in_value_order
from storage.tables import Agreement as AgreementRow
from storage.tables import Merchant

MovementsFor = Callable[[OpenBook], Sequence[Movement]]

_REPRICING = frozenset({"credit_note", "waiver", "reversal"})
"""Commands that change what is owed, not what was paid."""
_PLAN = AgreementKind.INSTALMENT_PLAN.value
_PAYING = frozenset({"payment", "bank_payment", "customer_payment"})
"""Commands that post money that arrived."""


@dataclass(frozen=True, slots=True)
class PostingCommand:
    """One command on one claim. ``detail`` is what else tells it from another one.

    ``undoes``: it takes effect on the day of what it undoes at the earliest. ``charges_only``:
    nothing but interest is posted, so later postings need not wait for it.
    """

    name: str
    claim_id: int
    value_date: date
    now: datetime
    key: str
    amount: Money | None = None
    detail: str | None = None
    undoes: bool = False
    charges_only: bool = False

    async def run(self, session: AsyncSession, movements_for: MovementsFor) -> Receipt:
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
        movements_for: MovementsFor,
    ) -> None:
        """Post on a claim that is held locked, with all its agreements.

        Interest is charged up to the value date before; what has a later one is booked anew
        behind. Afterwards a claim with nothing open is settled and its agreement kept; an
        agreement that is paid in time lets go what it has to, and what time alone left open is let
        go too (:mod:`ledger.left_over`); a claim that is open again gets its agreement back; one
        of which less is owed without a payment has its agreement re-priced.
        """
        if self.amount is not None:
            book.require_currency(self.amount)
        posted_from = len(book.postings)
        terms = await interest_terms(session, book.claim)
        if terms is None:
            await self._post(session, book, movements_for(book))
            await self._post(session, book, set_off(book.open))
        else:
            await self._post(session, book, self._in_order(book, movements_for, terms))
        tell_money(session, book, self.key, self.now)
        await self._follow_up(session, book, agreements, posted_from, terms)

    @property
    def _input_hash(self) -> str:
        return input_hash(
            self.name,
            claim=self.claim_id,
            amount=self.amount,
            value_date=self.value_date,
            detail=self.detail,
        )

    def _in_order(
        self, book: OpenBook, movements_for: MovementsFor, terms: InterestTerms
    ) -> Sequence[Movement]:
        return in_value_order(
            book.postings,
            lambda postings: movements_for(OpenBook(book.claim, list(postings))),
            terms,
            claim_id=self.claim_id,
            value_date=self.value_date,
            currency=book.currency,
            key=self.key,
            undoes=self.undoes,
            charges_only=self.charges_only,
        )

    async def _post(
        self,
        session: AsyncSession,
        book: OpenBook,
        movements: Sequence[Movement],
        value_date: date | None = None,
    ) -> None:
        await rows.append(
            session,
            book,
            movements,
            value_date=value_date or self.value_date,
            now=self.now,
            key=self.key,
            input_hash=self._input_hash,
        )

    async def _follow_up(
        self,
        session: AsyncSession,
        book: OpenBook,
        agreements: Sequence[AgreementRow],
        posted_from: int,
        terms: InterestTerms | None,
    ) -> None:
        active = next((row for row in agreements if row.status == AgreementStatus.ACTIVE), None)
        if active is not None:
            await changes.note_money(session, book, active, book.postings[:posted_from], self.now)
            if self.name in _REPRICING and book.open.total:
                active = await self._reprice(session, book, active)
            let_go = await _let_go(session, book, active)
            if let_go:
                await self._post(session, book, waiver(let_go, book.open), self._last_day(book))
        if self.name in _PAYING and (active is None or active.kind != _PLAN):
            await self._let_go_left_over(session, book, terms)
        if not book.open.total:
            if book.claim.status in PURSUED:
                self._set_status(session, book, ClaimStatus.SETTLED)
                tell_settled(session, book, self.now)
            if active is not None:
                await changes.end(session, book, active, AgreementStatus.KEPT, None, self.now)
        elif book.claim.status == ClaimStatus.SETTLED:
            self._set_status(session, book, ClaimStatus.OPEN)
            if self.undoes:
                back = left_over.taken_back(book.postings)
                await self._post(session, book, back, self._last_day(book))
            kept = [row for row in agreements if row.status == AgreementStatus.KEPT]
            if kept and active is None:
                await self._resume(session, book, kept[-1])

    async def _let_go_left_over(
        self, session: AsyncSession, book: OpenBook, terms: InterestTerms | None
    ) -> None:
        """Let go what is open only because interest went on; without interest nothing is."""
        if terms is None or terms.default_since is None or not book.open.total:
            return
        merchant = await session.get_one(Merchant, book.claim.merchant_id)
        policy = LettingGo.of_policy(merchant.policy)
        rest = left_over.let_go(book.postings, book.open, terms, policy)
        await self._post(session, book, rest, self._last_day(book))

    def _last_day(self, book: OpenBook) -> date:
        return max(self.value_date, rebooking.last_day(book.postings) or self.value_date)

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
            await self._post(
                session, book, waiver(book.open.total, book.open), self._last_day(book)
            )
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
        if isinstance(rows.record_of(kept, ()).terms, Settlement | Promise):
            standing = effective(book.postings)
            undone = undone_amounts(standing)
            let_go = [
                posting
                for posting in standing
                if posting.kind is PostingKind.WAIVER
                and posting.number > kept.terms["after_posting"]
                and posting.number not in undone
            ]
            await self._post(session, book, reversal(let_go), self._last_day(book))
        await changes.resume(session, book, kept, self.now)


async def _let_go(session: AsyncSession, book: OpenBook, row: AgreementRow) -> Money:
    """What an agreement that was paid in time lets go of what is still open.

    A settlement: everything. A promise: the interest of the days since it was given, so that
    paying what was promised is enough.
    """
    nothing = Money.zero(book.currency)
    terms = rows.record_of(row, ()).terms
    if not isinstance(terms, Settlement | Promise) or not book.open.total:
        return nothing
    in_time = _in_time(book.postings, terms.due)
    paid = money_since(in_time, row.terms["after_posting"], book.currency)
    if not paid or paid[-1].sum < terms.amount:
        return nothing
    if isinstance(terms, Settlement):
        return book.open.total
    agreed = await rows.local_day(session, book.claim, row.agreed_at)
    since = (
        posting.amount
        for posting in effective(book.postings)
        if posting.kind is PostingKind.INTEREST and posting.value_date > agreed
    )
    return min(book.open.total, total(since, book.currency))


def _in_time(postings: Sequence[Posting], due: date) -> list[Posting]:
    """The postings without payments of after the due day, and without what undoes those."""
    late: set[int] = set()
    for posting in postings:
        if (
            posting.kind is PostingKind.PAYMENT and posting.value_date > due
        ) or posting.reverses in late:
            late.add(posting.number)
    return [posting for posting in postings if posting.number not in late]

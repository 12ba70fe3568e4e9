"""Taking changes of open items into the ledger: posted in the file's order, all or nothing.

Never commits; the caller's transaction decides.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book
from ledger.book_rows import lock_claims
from ledger.claim import PURSUED
from ledger.errors import (
    ClaimInDispute,
    ClaimNotOpen,
    CurrencyDiffers,
    IdempotencyConflict,
    LedgerError,
    OpenAmountDiffers,
    PostingUnknown,
    ReturnExceedsPayments,
)
from ledger.intake_book import Report, RowsRefused, Source
from ledger.intake_sql import LOCK
from ledger.money import Money
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from ledger.rows_items import COSTS, EVERY_CLAIM, ItemEvent, ItemRow, event_key, item_row
from storage.tables import Claim, IntakeBatch, Posting

CHUNK_ROWS = 500

_REASONS: dict[type[LedgerError], tuple[str, str]] = {
    IdempotencyConflict: ("event_id", "was sent before with other content"),
    CurrencyDiffers: ("currency", "the claim is kept in another currency"),
    ReturnExceedsPayments: ("amount", "more than was paid"),
    PostingUnknown: ("returned_event_id", "no payment with this event_id on the claim"),
    OpenAmountDiffers: ("amount", "the ledger holds another open amount; send what is missing"),
    ClaimNotOpen: ("event", "the claim has ended already"),
    ClaimInDispute: ("event", "the customer disputes the claim"),
}


@dataclass(frozen=True, slots=True)
class ItemsOutcome:
    """What an intake of open items did.

    ``rows_posted`` changed the ledger, ``rows_repeated`` had been posted before, and
    ``rows_confirmed`` confirmed open amounts.
    """

    batch_id: int
    rows_total: int
    rows_posted: int
    rows_repeated: int
    rows_confirmed: int


async def take_items(
    session: AsyncSession,
    records: Iterable[Record | Problem],
    setting: Setting,
    source: Source,
    *,
    merchant_id: int,
    report: Report,
    progress: Callable[[int], None] = lambda rows: None,
) -> ItemsOutcome:
    """Post payments, credit notes and returns, recall claims, confirm open amounts.

    The merchant's event ids make each event happen once. Every problem of every row goes to
    ``report``.

    Raises:
        RowsRefused: at least one row has a problem; the transaction must be rolled back.
    """
    await session.execute(text(LOCK), {"merchant": merchant_id})
    intake = _Items(session, merchant_id, setting, report)
    rows = list(intake.checked(records))
    await intake.lock(rows)
    for start in range(0, len(rows), CHUNK_ROWS):
        await intake.take(rows[start : start + CHUNK_ROWS])
        progress(intake.rows_taken)
    if intake.problems:
        raise RowsRefused(intake.problems)
    batch = IntakeBatch(
        merchant_id=merchant_id,
        kind=source.kind,
        name=source.name,
        sha256=source.sha256,
        rows_total=intake.rows_total,
        rows_added=intake.posted,
        rows_changed=0,
        rows_unchanged=intake.rows_total - intake.posted,
        at=setting.now,
    )
    session.add(batch)
    await session.flush()
    return ItemsOutcome(
        batch.id, intake.rows_total, intake.posted, intake.repeated, intake.confirmed
    )


class _Items:
    """One intake of open items, with what it counted so far."""

    def __init__(
        self, session: AsyncSession, merchant_id: int, setting: Setting, report: Report
    ) -> None:
        self.session = session
        self.merchant_id = merchant_id
        self.setting = setting
        self._report = report
        self._known: set[str] = set()
        self.rows_total = self.rows_taken = self.problems = 0
        self.posted = self.repeated = self.confirmed = 0

    def refuse(self, problem: Problem) -> None:
        """Count and report a problem."""
        self.problems += 1
        self._report(problem)

    def checked(self, records: Iterable[Record | Problem]) -> Iterator[ItemRow]:
        """Give the good rows, report the problems of the others."""
        for record in records:
            self.rows_total += 1
            row = [record] if isinstance(record, Problem) else item_row(record, self.setting)
            if isinstance(row, ItemRow):
                yield row
            else:
                for problem in row:
                    self.refuse(problem)

    async def lock(self, rows: Sequence[ItemRow]) -> None:
        """Lock all claims that the file is about; it names them in an order of its own."""
        named = {row.reference for row in rows}
        about: ColumnElement[bool] = Claim.reference == any_(
            bindparam("named", list(named), ARRAY(Text))
        )
        if EVERY_CLAIM in named:
            about |= Claim.status.in_(PURSUED)
        await lock_claims(self.session, Claim.merchant_id == self.merchant_id, about)

    async def take(self, rows: Sequence[ItemRow]) -> None:
        """Carry out rows in order; those that only confirm are gathered into one statement."""
        self._known.clear()
        self.rows_taken += len(rows)
        references = {row.reference for row in rows}
        found = await self.session.execute(
            select(Claim.reference, Claim.id).where(
                Claim.merchant_id == self.merchant_id, Claim.reference.in_(references)
            )
        )
        ids = dict(found.all())
        await self._remember_known(rows)
        confirmed: list[tuple[int, ItemRow]] = []
        for row in rows:
            claim_id = ids.get(row.reference)
            if row.reference == EVERY_CLAIM:
                await self._confirm_every_claim(row)
            elif claim_id is None:
                self.refuse(Problem(row.line, "claim_reference", "no such claim"))
            elif row.event is ItemEvent.CONFIRMATION and row.amount is None:
                confirmed.append((claim_id, row))
            else:
                await self._take_one(claim_id, row)
        await self._confirm(confirmed)

    async def _take_one(self, claim_id: int, row: ItemRow) -> None:
        try:
            if row.event is ItemEvent.CONFIRMATION:
                await book.confirm_open_amount(self.session, claim_id, at=row.at, amount=row.amount)
                self.confirmed += 1
            elif row.event is ItemEvent.RECALL:
                await book.recall(
                    self.session, claim_id, f"merchant:{row.event_id}", now=self.setting.now
                )
                self.posted += 1
            elif row.amount is not None:
                await self._post(claim_id, row, row.amount)
                self._count(event_key(row.event_id))
        except LedgerError as error:
            column, reason = _REASONS.get(type(error), ("event", str(error)))
            self.refuse(Problem(row.line, column, reason))

    async def _post(self, claim_id: int, row: ItemRow, amount: Money) -> None:
        """Post money or a credit note under the merchant's event id."""
        now, key = self.setting.now, event_key(row.event_id)
        if row.event is ItemEvent.PAYMENT:
            await book.post_payment(
                self.session,
                claim_id,
                amount,
                value_date=row.value_date,
                now=now,
                key=key,
                marking=row.marking,
            )
        elif row.event in COSTS:
            await book.post_costs(
                self.session,
                claim_id,
                COSTS[row.event],
                amount,
                reason=row.reason,
                value_date=row.value_date,
                now=now,
                key=key,
            )
        elif row.event is ItemEvent.CREDIT_NOTE:
            await book.post_credit_note(
                self.session, claim_id, amount, value_date=row.value_date, now=now, key=key
            )
        else:
            await book.post_return(
                self.session,
                claim_id,
                amount,
                value_date=row.value_date,
                now=now,
                key=key,
                payment_key=event_key(row.returned_event_id) if row.returned_event_id else None,
            )

    async def _remember_known(self, rows: Sequence[ItemRow]) -> None:
        """Note which of these events were posted before."""
        first_postings = [f"{event_key(row.event_id)}#1" for row in rows]
        found = await self.session.scalars(
            select(Posting.idempotency_key).where(
                Posting.merchant_id == self.merchant_id,
                Posting.idempotency_key.in_(first_postings),
            )
        )
        self._known |= {key.removesuffix("#1") for key in found}

    def _count(self, key: str) -> None:
        if key in self._known:
            self.repeated += 1
        else:
            self.posted += 1
            self._known.add(key)

    async def _confirm(self, rows: list[tuple[int, ItemRow]]) -> None:
        """Confirm the open amounts of these claims; an older confirmation changes nothing."""
        for at in {row.at for _, row in rows}:
            ids = [claim_id for claim_id, row in rows if row.at == at]
            await self.session.execute(
                update(Claim)
                .where(Claim.merchant_id == self.merchant_id, Claim.id.in_(ids))
                .values(confirmed_at=func.greatest(Claim.confirmed_at, at))
            )
        self.confirmed += len(rows)

    async def _confirm_every_claim(self, row: ItemRow) -> None:
        await self.session.execute(
            update(Claim)
            .where(Claim.merchant_id == self.merchant_id, Claim.status.in_(PURSUED))
            .values(confirmed_at=func.greatest(Claim.confirmed_at, row.at))
        )
        self.confirmed += 1

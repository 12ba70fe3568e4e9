"""Taking orders that followed: all or nothing, each once.

Never commits; the caller's transaction decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.intake_book import Report, RowsRefused, Source
from ledger.intake_sql import LOCK
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from ledger.rows_reorders import ReorderRow, reorder_row
from storage.tables import Customer, IntakeBatch, Reorder

CHUNK_ROWS: Final = 1000
_OTHER = "was sent before with other content"


@dataclass(frozen=True, slots=True)
class ReordersOutcome:
    """What an intake of orders did; ``rows_unknown`` are of nobody with a claim here."""

    batch_id: int
    rows_total: int
    rows_added: int
    rows_repeated: int
    rows_unknown: int


async def take_reorders(
    session: AsyncSession,
    records: Iterable[Record | Problem],
    setting: Setting,
    source: Source,
    *,
    merchant_id: int,
    report: Report,
) -> ReordersOutcome:
    """Keep orders of known customers; an order number that was sent before changes nothing.

    Every problem of every row goes to ``report``.

    Raises:
        RowsRefused: at least one row has a problem; the transaction must be rolled back.
    """
    await session.execute(text(LOCK), {"merchant": merchant_id})
    total, problems = 0, 0
    good: dict[str, ReorderRow] = {}

    def refuse(problem: Problem) -> None:
        nonlocal problems
        problems += 1
        report(problem)

    for record in records:
        total += 1
        row = [record] if isinstance(record, Problem) else reorder_row(record, setting)
        if not isinstance(row, ReorderRow):
            for problem in row:
                refuse(problem)
        elif _facts(good.setdefault(row.order_number, row)) != _facts(row):
            refuse(Problem(row.line, "order_number", _OTHER))
    added = unknown = 0
    rows = list(good.values())
    for start in range(0, len(rows), CHUNK_ROWS):
        took, missing = await _take(session, merchant_id, rows[start : start + CHUNK_ROWS],
                                    setting, refuse)  # fmt: skip
        added += took
        unknown += missing
    if problems:
        raise RowsRefused(problems)
    batch = IntakeBatch(
        merchant_id=merchant_id, kind=source.kind, name=source.name, sha256=source.sha256,
        rows_total=total, rows_added=added, rows_changed=0, rows_unchanged=total - added,
        at=setting.now,
    )  # fmt: skip
    session.add(batch)
    await session.flush()
    return ReordersOutcome(batch.id, total, added, total - added - unknown, unknown)


async def _take(
    session: AsyncSession,
    merchant_id: int,
    rows: Sequence[ReorderRow],
    setting: Setting,
    refuse: Report,
) -> tuple[int, int]:
    """Keep some of them; how many were new, and how many are of nobody known."""
    numbers = {row.customer_number for row in rows}
    found = await session.execute(
        select(Customer.number, Customer.id).where(
            Customer.merchant_id == merchant_id, Customer.number.in_(numbers)
        )
    )
    customers = dict(found.all())
    theirs = [row for row in rows if row.customer_number in customers]
    kept = await session.scalars(
        select(Reorder).where(
            Reorder.merchant_id == merchant_id,
            Reorder.order_number.in_([row.order_number for row in theirs]),
        )
    )
    known = {one.order_number: one for one in kept}
    new = []
    for row in theirs:
        before = known.get(row.order_number)
        if before is None:
            new.append(_values(row, merchant_id, customers[row.customer_number], setting))
        elif (before.customer_id, before.ordered_on, before.amount_minor, before.currency) != (
            customers[row.customer_number],
            *_facts(row)[1:],
        ):
            refuse(Problem(row.line, "order_number", _OTHER))
    if new:
        await session.execute(insert(Reorder), new)
    return len(new), len(rows) - len(theirs)


def _facts(row: ReorderRow) -> tuple[object, ...]:
    return (
        row.customer_number,
        row.ordered_on,
        row.amount.minor if row.amount else None,
        row.currency,
    )


def _values(
    row: ReorderRow, merchant_id: int, customer_id: int, setting: Setting
) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "customer_id": customer_id,
        "order_number": row.order_number,
        "ordered_on": row.ordered_on,
        "amount_minor": row.amount.minor if row.amount else None,
        "currency": row.currency,
        "created_at": setting.now,
    }

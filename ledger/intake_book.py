"""Taking rows of open claims into the ledger: staged by COPY, merged set by set, all or nothing.

Never commits; the caller's transaction decides. Rows are read one at a time and staged in a
temporary table, so memory does not grow with the file.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import intake_sql as sql
from ledger import limitation
from ledger.book_command import PostingCommand
from ledger.book_rows import posting_values
from ledger.chain import chained, input_hash
from ledger.claim import OpenAmount
from ledger.money import Money
from ledger.posting import Account, Marking, Movement, Posting, PostingKind, opening
from ledger.rows import Problem
from ledger.rows_claims import ClaimRow, Setting, claim_row
from ledger.rows_file import Record
from storage.engine import driver_connection
from storage.tables import IntakeBatch

PAGE_ROWS = 2000
ROWS_PER_BREATH = 50
"""After so many rows other tasks of the event loop get their turn."""

Report = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: ``kind`` of intake, a name (the file's, or ``api``), its SHA-256."""

    kind: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that a row states otherwise than it is kept: ``old`` → ``new``."""

    line: int
    claim_reference: str | None
    customer_number: str
    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an intake did. Without ``applied`` the changed rows were held back."""

    batch_id: int
    rows_total: int
    rows_added: int
    rows_changed: int
    rows_unchanged: int
    applied: bool


class RowsRefused(ValueError):
    """Some rows cannot be taken, so none was; each problem was reported before."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} problem{'s' * (count != 1)}; nothing was imported")
        self.count = count


async def take_claims(
    session: AsyncSession,
    records: Iterable[Record | Problem],
    setting: Setting,
    source: Source,
    *,
    merchant_id: int,
    apply_changes: bool = False,
    report: Report,
    show: Callable[[Difference], None],
    progress: Callable[[int], None] = lambda rows: None,
) -> Outcome:
    """Add new claims, confirm unchanged ones, and show (or apply) what has changed.

    Every problem of every row goes to ``report``, every difference to ``show``, and the number
    of rows read so far to ``progress``. A changed open amount becomes a correcting posting.

    Raises:
        RowsRefused: at least one row has a problem; the transaction must be rolled back.
    """
    intake = _Intake(session, merchant_id, setting, apply_changes)
    await intake.prepare()
    refused = _Counter(report)
    await intake.stage(_checked(records, setting, refused, progress))
    await intake.find_known(refused)
    if refused.count:
        raise RowsRefused(refused.count)
    await intake.run(sql.LOCK_KNOWN)
    await intake.compare()
    async for difference in intake.differences():
        show(difference)
    await intake.insert_new()
    outcome = await intake.note(source)
    if apply_changes:
        await intake.apply(outcome.batch_id)
    await intake.run(sql.CONFIRM)
    return outcome


class _Counter:
    """Passes problems on and counts them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.count = 0

    def __call__(self, problem: Problem) -> None:
        self.count += 1
        self._report(problem)


def _checked(
    records: Iterable[Record | Problem],
    setting: Setting,
    report: Report,
    progress: Callable[[int], None],
) -> Iterator[ClaimRow]:
    """Give the good rows, report the problems of the others."""
    for number, record in enumerate(records, start=1):
        progress(number)
        row = [record] if isinstance(record, Problem) else claim_row(record, setting)
        if isinstance(row, ClaimRow):
            yield row
        else:
            for problem in row:
                report(problem)


class _Intake:
    """One intake of claims on its staging tables."""

    def __init__(
        self, session: AsyncSession, merchant_id: int, setting: Setting, apply: bool
    ) -> None:
        self.session = session
        self.now = setting.now
        self.today = setting.today
        self.params: dict[str, Any] = {
            "merchant": merchant_id,
            "now": setting.now,
            "apply": apply,
            "principal": Account.PRINCIPAL.value,
            "costs": Account.COSTS.value,
            "page": PAGE_ROWS,
            "limitation_years": limitation.YEARS,
        }

    async def run(self, *statements: str, **params: Any) -> Sequence[Any]:
        """Execute statements; return the last one's rows where it has any."""
        rows: Sequence[Any] = ()
        for statement in statements:
            clause = text(statement)
            names = clause.compile().params
            given = {name: {**self.params, **params}[name] for name in names}
            result = await self.session.execute(clause, given)
            rows = result.all() if result.returns_rows else ()  # type: ignore[attr-defined]
        return rows

    async def prepare(self) -> None:
        """Wait for another import of the merchant, then make the staging tables."""
        await self.run(sql.LOCK, *sql.STAGE)

    async def copy(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Stream rows into a staging table."""
        driver = await driver_connection(self.session)
        async with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for number, row in enumerate(rows):
                if number % ROWS_PER_BREATH == 0:
                    await asyncio.sleep(0)
                await copy.write_row(row)

    async def stage(self, rows: Iterable[ClaimRow]) -> None:
        """Copy checked rows into the staging table."""
        await self.copy(sql.COPY_ROWS, map(_staged, rows))
        await self.run("ANALYZE intake_row")

    async def find_known(self, report: Report) -> None:
        """Find the claims and customers that exist; report what rows contradict."""
        for line, first in await self.run(sql.DUPLICATES):
            report(Problem(line, "claim_reference", f"the same claim as in line {first}"))
        await self.run(sql.KNOWN_CLAIMS, *sql.NEW_CLAIM_IDS, *sql.CUSTOMERS)
        await self.run("ANALYZE intake_row", "ANALYZE intake_customer")
        if await self.run("SELECT FROM intake_customer WHERE disagrees LIMIT 1"):
            for name in sql.SAME_IN_FILE:
                column = "whatsapp_consent" if name == "whatsapp" else name
                for line, first in await self.run(sql.disagreements(name)):
                    report(Problem(line, column, f"line {first} says otherwise of this customer"))
        for (line,) in await self.run(sql.OTHER_CUSTOMER):
            report(Problem(line, "customer_number", "the claim belongs to another customer"))
        for line, currency in await self.run(sql.OTHER_CURRENCY):
            report(Problem(line, "currency", f"the claim is kept in {currency}"))
        for (line,) in await self.run(sql.NOTHING_OPEN):
            report(Problem(line, "amount", "a new claim must have an open price above 0"))

    async def compare(self) -> None:
        """Fill the table of differences between rows and what is kept."""
        await self.run(
            sql.POINTS,
            *sql.DIFFERENCES,
            sql.AMOUNT_DIFFERENCES,
            sql.STATUS_DIFFERENCES,
            *sql.POINT_DIFFERENCES,
            "ANALYZE intake_difference",
        )

    async def pages(self, statement: str) -> AsyncIterator[Any]:
        """Give the rows of a statement that is ordered by line and column, page by page."""
        line, column = 0, ""
        while rows := await self.run(statement, line=line, column=column):
            for row in rows:
                yield row
            line, column = rows[-1].line, rows[-1].column

    async def differences(self) -> AsyncIterator[Difference]:
        """Give every difference, amounts with their currency."""
        async for row in self.pages(sql.DIFFERENCES_PAGE):
            old, new = row.old, row.new
            if row.column in ("amount", "costs"):
                old, new = (str(Money(int(minor), row.currency)) for minor in (old, new))
            yield Difference(row.line, row.reference, row.customer_number, row.column, old, new)

    async def insert_new(self) -> None:
        """Insert new customers, contact points and claims, and the claims' opening postings."""
        await self.run(sql.INSERT_CUSTOMERS, sql.INSERT_POINTS, sql.INSERT_CLAIMS)
        after = 0
        while rows := await self.run(sql.NEW_CLAIMS_PAGE, after=after):
            postings = (posting for row in rows for posting in self._opening(row))
            await self.copy(sql.COPY_POSTINGS, map(_posted, postings))
            after = rows[-1].claim_id
        await self.run(sql.INSERT_POSTINGS)

    async def note(self, source: Source) -> Outcome:
        """Note the batch with its counts."""
        ((total, added, changed),) = await self.run(sql.COUNTS)
        applied = bool(self.params["apply"])
        batch = IntakeBatch(
            merchant_id=self.params["merchant"],
            kind=source.kind,
            name=source.name,
            sha256=source.sha256,
            rows_total=total,
            rows_added=added,
            rows_changed=changed if applied else 0,
            rows_unchanged=total - added - (changed if applied else 0),
            at=self.now,
        )
        self.session.add(batch)
        await self.session.flush()
        return Outcome(batch.id, total, added, changed, total - added - changed, applied)

    async def apply(self, batch_id: int) -> None:
        """Take over what differs: facts by UPDATE, open amounts by correcting postings."""
        await self.run(sql.AUDIT, batch=batch_id)
        await self.run(*sql.APPLY)
        async for row in self.pages(sql.CHANGED_AMOUNTS_PAGE):
            await self._correct(row, batch_id)

    async def _correct(self, row: Any, batch_id: int) -> None:
        """Post what brings the claim's open price and costs to what the row says."""
        principal = Money(row.principal_minor, row.currency)
        costs = None if row.costs_minor is None else Money(row.costs_minor, row.currency)
        command = PostingCommand(
            "correction",
            row.claim_id,
            self.today,
            self.now,
            key=f"correction:{batch_id}:{row.reference}",
            detail=f"{principal}/{costs}",
        )
        await command.run(self.session, lambda held: correction(held.open, principal, costs))

    def _opening(self, row: Any) -> tuple[Posting, ...]:
        """The postings that :func:`ledger.book.open_claim` would make for this claim."""
        principal = Money(row.principal_minor, row.currency)
        costs = Money(row.costs_minor, row.currency)
        interest = Money.zero(row.currency)
        return chained(
            row.claim_id,
            None,
            opening(principal, costs, interest),
            value_date=row.invoice_date,
            booked_at=self.now,
            key=f"claim:{row.reference}",
            input_hash=input_hash(
                "open_claim",
                reference=row.reference,
                parts=[principal, costs, interest],
                invoice_date=row.invoice_date,
            ),
        )


def correction(open_: OpenAmount, principal: Money, costs: Money | None) -> tuple[Movement, ...]:
    """What brings the open price (and costs, unless None) to the merchant's amounts.

    More is an additional charge, less a credit note; interest stays as it is.
    """
    movements = []
    for account, origin, held, stated in (
        (Account.PRINCIPAL, Account.REVENUE, open_.principal, principal),
        (Account.COSTS, Account.COSTS_CHARGED, open_.costs, costs),
    ):
        if stated is None or stated == held:
            continue
        if stated > held:
            movements.append(Movement(PostingKind.CHARGE, origin, account, stated - held))
        else:
            movements.append(
                Movement(
                    PostingKind.CREDIT_NOTE,
                    account,
                    Account.RETURNS,
                    held - stated,
                    marking=Marking.AS_STATED,
                )
            )
    return tuple(movements)


_FACTS = attrgetter(*sql.STAGED_FACTS)


def _staged(row: ClaimRow) -> tuple[Any, ...]:
    """A checked row in the order of the staging table's columns."""
    costs = None if row.costs is None else row.costs.minor
    return (*_FACTS(row), row.principal.minor, costs, row.principal.currency)


def _posted(posting: Posting) -> tuple[Any, ...]:
    """A posting in the order of the staging table's columns."""
    values = posting_values(posting, 0, None)
    return tuple(values[name] for name in sql.POSTED)

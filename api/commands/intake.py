"""``kulanz import-claims``, ``import-open-items`` and ``import-reorders``: how rows come in."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.clock import Clock
from api.commands.session import MerchantKey, Refused, console, errors, merchant_opened, run
from ledger import rows_claims, rows_items, rows_reorders
from ledger.contact import is_region
from ledger.intake_book import Difference, RowsRefused, Source, take_claims
from ledger.intake_items import take_items
from ledger.intake_reorders import take_reorders
from ledger.money import Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import FileRefused, RowFile, open_rows
from storage.tables import Merchant

ROWS_PER_PAINT = 500

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Amounts = Annotated[
    Notation,
    typer.Option(help="How the file writes amounts; either: its own clear amounts decide."),
]
IgnoreUnknown = Annotated[
    bool, typer.Option("--ignore-unknown-columns", help="Leave columns aside that have no meaning.")
]
Region = Annotated[
    str, typer.Option(help="ISO 3166-1 country that completes phone numbers without country code.")
]


def import_claims(
    file: File,
    merchant: MerchantKey = None,
    apply_changes: Annotated[
        bool, typer.Option("--apply-changes", help="Take over what differs from what is kept.")
    ] = False,
    amounts: Amounts = Notation.EITHER,
    region: Region = "DE",
    ignore_unknown_columns: IgnoreUnknown = False,
) -> None:
    """Import open claims from a CSV file: all of them, or none if one row has a problem.

    The file's columns are described in docs/importing.md. Importing a file again changes
    nothing, it confirms the open amounts. What differs from what is kept is shown, and taken
    over with --apply-changes.
    """

    async def work() -> None:
        rows = open_rows(
            file, rows_claims.COLUMNS, ignore_unknown=ignore_unknown_columns, notation=amounts
        )
        async with merchant_opened(merchant) as (database, found, clock):
            with _progress(rows.rows_total) as painted:
                async with database.merchant(found.id) as session:
                    outcome = await take_claims(
                        session,
                        rows.records(),
                        _setting(found, clock, rows, region),
                        Source("claims", file.name, rows.sha256),
                        merchant_id=found.id,
                        apply_changes=apply_changes,
                        report=_report,
                        show=_show,
                        progress=painted,
                    )
        console.print(
            f"{outcome.rows_total} rows: {outcome.rows_added} added, "
            f"{outcome.rows_unchanged} unchanged, {outcome.rows_changed} "
            + ("changed" if outcome.applied else "differ")
        )
        if outcome.rows_changed and not outcome.applied:
            console.print("Differences were not taken over; --apply-changes does it.")

    run(_or_refused(work()))


def import_open_items(
    file: File,
    merchant: MerchantKey = None,
    amounts: Amounts = Notation.EITHER,
    ignore_unknown_columns: IgnoreUnknown = False,
) -> None:
    """Import payments, credit notes, returns, recalls and confirmations from a CSV file."""

    async def work() -> None:
        rows = open_rows(
            file, rows_items.COLUMNS, ignore_unknown=ignore_unknown_columns, notation=amounts
        )
        async with merchant_opened(merchant) as (database, found, clock):
            with _progress(rows.rows_total) as painted:
                async with database.merchant(found.id) as session:
                    outcome = await take_items(
                        session,
                        rows.records(),
                        _setting(found, clock, rows, "DE"),
                        Source("open_items", file.name, rows.sha256),
                        merchant_id=found.id,
                        report=_report,
                        progress=painted,
                    )
        console.print(
            f"{outcome.rows_total} rows: {outcome.rows_posted} posted, "
            f"{outcome.rows_repeated} posted before, {outcome.rows_confirmed} confirmed"
        )

    run(_or_refused(work()))


def import_reorders(
    file: File,
    merchant: MerchantKey = None,
    amounts: Amounts = Notation.EITHER,
    ignore_unknown_columns: IgnoreUnknown = False,
) -> None:
    """Import orders from a CSV file, to see which customers buy again after a solved case."""

    async def work() -> None:
        rows = open_rows(
            file, rows_reorders.COLUMNS, ignore_unknown=ignore_unknown_columns, notation=amounts
        )
        async with (
            merchant_opened(merchant) as (database, found, clock),
            database.merchant(found.id) as session,
        ):
            outcome = await take_reorders(
                session,
                rows.records(),
                _setting(found, clock, rows, "DE"),
                Source("reorders", file.name, rows.sha256),
                merchant_id=found.id,
                report=_report,
            )
        console.print(
            f"{outcome.rows_total} rows: {outcome.rows_added} added, "
            f"{outcome.rows_repeated} sent before, {outcome.rows_unknown} of unknown customers"
        )

    run(_or_refused(work()))


def _setting(merchant: Merchant, clock: Clock, rows: RowFile, region: str) -> Setting:
    if not is_region(region.upper()):
        raise Refused(f"{region} is not a country code; write DE, AT …")
    return Setting(
        now=clock.now(),
        zone=ZoneInfo(merchant.timezone),
        currency=merchant.currency,
        region=region.upper(),
        notation=rows.notation,
    )


async def _or_refused(work: Coroutine[Any, Any, None]) -> None:
    """Do the work; a file or rows that cannot be taken end the command as refused."""
    try:
        await work
    except FileRefused as error:
        for problem in error.problems:
            _report(problem)
        raise Refused("the file cannot be read; nothing was imported") from error
    except RowsRefused as error:
        raise Refused(str(error)) from error


def _report(problem: Problem) -> None:
    errors.print(str(problem), markup=False, highlight=False, soft_wrap=True)


def _show(difference: Difference) -> None:
    whose = difference.claim_reference or f"customer {difference.customer_number}"
    old = "nothing" if difference.old is None else difference.old
    console.print(
        f"line {difference.line}, {whose}, {difference.column}: {old} → {difference.new}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@contextmanager
def _progress(rows_total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error; rows beyond those read are being written."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("Checking rows", total=rows_total)

        def painted(rows: int) -> None:
            if rows == rows_total:
                progress.update(task, completed=rows, description="Writing to the ledger")
            elif rows % ROWS_PER_PAINT == 0:
                progress.update(task, completed=rows)

        yield painted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import-claims")(import_claims)
    app.command("import-open-items")(import_open_items)
    app.command("import-reorders")(import_reorders)

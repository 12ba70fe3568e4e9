"""``kulanz follow-ups``: agreements that were not kept, for the merchant's letters or process."""

import csv
import sys
from collections.abc import Sequence
from typing import Annotated, TextIO

import typer

from api.clock import Clock
from api.commands.session import merchant_named, run
from api.database import database_only
from api.settings import Settings
from api.wiring import as_running
from ledger.book_follow_up import FollowUpRow, take_follow_ups
from storage.engine import Database

COLUMNS = (
    *("kind", "claim_reference", "invoice_number", "payment_reference", "customer_number", "name"),
    *("open", "currency", "agreed", "agreed_at", "missed_day", "ended_at"),
)


def follow_ups(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were handed over before.")
    ] = False,
) -> None:
    """Write agreements that were not kept as CSV: for letters, or for your own process."""
    run(_work(merchant, again=again))


async def _work(key: str | None, *, again: bool) -> None:
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            now = Clock(as_running(settings)).now()
            async with database.operator() as session:
                merchant = await merchant_named(session, key)
            async with database.merchant(merchant.id) as session:
                rows = await take_follow_ups(session, merchant.id, now=now, again=again)
        finally:
            await database.close()
    write(rows, sys.stdout)


def write(rows: Sequence[FollowUpRow], file: TextIO) -> None:
    """The rows as CSV; amounts with a decimal point, moments in ISO form."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        missed = row.agreed.next_instalment
        cells = (
            *(row.kind, row.claim_reference, row.invoice_number, row.rf_reference),
            *(row.customer_number, row.name, str(row.open.decimal), row.open.currency),
            *(row.agreed.terms.kind.value, row.agreed.agreed_at.isoformat(timespec="seconds")),
            missed.instalment.due.isoformat() if missed is not None else "",
            row.at.isoformat(timespec="seconds"),
        )
        writer.writerow(map(_plain, cells))


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("follow-ups")(follow_ups)

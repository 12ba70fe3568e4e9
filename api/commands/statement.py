"""``kulanz statement``: a claim's account, posting by posting; or as its customer gets it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.claim_statements import sheet_of_claim
from api.clock import Clock
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.pages.statement.page import statement_html
from api.pages.statement.pdf import render
from api.settings import Settings
from api.statement_view import agreement_table, interest_table, money, statement_table
from api.wiring import as_running
from ledger.book import statement
from ledger.statement import Statement
from storage.engine import Database
from storage.tables import Claim, Customer


def show(
    claim: Annotated[
        str | None, typer.Argument(help="Claim reference or invoice number; without: all open.")
    ] = None,
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write it as its customer gets it, to a file .pdf or .html.",
        ),
    ] = None,
) -> None:
    """Print the statement of one claim, or list the newest claims."""
    run(_work(claim, merchant, out))


async def _work(wanted: str | None, merchant_key: str | None, out: Path | None) -> None:
    if out is not None and out.suffix.lower() not in (".pdf", ".html"):
        raise Refused(f"{out.name}: a statement is written as .pdf or .html")
    if out is not None and wanted is None:
        raise Refused("say which claim: `kulanz statement CLAIM -o FILE.pdf`")
    settings = Settings()
    now = Clock(as_running(settings)).now()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=2)
        try:
            async with database.operator() as session:
                merchant = await merchant_named(session, merchant_key)
            async with database.merchant(merchant.id) as session:
                if wanted is None:
                    await _list(session, now)
                    return
                claim_id = await session.scalar(
                    select(Claim.id).where(
                        or_(Claim.reference == wanted, Claim.invoice_number == wanted)
                    )
                )
                if claim_id is None:
                    raise Refused(f"{merchant.key} has no claim {wanted!r}")
                found = await statement(session, claim_id, now=now)
                if out is not None:
                    sheet = await sheet_of_claim(session, merchant, claim_id, now)
        finally:
            await database.close()
    if out is not None:
        pdf = out.suffix.lower() == ".pdf"
        out.write_bytes(render(sheet) if pdf else statement_html(sheet))
        console.print(f"{out}: {sheet.title}")
    else:
        _print(found, now, ZoneInfo(merchant.timezone))
    if not found.intact:
        raise Refused("the hash chain of this claim is broken: its postings were changed")


def _print(found: Statement, now: datetime, zone: ZoneInfo) -> None:
    console.print(statement_table(found))
    if found.interest.segments:
        console.print(interest_table(found.interest))
    today = now.astimezone(zone).date()
    for agreement in (*found.earlier_agreements, found.agreement):
        if agreement is not None:
            console.print(agreement_table(agreement, today, zone))


async def _list(session: AsyncSession, now: datetime) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("claim", "customer"):
        table.add_column(name, no_wrap=True)
    table.add_column("what")  # gives way in a narrow terminal
    table.add_column("open", justify="right", no_wrap=True)
    for name in ("due", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("agreed")
    rows = await session.execute(
        select(Claim.id, Customer.number)
        .join(Customer, Customer.id == Claim.customer_id)
        .order_by(Claim.id.desc())
        .limit(40)
    )
    for claim_id, number in rows.all():
        found = await statement(session, claim_id, now=now)
        agreed = (
            found.agreement.terms.kind.value.removeprefix("instalment_") if found.agreement else "-"
        )
        table.add_row(
            found.reference,
            number,
            found.description,
            money(found.open.total),
            found.due_date.isoformat(),
            found.status.value,
            agreed,
        )
    console.print(table)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("statement")(show)

"""``kulanz import-statement`` and ``kulanz statement-review``: what came in at the bank."""

import getpass
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from api import bank_intake
from api.bank_statements import named_amount
from api.clock import Clock
from api.commands.intake import File
from api.commands.session import MerchantKey, Refused, console, errors, merchant_opened, run
from api.wiring import collect_garbage_rarely
from ledger.bank import review
from ledger.bank.entry import StatementRefused
from ledger.bank.files import FILE_BYTES_MAX
from ledger.bank.intake import STATES, StatementsOutcome
from ledger.bank.review import Reviewed, ReviewRefused
from storage.tables import Merchant

SHOWN_MAX = 20

review_app = typer.Typer(
    help="Decide about movements of bank statements that nothing was sure of.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print data instead of tables.")]
Id = Annotated[int, typer.Argument(help="Id of the movement, as listed.")]
By = Annotated[str | None, typer.Option("--as", help="Who decides; your user name without it.")]


def import_statement(
    file: File,
    merchant: MerchantKey = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and keep nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import a bank statement: camt.052, 053 or 054, MT940, or a zip of them.

    Payments that are sure post themselves; likely ones wait in `kulanz statement-review list`.
    Importing a file again posts nothing. docs/bank-statements.md says more.
    """

    async def work() -> None:
        collect_garbage_rarely()
        data = _read(file)
        try:
            statements = await bank_intake.read(data)
            async with merchant_opened(merchant) as (database, found, clock):
                outcome = await bank_intake.take(
                    database,
                    found,
                    statements,
                    name=file.name,
                    data=data,
                    clock=clock,
                    dry_run=dry_run,
                )
        except StatementRefused as refused:
            if as_json:
                told = {"error": "statement_refused", "code": refused.code.value}
                typer.echo(json.dumps({**told, "reason": refused.reason}))
            raise Refused(f"{refused.reason}; nothing was imported") from refused
        if as_json:
            told = bank_intake.report(outcome, dry_run=dry_run)
            listed = [bank_intake.taken_data(taken) for taken in outcome.taken]
            typer.echo(json.dumps({"file": file.name, **told, "listed": listed}, indent=2))
        else:
            _print_outcome(outcome, dry_run=dry_run)

    run(work())


def _read(file: Path) -> bytes:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise Refused(f"{file.name} has more than {FILE_BYTES_MAX // 1024**2} MB")
    return file.read_bytes()


def _print_outcome(outcome: StatementsOutcome, *, dry_run: bool) -> None:
    pending = f", {outcome.pending} not booked yet" if outcome.pending else ""
    console.print(
        f"{outcome.statements} statements, {outcome.entries} entries, "
        f"{len(outcome.taken)} movements{pending}"
    )
    counts = outcome.counts
    for currency, sums in outcome.sums.items():
        parts = ", ".join(f"{state} {sums[state].decimal:.2f}" for state in STATES)
        console.print(f"{currency} {sums['total'].decimal:.2f}: {parts}", highlight=False)
    console.print(", ".join(f"{counts[state]} {state}" for state in STATES))
    waiting = [taken for taken in outcome.taken if taken.state == "suggested"]
    if waiting:
        table = Table(box=SIMPLE_HEAD)
        for name in ("statement", "entry", "booked", "amount", "claim", "why it waits"):
            table.add_column(name, justify="right" if name == "amount" else "left")
        for taken in waiting[:SHOWN_MAX]:
            table.add_row(
                taken.statement,
                str(taken.entry),
                taken.booked.isoformat(),
                str(taken.amount),
                ", ".join(taken.claims),
                taken.doubt,
            )
        console.print(table)
    if dry_run:
        console.print("A dry run: nothing was kept.")
    elif waiting:
        console.print("Decide with `kulanz statement-review list`.")


@review_app.command("list")
def list_movements(
    merchant: MerchantKey = None,
    state: Annotated[
        list[str] | None, typer.Option(help="suggested, unmatched, posted or rejected.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List movements that wait for a decision."""

    async def work() -> None:
        wanted = state or ["suggested"]
        if unknown := set(wanted) - {"suggested", "unmatched", "posted", "rejected"}:
            raise Refused(f"there is no state {', '.join(sorted(unknown))}")
        async with merchant_opened(merchant) as (database, found, _):
            listed: list[Reviewed] = []
            async with database.merchant(found.id) as session:
                while page := await review.listed(
                    session, found.id, states=wanted, after=listed[-1].id if listed else 0
                ):
                    listed += page
        if as_json:
            typer.echo(json.dumps([bank_intake.reviewed_data(item) for item in listed], indent=2))
        else:
            _print_list(listed)

    run(work())


def _print_list(listed: list[Reviewed]) -> None:
    if not listed:
        console.print("Nothing waits.")
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("id", "booked", "amount", "payer", "text", "claim", "because", "why it waits"):
        table.add_column(name, justify="right" if name in ("id", "amount") else "left")
    for item in listed:
        table.add_row(
            str(item.id),
            item.booked.isoformat(),
            str(item.amount),
            item.payer_name or "",
            " ".join(item.text.split())[:60],
            ", ".join(proposal.claim_reference for proposal in item.proposals),
            ", ".join(item.evidence),
            item.doubt or "",
        )
    console.print(table)


@review_app.command("accept")
def accept(
    movement: Id,
    merchant: MerchantKey = None,
    claim: Annotated[
        str | None, typer.Option(help="Reference of the claim; without it, as proposed.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="In the claim's currency, where another one arrived.")
    ] = None,
    by: By = None,
) -> None:
    """Post a movement as proposed, or on the claim named."""

    async def deed(session: AsyncSession, found: Merchant, clock: Clock) -> Reviewed:
        return await review.accept(
            session,
            found.id,
            movement,
            by=by or getpass.getuser(),
            now=clock.now(),
            claim_reference=claim,
            amount=named_amount(amount, found),
        )

    run(_decide(merchant, deed))


@review_app.command("reject")
def reject(movement: Id, merchant: MerchantKey = None, by: By = None) -> None:
    """Say that a movement is for none of the claims."""

    async def deed(session: AsyncSession, found: Merchant, clock: Clock) -> Reviewed:
        who = by or getpass.getuser()
        return await review.reject(session, found.id, movement, by=who, now=clock.now())

    run(_decide(merchant, deed))


@review_app.command("undo")
def undo(movement: Id, merchant: MerchantKey = None, by: By = None) -> None:
    """Reverse what was posted from a movement; it waits for a decision again."""

    async def deed(session: AsyncSession, found: Merchant, clock: Clock) -> Reviewed:
        who = by or getpass.getuser()
        return await review.undo(session, found.id, movement, by=who, now=clock.now())

    run(_decide(merchant, deed))


async def _decide(
    merchant: str | None,
    deed: Callable[[AsyncSession, Merchant, Clock], Awaitable[Reviewed]],
) -> None:
    async with merchant_opened(merchant) as (database, found, clock):
        try:
            async with database.merchant(found.id) as session:
                done = await deed(session, found, clock)
        except ReviewRefused as refused:
            raise Refused(str(refused)) from refused
    claims = ", ".join(proposal.claim_reference for proposal in done.proposals)
    errors.print(f"movement {done.id} ({done.amount}) is {done.state}: {claims}", highlight=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import-statement")(import_statement)
    app.add_typer(review_app, name="statement-review")

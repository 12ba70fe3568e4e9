"""``kulanz base-rate``: the base rates that interest is reckoned with; add or confirm one."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from rich.table import Table

from api.commands.session import Refused, console, run
from api.database import database_only
from api.settings import Settings
from ledger import book
from ledger.base_rate import BaseRate, NoHalfYear, not_confirmed
from storage.engine import Database

PERCENT_MAX = Decimal(100)

commands = typer.Typer(help="The base rates (§ 247 BGB) that interest is reckoned with.")


@commands.command("list")
def show() -> None:
    """List every half year with its rate, and which are not confirmed."""
    run(_list())


@commands.command()
def add(
    since: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%d"], help="1 January or 1 July of a year.")
    ],
    percent: Annotated[str, typer.Argument(help="Percent a year, such as 1.52; below 0 after --.")],
    source: Annotated[str, typer.Option(help="Where it is announced: notice, page, date.")],
    confirmed: Annotated[
        bool, typer.Option(help="Whether the Bundesbank's own announcement is at hand.")
    ] = True,
) -> None:
    """Add, confirm or correct the base rate of a half year.

    Nothing is changed silently: a claim is booked anew with it, visibly, when something is next
    posted on it.
    """
    try:
        value = Decimal(percent.replace(",", "."))
    except InvalidOperation:
        value = Decimal("NaN")
    run(_add(BaseRate(since.date(), value, confirmed, source.strip())))


async def _add(rate: BaseRate) -> None:
    if not rate.percent.is_finite() or abs(rate.percent) >= PERCENT_MAX:
        raise Refused("the rate is a number of percent, such as 1.52")
    if rate.percent != round(rate.percent, 2):
        raise Refused("the Bundesbank announces base rates with two decimals")
    if not rate.source:
        raise Refused("say with --source where the rate is announced")
    async with database_only(Settings()) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                await book.add_base_rate(session, rate, now=datetime.now(UTC))
        except NoHalfYear:
            raise Refused(
                "the base rate changes on 1 January and 1 July only (§ 247 BGB)"
            ) from None
        finally:
            await database.close()
    state = "confirmed" if rate.confirmed else "not confirmed"
    console.print(f"{rate.percent} % from {rate.since}, {state}")


async def _list() -> None:
    async with database_only(Settings()) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                rates = await book.base_rates(session)
        finally:
            await database.close()
    console.print(rate_table(rates))
    today = datetime.now(UTC).date()
    for missing in not_confirmed(rates[0].since, today, rates):
        console.print(f"[yellow]not confirmed[/]: the half year from {missing}")


def rate_table(rates: tuple[BaseRate, ...]) -> Table:
    """One line a half year."""
    table = Table("since")
    table.add_column("percent", justify="right")
    table.add_column("state")
    table.add_column("source")
    for rate in rates:
        state = "confirmed" if rate.confirmed else "[yellow]not confirmed[/]"
        table.add_row(rate.since.isoformat(), str(rate.percent), state, rate.source)
    return table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="base-rate")

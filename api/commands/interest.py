"""``kulanz interest``: default interest of an amount, period by period."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from api.commands.session import Refused, console, run
from api.database import database_only
from api.settings import Settings
from api.statement_view import interest_table
from ledger.base_rate import SHIPPED, BaseRate, BaseRateUnknown
from ledger.book import base_rates
from ledger.interest import Interest, PrincipalChange, default_interest
from ledger.money import AmountUnreadable, Money, Notation, parse_amount
from storage.engine import Database

CURRENCY = "EUR"


def interest(
    principal: Annotated[str, typer.Option(help="What bears interest, such as 1500.00.")],
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day that counts.")
    ],
    to: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day that counts.")],
    over_base: Annotated[
        str, typer.Option(help="Points over the base rate: 5 for consumers, 9 for businesses.")
    ] = "5",
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Leave out the base rates that were added here.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Reckon default interest (§ 288 BGB): actual/actual, both ends counted, rounded once."""
    run(_work(principal, since.date(), to.date(), over_base, shipped, as_json))


async def _work(
    principal: str, first: date, last: date, over_base: str, shipped: bool, as_json: bool
) -> None:
    try:
        amount = parse_amount(principal, currency=CURRENCY, notation=Notation.EITHER)
        points = Decimal(over_base.replace(",", "."))
    except (AmountUnreadable, InvalidOperation) as error:
        raise Refused(f"not readable: {error}") from error
    if amount.minor <= 0 or not points.is_finite() or last < first:
        raise Refused("the amount is above 0, the points a number, and --to not before --from")
    rates = SHIPPED if shipped else await _rates()
    try:
        found = default_interest(
            [PrincipalChange(first - timedelta(days=1), amount)],
            default_since=first,
            through=last,
            points=points,
            rates=rates,
        )
    except BaseRateUnknown:
        raise Refused(f"base rates are known from {rates[0].since} on") from None
    if as_json:
        typer.echo(json.dumps(as_data(found, amount, first, last, points), indent=2))
        return
    console.print(interest_table(found))


async def _rates() -> tuple[BaseRate, ...]:
    """The rates of the database; the shipped ones where there is none yet."""
    settings = Settings()
    if settings.database_url is None and not settings.data_dir.exists():
        return SHIPPED
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                return await base_rates(session)
        finally:
            await database.close()


def as_data(
    found: Interest, principal: Money, first: date, last: date, points: Decimal
) -> dict[str, Any]:
    """The periods as they are printed with ``--json``; amounts and rates are decimal texts."""
    return {
        "currency": principal.currency,
        "principal": str(principal.decimal),
        "from": first.isoformat(),
        "to": last.isoformat(),
        "over_base": str(points),
        "periods": [
            {
                "from": part.first.isoformat(),
                "to": part.last.isoformat(),
                "days": part.days,
                "principal": str(part.principal.decimal),
                "base_rate": str(part.base_percent),
                "percent": str(part.percent),
                "amount": str(part.amount.decimal),
                "confirmed": part.confirmed,
            }
            for part in found.segments
        ],
        "days": sum(part.days for part in found.segments),
        "total": str(found.amount.decimal),
        "confirmed": found.confirmed,
    }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(interest)

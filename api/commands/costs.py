"""``kulanz costs``: what conversations cost, counted from the messages; prices are estimates."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from api.commands.session import Refused, console, merchant_named, run
from api.costs import Costs, PricesUnreadable, counted, read_prices
from api.database import database_only
from api.settings import Settings
from storage.engine import Database

DAYS = 30
NOTE = "An estimate: your provider's bill counts, and prices change. --prices takes your own."


def costs(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    since: Annotated[
        str | None, typer.Option(help="First day, YYYY-MM-DD; 30 days ago without it.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last day, YYYY-MM-DD; today without it.")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="Your prices, a TOML file like api/prices.toml.")
    ] = None,
    conversations: Annotated[
        bool, typer.Option("--conversations", help="Also each conversation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with conversations.")] = False,
) -> None:
    """Count SMS parts and WhatsApp templates, and estimate what they cost."""
    run(_work(merchant, since, until, prices, conversations=conversations, as_json=as_json))


async def _work(
    key: str | None,
    since: str | None,
    until: str | None,
    own: Path | None,
    *,
    conversations: bool,
    as_json: bool,
) -> None:
    settings = Settings()
    try:
        prices = read_prices(own)
    except PricesUnreadable as error:
        raise Refused(str(error)) from error
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            zone = ZoneInfo(owner.timezone)
            last = _day(until) or datetime.now(UTC).astimezone(zone).date()
            first = _day(since) or last - timedelta(days=DAYS)
            if first > last:
                raise Refused(f"{first} is after {last}")
            async with database.merchant(owner.id) as session:
                found = await counted(
                    session,
                    owner.id,
                    prices,
                    since=datetime.combine(first, time.min, zone),
                    until=datetime.combine(last + timedelta(days=1), time.min, zone),
                )
        finally:
            await database.close()
    if as_json:
        typer.echo(json.dumps(as_data(found, owner.key, first, last), indent=2))
        return
    console.print(f"{owner.key}, {first} to {last}: {len(found.conversations)} conversations")
    console.print(_by_unit(found))
    if conversations:
        console.print(_by_conversation(found))
    console.print(_total(found))
    console.print(NOTE)


def as_data(found: Costs, merchant: str, first: date, last: date) -> dict[str, Any]:
    """The counts and estimates as they are printed with ``--json``; amounts are decimal texts."""
    return {
        "merchant": merchant,
        "since": first.isoformat(),
        "until": last.isoformat(),
        "estimate": True,
        "units": dict(sorted(found.units.items())),
        "cost": _texts(found.estimate(found.units)),
        "prices": {
            unit: {
                "amount": str(price.amount),
                "currency": price.currency,
                "as_of": price.as_of.isoformat(),
                "source": price.source,
            }
            for unit, price in found.prices.items()
        },
        "conversations": [
            {
                "conversation": one.conversation_id,
                "customer": one.customer_number,
                "channel": one.channel,
                "messages": one.messages,
                "units": dict(sorted(one.units.items())),
                "cost": _texts(found.estimate(one.units)),
            }
            for one in found.conversations
        ],
    }


def _by_unit(found: Costs) -> Table:
    table = Table("unit", "count", "each", "together", "price as of", "from")
    for unit, count in sorted(found.units.items()):
        price = found.prices[unit]
        table.add_row(
            unit.replace("_", " "),
            str(count),
            f"{price.amount} {price.currency}",
            _shown(found.estimate({unit: count})),
            price.as_of.isoformat(),
            price.source,
        )
    return table


def _by_conversation(found: Costs) -> Table:
    table = Table("conversation", "customer", "channel", "messages", "cost")
    for one in found.conversations:
        table.add_row(
            str(one.conversation_id),
            one.customer_number or "–",
            one.channel,
            str(one.messages),
            _shown(found.estimate(one.units)),
        )
    return table


def _total(found: Costs) -> str:
    total, count = found.estimate(found.units), len(found.conversations)
    if not count:
        return "nothing was sent or received"
    if not total:
        return "nothing of it costs anything"
    each = {currency: amount / count for currency, amount in total.items()}
    return f"together about {_shown(total)}, {_shown(each)} a conversation"


def _shown(cost: Mapping[str, Decimal]) -> str:
    return " + ".join(f"{amount:.4f} {currency}" for currency, amount in cost.items()) or "0"


def _texts(cost: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:.4f}" for currency, amount in cost.items()}


def _day(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Refused(f"{given!r} is not a day of the form 2026-12-31") from None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(costs)

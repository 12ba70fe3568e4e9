"""``kulanz channels``: where a customer is reached, where not and why, and how it came to that."""

import json
from typing import Annotated

import typer
from rich.table import Table

from api.commands.session import Refused, console, merchant_named, run
from api.customer_channels import ChannelsView, channels_of
from api.database import database_only
from api.settings import Settings
from storage.engine import Database


def channels(
    customer: Annotated[str, typer.Argument(help="Customer number.")],
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
) -> None:
    """Show a customer's contact points, and each step from channel to channel with its reason."""
    run(_work(customer, merchant))


async def _work(number: str, key: str | None) -> None:
    async with database_only(Settings()) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                found = await channels_of(session, owner.id, number)
        finally:
            await database.close()
    if found is None:
        raise Refused(f"{owner.key} has no customer {number!r}")
    _show(found)


def _show(found: ChannelsView) -> None:
    points = Table("channel", "address", "from", "match", "consent", "proved", "now")
    for point in found.contact_points:
        points.add_row(
            point.channel,
            point.address,
            point.source,
            f"{point.match_confidence:.3f}",
            "yes" if point.consent_at else "-",
            "yes" if point.verified_at else "-",
            "active" if point.active else point.obstacle or "reachable",
        )
    console.print(points)
    hours = {"from": found.contact_from, "until": found.contact_until}
    named = ", ".join(f"{name} {at:%H:%M}" for name, at in hours.items() if at is not None)
    console.print(f"prefers: {found.preferred_channel or '-'}; hours: {named or '-'}")
    if found.opted_out_at is not None:
        console.print(f"no messages at all since {found.opted_out_at:%Y-%m-%d}")
    for step in found.steps:
        facts = json.dumps(step.facts, ensure_ascii=False)
        console.print(f"{step.at:%Y-%m-%d %H:%M} {step.kind} {facts}", highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(channels)

"""``kulanz contact``: plan and send what is due."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from api.clock import Clock
from api.commands.session import console, merchant_named, run
from api.contact import decisions, send_planned
from api.database import database_only
from api.queue import make_app
from api.settings import Settings
from api.wiring import as_running, parts
from outreach.facts import PlannedContact
from storage.engine import Database

SHOWN_MAX = 200


def contact(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show who would be contacted, and why.")
    ] = False,
) -> None:
    """Write to customers with open, fresh claims: first contact, or the one friendly reminder."""
    run(_show(merchant) if dry_run else _send(merchant))


async def _show(key: str | None) -> None:
    settings = Settings()
    table = Table("customer", "what", "on", "why", title="Nothing is sent (dry run)")
    counts: Counter[str] = Counter()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=2)
        try:
            now = Clock(as_running(settings)).now()
            async with database.operator() as session:
                merchant = await merchant_named(session, key)
            async for decision in decisions(database, merchant.id, now):
                planned = isinstance(decision, PlannedContact)
                what = decision.wording if isinstance(decision, PlannedContact) else "-"
                channel = decision.channel.value if isinstance(decision, PlannedContact) else "-"
                counts["planned" if planned else str(decision.reason)] += 1
                if sum(counts.values()) <= SHOWN_MAX:
                    table.add_row(decision.customer_number, what, channel, str(decision.reason))
        finally:
            await database.close()
    console.print(table)
    console.print(", ".join(f"{name}: {count}" for name, count in counts.most_common()))


async def _send(key: str | None) -> None:
    sent, skipped = 0, Counter[str]()
    async with parts(Settings(), pool_size=4) as made:
        app = make_app(made, pool_size=2)
        async with app.open_async():
            async with made.database.operator() as session:
                merchant = await merchant_named(session, key)
            now: datetime = made.clock.now()
            async for decision in decisions(made.database, merchant.id, now):
                if not isinstance(decision, PlannedContact):
                    skipped[str(decision.reason)] += 1
                elif await send_planned(made, app, decision, made.clock.now()):
                    sent += 1
    console.print(f"{sent} messages queued at {now.astimezone(UTC):%H:%M} UTC")
    for reason, count in skipped.most_common():
        console.print(f"  {count} not now: {reason}", highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(contact)

"""``kulanz merchant``: create or update a merchant from a file, or show what is stored."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table
from sqlalchemy import select

from api.accounts import ensure_environment_accounts
from api.commands.session import Refused, console, run
from api.commands.wording import overrides_in
from api.database import database_only
from api.merchants import save_merchant
from api.settings import Settings
from storage.engine import Database
from storage.tables import ChannelAccount, Merchant


def merchant(
    file: Annotated[
        Path | None, typer.Argument(help="TOML file of a merchant; without: list merchants.")
    ] = None,
    wordings: Annotated[
        Path | None,
        typer.Option(help="YAML file of the merchant's own texts; an empty one removes them."),
    ] = None,
) -> None:
    """Create or update a merchant from FILE, or list the merchants."""
    run(_work(file, wordings))


async def _work(file: Path | None, wordings: Path | None) -> None:
    if wordings is not None and file is None:
        raise Refused("name the merchant's TOML file too: `kulanz merchant FILE --wordings FILE`")
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=2)
        try:
            if file is not None:
                await _save(database, settings, file, wordings)
            await _list(database)
        finally:
            await database.close()


async def _save(database: Database, settings: Settings, file: Path, wordings: Path | None) -> None:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        if wordings is not None:
            data["wordings"] = overrides_in(wordings)
        async with database.operator() as session:
            await save_merchant(session, data, datetime.now(UTC))
            await ensure_environment_accounts(session, settings, datetime.now(UTC))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{file}: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise Refused(f"{file} is not stored:\n  " + "\n  ".join(lines)) from error


async def _list(database: Database) -> None:
    table = Table("key", "name", "kind", "bank account", "channels")
    async with database.operator() as session:
        for found in (await session.scalars(select(Merchant).order_by(Merchant.id))).all():
            accounts = await session.scalars(
                select(ChannelAccount.channel).where(ChannelAccount.merchant_id == found.id)
            )
            table.add_row(
                found.key, found.name, found.kind, found.iban or "-", ", ".join(accounts) or "-"
            )
    console.print(table)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(merchant)

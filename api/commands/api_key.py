"""``kulanz api-key``: make, list and revoke the keys of a merchant's own systems."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from api.commands.session import (
    MerchantKey,
    Refused,
    console,
    errors,
    merchant_opened,
    run,
)
from api.keys import PREFIX_LENGTH, KeyUnknown, create_api_key, keys_of, revoke_api_key
from api.people import audit
from api.people.roles import SCOPES, Permission

Scope = StrEnum("Scope", {scope.name: scope.value for scope in SCOPES})  # type: ignore[misc]


def api_key(
    merchant: MerchantKey = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show all keys by how they begin; make none.")
    ] = False,
    revoke: Annotated[
        str | None,
        typer.Option(
            metavar="BEGINNING", help="Revoke the key that begins like this, for good; make none."
        ),
    ] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What the new key may do, once for each; everything without it."),
    ] = None,
    name: Annotated[str, typer.Option(help="What will use the new key, for the log.")] = "",
) -> None:
    """Make an API key of a merchant and print it, this once; or list or revoke keys."""
    if listed and revoke is not None:
        errors.print("[bold red]✗[/] --list or --revoke, one at a time", highlight=False)
        raise typer.Exit(2)
    if listed:
        run(_list(merchant))
    elif revoke is not None:
        run(_revoke(merchant, revoke))
    else:
        wanted = [Permission(one.value) for one in scope or ()]
        run(_make(merchant, wanted or SCOPES, name))


async def _make(merchant: str | None, scopes: Sequence[Permission], name: str) -> None:
    async with (
        merchant_opened(merchant) as (database, found, clock),
        database.merchant(found.id) as session,
    ):
        now = clock.now()
        key = await create_api_key(session, found.id, now=now, scopes=scopes, name=name)
        audit.note(
            session, audit.COMMAND_LINE, "api_key_made", now,
            merchant_id=found.id, key=key[:PREFIX_LENGTH],
        )  # fmt: skip
    errors.print(f"API key of {found.name}; it is not shown again:", highlight=False)
    typer.echo(key)


async def _list(merchant: str | None) -> None:
    async with (
        merchant_opened(merchant) as (database, found, _),
        database.merchant(found.id) as session,
    ):
        rows = await keys_of(session, found.id)
    zone = ZoneInfo(found.timezone)
    table = Table("key", "name", "may", "made", "last used", "revoked")
    for row in rows:
        moments = (row.created_at, row.last_used_at, row.revoked_at)
        may = "everything" if len(row.scopes) == len(SCOPES) else ", ".join(row.scopes)
        table.add_row(f"{row.prefix}…", row.name, may, *(_moment(at, zone) for at in moments))
    console.print(table)


async def _revoke(merchant: str | None, beginning: str) -> None:
    async with (
        merchant_opened(merchant) as (database, found, clock),
        database.merchant(found.id) as session,
    ):
        try:
            key = await revoke_api_key(
                session, found.id, beginning.removesuffix("…"), now=clock.now()
            )
            audit.note(
                session, audit.COMMAND_LINE, "api_key_revoked", clock.now(),
                merchant_id=found.id, key=key.prefix,
            )  # fmt: skip
        except KeyUnknown:
            raise Refused(
                f"{found.key} has no key that begins like this; `kulanz api-key --list` shows "
                "how each begins"
            ) from None
    console.print(f"{key.prefix}… is revoked: nothing is let in with it any more")


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at is not None else "-"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("api-key")(api_key)

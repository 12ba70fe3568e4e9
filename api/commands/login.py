"""``kulanz login``: a one-time link that signs a person in to the console."""

import getpass
from typing import Annotated

import typer

from api.clock import Clock
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.pages.console.sessions import LINK_MINUTES, OPERATOR_CHARACTERS_MAX, make_link
from api.settings import Settings
from api.wiring import NotRunning, Running, as_running
from storage.engine import Database


def login(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    operator: Annotated[
        str | None,
        typer.Option("--as", help="Who signs in, as the audit names them; your login without it."),
    ] = None,
) -> None:
    """Print a link that signs one person in to read transcripts, once, within ten minutes."""
    run(_work(merchant, operator or getpass.getuser()))


async def _work(key: str | None, operator: str) -> None:
    if not 0 < len(operator) <= OPERATOR_CHARACTERS_MAX or not operator.isprintable():
        raise Refused(f"a name has 1 to {OPERATOR_CHARACTERS_MAX} printable characters")
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                now = Clock(as_running(settings)).now()
                token = await make_link(session, owner.id, operator, now)
        finally:
            await database.close()
    # Tokens have letters, digits, "-" and "_" only.
    console.print(f"{_base(settings)}/console/login/{token}", highlight=False, soft_wrap=True)
    console.print(f"for {operator} at {owner.key}, once, within {LINK_MINUTES} minutes")


def _base(settings: Settings) -> str:
    if settings.public_url:
        return settings.public_url.rstrip("/")
    try:
        return Running.load(settings.state_file).web_url
    except NotRunning:
        return f"http://127.0.0.1:{settings.port}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(login)

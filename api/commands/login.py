"""``kulanz login``: a one-time link that signs a person in to the console."""

import getpass
from typing import Annotated

import typer

from api.clock import Clock
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.people.accounts import by_email
from api.people.links import LINK_MINUTES, make_link
from api.people.roles import Role
from api.people.sessions import OPERATOR_CHARACTERS_MAX
from api.settings import Settings
from api.wiring import NotRunning, Running, as_running
from storage.engine import Database


def login(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    operator: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Who signs in: the e-mail address of one of the merchant's people, or a name for "
            "the audit; your login without it.",
        ),
    ] = None,
    role: Annotated[
        Role, typer.Option(help="What somebody may do who is named, and has no account.")
    ] = Role.OWNER,
) -> None:
    """Print a link that signs one person in to the console, once, within ten minutes."""
    run(_work(merchant, operator or getpass.getuser(), role))


async def _work(key: str | None, operator: str, role: Role) -> None:
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
                person = None
                if "@" in operator:
                    person = await by_email(session, owner.id, operator)
                    if person is None or person.disabled_at is not None:
                        raise Refused(
                            f"{operator} cannot sign in at {owner.key}; `kulanz user list` shows "
                            "who can"
                        )
                token = await make_link(session, owner.id, operator, now, role=role, person=person)
        finally:
            await database.close()
    # Tokens have letters, digits, "-" and "_" only.
    console.print(f"{console_url(settings)}/login/{token}", highlight=False, soft_wrap=True)
    console.print(f"for {operator} at {owner.key}, once, within {LINK_MINUTES} minutes")


def console_url(settings: Settings) -> str:
    """Where the console is."""
    if settings.public_url:
        return f"{settings.public_url.rstrip('/')}/console"
    try:
        return f"{Running.load(settings.state_file).web_url}/console"
    except NotRunning:
        return f"http://127.0.0.1:{settings.port}/console"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(login)

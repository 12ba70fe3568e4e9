"""What every command needs: settings, the merchant named on the command line, a clear failure."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import typer
from redis.exceptions import RedisError
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import Clock
from api.database import database_only
from api.service import ModelMissing
from api.settings import Settings
from api.wiring import NotRunning, SecretKeyMissing, as_running
from storage.embedded import EngineFailed
from storage.engine import Database
from storage.migrate import RolesMissing
from storage.tables import Merchant

T = TypeVar("T")
MerchantKey = Annotated[
    str | None, typer.Option("--merchant", help="Key of the merchant; not needed with only one.")
]
console = Console()
errors = Console(stderr=True)


class Refused(Exception):
    """The command cannot be carried out; the text says why and what to do."""


EXPECTED = (Refused, NotRunning, SecretKeyMissing, EngineFailed, ModelMissing, RolesMissing)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; expected failures become one clear line and exit code 1."""
    try:
        return asyncio.run(work)
    except EXPECTED as error:
        errors.print(f"[bold red]✗[/] {error}", highlight=False)
    except (OperationalError, RedisError, OSError) as error:
        errors.print(
            f"[bold red]✗[/] a part of the service does not answer ({type(error).__name__}); "
            "`kulanz doctor` says which",
            highlight=False,
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(1)


async def merchant_named(session: AsyncSession, key: str | None) -> Merchant:
    """The merchant with this key; the only one there is when no key is given.

    Raises:
        Refused: none or several fit; the text lists the known keys.
    """
    merchants = (await session.scalars(select(Merchant).order_by(Merchant.id).limit(50))).all()
    fitting = [m for m in merchants if key is None or m.key == key]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(m.key for m in merchants) or "none yet; add one with `kulanz merchant FILE`"
    wanted = f"no merchant is called {key!r}" if key else "say which merchant with --merchant"
    raise Refused(f"{wanted} (known: {known})")


@asynccontextmanager
async def merchant_opened(key: str | None) -> AsyncIterator[tuple[Database, Merchant, Clock]]:
    """The database, the merchant named on the command line, and the time; for one command."""
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=2)
        try:
            async with database.operator() as session:
                found = await merchant_named(session, key)
            yield database, found, Clock(as_running(settings))
        finally:
            await database.close()

"""``kulanz clock``: what time it is for the service; the demo's clock can be moved."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api.clock import Clock
from api.commands.session import Refused, console, run
from api.settings import Settings

BERLIN = ZoneInfo("Europe/Berlin")


def clock(
    to: Annotated[
        str | None,
        typer.Argument(help="ISO date and time, '+3d', '+2h', or 'real'. Without: show."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="The demo's clock.")] = True,
) -> None:
    """Show the service's clock, or move the demo's (forward or back)."""

    async def work() -> None:
        moved = Clock(Settings(demo=demo))
        if to is not None:
            moved.move_to(_moment(to, moved.now()))
        console.print(f"{moved.now().astimezone(BERLIN):%A, %d %B %Y, %H:%M} (Berlin)")

    run(work())


def _moment(given: str, now: datetime) -> datetime:
    if given == "real":
        return datetime.now(UTC)
    if given[:1] == "+" and given[-1:] in "hd" and given[1:-1].isdigit():
        step = timedelta(hours=1) if given.endswith("h") else timedelta(days=1)
        return now + int(given[1:-1]) * step
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise Refused(f"{given!r} is not an ISO time, '+3d', '+2h' or 'real'") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(clock)

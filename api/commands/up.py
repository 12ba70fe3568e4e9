"""``kulanz up``: the whole service in one terminal."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.commands.session import console, run
from api.demo.sample import prepare_demo
from api.service import Service
from api.settings import Settings
from api.supervisor import until_stopped

Demo = Annotated[
    bool, typer.Option("--demo", help="With sample data, a movable clock and a chat right here.")
]


def up(demo: Demo = False) -> None:
    """Start everything: database, Valkey, Rasa, web and workers. Ctrl-C stops it."""
    run(_demo(Settings(demo=True)) if demo else _up(Settings()))


async def _up(settings: Settings) -> None:
    service = Service(settings, console)
    try:
        running = await service.start()
        service.supervisor.say("up", f"ready at {running.web_url}, Ctrl-C stops", style="bold")
        await until_stopped()
        service.supervisor.say("up", "stopping")
    finally:
        await service.stop()


async def _demo(settings: Settings) -> None:
    """On a terminal the chat opens right here and the log goes to a file beside the data."""
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = settings.data_dir.resolve() / "kulanz.log"
    with log_path.open("a", encoding="utf-8") as log:
        service = Service(settings, Console(file=log, width=200) if interactive else console)
        if interactive:
            console.print("Kulanz starts: database, web, workers, then the assistant (20 s) …")
        try:
            running = await service.start()
            await prepare_demo(settings)
            _where_to_look(running.web_url, log_path if interactive else None)
            if interactive:
                from api.commands.chat import chat_session

                await chat_session(settings, None)
            else:
                await until_stopped()
        finally:
            await service.stop()


def _where_to_look(url: str, log: Path | None) -> None:
    console.print()
    console.print(f"[bold]Kulanz is running[/] at {url}", highlight=False)
    console.print(f"  API docs           {url}/api/docs", highlight=False)
    console.print("  chat as a customer [bold]kulanz chat --as K-10021[/]", highlight=False)
    console.print("  the ledger         [bold]kulanz statement[/]", highlight=False)
    console.print("  a played demo      [bold]kulanz demo[/]", highlight=False)
    if log is not None:
        console.print(f"  log                {log}", highlight=False)
    console.print()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)

"""``kulanz up``: the whole service in one terminal."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from api.commands.chat import chat_session
from api.commands.session import Refused, console, run
from api.demo.people import PEOPLE
from api.demo.sample import prepare_demo
from api.service import Service
from api.settings import Settings
from api.supervisor import stop_event, unless_stopped
from api.wiring import Running

Demo = Annotated[
    bool,
    typer.Option("--demo", help="With sample data, a simulator, a movable clock and a chat here."),
]


def up(demo: Demo = False) -> None:
    """Start everything: database, Valkey, Rasa, web and workers. Ctrl-C stops it."""
    settings = Settings(demo=True) if demo else Settings()
    run(_demo(settings) if demo else _up(settings, console, _until_told))


AfterStart = Callable[[Running, asyncio.Event], Coroutine[Any, Any, None]]


async def _up(settings: Settings, shown: Console, after: AfterStart) -> None:
    """Start, do what comes after, stop; told to stop at any moment, stop from there."""
    stopped = stop_event()
    service = Service(settings, shown)
    try:
        running = await unless_stopped(service.start(), stopped)
        if running is not None:
            service.supervisor.say("up", f"ready at {running.web_url}, Ctrl-C stops", style="bold")
            await unless_stopped(after(running, stopped), stopped)
        service.supervisor.say("up", "stopping")
    finally:
        await service.stop()


async def _until_told(running: Running, stopped: asyncio.Event) -> None:
    await stopped.wait()


async def _demo(settings: Settings) -> None:
    """On a terminal the chat opens right here and the log goes to a file beside the data."""
    if settings.database_url is not None:
        raise Refused("the demo writes sample data: run it without KULANZ_DATABASE_URL")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = settings.data_dir.resolve() / "kulanz.log"

    async def after(running: Running, stopped: asyncio.Event) -> None:
        await prepare_demo(settings)
        _where_to_look(running.web_url, log_path if interactive else None)
        if interactive:
            await chat_session(settings, None)
        else:
            await stopped.wait()

    with log_path.open("a", encoding="utf-8") as log:
        if interactive:
            console.print("Kulanz starts: database, web, workers, then the assistant (20 s) …")
        await _up(settings, Console(file=log, width=200) if interactive else console, after)


def _where_to_look(url: str, log: Path | None) -> None:
    kulanz, data_dir = called_as(), os.environ.get("KULANZ_DATA_DIR")
    others = ", ".join(f"{email} ({role.value})" for email, _, role in PEOPLE[1:])
    lines = [
        "",
        f"[bold]Kulanz is running.[/] Look here: [bold]{url}/simulator[/]",
        f"  API docs           {url}/api/docs",
        "In another terminal, in this folder:",
        *([f"  first              [bold]export KULANZ_DATA_DIR={data_dir}[/]"] if data_dir else []),
        f"  chat as a customer [bold]{kulanz} chat --as K-10023[/]",
        f"  the console        [bold]{kulanz} login --as {PEOPLE[0][0]}[/] (owner)",
        f"                     or as {others}",
        f"  the ledger         [bold]{kulanz} statement[/]",
        f"  a played demo      [bold]{kulanz} demo[/]",
        *([f"  log                {log}"] if log is not None else []),
        "",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def called_as() -> str:
    """How the running command can be typed again in this folder: ``make`` runs it off the PATH."""
    program = Path(sys.argv[0])
    on_path = shutil.which(program.name)
    if on_path is not None and Path(on_path).resolve() == program.resolve():
        return program.name
    inside = program.is_absolute() and program.is_relative_to(Path.cwd())
    return str(program.relative_to(Path.cwd()) if inside else program)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)

"""``kulanz parse``: what the assistant understands, line by line, without a server."""

import os
from typing import Annotated

import typer

from api.commands.session import run
from api.service import BOT, BOT_PYTHON, trained_model


def parse(
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")] = False,
    now: Annotated[str | None, typer.Option(help="Today, as an ISO date and time.")] = None,
) -> None:
    """Read text lines on standard input and print intent, confidence and entities."""
    run(trained_model())
    argv = [str(BOT_PYTHON), str(BOT / "pipeline" / "parse.py")]
    argv += ["--jsonl"] if jsonl else []
    argv += ["--now", now] if now else []
    os.execve(argv[0], argv, {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(parse)

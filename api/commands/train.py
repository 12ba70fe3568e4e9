"""``kulanz train``: train the assistant where its inputs changed."""

import typer

from api.commands.session import Refused, console, run
from api.service import ModelMissing, trained_model


def train() -> None:
    """Train the assistant (cached by a hash of its inputs)."""

    async def work() -> None:
        try:
            console.print(f"model: {trained_model()}", highlight=False)
        except ModelMissing as error:
            raise Refused(str(error)) from error

    run(work())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)

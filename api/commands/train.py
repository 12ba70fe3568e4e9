"""``kulanz train``: train the assistant where its inputs changed."""

import typer

from api.commands.session import console, run
from api.service import trained_model


def train() -> None:
    """Train the assistant (cached by a hash of its inputs)."""

    async def work() -> None:
        console.print(f"model: {await trained_model()}", highlight=False)

    run(work())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)

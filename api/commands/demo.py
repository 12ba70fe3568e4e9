"""``kulanz demo``: a German and an English conversation, played through the real webhooks."""

import typer


def demo() -> None:
    """Play two conversations against a local stand-in of the providers and check the ledger."""
    from api.demo.play import run as play

    raise typer.Exit(play())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)

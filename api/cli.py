"""The ``kulanz`` command. What a command is made of is loaded when it is called, not before."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS: Final = {
    "up": "up",
    "demo": "demo",
    "chat": "chat",
    "import-claims": "intake",
    "import-open-items": "intake",
    "import-reorders": "intake",
    "api-key": "api_key",
    "import-statement": "bank",
    "statement-review": "bank",
    "contact": "contact",
    "telegram-link": "telegram_link",
    "statement": "statement",
    "interest": "interest",
    "base-rate": "base_rate",
    "follow-ups": "follow_ups",
    "costs": "costs",
    "login": "login",
    "user": "user",
    "merchant": "merchant",
    "channel": "channel",
    "channels": "channels",
    "payment-account": "payments",
    "payments": "payments",
    "wording": "wording",
    "webhook": "webhook",
    "parse": "parse",
    "train": "train",
    "clock": "clock",
    "doctor": "doctor",
}
"""Each command and the module of ``api.commands`` that registers it, in the order of the help."""


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load the command, or none where there is no such."""
        if cmd_name not in COMMANDS:
            return None
        of_module = typer.Typer()
        import_module(f"api.commands.{COMMANDS[cmd_name]}").register(of_module)
        return get_group(of_module).commands.get(cmd_name)


app = typer.Typer(
    name="kulanz", cls=_Commands, no_args_is_help=True, pretty_exceptions_show_locals=False
)


@app.callback()
def kulanz() -> None:
    """Kulanz: a conversational service for open invoices."""

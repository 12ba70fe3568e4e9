"""The ``kulanz`` command."""

import typer

from api.commands import (
    bank,
    channel,
    channels,
    chat,
    clock,
    contact,
    costs,
    demo,
    doctor,
    intake,
    login,
    merchant,
    parse,
    statement,
    telegram_link,
    train,
    up,
    wording,
)

app = typer.Typer(
    name="kulanz",
    help="Kulanz: a conversational service for open invoices.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

for module in (
    up,
    demo,
    chat,
    intake,
    bank,
    contact,
    telegram_link,
    statement,
    costs,
    login,
    merchant,
    channel,
    channels,
    wording,
    parse,
    train,
    clock,
    doctor,
):
    module.register(app)

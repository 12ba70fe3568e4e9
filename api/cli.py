"""The ``kulanz`` command."""

import typer

from api.commands import (
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
    webhook,
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
    contact,
    telegram_link,
    statement,
    costs,
    login,
    merchant,
    channel,
    channels,
    wording,
    webhook,
    parse,
    train,
    clock,
    doctor,
):
    module.register(app)

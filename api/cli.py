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
    follow_ups,
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
    contact,
    telegram_link,
    statement,
    follow_ups,
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

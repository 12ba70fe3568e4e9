"""The ``kulanz`` command."""

import typer

from api.commands import (
    api_key,
    bank,
    base_rate,
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
    interest,
    login,
    merchant,
    parse,
    payments,
    statement,
    telegram_link,
    train,
    up,
    user,
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
    api_key,
    bank,
    contact,
    telegram_link,
    statement,
    interest,
    base_rate,
    follow_ups,
    costs,
    login,
    user,
    merchant,
    channel,
    channels,
    payments,
    wording,
    webhook,
    parse,
    train,
    clock,
    doctor,
):
    module.register(app)

"""``kulanz telegram-link``: a one-time link that brings a customer into the Telegram bot."""

import sys
from typing import Annotated

import segno
import typer
from sqlalchemy import select

from api.clock import Clock
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.settings import Settings
from api.wiring import as_running
from conversation.consent import make_start_token
from storage.engine import Database
from storage.tables import ChannelAccount, Customer


def telegram_link(
    customer: Annotated[str, typer.Argument(help="Customer number.")],
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
    qr: Annotated[
        bool, typer.Option("--qr", help="Also show it as a QR code, for a telephone to scan.")
    ] = False,
) -> None:
    """Print a link ``t.me/<bot>?start=…`` that binds one chat to this customer, once."""
    run(_work(customer, merchant, qr))


async def _work(number: str, key: str | None, qr: bool) -> None:
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                customer_id = await session.scalar(
                    select(Customer.id).where(Customer.number == number)
                )
                account = await session.scalar(
                    select(ChannelAccount)
                    .where(ChannelAccount.channel == "telegram", ChannelAccount.enabled)
                    .order_by(ChannelAccount.id)
                    .limit(1)
                )
                if customer_id is None:
                    raise Refused(f"{owner.key} has no customer {number!r}")
                if account is None:
                    raise Refused(f"{owner.key} has no Telegram bot; see docs/connect.md")
                name = account.public_name
                if account.credentials is None:  # a bot of the environment, perhaps just named
                    name = settings.telegram_bot_name or name
                if not name:
                    raise Refused("the Telegram bot has no user name yet; see docs/connect.md")
                token = await make_start_token(
                    session,
                    merchant_id=owner.id,
                    customer_id=customer_id,
                    channel_account_id=account.id,
                    now=Clock(as_running(settings)).now(),
                )
        finally:
            await database.close()
    link = f"https://t.me/{name}?start={token}"
    console.print(link, highlight=False)
    if qr:
        segno.make(link, micro=False).terminal(out=sys.stdout, compact=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("telegram-link")(telegram_link)

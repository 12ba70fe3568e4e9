"""``kulanz telegram-link``: a one-time link that brings a customer into the Telegram bot."""

from typing import Annotated

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
) -> None:
    """Print a link ``t.me/<bot>?start=…`` that binds one chat to this customer, once."""
    run(_work(customer, merchant))


async def _work(number: str, key: str | None) -> None:
    settings = as_running(Settings())
    if not settings.telegram_bot_name:
        raise Refused("KULANZ_TELEGRAM_BOT_NAME is not set")
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                customer_id = await session.scalar(
                    select(Customer.id).where(Customer.number == number)
                )
                account_id = await session.scalar(
                    select(ChannelAccount.id).where(
                        ChannelAccount.channel == "telegram", ChannelAccount.enabled
                    )
                )
                if customer_id is None:
                    raise Refused(f"there is no customer {number!r} of {owner.key}")
                if account_id is None:
                    raise Refused(f"{owner.key} has no Telegram bot; see docs/connect.md")
                token = await make_start_token(
                    session,
                    merchant_id=owner.id,
                    customer_id=customer_id,
                    channel_account_id=account_id,
                    now=Clock(settings).now(),
                )
        finally:
            await database.close()
    console.print(f"https://t.me/{settings.telegram_bot_name}?start={token}", highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("telegram-link")(telegram_link)

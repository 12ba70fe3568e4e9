"""``kulanz payment-account`` and ``kulanz payments``: online payments of a merchant."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import func, select, update

from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.payments.accounts import SEALED_FOR, STRIPE, save_account
from api.sealing import seal
from api.settings import Settings
from api.wiring import Keys
from ledger.money import Money
from storage.engine import Database
from storage.tables import Customer, Payment, PaymentAccount, PaymentNotice

SHOWN = 50


class OnlineProvider(StrEnum):
    """Providers that a merchant can have an account at."""

    STRIPE = STRIPE


PREFIXES = {"secret_key": ("sk_", "rk_"), "webhook_secret": ("whsec_",)}


def payment_account(
    merchant: Annotated[str, typer.Argument(help="The merchant's key.")],
    provider: Annotated[OnlineProvider, typer.Argument(help="stripe")],
    off: Annotated[
        bool, typer.Option("--off", help="Offer it no more; what was begun is still booked.")
    ] = False,
) -> None:
    """Keep a merchant's account at a payment provider: asks for its keys, stores them encrypted."""
    given: dict[str, str] = {}
    if not off:
        for name, prefixes in PREFIXES.items():
            given[name] = typer.prompt(f"{provider.value} {name}", hide_input=True).strip()
            if not given[name].startswith(prefixes):
                raise typer.BadParameter(f"{name} begins with {' or '.join(prefixes)}")
    run(_account(merchant, provider, given))


async def _account(key: str, provider: OnlineProvider, credentials: dict[str, str]) -> None:
    settings = Settings()
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
                if credentials:
                    stored = seal(Keys.of(settings).secret_key, SEALED_FOR, credentials)
                    await save_account(session, owner.id, provider.value, stored, datetime.now(UTC))
                else:
                    changed = await session.scalar(
                        update(PaymentAccount)
                        .where(
                            PaymentAccount.merchant_id == owner.id,
                            PaymentAccount.provider == provider.value,
                        )
                        .values(enabled=False)
                        .returning(PaymentAccount.id)
                    )
                    if changed is None:
                        raise Refused(f"{owner.key} has no account at {provider.value}")
        finally:
            await database.close()
    if credentials:
        address = f"/webhooks/{owner.key}/payments/{provider.value}"
        console.print(f"{owner.key} takes payments by {provider.value}")
        console.print(f"its webhook: <public address>{address}", highlight=False)
    else:
        console.print(f"{owner.key} no longer offers {provider.value}")


def payments(
    merchant: Annotated[str | None, typer.Option(help="The merchant's key.")] = None,
) -> None:
    """List the newest online payments, and notices that wait for what they build on."""
    run(_list(merchant))


async def _list(key: str | None) -> None:
    table = Table("begun", "customer", "amount", "held", "by", "status")
    async with database_only(Settings()) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                rows = await session.execute(
                    select(Payment, Customer.number)
                    .join(Customer, Customer.id == Payment.customer_id)
                    .order_by(Payment.id.desc())
                    .limit(SHOWN)
                )
                for payment, number in rows:
                    held = sum(entry["minor"] for entry in payment.booked.values())
                    table.add_row(
                        f"{payment.created_at.astimezone(UTC):%Y-%m-%d %H:%M}",
                        number,
                        str(Money(payment.amount_minor, payment.currency)),
                        str(Money(held, payment.currency)),
                        payment.provider,
                        payment.status,
                    )
                waiting = await session.scalar(
                    select(func.count())
                    .select_from(PaymentNotice)
                    .where(PaymentNotice.applied_at.is_(None))
                )
        finally:
            await database.close()
    console.print(table if table.row_count else "no online payments yet")
    if waiting:
        console.print(f"{waiting} notices wait: they name a payment that is not known here")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(payment_account)
    app.command()(payments)

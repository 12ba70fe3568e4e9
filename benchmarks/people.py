"""Invented customers with open claims, put straight into a service's ledger."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from api.accounts import ensure_environment_accounts
from api.database import database_only
from api.settings import Settings
from conversation.consent import make_start_token
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import ChannelAccount, ContactPoint, Customer, Merchant


@dataclass(frozen=True)
class Person:
    """A customer with one open claim. `start_token` is set for those who come by Telegram."""

    number: int
    phone: str
    invoice_number: str
    principal_minor: int
    start_token: str | None
    language: str

    @property
    def chat_id(self) -> int:
        """The Telegram chat of this customer."""
        return 500_000 + self.number


async def prepare(
    settings: Settings,
    count: int,
    *,
    telegram_every: int = 2,
    policy: dict[str, object] | None = None,
) -> list[Person]:
    """Create the merchant and `count` customers; every `telegram_every`-th comes by Telegram."""
    now = datetime.now(UTC)
    people: list[Person] = []
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=2)
        try:
            async with database.operator() as session:
                merchant = Merchant(
                    key="lindenhof",
                    name="Lindenhof Versand",
                    phone="+493023125000",
                    email="service@lindenhof.example",
                    website="https://lindenhof.example",
                    payee="Lindenhof Versand GmbH",
                    iban="DE02120300000000202051",
                    policy=policy or {},
                    created_at=now,
                )
                session.add(merchant)
                await session.flush()
                await ensure_environment_accounts(session, settings, now)
                bot = await session.scalar(
                    select(ChannelAccount.id).where(ChannelAccount.channel == "telegram")
                )
            for number in range(1, count + 1):
                async with database.merchant(merchant.id) as session:
                    customer = Customer(
                        merchant_id=merchant.id,
                        number=f"K-{number:05}",
                        name=f"Beispiel{number}",
                        first_name="Kim",
                        postal_code="10115",
                        language="de" if number % 4 else "en",
                        created_at=now,
                        updated_at=now,
                    )
                    session.add(customer)
                    await session.flush()
                    phone = f"+49151{20_000_000 + number}"
                    session.add(
                        ContactPoint(
                            merchant_id=merchant.id,
                            customer_id=customer.id,
                            channel="sms",
                            address=phone,
                            source="merchant_import",
                            created_at=now,
                        )
                    )
                    invoice = f"RE-2026-{number:05}"
                    principal = 12_000 + number * 10
                    await book.open_claim(
                        session,
                        NewClaim(
                            merchant_id=merchant.id,
                            customer_id=customer.id,
                            reference=invoice,
                            invoice_number=invoice,
                            description="Laufschuhe",
                            principal=Money(principal, "EUR"),
                            invoice_date=date(2026, 10, 1),
                            due_date=date(2026, 10, 15),
                            confirmed_at=now + timedelta(0),
                        ),
                        now=now,
                        key=f"people:{number}",
                    )
                    token = None
                    if bot is not None and number % telegram_every == 0:
                        token = await make_start_token(
                            session,
                            merchant_id=merchant.id,
                            customer_id=customer.id,
                            channel_account_id=bot,
                            now=now,
                        )
                people.append(
                    Person(number, phone, invoice, principal, token, "de" if number % 4 else "en")
                )
        finally:
            await database.close()
    return people

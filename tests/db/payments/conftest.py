"""A customer with claims who pays online, and notices as a provider sends them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from api.payments import booking
from api.payments.booking import Taken
from api.payments.provider import Notice, NoticeKind
from ledger import book
from ledger.book import NewClaim
from ledger.claim import OpenAmount
from ledger.money import Money
from storage.engine import Database
from storage.tables import Customer, Merchant, Payment
from tests.conftest import NOW

PROVIDER = "sandbox"


@dataclass
class Till:
    """One customer's claims and payments."""

    database: Database
    merchant: Merchant
    customer: Customer
    claims: list[int] = field(default_factory=list)
    notices: int = 0

    async def claim(self, minor: int) -> int:
        """A claim of this amount, in cents."""
        number = len(self.claims) + 1
        async with self.database.merchant(self.merchant.id) as session:
            claim = await book.open_claim(
                session,
                NewClaim(
                    merchant_id=self.merchant.id,
                    customer_id=self.customer.id,
                    reference=f"R-{number}",
                    invoice_number=f"R-{number}",
                    description="Schuhe",
                    principal=Money(minor),
                    invoice_date=date(2026, 9, 15),
                    due_date=date(2026, 10, 15),
                    confirmed_at=NOW,
                ),
                now=NOW,
                key=f"claim:{number}",
            )
        self.claims.append(claim.id)
        return claim.id

    async def begin(self, **parts: int) -> Payment:
        """Begin to pay: ``c1=1000`` is ten euros on the first claim."""
        async with self.database.merchant(self.merchant.id) as session:
            return await booking.begin(
                session,
                merchant_id=self.merchant.id,
                customer_id=self.customer.id,
                provider=PROVIDER,
                parts={self.claims[int(key[1:]) - 1]: Money(v) for key, v in parts.items()},
                now=NOW,
            )

    def notice(
        self, payment: Payment, kind: NoticeKind, minor: int | None = None, *, case: str = ""
    ) -> Notice:
        """A notice; each one happens a minute after the one before."""
        self.notices += 1
        money = kind not in (NoticeKind.PENDING, NoticeKind.FAILED, NoticeKind.EXPIRED)
        amount = Money(payment.amount_minor if minor is None else minor)
        return Notice(
            event=f"evt_{self.notices}",
            kind=kind,
            happened_at=self.at,
            reference=None if case else payment.reference,
            provider_payment=None if kind is NoticeKind.EXPIRED else f"pay_{payment.id}",
            amount=amount if money else None,
            case=case or None,
        )

    @property
    def at(self) -> datetime:
        """When the next notice happens."""
        return NOW + timedelta(minutes=self.notices)

    async def take(self, notice: Notice) -> Taken:
        """What a webhook does with a notice."""
        async with self.database.merchant(self.merchant.id) as session:
            return await booking.take(session, self.merchant.id, PROVIDER, notice, NOW)

    async def tell(
        self, payment: Payment, kind: NoticeKind, minor: int | None = None, *, case: str = ""
    ) -> Taken:
        """Make a notice and take it."""
        return await self.take(self.notice(payment, kind, minor, case=case))

    async def open(self, number: int) -> OpenAmount:
        """What is open on a claim, counted from 1."""
        async with self.database.merchant(self.merchant.id) as session:
            return await book.balance(session, self.claims[number - 1])

    async def status(self, payment: Payment) -> str:
        """How far the payment has come."""
        async with self.database.merchant(self.merchant.id) as session:
            return (await session.get_one(Payment, payment.id)).status


@pytest.fixture
async def till(database: Database, merchant: Merchant, customer: Customer) -> Till:
    """A customer with one claim of 84.90 and one of 20.00."""
    made = Till(database, merchant, customer)
    await made.claim(84_90)
    await made.claim(20_00)
    return made

"""From "pay now" to the provider's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.payments import booking
from api.payments.provider import Checkout, PaymentProvider
from ledger.money import Money
from storage.engine import Database
from storage.tables import Payment


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer wants to pay: amounts by claim id. `description` is what the provider shows,
    `back_url` where the customer comes back to, with ``?payment=<reference>`` behind it."""

    merchant_id: int
    customer_id: int
    parts: Mapping[int, Money]
    description: str
    language: str
    back_url: str


async def start(database: Database, provider: PaymentProvider, order: Order, now: datetime) -> str:
    """Note the payment, open the provider's page, and return its address.

    The note is committed first: whatever happens after, a notice about it finds it.

    Raises:
        LedgerError, AmountAboveOpen: see :func:`api.payments.booking.begin`; nothing was begun.
        ProviderUnavailable: the page could not be opened; no money can come of it.
    """
    async with database.merchant(order.merchant_id) as session:
        payment = await booking.begin(
            session,
            merchant_id=order.merchant_id,
            customer_id=order.customer_id,
            provider=provider.name,
            parts=order.parts,
            now=now,
        )
    back = f"{order.back_url}{'&' if '?' in order.back_url else '?'}payment={payment.reference}"
    started = await provider.start(
        Checkout(
            reference=payment.reference,
            amount=Money(payment.amount_minor, payment.currency),
            description=order.description,
            language=order.language,
            success_url=back,
            cancel_url=order.back_url,
        )
    )
    async with database.merchant(order.merchant_id) as session:
        kept = await session.get_one(Payment, payment.id)
        kept.provider_checkout = started.provider_checkout
    return started.url

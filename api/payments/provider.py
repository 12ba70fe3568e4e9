"""The contract between providers of online payments and the rest.

A provider shows the customer a page of its own, takes the money there, and tells us what became of
it by signed notices, which come late, more than once and out of order. No card number and no
bank login of a customer ever passes through this service.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ledger.money import Money


class PaymentStatus(StrEnum):
    """How far a payment has come."""

    STARTED = "started"
    """The customer was sent to the provider's page."""
    PENDING = "pending"
    """The customer did their part; the money is on its way (a direct debit takes days)."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    """The customer did not pay on the page while it was valid."""
    RETURNED = "returned"
    """All of it went back: refunded, or called back by the customer's bank."""


class NoticeKind(StrEnum):
    """What a provider can tell."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    """The merchant gave money back; `amount` is all that was given back so far."""
    CHARGED_BACK = "charged_back"
    """The customer's bank called money back; `amount` is that of the case."""
    CHARGEBACK_WON = "chargeback_won"
    """The money of a case has come back to the merchant."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a provider's page needs to know. `description` is shown to the customer there."""

    reference: str
    amount: Money
    description: str
    language: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Started:
    """Where the customer pays, and what the provider calls that page."""

    url: str
    provider_checkout: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of a provider, read and with its signature checked.

    It names the payment by our `reference`, or by `provider_payment` alone. `amount` is None
    where the kind moves no money.
    """

    event: str
    kind: NoticeKind
    happened_at: datetime
    reference: str | None = None
    provider_payment: str | None = None
    amount: Money | None = None
    case: str | None = None


class NoticeForged(ValueError):
    """The signature is missing, wrong, or too old."""


class NoticeMalformed(ValueError):
    """Signed by the provider, but not of the documented shape."""


class ProviderUnavailable(RuntimeError):
    """The provider did not open a page; the customer may try again or pay another way."""


class PaymentProvider(Protocol):
    """One account at one provider."""

    name: str
    origin: str
    """Where its page is, as a browser names it: "" where that is our own address."""

    async def start(self, checkout: Checkout) -> Started:
        """Open the provider's page. The same reference opens the same page.

        Raises:
            ProviderUnavailable: it could not be opened.
        """
        ...

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """Check and read one notice (header names in lower case); None for what is not ours.

        Raises:
            NoticeForged, NoticeMalformed.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...

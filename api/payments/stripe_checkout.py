"""Stripe Checkout, through Stripe's own library: cards, SEPA debit, Klarna, PayPal and what else
the merchant's account has switched on.

Notices: ``checkout.session.completed`` says that the customer is through (paid at once, or
unpaid where the money takes days), ``…async_payment_succeeded`` and ``…failed`` what became of it
then. Refunds and disputes name the payment intent only; a SEPA debit that bounces after
days is a dispute. https://docs.stripe.com/checkout/fulfillment
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from api.payments.provider import (
    Checkout,
    Notice,
    NoticeForged,
    NoticeKind,
    NoticeMalformed,
    ProviderUnavailable,
    Started,
)
from ledger.money import Money, UnknownCurrency

NAME: Final = "stripe"
TIMEOUT_SECONDS: Final = 20
_OF_SESSION: Final = {
    "checkout.session.async_payment_succeeded": NoticeKind.PAID,
    "checkout.session.async_payment_failed": NoticeKind.FAILED,
    "checkout.session.expired": NoticeKind.EXPIRED,
}


class StripeCheckout:
    """One merchant's Stripe account."""

    name = NAME
    origin = "https://checkout.stripe.com"

    def __init__(self, *, secret_key: str, webhook_secret: str, api_url: str) -> None:
        self._webhook_secret = webhook_secret
        self._http = stripe.AIOHTTPClient(timeout=TIMEOUT_SECONDS)
        self._client = stripe.StripeClient(
            secret_key,
            http_client=self._http,
            max_network_retries=2,
            base_addresses={"api": api_url},
        )

    async def start(self, checkout: Checkout) -> Started:
        """Create a Checkout session; the reference is Stripe's idempotency key, too."""
        told = {"reference": checkout.reference}
        try:
            session = await self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    "client_reference_id": checkout.reference,
                    "locale": "de" if checkout.language == "de" else "en",
                    "success_url": checkout.success_url,
                    "cancel_url": checkout.cancel_url,
                    "metadata": told,
                    "payment_intent_data": {"metadata": told},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": checkout.amount.currency.lower(),
                                "unit_amount": checkout.amount.minor,
                                "product_data": {"name": checkout.description},
                            },
                        }
                    ],
                },
                {"idempotency_key": f"checkout:{checkout.reference}"},
            )
        except stripe.StripeError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if not session.url:
            raise ProviderUnavailable("the session has no page")
        return Started(session.url, session.id)

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """Check Stripe's signature and read what concerns payments."""
        try:
            event = stripe.Webhook.construct_event(
                body, headers.get("stripe-signature", ""), self._webhook_secret
            )
        except stripe.SignatureVerificationError as error:
            raise NoticeForged("not signed by Stripe") from error
        except ValueError as error:
            raise NoticeMalformed("not JSON") from error
        try:
            return _notice(event.to_dict())
        except (KeyError, TypeError, UnknownCurrency) as error:
            raise NoticeMalformed(type(error).__name__) from error

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


def _notice(event: Mapping[str, Any]) -> Notice | None:
    kind: str = event["type"]
    thing: Mapping[str, Any] = event["data"]["object"]
    happened_at = datetime.fromtimestamp(event["created"], UTC)
    if kind == "checkout.session.completed":
        paid = thing["payment_status"] != "unpaid"
        found = NoticeKind.PAID if paid else NoticeKind.PENDING
    elif kind in _OF_SESSION:
        found = _OF_SESSION[kind]
    elif kind == "charge.refunded":
        return Notice(
            event["id"],
            NoticeKind.REFUNDED,
            happened_at,
            reference=thing.get("metadata", {}).get("reference"),
            provider_payment=thing["payment_intent"],
            amount=_money(thing["amount_refunded"], thing["currency"]),
        )
    elif kind in ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"):
        withdrawn = kind.endswith("withdrawn")
        return Notice(
            event["id"],
            NoticeKind.CHARGED_BACK if withdrawn else NoticeKind.CHARGEBACK_WON,
            happened_at,
            provider_payment=thing["payment_intent"],
            amount=_money(thing["amount"], thing["currency"]),
            case=thing["id"],
        )
    else:
        return None
    return Notice(
        event["id"],
        found,
        happened_at,
        reference=thing["client_reference_id"],
        provider_payment=thing.get("payment_intent"),
        amount=_money(thing["amount_total"], thing["currency"])
        if found is NoticeKind.PAID
        else None,
    )


def _money(minor: int, currency: str) -> Money:
    return Money(minor, currency.upper())

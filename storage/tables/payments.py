"""Payments by an online provider, and what the provider has told about them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, Json, Moment, OfMerchant


class PaymentAccount(OfMerchant, Base):
    """A merchant's account at a provider of online payments."""

    __tablename__ = "payment_account"
    __table_args__ = (UniqueConstraint("merchant_id", "provider"),)

    id: Mapped[Id]
    provider: Mapped[str]
    credentials: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted with the service's secret key."""
    enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[Moment]


class Payment(OfMerchant, Base):
    """One payment that a customer has begun. What it changed on claims stands in the postings."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("reference"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_payment_provider_payment", "merchant_id", "provider", "provider_payment"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    provider: Mapped[str]
    reference: Mapped[str]
    """Our own name of it, opaque; the provider gives it back."""
    provider_checkout: Mapped[str | None]
    """The provider's name of the page on which the customer pays."""
    provider_payment: Mapped[str | None]
    """The provider's name of the money that moved; refunds and disputes name it."""
    status: Mapped[str]
    """See :class:`api.payments.provider.PaymentStatus`."""
    amount_minor: Mapped[BigInt]
    currency: Mapped[str]
    parts: Mapped[Json]
    """Claim id to minor units: what the customer paid for."""
    booked: Mapped[Json] = mapped_column(server_default="{}")
    """Key of a posted payment to its claim and minor units, less what went back of it."""
    refunded_minor: Mapped[BigInt] = mapped_column(server_default="0")
    """All that the merchant gave back, as the provider counts it."""
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class PaymentNotice(OfMerchant, Base):
    """Something a provider told about a payment; each is kept once, and applied once."""

    __tablename__ = "payment_notice"
    __table_args__ = (
        UniqueConstraint("merchant_id", "provider", "event"),
        Index(
            "ix_payment_notice_waiting",
            "merchant_id",
            "provider",
            postgresql_where=text("applied_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    provider: Mapped[str]
    event: Mapped[str]
    """The provider's id of the notice: the same one comes more than once."""
    kind: Mapped[str]
    """See :class:`api.payments.provider.NoticeKind`."""
    reference: Mapped[str | None]
    provider_payment: Mapped[str | None]
    case: Mapped[str | None]
    """The provider's name of a chargeback's case."""
    amount_minor: Mapped[BigInt | None]
    currency: Mapped[str | None]
    happened_at: Mapped[Moment]
    received_at: Mapped[Moment]
    applied_at: Mapped[Moment | None]
    """Empty while what it builds on has not come yet."""

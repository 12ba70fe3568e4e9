"""What happened, for the merchant's own systems, and the web addresses it is told to."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Json, JsonList, Moment, OfMerchant


class MerchantEvent(OfMerchant, Base):
    """Something that a merchant's systems want to know; written with the fact itself."""

    __tablename__ = "merchant_event"
    __table_args__ = (
        UniqueConstraint("merchant_id", "sequence"),
        Index("ix_merchant_event_merchant_id_at", "merchant_id", "at"),
        Index("ix_merchant_event_unnumbered", "id", postgresql_where=text("sequence IS NULL")),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    """``evt_`` and random characters: the same in every delivery of this event."""
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    """The merchant's own count, from 1, without gaps; given once the fact is committed."""
    kind: Mapped[str]
    at: Mapped[Moment]
    claim_id: Mapped[int | None] = mapped_column(BigInteger)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    conversation_id: Mapped[int | None] = mapped_column(BigInteger)
    facts: Mapped[Json] = mapped_column(server_default="{}")
    """Codes, amounts in minor units and days; no names, addresses or texts."""


class WebhookEndpoint(OfMerchant, Base):
    """A web address of the merchant's that events are posted to."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (UniqueConstraint("merchant_id", "url"),)

    id: Mapped[Id]
    url: Mapped[str]
    kinds: Mapped[JsonList] = mapped_column(server_default="[]")
    """Which events go there; none named: all."""
    secrets: Mapped[bytes] = mapped_column(LargeBinary)
    """The signing secret, and the one before it while it still counts, encrypted."""
    off_at: Mapped[Moment | None]
    """Since when nothing is posted there, because it answered 410."""
    created_at: Mapped[Moment]


class WebhookDelivery(OfMerchant, Base):
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id"),
        Index(
            "ix_webhook_delivery_due",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_webhook_delivery_endpoint_id", "endpoint_id"),
    )

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(ForeignKey("merchant_event.id"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(server_default="pending")
    """``pending``, ``delivered`` or ``failed``."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[Moment]
    """When the next attempt is to be made, while it is pending."""
    attempted_at: Mapped[Moment | None]
    answer: Mapped[int | None]
    """The HTTP status of the last attempt; empty where none came."""
    error: Mapped[str | None]
    """What was wrong with the last attempt, as a code."""

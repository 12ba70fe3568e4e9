"""The customer's page: links to it, who is visiting, and what visitors thought of it."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Moment, OfMerchant


class PageLink(OfMerchant, Base):
    """A link to a customer's page, one for each message that carries one; only its hash is kept.

    It belongs to the conversation it was written in, and ends where that loses its customer.
    """

    __tablename__ = "page_link"

    hash: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"))
    """The message that carries it; empty: the merchant prints it in a letter."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    trusted_until: Mapped[Moment | None]
    """Until then the first visit needs no proof: the chat had it when the link was written."""
    used_at: Mapped[Moment | None]
    """When somebody first came in by it."""
    revoked_at: Mapped[Moment | None]


class PageSession(OfMerchant, Base):
    """Somebody who came in; only the hash of the cookie's token is kept."""

    __tablename__ = "page_session"

    hash: Mapped[str] = mapped_column(primary_key=True)
    link_hash: Mapped[str] = mapped_column(ForeignKey("page_link.hash"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    language: Mapped[str]
    proved_with: Mapped[str]
    """The fact that was proved, or ``chat``."""
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]


class PageFeedback(OfMerchant, Base):
    """What a visitor thought of the page, in their own words."""

    __tablename__ = "page_feedback"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating_in_range"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    rating: Mapped[int]
    text: Mapped[str]
    at: Mapped[Moment]

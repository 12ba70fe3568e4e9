"""Who is signed in to the pages of the merchant's people."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Moment, OfMerchant


class ConsoleLink(OfMerchant, Base):
    """A one-time link that signs a person in; only the hash of its token is kept."""

    __tablename__ = "console_link"

    hash: Mapped[str] = mapped_column(primary_key=True)
    operator: Mapped[str]
    """Who it was made for, as the audit will name them."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ConsoleSession(OfMerchant, Base):
    """A person who is signed in; only the hash of the cookie's token is kept."""

    __tablename__ = "console_session"

    hash: Mapped[str] = mapped_column(primary_key=True)
    operator: Mapped[str]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

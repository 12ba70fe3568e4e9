"""What the console's overview shows, by day and month; orders that followed a solved case."""

from datetime import date

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, Moment, OfMerchant


class OverviewFigure(OfMerchant, Base):
    """One figure of one day or month of the merchant's, for one channel, band and currency.

    Gathered from the books by a job (``api.overview``); nothing is decided by it.
    """

    __tablename__ = "overview_figure"
    __table_args__ = (
        PrimaryKeyConstraint(
            "merchant_id", "grain", "figure", "day", "channel", "band", "currency"
        ),
    )

    grain: Mapped[str]
    """``day`` or ``month``: a month holds the sum of its days, so that few rows make a year."""
    figure: Mapped[str]
    day: Mapped[date]
    """The day, or the first of the month."""
    channel: Mapped[str]
    """Where the customer's dialogue is, or where the first contact went; empty: nowhere yet."""
    band: Mapped[str]
    currency: Mapped[str]
    """Empty: the figure is no amount."""
    cases: Mapped[int]
    minor: Mapped[BigInt]
    minutes: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    """How long cases took since the first contact, each length once; two digits of it count."""
    counts: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    """How many took so long, in the same order."""


class OverviewCase(OfMerchant, Base):
    """A conversation that a figure counts, and when: what is listed behind it.

    Gathered with the figures, which are sums of it.
    """

    __tablename__ = "overview_case"
    __table_args__ = (
        PrimaryKeyConstraint("merchant_id", "figure", "source"),
        Index(
            "ix_overview_case_listed",
            "merchant_id",
            "figure",
            "at",
            "conversation_id",
            postgresql_include=["channel", "band"],
        ),
    )

    figure: Mapped[str]
    source: Mapped[BigInt]
    """The number of what it is counted by: a message, a handoff, or a note of the audit."""
    at: Mapped[Moment]
    """When it happened; of a stage when its first contact was sent."""
    conversation_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str]
    band: Mapped[str]
    minutes: Mapped[int | None]
    """How long it took since the first contact, to two digits."""


class OverviewClaim(OfMerchant, Base):
    """A claim that a figure counts, and when: what is listed behind it.

    Gathered with the figures, which are sums of it: only where telling the claims from the books
    takes more than a page may.
    """

    __tablename__ = "overview_claim"
    __table_args__ = (
        PrimaryKeyConstraint("merchant_id", "figure", "claim_id"),
        Index(
            "ix_overview_claim_listed",
            "merchant_id",
            "figure",
            "due_date",
            "claim_id",
            postgresql_include=["at", "channel", "band"],
        ),
    )

    figure: Mapped[str]
    claim_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("claim.id"))
    at: Mapped[Moment]
    """When it was settled, the last time."""
    due_date: Mapped[date]
    """The claim's own, which never changes: the list stands in this order."""
    channel: Mapped[str]
    """Where the customer's dialogue is; empty: nowhere yet."""
    band: Mapped[str]


class OverviewRefresh(OfMerchant, Base):
    """When a merchant's figures were gathered."""

    __tablename__ = "overview_refresh"

    merchant_id: Mapped[int] = mapped_column(
        ForeignKey("merchant.id", ondelete="RESTRICT"), primary_key=True
    )
    day: Mapped[date]
    """The merchant's day of it: what is open and promised stands under this day."""
    at: Mapped[Moment]
    whole_at: Mapped[Moment]
    """When it was last done for the whole time that can be looked at."""


class Reorder(OfMerchant, Base):
    """An order that the merchant reported: a customer bought again."""

    __tablename__ = "reorder"
    __table_args__ = (
        UniqueConstraint("merchant_id", "order_number"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_reorder_customer_id_ordered_on", "customer_id", "ordered_on"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    order_number: Mapped[str]
    """The merchant's own number: the same one is never counted twice."""
    ordered_on: Mapped[date]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str]
    created_at: Mapped[Moment]

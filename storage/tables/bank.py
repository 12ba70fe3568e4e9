"""What bank statements said: every booked movement once, and what became of it."""

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, Json, Moment, OfMerchant


class BankMovement(OfMerchant, Base):
    """A payment in a bank statement; a collective entry is as many as it has parts.

    Of what went out and is no payment that came back, neither text nor name is kept.
    """

    __tablename__ = "bank_movement"
    __table_args__ = (
        UniqueConstraint("merchant_id", "content", "position"),
        Index("ix_bank_movement_booked", "merchant_id", "account", "booked"),
        Index("ix_bank_movement_reference", "merchant_id", "reference"),
        Index("ix_bank_movement_state", "merchant_id", "state", "id"),
        Index(
            "ix_bank_movement_payer",
            "merchant_id",
            "payer_iban",
            postgresql_where=text("state = 'posted'"),
        ),
        Index(
            "ix_bank_movement_returns",
            "merchant_id",
            "returns_key",
            postgresql_where=text("returns_key IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("intake_batch.id"), index=True)
    account: Mapped[str]
    """IBAN of the merchant's account."""
    format: Mapped[str]
    statement_number: Mapped[str]
    booked: Mapped[date]
    value_date: Mapped[date]
    amount_minor: Mapped[BigInt]
    """Below zero for money that went out."""
    currency: Mapped[str]
    content: Mapped[str]
    """Hash of account, days, amount and text, see ``ledger.bank.identity``."""
    position: Mapped[int]
    """Place among movements that are alike in all of it, from 1."""
    reference: Mapped[str | None]
    """Hash of the bank's own reference, where it is unique."""
    payer_name: Mapped[str | None]
    payer_iban: Mapped[str | None]
    text: Mapped[str]
    end_to_end_id: Mapped[str | None]
    mandate_id: Mapped[str | None]
    code: Mapped[str | None]
    returned: Mapped[str | None]
    original_minor: Mapped[int | None] = mapped_column(BigInteger)
    """Of a returned payment: its amount before the bank's charges."""
    state: Mapped[str]
    """``posted``, ``suggested``, ``unmatched`` or ``rejected``."""
    match: Mapped[Json] = mapped_column(server_default="{}")
    """Shares by claim, evidence and doubt, see ``ledger.bank.matching.Match``."""
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    payment_key: Mapped[str | None]
    """Key of its commands in the ledger, while it is posted."""
    returns_key: Mapped[str | None]
    """Of a returned payment: the ``payment_key`` of the one that came back."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    """How often it was posted and undone again."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

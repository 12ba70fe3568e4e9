"""What people at the desk work with: replies kept ready, suggestions of terms, mentions."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, Json, Moment, OfMerchant


class CannedReply(OfMerchant, Base):
    """A text kept ready under a shortcut, with ``{variables}``."""

    __tablename__ = "canned_reply"
    __table_args__ = (UniqueConstraint("merchant_id", "shortcut"),)

    id: Mapped[Id]
    shortcut: Mapped[str]
    """Without its slash."""
    text_de: Mapped[str]
    text_en: Mapped[str]
    """Empty: it is there in the other language only."""
    changed_by: Mapped[str]
    changed_at: Mapped[Moment]


class DeskOffer(OfMerchant, Base):
    """Terms that a person suggested to a customer; agreed only when the customer says yes."""

    __tablename__ = "desk_offer"
    __table_args__ = (
        UniqueConstraint("merchant_id", "idempotency_key"),
        Index(
            "uq_desk_offer_open",
            "conversation_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    handoff_id: Mapped[int] = mapped_column(ForeignKey("handoff.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"))
    terms: Mapped[Json]
    balance_minor: Mapped[BigInt]
    """What was open when it was suggested."""
    message_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"))
    """What told the customer; empty: told on the telephone."""
    offered_by: Mapped[str]
    offered_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    outcome: Mapped[str | None]
    """``agreed``, ``declined``, ``replaced``, ``withdrawn`` or ``outdated``."""
    consent: Mapped[str | None]
    """How the customer said yes: ``button``, ``words`` or ``phone``."""
    idempotency_key: Mapped[str]


class NoteMention(OfMerchant, Base):
    """A colleague whom a note names."""

    __tablename__ = "note_mention"
    __table_args__ = (
        UniqueConstraint("note_id", "person_id"),
        Index("ix_note_mention_unseen", "person_id", postgresql_where=text("seen_at IS NULL")),
    )

    id: Mapped[Id]
    note_id: Mapped[int] = mapped_column(ForeignKey("handoff_note.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    seen_at: Mapped[Moment | None]

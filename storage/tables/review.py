"""How conversations are found, and what the merchant's reviewers note about them."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, JsonList, Moment, OfMerchant


class Transcript(Base):
    """A conversation's place in the list: its newest message. Kept up by triggers."""

    __tablename__ = "transcript"
    __table_args__ = (
        Index(
            "ix_transcript_merchant_id_at_conversation_id", "merchant_id", "at", "conversation_id"
        ),
    )

    conversation_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("conversation.id"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[BigInt]
    at: Mapped[Moment]
    merchant_id: Mapped[BigInt]


class TranscriptToken(Base):
    """A word (stemmed) or a mark of a conversation.

    What stands in messages is listed soon after them, see `TranscriptWaiting`; all else is kept up
    by triggers, but for reviewers' marks.

    Marks are ``name:value``, which no word is: ``intent``, ``with`` (``unsure``,
    ``not_understood``, ``handoff``, ``dispute``, ``opt_out``, ``flagged``), ``outcome``,
    ``channel``, ``state``, ``wording``, ``variant`` (with its wording), ``agent``, ``rating``.
    """

    __tablename__ = "transcript_token"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class TranscriptWaiting(Base):
    """A message whose words and marks are not listed yet; `kulanz_list_waiting` does that."""

    __tablename__ = "transcript_waiting"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class TranscriptReview(OfMerchant, Base):
    """What reviewers think of a conversation as a whole; who said so stands in the audit."""

    __tablename__ = "transcript_review"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),)

    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversation.id"), primary_key=True, autoincrement=False
    )
    rating: Mapped[int | None]
    flagged: Mapped[bool] = mapped_column(server_default="false")


class TranscriptComment(OfMerchant, Base):
    """What somebody remarked about one message; it has no way to a customer."""

    __tablename__ = "transcript_comment"
    __table_args__ = (UniqueConstraint("message_id", "key"),)

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    text: Mapped[str]
    person: Mapped[str]
    at: Mapped[Moment]
    key: Mapped[str]
    """Of the form, so that a repeated one changes nothing."""


class TranscriptView(OfMerchant, Base):
    """A choice of conversations with a name, for one person or for everybody at the merchant."""

    __tablename__ = "transcript_view"
    __table_args__ = (UniqueConstraint("merchant_id", "person", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    query: Mapped[str]
    """The choice as it stands in the list's address."""
    person: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    shared: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Moment]


class Correction(OfMerchant, Base):
    """What a message should have been understood as, proposed by one and decided by another."""

    __tablename__ = "correction"
    __table_args__ = (
        Index(
            "uq_correction_message_id",
            "message_id",
            unique=True,
            postgresql_where=text("state <> 'rejected'"),
        ),
        Index("ix_correction_merchant_id_state_id", "merchant_id", "state", "id"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    text: Mapped[str]
    """What is learned from, with personal data behind placeholders."""
    language: Mapped[str]
    understood: Mapped[str | None]
    intent: Mapped[str]
    entities: Mapped[JsonList] = mapped_column(server_default="[]")
    """``[{"entity", "words"}]``: the words stand in the text."""
    state: Mapped[str] = mapped_column(server_default="proposed")
    """``proposed``, ``accepted`` or ``rejected``."""
    person: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_at: Mapped[Moment]
    decided_by: Mapped[str | None]
    decided_at: Mapped[Moment | None]

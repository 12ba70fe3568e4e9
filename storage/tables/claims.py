"""Customers, their contact points, claims, postings and agreements."""

from datetime import date, time
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from storage.tables.base import Base, BigInt, Id, Json, Moment, OfMerchant


def _key(expression: str) -> MappedColumn[str | None]:
    """What a search compares, reckoned by the database (migration 0015), byte by byte."""
    return mapped_column(Text(collation="C"), Computed(expression, persisted=True))


class Customer(OfMerchant, Base):
    """A person (or business) who bought something from the merchant."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("merchant_id", "number"),
        Index(
            "ix_customer_merchant_id_name_key_first_name_key",
            "merchant_id",
            "name_key",
            "first_name_key",
        ),
        Index(
            "ix_customer_merchant_id_first_name_key_name_key",
            "merchant_id",
            "first_name_key",
            "name_key",
        ),
        Index("ix_customer_merchant_id_number_key", "merchant_id", "number_key"),
    )

    id: Mapped[Id]
    number: Mapped[str]
    """The merchant's own customer number."""
    name: Mapped[str]
    first_name: Mapped[str | None]
    birth_date: Mapped[date | None]
    postal_code: Mapped[str | None]
    language: Mapped[str | None]
    address_form: Mapped[str | None]
    timezone: Mapped[str | None]
    land: Mapped[str | None]
    preferred_channel: Mapped[str | None]
    active_conversation_id: Mapped[int | None] = mapped_column(BigInteger)
    verification_round: Mapped[int] = mapped_column(server_default="0")
    """Which round of tries to prove who they are it is; a person begins a new one."""
    """Where the dialogue goes on: the one conversation that we write to of our own accord."""
    contact_from: Mapped[time | None]
    """The earliest and latest time of day, theirs, at which they want to hear from us."""
    contact_until: Mapped[time | None]
    opted_out_at: Mapped[Moment | None]
    """When they wanted no more messages on any channel; a stop on one is the address's."""
    business: Mapped[bool] = mapped_column(server_default="false")
    contact_paused_until: Mapped[Moment | None]
    contact_pause_reason: Mapped[str | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    name_key: Mapped[str | None] = _key("kulanz_name_key(name)")
    first_name_key: Mapped[str | None] = _key("kulanz_name_key(first_name)")
    number_key: Mapped[str | None] = _key("kulanz_number_key(number)")


class ContactPoint(OfMerchant, Base):
    """One way to reach a customer on one channel, with where it comes from and what is allowed."""

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("merchant_id", "customer_id", "channel", "address"),
        Index("ix_contact_point_address", "merchant_id", "channel", "address"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    channel: Mapped[str]
    address: Mapped[str]
    """E.164 number, Telegram chat id, or a terminal's name."""
    source: Mapped[str]
    """Where the address comes from: ``merchant_import``, ``customer`` …"""
    purpose: Mapped[str] = mapped_column(server_default="claim")
    match_confidence: Mapped[Decimal] = mapped_column(Numeric(6, 5), server_default="1")
    consent_at: Mapped[Moment | None]
    verified_at: Mapped[Moment | None]
    opted_out_at: Mapped[Moment | None]
    invalid_at: Mapped[Moment | None]
    invalid_reason: Mapped[str | None]
    created_at: Mapped[Moment]


class Claim(OfMerchant, Base):
    """One open invoice. What is owed on it is the sum of its postings, never a column."""

    __tablename__ = "claim"
    __table_args__ = (
        UniqueConstraint("merchant_id", "reference"),
        UniqueConstraint("merchant_id", "rf_reference"),
        Index("ix_claim_merchant_id_invoice_number", "merchant_id", "invoice_number"),
        Index(
            "ix_claim_open",
            "merchant_id",
            "customer_id",
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_claim_merchant_id_invoice_key", "merchant_id", "invoice_key"),
        Index("ix_claim_merchant_id_due_date_id", "merchant_id", "due_date", "id"),
        Index("ix_claim_merchant_id_status_due_date_id", "merchant_id", "status", "due_date", "id"),
        Index(
            "ix_claim_pursued",
            "merchant_id",
            "due_date",
            "id",
            postgresql_where=text("status IN ('open', 'disputed')"),
        ),
        Index(
            "ix_claim_paused",
            "merchant_id",
            "due_date",
            "id",
            postgresql_where=text("paused_until IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    reference: Mapped[str]
    """The merchant's own key of the claim; the invoice number where none is given."""
    invoice_number: Mapped[str]
    order_number: Mapped[str | None]
    description: Mapped[str]
    currency: Mapped[str]
    rf_reference: Mapped[str]
    contract_date: Mapped[date | None]
    invoice_date: Mapped[date]
    due_date: Mapped[date]
    costs_reason: Mapped[str | None]
    """What the costs were charged for, as the customer is told (§ 13a RDG)."""
    consumer_loan: Mapped[bool] = mapped_column(server_default="false")
    """Payments go to the principal before interest (§ 497 III BGB)."""
    default_since: Mapped[date | None]
    default_proof: Mapped[str | None]
    default_ground: Mapped[str | None]
    """``reminder``, ``calendar_date`` or ``noticed_30_days`` (``ledger.default``)."""
    limitation_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(server_default="open")
    """``open``, ``disputed``, ``settled``, ``recalled`` or ``written_off``."""
    paused_until: Mapped[date | None]
    pause_reason: Mapped[str | None]
    confirmed_at: Mapped[Moment | None]
    """When the merchant last confirmed the open amount (freshness lock)."""
    row_hash: Mapped[str | None]
    """Hash of the imported row, to tell an unchanged row from a changed one."""
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    invoice_key: Mapped[str | None] = _key("kulanz_number_key(invoice_number)")


class ClaimOpen(OfMerchant, Base):
    """What was and is open on a claim by its postings, for lists and figures only.

    The database adds to it with each posting (a trigger); nothing is decided by it, and interest
    that is not posted yet is not in it.
    """

    __tablename__ = "claim_open"
    __table_args__ = (
        Index(
            "ix_claim_open_merchant_id_open_minor_claim_id",
            "merchant_id",
            "open_minor",
            "claim_id",
        ),
    )

    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    open_minor: Mapped[BigInt]
    claimed_minor: Mapped[BigInt] = mapped_column(server_default="0")
    """What the claim came in with."""


class Posting(OfMerchant, Base):
    """One double-entry posting: an amount goes from a source to a destination account.

    Append-only (a trigger refuses UPDATE and DELETE); an undo is a reversed posting.
    """

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("merchant_id", "idempotency_key"),
        UniqueConstraint("claim_id", "number"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("source <> destination", name="two_accounts"),
        Index(
            "ix_posting_cash",
            "merchant_id",
            "booked_at",
            postgresql_where=text("source = 'cash' OR destination = 'cash'"),
        ),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"))
    number: Mapped[int]
    """Position in the claim's chain, from 1."""
    kind: Mapped[str]
    source: Mapped[str]
    destination: Mapped[str]
    amount_minor: Mapped[BigInt]
    currency: Mapped[str]
    value_date: Mapped[date]
    booked_at: Mapped[Moment]
    reverses_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("posting.id"))
    marking: Mapped[str | None]
    """Of a payment that is not allocated by § 367 BGB: what it is for."""
    rebooks: Mapped[int | None]
    """Number of the first posting of the command whose effect this one books anew."""
    idempotency_key: Mapped[str]
    input_hash: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class Agreement(OfMerchant, Base):
    """What was agreed about a claim: promise, deferral, instalment plan or settlement."""

    __tablename__ = "agreement"
    __table_args__ = (
        UniqueConstraint("merchant_id", "idempotency_key"),
        Index(
            "uq_agreement_active_claim",
            "claim_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index("ix_agreement_merchant_id_ended_at", "merchant_id", "ended_at"),
        Index("ix_agreement_merchant_id_agreed_at", "merchant_id", "agreed_at"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    """``active``, ``kept``, ``broken``, ``cancelled`` or ``superseded``."""
    total_minor: Mapped[BigInt]
    currency: Mapped[str]
    terms: Mapped[Json] = mapped_column(server_default="{}")
    agreed_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    end_reason: Mapped[str | None]
    idempotency_key: Mapped[str]
    input_hash: Mapped[str]


class Instalment(OfMerchant, Base):
    """One amount of an agreement with its due day (a promise has exactly one)."""

    __tablename__ = "instalment"
    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )

    id: Mapped[Id]
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    number: Mapped[int]
    due_date: Mapped[date]
    amount_minor: Mapped[BigInt]
    currency: Mapped[str]


class FollowUp(OfMerchant, Base):
    """What the merchant does about an agreement that was not kept: a letter, its own process."""

    __tablename__ = "follow_up"
    __table_args__ = (UniqueConstraint("agreement_id"),)

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"))
    kind: Mapped[str]
    """``letter`` or ``export``."""
    at: Mapped[Moment]
    exported_at: Mapped[Moment | None]


class IntakeBatch(OfMerchant, Base):
    """One file or API call of claims or open-item changes, with what it did."""

    __tablename__ = "intake_batch"

    id: Mapped[Id]
    kind: Mapped[str]
    name: Mapped[str]
    sha256: Mapped[str]
    rows_total: Mapped[int]
    rows_added: Mapped[int]
    rows_changed: Mapped[int]
    rows_unchanged: Mapped[int]
    at: Mapped[Moment]

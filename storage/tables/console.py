"""People at the console: who they are, how they prove it, and who is signed in.

A person without a merchant is an operator, who works for all of them; the application role of a
merchant never sees such a row.
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, BigInt, Id, Moment, OfMerchant


class OfMerchantOrAll:
    """Mixin of what belongs to a merchant, or to an operator: then the column is empty."""

    merchant_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("merchant.id", ondelete="RESTRICT"), index=True
    )


class Person(OfMerchantOrAll, Base):
    """Somebody who signs in with an e-mail address."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("email", "merchant_id", postgresql_nulls_not_distinct=True),
        UniqueConstraint("merchant_id", "sso_subject"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("(role = 'operator') = (merchant_id IS NULL)", name="operator_of_all"),
    )

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    """See :class:`api.people.roles.Role`."""
    password: Mapped[str | None]
    """An Argon2id hash; empty until the invitation was followed."""
    second_factor: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret of the time-based codes, encrypted with the service's secret key."""
    second_factor_step: Mapped[BigInt | None]
    """The time step of the last code that was taken: none is taken twice."""
    sso_subject: Mapped[str | None]
    """Issuer and subject of their account at the merchant's provider, once they came by it."""
    created_at: Mapped[Moment]
    signed_in_at: Mapped[Moment | None]
    disabled_at: Mapped[Moment | None]


class RecoveryCode(OfMerchantOrAll, Base):
    """What replaces one code of the second factor, once; only its hash is kept."""

    __tablename__ = "recovery_code"

    hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ConsoleLink(OfMerchantOrAll, Base):
    """A one-time token for a person; only its hash is kept."""

    __tablename__ = "console_link"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) = (role IS NOT NULL)", name="role_or_person"),
    )

    hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``sign_in`` (made on the command line), ``password`` (an invitation, or a new password), or
    ``code`` (the password was right, the second factor is still to come)."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    operator: Mapped[str]
    """Who it was made for, as the audit will name them."""
    role: Mapped[str | None]
    """What somebody without an account may do."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ConsoleSession(OfMerchant, Base):
    """A person who is signed in; only the hash of the cookie's token is kept."""

    __tablename__ = "console_session"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) = (role IS NOT NULL)", name="role_or_person"),
    )

    hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    operator: Mapped[str]
    role: Mapped[str | None]
    """What somebody without an account may do; a person's role is looked up each time."""
    proved_by: Mapped[str]
    """``link``, ``password``, ``provider`` or ``provider_alone`` (without a second factor)."""
    device: Mapped[str]
    """The browser as it names itself, for the person's own list."""
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

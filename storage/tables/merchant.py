"""Merchants, the accounts they write from, and their API keys."""

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Json, JsonList, Moment, OfMerchant

_BY_PERSON = text("person IS NOT NULL")


class Merchant(Base):
    """A tenant: the shop whose claims are handled, and how it wants to sound."""

    __tablename__ = "merchant"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    """Short name used on the command line and in webhook paths."""
    name: Mapped[str]
    alias: Mapped[str | None]
    """Neutral name for first contact where the shop's own name would disclose something."""
    kind: Mapped[str] = mapped_column(server_default="creditor")
    """``creditor`` or ``collector`` (registered under § 10 RDG)."""
    tone: Mapped[str] = mapped_column(server_default="warm")
    address_form: Mapped[str] = mapped_column(server_default="sie")
    language: Mapped[str] = mapped_column(server_default="de")
    currency: Mapped[str] = mapped_column(server_default="EUR")
    timezone: Mapped[str] = mapped_column(server_default="Europe/Berlin")
    land: Mapped[str] = mapped_column(server_default="BE")
    """ISO 3166-2 subdivision of Germany whose holidays count when a customer's is unknown."""
    phone: Mapped[str | None]
    email: Mapped[str | None]
    website: Mapped[str | None]
    check_url: Mapped[str | None]
    """The shop's own address on which customers check that a message is genuine."""
    payee: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    bank_accounts: Mapped[JsonList] = mapped_column(server_default="[]")
    """IBANs of further own accounts, whose statements are read as well."""
    policy: Mapped[Json] = mapped_column(server_default="{}")
    """Data of :class:`negotiation.policy.Policy`."""
    wordings: Mapped[Json] = mapped_column(server_default="{}")
    """The merchant's own texts: wording name to texts, see ``conversation.wording.overrides``."""
    page: Mapped[Json] = mapped_column(server_default="{}")
    """How the customer's page looks and what law it names: ``api.merchants.PageData``."""
    letter: Mapped[Json] = mapped_column(server_default="{}")
    """What a letter names of its sender, and of whom a collector acts for:
    ``api.letter_data.LetterData``."""
    created_at: Mapped[Moment]


class ChannelAccount(OfMerchant, Base):
    """An address that a merchant writes from: a Telegram bot or a Twilio sender."""

    __tablename__ = "channel_account"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[Id]
    channel: Mapped[str]
    address: Mapped[str]
    """Telegram bot id, E.164 sender, or the terminal's name."""
    public_name: Mapped[str | None]
    """Telegram: the bot's name as it stands in ``t.me/<name>``."""
    credentials: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted with the service's secret key; empty means: from the environment."""
    templates: Mapped[Json] = mapped_column(server_default="{}")
    """Wording name and language (``first_contact.de``) to the provider's ``ContentSid``."""
    enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[Moment]


class ApiKey(OfMerchant, Base):
    """A key of the merchant's own systems; only its hash is kept."""

    __tablename__ = "api_key"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(server_default="")
    """What uses it, as its maker called that."""
    prefix: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[JsonList]
    """What it may do: see :data:`api.people.roles.SCOPES`."""
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class AuditEvent(OfMerchant, Base):
    """Something that happened and has to be explainable later; append-only, no message texts."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_people", "merchant_id", "id", postgresql_where=_BY_PERSON),
        # Each filter of the log: what people and keys do is much.
        Index("ix_audit_event_who", "merchant_id", "person", "id", postgresql_where=_BY_PERSON),
        Index("ix_audit_event_what", "merchant_id", "kind", "id", postgresql_where=_BY_PERSON),
        Index("ix_audit_event_when", "merchant_id", "at", postgresql_where=_BY_PERSON),
        Index("ix_audit_event_merchant_id_kind_at", "merchant_id", "kind", "at"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    at: Mapped[Moment]
    person: Mapped[str | None]
    """Who of the merchant's people did it, by name; empty: a customer, or the service itself."""
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    """Their account, where they have one."""
    customer_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    claim_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    conversation_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    facts: Mapped[Json] = mapped_column(server_default="{}")

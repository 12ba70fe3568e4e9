"""Conversations, their messages (which are the transcript), turns and handoffs."""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Json, JsonList, Moment, OfMerchant


class Conversation(OfMerchant, Base):
    """The exchange with one address on one channel account."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("channel_account_id", "address"),)

    id: Mapped[Id]
    channel_account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    channel: Mapped[str]
    address: Mapped[str]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    state: Mapped[str] = mapped_column(server_default="bot")
    """``bot``, ``waiting`` (for a person), ``agent`` or ``closed``."""
    language: Mapped[str | None]
    address_form: Mapped[str | None]
    slots: Mapped[Json] = mapped_column(server_default="{}")
    """Rasa's slot values after the last turn, here or where the dialogue came from."""
    turns_before: Mapped[int | None] = mapped_column(BigInteger)
    """The last turn here from before the dialogue came from elsewhere: the slots are newer."""
    verified_at: Mapped[Moment | None]
    verified_with: Mapped[str | None]
    verification_tries: Mapped[int] = mapped_column(server_default="0")
    """Wrong ones of the round that stands beside; those of an earlier one are forgiven."""
    verification_round: Mapped[int] = mapped_column(server_default="0")
    verification_locked_at: Mapped[Moment | None]
    opted_out_at: Mapped[Moment | None]
    introduced_at: Mapped[Moment | None]
    """When the automated assistant named itself (AI Act Art. 50(1)); empty: it has to (again)."""
    hint: Mapped[Json | None]
    """What a person who gave the conversation back tells the bot's next turn."""
    stalled_notice_at: Mapped[Moment | None]
    """When the customer was told that the answer takes longer (the dialogue engine is down)."""
    last_inbound_at: Mapped[Moment | None]
    created_at: Mapped[Moment]


class Message(OfMerchant, Base):
    """One message, in or out. All of a conversation's messages are its transcript."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "uq_message_provider",
            "channel_account_id",
            "provider_message_id",
            unique=True,
            postgresql_where=text("direction = 'in'"),
        ),
        Index(
            "uq_message_reply",
            "in_reply_to",
            "ordinal",
            unique=True,
            postgresql_where=text("in_reply_to IS NOT NULL"),
        ),
        Index("ix_message_conversation_id_id", "conversation_id", "id"),
        Index(
            "ix_message_unhandled",
            "conversation_id",
            postgresql_where=text("direction = 'in' AND handled_at IS NULL"),
        ),
        Index(
            "ix_message_unsent",
            "conversation_id",
            postgresql_where=text("direction = 'out' AND status IN ('queued', 'sending')"),
        ),
        Index("ix_message_provider_message_id", "provider_message_id"),
        Index(
            "ix_message_page_customer_id",
            "page_customer_id",
            "id",
            postgresql_where=text("page_customer_id IS NOT NULL"),
        ),
        Index(
            "ix_message_page_unread",
            "created_at",
            postgresql_where=text(
                "author = 'agent' AND page_customer_id IS NOT NULL AND read_at IS NULL"
            ),
        ),
        Index(
            "uq_message_idempotency_key",
            "conversation_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    channel_account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    direction: Mapped[str]
    author: Mapped[str]
    """``customer``, ``bot``, ``agent`` or ``system``."""
    kind: Mapped[str]
    text: Mapped[str]
    buttons: Mapped[JsonList] = mapped_column(server_default="[]")
    """Out: ``[{"id", "title"}]`` as shown. In: the pressed one."""
    attachments: Mapped[JsonList] = mapped_column(server_default="[]")
    raw: Mapped[Json] = mapped_column(server_default="{}")
    provider_message_id: Mapped[str | None]
    page_customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    """Written on the page of this customer, or answered there; empty: on the channel."""
    created_at: Mapped[Moment]

    sequence: Mapped[int | None] = mapped_column(BigInteger)
    """In: the provider's own order (Telegram ``update_id``)."""
    handled_at: Mapped[Moment | None]
    outcome: Mapped[str | None]

    in_reply_to: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"))
    ordinal: Mapped[int | None]
    wording: Mapped[str | None]
    variant: Mapped[str | None]
    """Which of the wording's variants it was, so that their answers can be compared."""
    tone: Mapped[str | None]
    """Which of the wording's tones was asked for; empty: a person wrote it."""
    args: Mapped[Json] = mapped_column(server_default="{}")
    discloses: Mapped[bool] = mapped_column(server_default="false")
    template: Mapped[Json | None]
    status: Mapped[str | None]
    """Out: ``queued``, ``sending``, ``sent``, ``delivered``, ``read``, ``failed``, ``unknown``
    or ``cancelled``; moves forward only."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    claimed_at: Mapped[Moment | None]
    send_after: Mapped[Moment | None]
    """Not to be tried again before this moment: the provider, or our own back-off, said so."""
    sent_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None]
    read_at: Mapped[Moment | None]
    error: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    """Of an agent's reply: the caller's key, so that a repeated request sends once."""


class MessageFile(OfMerchant, Base):
    """Our copy of a file that a customer sent, made when somebody first opened it.

    It goes with its message.
    """

    __tablename__ = "message_file"

    message_id: Mapped[int] = mapped_column(
        ForeignKey("message.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    """Which of the message's attachments, from 0."""
    media_type: Mapped[str]
    """What its bytes are, whatever was claimed."""
    ending: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """A picture encoded anew, anything else as it came."""
    fetched_at: Mapped[Moment]


class Turn(OfMerchant, Base):
    """What the dialogue engine made of one inbound message."""

    __tablename__ = "turn"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    understanding: Mapped[Json] = mapped_column(server_default="{}")
    events: Mapped[JsonList] = mapped_column(server_default="[]")
    number: Mapped[int] = mapped_column(BigInteger, Identity())
    """The order in which turns were stored; clocks of several machines do not give one."""
    at: Mapped[Moment]


class ActionResult(OfMerchant, Base):
    """The answer of one action call; the same call gets the same answer again."""

    __tablename__ = "action_result"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    input_hash: Mapped[str]
    response: Mapped[Json]
    at: Mapped[Moment]


class ButtonChoice(OfMerchant, Base):
    """A button that was shown: its opaque id and what pressing it means in this conversation."""

    __tablename__ = "button_choice"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    position: Mapped[int]
    title: Mapped[str]
    intent: Mapped[str]
    entities: Mapped[Json] = mapped_column(server_default="{}")


class Handoff(OfMerchant, Base):
    """A conversation that needs a person."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index(
            "uq_handoff_open_conversation",
            "conversation_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_handoff_open",
            "merchant_id",
            "requested_at",
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_handoff_merchant_id_answered_at", "merchant_id", "answered_at"),
        Index("ix_handoff_conversation_id_taken_at", "conversation_id", "taken_at"),
    )

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    reason: Mapped[str]
    summary: Mapped[Json] = mapped_column(server_default="{}")
    requested_at: Mapped[Moment]
    answer_by: Mapped[Moment | None]
    """Until when a person can honestly be expected to answer (the opening hours)."""
    promised: Mapped[bool] = mapped_column(server_default="false")
    """Whether the customer was told that time."""
    overdue_at: Mapped[Moment | None]
    """When it was noticed, and said, that nobody had taken it by then."""
    taken_at: Mapped[Moment | None]
    """When a person began; empty while it is only given to somebody."""
    taken_by: Mapped[str | None]
    """Who has it, by name."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Their account, where they have one."""
    given_at: Mapped[Moment | None]
    """When it was given to them."""
    team_id: Mapped[int | None] = mapped_column(ForeignKey("desk_team.id", ondelete="SET NULL"))
    tags: Mapped[JsonList] = mapped_column(server_default="[]")
    snoozed_at: Mapped[Moment | None]
    """Put aside then; whatever the customer writes later wakes it."""
    snoozed_until: Mapped[Moment | None]
    """Put aside until then; empty: until the customer writes."""
    first_answer_at: Mapped[Moment | None]
    answered_at: Mapped[Moment | None]
    """When a person last wrote to the customer, or reached them by phone."""
    call_again_at: Mapped[Moment | None]
    """Of a wish for a call: nobody was reached, to be tried again then."""
    called_at: Mapped[Moment | None]
    """Of a wish for a call: it is done, or cannot be done on that number."""
    closed_at: Mapped[Moment | None]
    outcome: Mapped[str | None]
    wrap_up: Mapped[str | None]
    """The merchant's own name for how it ended."""


class HandoffNote(OfMerchant, Base):
    """What people write for each other about a handoff; it has no way to a customer."""

    __tablename__ = "handoff_note"

    id: Mapped[Id]
    handoff_id: Mapped[int] = mapped_column(ForeignKey("handoff.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    kind: Mapped[str]
    """``note``, ``call`` (said on the telephone), or ``hint`` (given to the bot with it)."""
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[Moment]


class StartToken(OfMerchant, Base):
    """A one-time deep link (``t.me/<bot>?start=<token>``) that binds a chat to a customer."""

    __tablename__ = "start_token"

    hash: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    channel_account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    from_conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    """The conversation that goes on behind the link; empty: the merchant made it."""
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    used_by: Mapped[str | None]


class AddressCode(OfMerchant, Base):
    """A code sent to a new number; typed where it was asked for, it proves whose the number is."""

    __tablename__ = "address_code"
    __table_args__ = (
        Index(
            "uq_address_code_open",
            "from_conversation_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    from_conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    to_conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    salt: Mapped[str]
    hash: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    outcome: Mapped[str | None]
    """``right``, ``too_many_tries``, ``expired`` or ``replaced`` (by a newer one)."""


class GenuineCode(OfMerchant, Base):
    """The code of a message we sent unasked, by which its reader can check that it is ours.

    It stands in the message's text, so it is kept as it is.
    """

    __tablename__ = "genuine_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), unique=True)
    created_at: Mapped[Moment]


class ContactAttempt(OfMerchant, Base):
    """A message that outreach decided to send, and why."""

    __tablename__ = "contact_attempt"
    __table_args__ = (
        UniqueConstraint("customer_id", "cycle", "step", "about"),
        Index("ix_contact_attempt_merchant_id_at", "merchant_id", "at"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"))
    message_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"), index=True)
    cycle: Mapped[int]
    """Counts the contact cycles of a customer, from 1; with ``about``: the tries of that."""
    step: Mapped[str]
    """``first_contact``, ``reminder``, or what watches an agreement (``outreach.facts.Step``)."""
    about: Mapped[str] = mapped_column(server_default="")
    """Of a message that watches an agreement: what it is said once about."""
    reason: Mapped[str]
    at: Mapped[Moment]

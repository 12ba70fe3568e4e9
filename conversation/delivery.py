"""Sending: each outbox message is claimed, sent once, and moved forward by what comes back.

A message is claimed (``sending``, committed) before the provider is asked. If the process dies in
between, nobody here knows whether the provider accepted it: the provider's own list is asked, and
what stays open is ``unknown``, shown and counted, never repeated by itself.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from channels.choices import LETTERED_CHANNELS
from channels.http import EXCHANGE_SECONDS_MAX
from channels.message import (
    Button,
    Channel,
    ContactStopped,
    DeliveryStatus,
    OutboundMessage,
    Retry,
    SendError,
    SendReceipt,
    StatusUpdate,
    TemplateRef,
    Throttled,
    Uncertain,
    WrongAddress,
)
from channels.window import window_open
from conversation import audit
from conversation.consent import opt_out
from conversation.handoff import request_handoff
from conversation.identity import proof_holds
from conversation.introduction import take_back
from storage.statement import Statement
from storage.tables import ContactPoint, Conversation, Merchant, Message

IN_FLIGHT = timedelta(seconds=EXCHANGE_SECONDS_MAX + 5)
"""Longer than any send may take: an older claim belongs to a process that is gone."""
ATTEMPTS_MAX = 10
RETRY_SECONDS_MAX = 300
PROACTIVE_AUTHOR = "bot"
AGENT = "agent"
UNPROVED = "no_longer_verified"
"""Why what carries a claim's facts is held back: the proof is gone, or too old by now."""

# Our own states around the provider's: what a status callback may move on from.
_BEFORE_ACCEPTED = ("queued", "sending", "unknown")

# Literals: with parameters a prepared statement may not find the partial indexes.
OUT: ColumnElement[str] = literal_column("'out'")
IS_UNSENT = and_(
    Message.direction == OUT,
    Message.status.in_([literal_column("'queued'"), literal_column("'sending'")]),
)

StillAllowed = Callable[[AsyncSession, Conversation, Message, datetime], Awaitable[str | None]]
"""Asked right before a proactive message goes out; a reason refuses it."""


@dataclass(frozen=True)
class ToSend:
    """A message that this job has claimed."""

    channel_account_id: int
    message: OutboundMessage


@dataclass(frozen=True)
class LeftOver:
    """A claim whose process is gone: the provider has to be asked."""

    channel_account_id: int
    message: OutboundMessage
    claimed_at: datetime


@dataclass(frozen=True)
class InFlight:
    """Another process may still be sending, or a retry is not due; look again after a while."""

    seconds: float


@dataclass(frozen=True)
class Skipped:
    """The message was ended here, without asking the provider."""

    message_id: int
    reason: str


Next = ToSend | LeftOver | InFlight | Skipped | None


async def claim_next(
    session: AsyncSession,
    conversation_id: int,
    now: datetime,
    *,
    still_allowed: StillAllowed,
) -> Next:
    """Claim the oldest message of the conversation that is not sent yet."""
    row = (
        await session.execute(
            select(Message, Conversation, Merchant.policy)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .join(Merchant, Merchant.id == Message.merchant_id)
            .where(
                Message.conversation_id == conversation_id,
                IS_UNSENT,
            )
            .order_by(Message.id)
            .limit(1)
            .with_for_update(of=Message)
        )
    ).one_or_none()
    if row is None:
        return None
    message: Message = row[0]
    conversation: Conversation = row[1]
    outbound = outbound_message(
        conversation,
        message.id,
        text=message.text,
        buttons=message.buttons,
        template=message.template,
    )
    if message.status == "sending" and message.claimed_at is not None:
        waited = now - message.claimed_at
        if waited < IN_FLIGHT:
            return InFlight((IN_FLIGHT - waited).total_seconds())
        return LeftOver(message.channel_account_id, outbound, message.claimed_at)
    if message.send_after is not None and message.send_after > now:
        return InFlight((message.send_after - now).total_seconds())
    refusal = hindrance(conversation, now, template=message.template)
    # A claim's facts may have waited longer than the proof lasts.
    if message.discloses and not proof_holds(
        conversation.customer_id, conversation.verified_at, row[2], now
    ):
        refusal = UNPROVED
    proactive = message.in_reply_to is None and message.author == PROACTIVE_AUTHOR
    if message.author == AGENT and conversation.opted_out_at is not None:
        refusal = "opted_out"  # said since the person at the desk wrote
    if proactive and refusal != UNPROVED:
        refusal = await still_allowed(session, conversation, message, now) or refusal
    if refusal == "window_closed":
        message.error = refusal
        await _failed(session, message, conversation, now)
        return Skipped(message.id, refusal)
    if refusal is not None:
        message.status, message.error = "cancelled", refusal
        await take_back(session, [message])
        return Skipped(message.id, refusal)
    message.status, message.claimed_at = "sending", now
    message.attempts += 1
    return ToSend(message.channel_account_id, outbound)


class Held(Protocol):
    """The conversation that a message belongs to, as far as sending has to know it."""

    @property
    def channel(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def last_inbound_at(self) -> datetime | None: ...


def hindrance(held: Held, now: datetime, *, template: Mapping[str, Any] | None) -> str | None:
    """Why the provider would not take a message now; None where it would."""
    if (
        held.channel == Channel.WHATSAPP
        and template is None
        and not window_open(held.last_inbound_at, now)
    ):
        return "window_closed"
    return None


def outbound_message(
    held: Held,
    outbox_id: int,
    *,
    text: str,
    buttons: Sequence[Mapping[str, str]],
    template: Mapping[str, Any] | None,
) -> OutboundMessage:
    """A message of the outbox as its provider takes it."""
    # Lettered channels carry their choices in the text already.
    native = held.channel not in LETTERED_CHANNELS
    return OutboundMessage(
        channel=Channel(held.channel),
        outbox_id=outbox_id,
        to=held.address,
        text=text,
        buttons=tuple(Button(b["id"], b["title"]) for b in buttons) if native else (),
        template=TemplateRef(template["id"], template["variables"]) if template else None,
    )


_ours = Message.status.in_([literal_column(f"'{status}'") for status in _BEFORE_ACCEPTED])
_SENT = Statement(
    update(Message)
    .where(Message.id == bindparam("message_id", type_=BigInteger))
    .values(
        provider_message_id=bindparam("provider_id", type_=Text),
        sent_at=bindparam("at", type_=DateTime(timezone=True)),
        status=case((_ours, "sent"), else_=Message.status),
        error=case((_ours, None), else_=Message.error),
    )
)


async def note_sent(
    session: AsyncSession, message_id: int, receipt: SendReceipt, now: datetime
) -> None:
    """The provider accepted the message. A callback that was faster is not undone.

    Messages that the session has read already stay as they were read.
    """
    await _SENT.run(session, message_id=message_id, provider_id=receipt.provider_message_id, at=now)


async def note_error(
    session: AsyncSession, message_id: int, error: SendError, now: datetime
) -> float | None:
    """Do what the send error says; return the seconds until the next try, None for no more."""
    message, conversation = await _locked(session, message_id)
    if message.status != "sending":
        return None
    if isinstance(error, Uncertain):
        # Left claimed: once it is old enough the provider's list decides.
        message.error = error.code
        return IN_FLIGHT.total_seconds()
    message.error = str(error)
    if isinstance(error, Throttled):
        message.status = "queued"
        message.attempts -= 1  # waiting one's turn is no failure
        return _later(message, max(error.retry_after_seconds, 0.5), now)
    if isinstance(error, Retry) and message.attempts < ATTEMPTS_MAX:
        message.status = "queued"
        return _later(message, float(min(2**message.attempts, RETRY_SECONDS_MAX)), now)
    await _failed(session, message, conversation, now)
    await _mark_address(session, conversation, type(error), now)
    return None


def _later(message: Message, seconds: float, now: datetime) -> float:
    """Keep when the next try is due: whoever looks at the outbox before then lets it be."""
    message.send_after = now + timedelta(seconds=seconds)
    return seconds


async def _failed(
    session: AsyncSession, message: Message, conversation: Conversation, now: datetime
) -> None:
    """End a message that cannot be sent. An answer that does not arrive is a person's business."""
    message.status = "failed"
    await take_back(session, [message])
    facts = {"message_id": message.id, "error": message.error or "failed"}
    audit.note(session, conversation, "delivery_failed", now, facts)
    if message.in_reply_to is not None:
        await request_handoff(
            session,
            conversation_id=message.conversation_id,
            reason="delivery_failed",
            summary={},
            now=now,
        )


async def known_elsewhere(session: AsyncSession, message_id: int, receipt: SendReceipt) -> bool:
    """Whether the provider's message is already the one of another outbox message.

    The provider's list is searched by address, time and text: a sibling with the same text could
    fit as well.
    """
    return bool(
        await session.scalar(
            select(
                exists().where(
                    Message.provider_message_id == receipt.provider_message_id,
                    Message.direction == "out",
                    Message.id != message_id,
                )
            )
        )
    )


async def note_unknown(session: AsyncSession, message_id: int, now: datetime) -> None:
    """Nobody can say whether the message was accepted: shown as such, and counted."""
    message, conversation = await _locked(session, message_id)
    if message.status != "sending":
        return
    message.status = "unknown"
    audit.note(session, conversation, "delivery_unknown", now, {"message_id": message_id})


async def record_status(session: AsyncSession, status: StatusUpdate, now: datetime) -> int | None:
    """Move a message forward by a status callback; its conversation, None where we know no such
    message.

    The outbox id in the callback's address finds a message whose provider id was never noted.
    """
    found = await _message_of(session, status)
    if found is None:
        return None
    message_id, conversation_id = found
    if status.status is DeliveryStatus.FAILED:
        # What follows from it changes the conversation: locked first, as all others lock it.
        await session.execute(
            select(Conversation)
            .where(Conversation.id == conversation_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    message, conversation = await _locked(session, message_id)
    message.provider_message_id = status.provider_message_id
    current = message.status or "queued"
    earlier = DeliveryStatus.QUEUED if current in _BEFORE_ACCEPTED else _status(current)
    if earlier is not None and status.status.supersedes(earlier):
        message.status = status.status.value
    elif current == "unknown":
        message.status = "sent"
    match status.status:
        case DeliveryStatus.SENT:
            message.sent_at = message.sent_at or now
        case DeliveryStatus.DELIVERED:
            message.delivered_at = message.delivered_at or now
        case DeliveryStatus.READ:
            message.read_at = message.read_at or now
        case DeliveryStatus.FAILED if message.status == "failed" != current:
            message.error = status.provider_code or "failed"
            await _failed(session, message, conversation, now)
            if status.failure is not None:
                await _mark_address(session, conversation, status.failure, now)
        case _:
            pass
    return conversation_id


async def _message_of(session: AsyncSession, status: StatusUpdate) -> tuple[int, int] | None:
    """The message that a callback is about, and its conversation."""
    ours = select(Message.id, Message.conversation_id).where(Message.direction == "out")
    theirs = Message.provider_message_id == status.provider_message_id
    if status.outbox_id is not None:
        named = ours.where(
            Message.id == status.outbox_id, theirs | Message.provider_message_id.is_(None)
        )
        found = (await session.execute(named)).one_or_none()
        if found is not None:
            return found.id, found.conversation_id
    found = (await session.execute(ours.where(theirs).limit(1))).one_or_none()
    return (found.id, found.conversation_id) if found is not None else None


def _status(name: str) -> DeliveryStatus | None:
    return DeliveryStatus(name) if name in set(DeliveryStatus) else None


async def _locked(session: AsyncSession, message_id: int) -> tuple[Message, Conversation]:
    row = (
        await session.execute(
            select(Message, Conversation)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Message.id == message_id)
            .with_for_update(of=Message)
            .execution_options(populate_existing=True)
        )
    ).one()
    return row[0], row[1]


async def _mark_address(
    session: AsyncSession, conversation: Conversation, error: type[SendError], now: datetime
) -> None:
    if issubclass(error, ContactStopped):
        await opt_out(session, conversation, now, reason="blocked")
    elif issubclass(error, WrongAddress):
        await session.execute(
            update(ContactPoint)
            .where(
                ContactPoint.merchant_id == conversation.merchant_id,
                ContactPoint.channel == conversation.channel,
                ContactPoint.address == conversation.address,
            )
            .values(invalid_at=now, invalid_reason=error.code)
        )

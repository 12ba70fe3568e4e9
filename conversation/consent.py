"""Who may be written to: opt-out and opt-in, on one channel or on all; the one-time link."""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.payload import storable
from conversation import audit
from conversation.introduction import take_back
from conversation.masking import masked_storable
from storage.merchant_events import EventKind, record
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Message,
    StartToken,
)

TOKEN_VALID = timedelta(days=7)
"""Of a link that the merchant hands out."""
LINK_REFUSALS_PER_HOUR_MAX = 10
"""Wrong links from one address; after that none is looked up for a while."""
MayGuess = Callable[[str], Awaitable[bool]]
"""Whether one more secret may be tried under a key: a limit in front of the database's counts."""
_TOKEN = re.compile(r"(?<![\w-])[\w-]{32}(?![\w-])", re.ASCII)


async def may_always(key: str) -> bool:
    """No limit in front; what the database counts holds anyway."""
    return True


async def opt_out(
    session: AsyncSession, conversation: Conversation, now: datetime, *, reason: str = "said"
) -> None:
    """Stop this address: nothing proactive goes to it any more, at once.

    `reason` is ``said``, or ``blocked`` where the provider told us.
    """
    if conversation.opted_out_at is None:
        _tell(session, conversation, "address", conversation.channel, now, reason)
    await _stop_address(session, conversation, now, reason)


async def opt_out_channel(
    session: AsyncSession, conversation: Conversation, channel: str, now: datetime
) -> None:
    """Stop a channel for the customer of this conversation, said here about another one."""
    if channel == conversation.channel or conversation.customer_id is None:
        await opt_out(session, conversation, now)
        return
    if await _stop_customer(session, conversation, now, channel):
        _tell(session, conversation, "channel", channel, now)
    _note(session, conversation, "opted_out", now, reason="said", about=channel)


async def opt_out_everywhere(
    session: AsyncSession, conversation: Conversation, now: datetime
) -> None:
    """No more messages at all: every address of the customer is stopped."""
    if conversation.customer_id is None:
        await opt_out(session, conversation, now)
        return
    await _stop_address(session, conversation, now, "said")
    stopped = await session.scalar(
        update(Customer)
        .where(Customer.id == conversation.customer_id, Customer.opted_out_at.is_(None))
        .values(opted_out_at=now)
        .returning(Customer.id)
    )
    if stopped is not None:
        _tell(session, conversation, "everything", None, now)
    await _stop_customer(session, conversation, now, None)
    _note(session, conversation, "opted_out_everywhere", now)


async def is_stopped(session: AsyncSession, conversation: Conversation) -> bool:
    """Whether nothing unasked may go to this conversation's address.

    The address may have been stopped before anything was ever written there.
    """
    if conversation.opted_out_at is not None:
        return True
    stopped = await session.scalar(
        select(ContactPoint.id)
        .where(
            ContactPoint.merchant_id == conversation.merchant_id,
            ContactPoint.channel == conversation.channel,
            ContactPoint.address == conversation.address,
            ContactPoint.opted_out_at.is_not(None),
        )
        .limit(1)
    )
    return stopped is not None


async def opt_in(
    session: AsyncSession, conversation: Conversation, now: datetime, *, said: bool = True
) -> None:
    """The person wants messages on this channel again; other addresses stay as they are.

    Who only let the channel in again at the provider has not taken back "no more messages".
    """
    conversation.opted_out_at = None
    await session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.merchant_id == conversation.merchant_id,
            ContactPoint.channel == conversation.channel,
            ContactPoint.address == conversation.address,
        )
        .values(opted_out_at=None, consent_at=now)
    )
    if said and conversation.customer_id is not None:
        await session.execute(
            update(Customer)
            .where(Customer.id == conversation.customer_id, Customer.opted_out_at.is_not(None))
            .values(opted_out_at=None)
        )
    _note(session, conversation, "opted_in", now)


async def set_reachable(
    session: AsyncSession,
    *,
    channel: str,
    account: str,
    address: str,
    reachable: bool,
    now: datetime,
) -> None:
    """The provider says that the person blocked us, or let us in again."""
    conversation = await session.scalar(
        select(Conversation)
        .join(ChannelAccount, ChannelAccount.id == Conversation.channel_account_id)
        .where(
            ChannelAccount.channel == channel,
            ChannelAccount.address == account,
            Conversation.address == address,
        )
        .with_for_update(of=Conversation)
    )
    if conversation is None:
        return
    if not reachable:
        await opt_out(session, conversation, now, reason="blocked")
    elif conversation.opted_out_at is not None and not await _said_stop(session, conversation):
        await opt_in(session, conversation, now, said=False)


async def _said_stop(session: AsyncSession, conversation: Conversation) -> bool:
    """Whether the person has said stop since messages were last wished for: only a stop that the
    provider told of is over once the provider lets us in again."""
    wished = (
        select(func.coalesce(func.max(AuditEvent.id), 0))
        .where(AuditEvent.conversation_id == conversation.id, AuditEvent.kind == "opted_in")
        .scalar_subquery()
    )
    about = AuditEvent.facts["about"].astext
    here = (AuditEvent.conversation_id == conversation.id) & about.is_(None)
    elsewhere = (AuditEvent.customer_id == conversation.customer_id) & (
        about == conversation.channel
    )
    everywhere = (AuditEvent.customer_id == conversation.customer_id) & (
        AuditEvent.kind == "opted_out_everywhere"
    )
    said = (AuditEvent.kind == "opted_out") & (AuditEvent.facts["reason"].astext == "said")
    return bool(
        await session.scalar(
            select(
                exists().where(
                    AuditEvent.merchant_id == conversation.merchant_id,
                    AuditEvent.id > wished,
                    (said & (here | elsewhere)) | everywhere,
                )
            )
        )
    )


async def cancel_unasked(session: AsyncSession, conversation_ids: list[int], reason: str) -> None:
    """Take what waits there and answers nothing out of the outbox."""
    cancelled = await session.scalars(
        update(Message)
        .where(
            Message.conversation_id.in_(conversation_ids),
            Message.direction == "out",
            Message.status == "queued",
            Message.in_reply_to.is_(None),
        )
        .values(status="cancelled", error=reason)
        .returning(Message)
    )
    await take_back(session, cancelled.all())


async def _stop_address(
    session: AsyncSession, conversation: Conversation, now: datetime, reason: str
) -> None:
    conversation.opted_out_at = conversation.opted_out_at or now
    await _stop_points(
        session,
        now,
        ContactPoint.merchant_id == conversation.merchant_id,
        ContactPoint.channel == conversation.channel,
        ContactPoint.address == conversation.address,
    )
    await cancel_unasked(session, [conversation.id], "opted_out")
    _note(session, conversation, "opted_out", now, reason=reason)


async def _stop_customer(
    session: AsyncSession, conversation: Conversation, now: datetime, channel: str | None
) -> bool:
    """Stop all addresses of the customer, or those on one channel; whether one was not yet."""
    points = [ContactPoint.customer_id == conversation.customer_id]
    talks = [Conversation.customer_id == conversation.customer_id]
    if channel is not None:
        points.append(ContactPoint.channel == channel)
        talks.append(Conversation.channel == channel)
    stopped = await _stop_points(session, now, *points)
    ids = list(await session.scalars(select(Conversation.id).where(*talks)))
    await session.execute(
        update(Conversation)
        .where(Conversation.id.in_(ids), Conversation.opted_out_at.is_(None))
        .values(opted_out_at=now)
    )
    await cancel_unasked(session, ids, "opted_out")
    return stopped


async def _stop_points(session: AsyncSession, now: datetime, *where: ColumnElement[bool]) -> bool:
    found = await session.scalars(
        update(ContactPoint)
        .where(*where, ContactPoint.opted_out_at.is_(None))
        .values(opted_out_at=now)
        .returning(ContactPoint.id)
    )
    return bool(found.all())


def _tell(
    session: AsyncSession,
    conversation: Conversation,
    scope: str,
    channel: str | None,
    now: datetime,
    reason: str = "said",
) -> None:
    record(
        session,
        conversation.merchant_id,
        EventKind.CONTACT_STOPPED,
        {"scope": scope, "channel": channel, "reason": reason},
        now,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
    )


def _note(
    session: AsyncSession, conversation: Conversation, kind: str, now: datetime, **facts: Any
) -> None:
    audit.note(session, conversation, kind, now, {"channel": conversation.channel, **facts})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def make_start_token(
    session: AsyncSession,
    *,
    merchant_id: int,
    customer_id: int,
    channel_account_id: int,
    now: datetime,
    from_conversation_id: int | None = None,
    valid: timedelta = TOKEN_VALID,
) -> str:
    """A one-time token for ``t.me/<bot>?start=<token>``: 32 characters of the allowed alphabet.

    Only its hash is kept. With `from_conversation_id` that conversation goes on behind the link.
    """
    token = secrets.token_urlsafe(24)
    while masked_storable(token) != token:  # it would be masked as a card's number where it arrives
        token = secrets.token_urlsafe(24)
    session.add(
        StartToken(
            hash=_hash(token),
            merchant_id=merchant_id,
            customer_id=customer_id,
            channel_account_id=channel_account_id,
            from_conversation_id=from_conversation_id,
            created_at=now,
            expires_at=now + valid,
        )
    )
    await session.flush()
    return token


def token_in(text: str) -> str | None:
    """The token in the first message that a ``wa.me`` link has ready."""
    found = _TOKEN.search(storable(text))
    return found.group() if found is not None else None


async def bind_start_token(
    session: AsyncSession, conversation: Conversation, token: str | None, now: datetime
) -> StartToken | None:
    """Bind the chat to the token's customer; None for an unknown, used, foreign or late token.

    A chat that belongs to a customer is never bound to another one. Whoever has tried
    LINK_REFUSALS_PER_HOUR_MAX wrong ones is refused without a look.
    """
    if not token or await _refusals(session, conversation, now) >= LINK_REFUSALS_PER_HOUR_MAX:
        return None
    found = await session.scalar(
        select(StartToken)
        .where(
            StartToken.hash == _hash(token),
            StartToken.channel_account_id == conversation.channel_account_id,
        )
        .with_for_update()
    )
    if found is not None and found.used_by == conversation.address:
        return None  # pressed twice, or the turn is tried again
    if found is not None and (found.used_at is not None or found.expires_at <= now):
        found = None
    if found is not None and not await _still_theirs(session, found):
        found = None
    if found is None or conversation.customer_id not in (None, found.customer_id):
        _note(session, conversation, "link_refused", now)
        return None
    found.used_at, found.used_by = now, conversation.address
    conversation.customer_id = found.customer_id
    await session.execute(
        insert(ContactPoint)
        .values(
            merchant_id=conversation.merchant_id,
            customer_id=found.customer_id,
            channel=conversation.channel,
            address=conversation.address,
            source="deep_link",
            consent_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    return found


async def _still_theirs(session: AsyncSession, token: StartToken) -> bool:
    """Whether the conversation that asked for a link is still the customer's: whoever said there
    that they are somebody else is not let in as the customer elsewhere."""
    if token.from_conversation_id is None:
        return True
    asked = select(Conversation.customer_id).where(Conversation.id == token.from_conversation_id)
    return await session.scalar(asked) == token.customer_id


async def _refusals(session: AsyncSession, conversation: Conversation, now: datetime) -> int:
    counted = await session.scalar(
        select(func.count()).where(
            AuditEvent.conversation_id == conversation.id,
            AuditEvent.kind == "link_refused",
            AuditEvent.at > now - timedelta(hours=1),
        )
    )
    return counted or 0

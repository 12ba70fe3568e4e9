"""Who may be written to: opt-out and opt-in, and the one-time link that binds a chat."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import (
    AuditEvent,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Message,
    StartToken,
)

TOKEN_VALID = timedelta(days=7)


async def opt_out(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """Stop this channel: nothing proactive goes to this address any more, at once."""
    conversation.opted_out_at = conversation.opted_out_at or now
    await session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.merchant_id == conversation.merchant_id,
            ContactPoint.channel == conversation.channel,
            ContactPoint.address == conversation.address,
            ContactPoint.opted_out_at.is_(None),
        )
        .values(opted_out_at=now)
    )
    await session.execute(
        update(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.status == "queued",
            Message.in_reply_to.is_(None),
        )
        .values(status="cancelled", error="opted_out")
    )
    session.add(_event(conversation, "opted_out", now))


async def opt_in(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """The person wants messages on this channel again."""
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
    session.add(_event(conversation, "opted_in", now))


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
        await opt_out(session, conversation, now)
    elif conversation.opted_out_at is not None:
        await opt_in(session, conversation, now)


def _event(conversation: Conversation, kind: str, now: datetime) -> AuditEvent:
    return AuditEvent(
        merchant_id=conversation.merchant_id,
        kind=kind,
        at=now,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
        facts={"channel": conversation.channel},
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def make_start_token(
    session: AsyncSession,
    *,
    merchant_id: int,
    customer_id: int,
    channel_account_id: int,
    now: datetime,
) -> str:
    """A one-time token for ``t.me/<bot>?start=<token>``: 32 characters of the allowed alphabet.

    Only its hash is kept; it is valid for TOKEN_VALID.
    """
    token = secrets.token_urlsafe(24)
    session.add(
        StartToken(
            hash=_hash(token),
            merchant_id=merchant_id,
            customer_id=customer_id,
            channel_account_id=channel_account_id,
            created_at=now,
            expires_at=now + TOKEN_VALID,
        )
    )
    await session.flush()
    return token


async def bind_start_token(
    session: AsyncSession, conversation: Conversation, token: str | None, now: datetime
) -> bool:
    """Bind the chat to the token's customer; False for an unknown, used, foreign or late token.

    A chat that belongs to a customer is never bound to another one.
    """
    if not token:
        return False
    found = await session.scalar(
        select(StartToken)
        .where(
            StartToken.hash == _hash(token),
            StartToken.channel_account_id == conversation.channel_account_id,
            StartToken.used_at.is_(None),
            StartToken.expires_at > now,
        )
        .with_for_update()
    )
    if found is None or conversation.customer_id not in (None, found.customer_id):
        return False
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
    return True

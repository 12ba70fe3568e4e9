"""On which channels a dialogue can go on, by which way, and what stands in the way of the others.

By a one-time link to Telegram and WhatsApp, by a code to SMS, and straight away to an address
that the customer has proved before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import PHONE_CHANNELS, Channel
from channels.window import window_open
from conversation.consent import make_start_token
from conversation.wording import load_catalogue
from ledger.contact import MATCH_CONFIDENCE_MIN
from storage.tables import ChannelAccount, ContactPoint, Conversation, Merchant

LINK_VALID = timedelta(hours=24)


class Kind(StrEnum):
    """The way to a channel."""

    HERE = "here"
    KNOWN = "known"
    LINK = "link"
    NUMBER = "number"
    CLOSED = "closed"


@dataclass(frozen=True)
class Way:
    """How the dialogue gets to a channel; `account` is missing where the merchant has none."""

    kind: Kind
    account: ChannelAccount | None = None
    target: Conversation | None = None
    """With KNOWN: the conversation there."""
    obstacle: str | None = None
    """With CLOSED: a code of why, the same as outreach has for it."""


async def way_to(
    session: AsyncSession, conversation: Conversation, channel: Channel, now: datetime
) -> Way:
    """Which way leads from this conversation to a channel."""
    if channel.value == conversation.channel:
        return Way(Kind.HERE)
    account = await session.scalar(
        select(ChannelAccount)
        .where(
            ChannelAccount.merchant_id == conversation.merchant_id,
            ChannelAccount.channel == channel.value,
            ChannelAccount.enabled,
        )
        .order_by(ChannelAccount.id)
        .limit(1)
    )
    if account is None:
        return Way(Kind.CLOSED, obstacle="no_account")
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    if channel is Channel.WHATSAPP and merchant.kind == "collector":
        return Way(Kind.CLOSED, account, obstacle="whatsapp_closed_to_collectors")
    if channel is Channel.TELEGRAM and not account.public_name:
        return Way(Kind.CLOSED, account, obstacle="no_account")
    target = await _proved_there(session, conversation, account)
    if target is not None and _may_write(target, account, merchant.language, now):
        return Way(Kind.KNOWN, account, target)
    return Way(Kind.NUMBER if channel is Channel.SMS else Kind.LINK, account)


async def link_to(
    session: AsyncSession, conversation: Conversation, account: ChannelAccount, now: datetime
) -> str:
    """A one-time link that brings the customer of this conversation to the account's channel.

    Raises ValueError where the conversation has no customer.
    """
    if conversation.customer_id is None:
        raise ValueError("an address without a customer goes nowhere")
    token = await make_start_token(
        session,
        merchant_id=conversation.merchant_id,
        customer_id=conversation.customer_id,
        channel_account_id=account.id,
        now=now,
        from_conversation_id=conversation.id,
        valid=LINK_VALID,
    )
    if account.channel == Channel.TELEGRAM:
        return f"https://t.me/{account.public_name}?start={token}"
    language = conversation.language if conversation.language in ("de", "en") else "de"
    first = load_catalogue().phrase("first_words", "whatsapp", language, "sie")
    return f"https://wa.me/{account.address.lstrip('+')}?text={quote(f'{first} {token}')}"


async def number_of(session: AsyncSession, conversation: Conversation) -> str | None:
    """The number that we may take for the customer's own: that of this chat, else a sure one."""
    if conversation.channel in PHONE_CHANNELS:
        return conversation.address
    points = await session.scalars(
        select(ContactPoint)
        .where(
            ContactPoint.customer_id == conversation.customer_id,
            ContactPoint.channel.in_(PHONE_CHANNELS),
            ContactPoint.invalid_at.is_(None),
            ContactPoint.opted_out_at.is_(None),
            (ContactPoint.match_confidence >= MATCH_CONFIDENCE_MIN)
            | (ContactPoint.source == "customer"),
        )
        .order_by(ContactPoint.verified_at.desc().nulls_last(), ContactPoint.id)
        .limit(1)
    )
    point = points.first()
    return point.address if point is not None else None


async def _proved_there(
    session: AsyncSession, conversation: Conversation, account: ChannelAccount
) -> Conversation | None:
    """The customer's newest conversation on the account whose address was proved to be theirs."""
    found = await session.scalars(
        select(Conversation)
        .join(
            ContactPoint,
            (ContactPoint.customer_id == Conversation.customer_id)
            & (ContactPoint.channel == Conversation.channel)
            & (ContactPoint.address == Conversation.address),
        )
        .where(
            Conversation.customer_id == conversation.customer_id,
            Conversation.channel_account_id == account.id,
            Conversation.channel == account.channel,
            Conversation.opted_out_at.is_(None),
            ContactPoint.verified_at.is_not(None),
            ContactPoint.opted_out_at.is_(None),
            ContactPoint.invalid_at.is_(None),
        )
        .order_by(ContactPoint.verified_at.desc())
        .limit(1)
    )
    return found.first()


def _may_write(
    target: Conversation, account: ChannelAccount, merchant_language: str, now: datetime
) -> bool:
    """WhatsApp: within the window, or with an approved template."""
    if target.channel != Channel.WHATSAPP or window_open(target.last_inbound_at, now):
        return True
    templates: dict[str, Any] = account.templates
    return f"channel_arrived.{target.language or merchant_language}" in templates

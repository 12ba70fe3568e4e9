"""The inbox: what a provider told us is stored before anything is done about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import ContactWish, InboundKind, InboundMessage
from channels.payload import storable
from conversation.masking import masked_storable
from storage.tables import (
    ChannelAccount,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Message,
)

TEXT_CHARACTERS_MAX = 20_000
"""Longer texts are cut; no provider delivers a longer one, a hostile client of ours might."""


class UnknownAccount(LookupError):
    """A signed webhook for an address that belongs to no enabled channel account."""


@dataclass(frozen=True)
class Account:
    """The channel account that a message arrived on."""

    id: int
    merchant_id: int
    channel: str


@dataclass(frozen=True)
class Accepted:
    """A message is in the inbox. ``new`` is False for a repeated delivery of a known one."""

    merchant_id: int
    conversation_id: int
    message_id: int | None
    new: bool


async def find_account(session: AsyncSession, channel: str, address: str) -> Account:
    """The enabled account with this address.

    Raises:
        UnknownAccount: there is none.
    """
    row = (
        await session.execute(
            select(ChannelAccount.id, ChannelAccount.merchant_id).where(
                ChannelAccount.channel == channel,
                ChannelAccount.address == address,
                ChannelAccount.enabled,
            )
        )
    ).one_or_none()
    if row is None:
        raise UnknownAccount(f"no enabled {channel} account has the address of this webhook")
    return Account(row.id, row.merchant_id, channel)


async def open_conversation(
    session: AsyncSession,
    account: Account,
    address: str,
    now: datetime,
    *,
    customer_id: int | None = None,
) -> int:
    """Return the conversation with this address, locked until the transaction ends.

    The lock is what orders acceptance against the turn job: a job that looks for more messages
    waits for the one that is just being accepted.
    """
    wanted = (
        select(Conversation.id)
        .where(
            Conversation.channel_account_id == account.id,
            Conversation.address == address,
        )
        .with_for_update()
    )
    found = await session.scalar(wanted)
    if found is not None:
        return found
    if customer_id is None:
        customer_id = await _customer_at(session, account, address)
    await session.execute(
        insert(Conversation)
        .values(
            merchant_id=account.merchant_id,
            channel_account_id=account.id,
            channel=account.channel,
            address=address,
            customer_id=customer_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    created = await session.scalar(wanted)
    if created is None:
        raise LookupError("the conversation is gone")
    return created


async def _customer_at(session: AsyncSession, account: Account, address: str) -> int | None:
    """Whose address this is: of several, whom we wrote to last, else who has the oldest claim.

    Only a first guess: nothing is disclosed before that customer has proved who they are.
    """
    channels = ("sms", "whatsapp") if account.channel in ("sms", "whatsapp") else (account.channel,)
    last_contact = (
        select(func.max(ContactAttempt.at))
        .where(ContactAttempt.customer_id == ContactPoint.customer_id)
        .scalar_subquery()
    )
    oldest_claim = (
        select(func.min(Claim.due_date))
        .where(Claim.customer_id == ContactPoint.customer_id, Claim.status == "open")
        .scalar_subquery()
    )
    return await session.scalar(
        select(ContactPoint.customer_id)
        .where(
            ContactPoint.merchant_id == account.merchant_id,
            ContactPoint.channel.in_(channels),
            ContactPoint.address == address,
            ContactPoint.invalid_at.is_(None),
        )
        .order_by(
            last_contact.desc().nulls_last(),
            oldest_claim.nulls_last(),
            ContactPoint.customer_id,
        )
        .limit(1)
    )


async def accept(session: AsyncSession, inbound: InboundMessage, now: datetime) -> Accepted:
    """Store one inbound message under its unique key (account, provider message id).

    Commits nothing. Raises:
        UnknownAccount: the message is for an address that is not ours.
    """
    account = await find_account(session, inbound.channel, inbound.account)
    conversation_id = await open_conversation(session, account, inbound.sender, now)
    clean = inbound.rewritten(masked_storable)
    message_id = await session.scalar(
        insert(Message)
        .values(
            merchant_id=account.merchant_id,
            conversation_id=conversation_id,
            channel_account_id=account.id,
            direction="in",
            author="customer",
            kind=clean.kind.value,
            text=clean.text[:TEXT_CHARACTERS_MAX],
            buttons=[{"id": clean.button}] if clean.button else [],
            attachments=[_attachment(a) for a in clean.attachments],
            raw=clean.raw,
            args=_facts(inbound, masked=clean.text != storable(inbound.text)),
            provider_message_id=clean.provider_message_id,
            sequence=clean.sequence,
            created_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=["channel_account_id", "provider_message_id"],
            # A literal: with a parameter the index is not found once the statement is prepared.
            index_where=text("direction = 'in'"),
        )
        .returning(Message.id)
    )
    if message_id is not None and clean.kind is not InboundKind.EDIT:
        await session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id)
            .values(last_inbound_at=now)
        )
    return Accepted(account.merchant_id, conversation_id, message_id, new=message_id is not None)


def _attachment(attachment: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(attachment).items() if value not in (None, {})}


def _facts(inbound: InboundMessage, *, masked: bool) -> Mapping[str, Any]:
    """What the turn needs to know beyond the text."""
    facts: dict[str, Any] = {}
    if inbound.start_token:
        facts["start_token"] = inbound.start_token
    if inbound.refers_to:
        facts["refers_to"] = inbound.refers_to
    if inbound.profile_language:
        facts["profile_language"] = inbound.profile_language[:2]
    if inbound.contact_wish in (ContactWish.STOP, ContactWish.START):
        facts["contact_wish"] = inbound.contact_wish.value
    if masked:
        facts["card_masked"] = True
    return facts

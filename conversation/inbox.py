"""The inbox: what a provider told us is stored before anything is done about it.

What a person at the desk has to read, and nobody else, is settled with that: no turn follows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import (
    PHONE_CHANNELS,
    Attachment,
    ContactWish,
    InboundKind,
    InboundMessage,
    each_string,
)
from channels.optout import contact_wish
from channels.payload import storable
from conversation.masking import mask_cards, mask_ibans, masked_storable
from storage.statement import Statement
from storage.tables import Claim, ContactAttempt, ContactPoint, Conversation

TEXT_CHARACTERS_MAX = 20_000
"""Longer texts are cut; no provider delivers a longer one, a hostile client of ours might."""
FOR_AGENT = "for_agent"
"""The outcome of what waits for the person who holds the conversation."""


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
    """A message is in the inbox. ``new`` is False for a repeated delivery of a known one.

    ``settled``: it is for the person who holds the conversation, and takes no turn.
    """

    merchant_id: int
    conversation_id: int
    message_id: int | None
    new: bool
    settled: bool = False


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
    channels = PHONE_CHANNELS if account.channel in PHONE_CHANNELS else (account.channel,)
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


_STORE = Statement(
    text(
        """
    WITH account AS (
        SELECT id, merchant_id FROM channel_account
        WHERE channel = :channel AND address = :account AND enabled
    ), held AS (
        SELECT conversation.id, :says_nothing_else AND conversation.state = 'agent'
            AND (conversation.language IS NOT NULL OR NOT :tells_language)
            AND NOT EXISTS (
                SELECT FROM desk_offer
                WHERE desk_offer.conversation_id = conversation.id AND desk_offer.ended_at IS NULL
            ) AS for_agent
        FROM conversation JOIN account ON conversation.channel_account_id = account.id
        WHERE conversation.address = :sender
        FOR UPDATE OF conversation
    ), stored AS (
        INSERT INTO message (
            merchant_id, conversation_id, channel_account_id, direction, author, kind, text,
            buttons, attachments, raw, args, provider_message_id, sequence, created_at,
            handled_at, outcome
        )
        SELECT account.merchant_id, held.id, account.id, 'in', 'customer', :kind, :body,
            :buttons, :attachments, :raw, :args, :provider_message_id, :sequence, :now,
            CASE WHEN held.for_agent THEN :now END, CASE WHEN held.for_agent THEN :for_agent END
        FROM account, held
        ON CONFLICT (channel_account_id, provider_message_id) WHERE direction = 'in' DO NOTHING
        RETURNING id, conversation_id
    ), noted AS (
        UPDATE conversation SET last_inbound_at = :now
        FROM stored WHERE conversation.id = stored.conversation_id AND :kind <> 'edit'
    )
    SELECT account.id AS account_id, account.merchant_id, held.id AS conversation_id,
        stored.id AS message_id, held.for_agent
    FROM account LEFT JOIN held ON true LEFT JOIN stored ON true
    """
    ).bindparams(
        bindparam("channel", type_=Text),
        bindparam("account", type_=Text),
        bindparam("sender", type_=Text),
        bindparam("kind", type_=Text),
        bindparam("body", type_=Text),
        bindparam("buttons", type_=JSONB),
        bindparam("attachments", type_=JSONB),
        bindparam("raw", type_=JSONB),
        bindparam("args", type_=JSONB),
        bindparam("provider_message_id", type_=Text),
        bindparam("sequence", type_=BigInteger),
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("says_nothing_else", type_=Boolean),
        bindparam("tells_language", type_=Boolean),
        bindparam("for_agent", type_=Text),
    )
)
"""All in one statement: every message that comes in pays for it before the provider is answered.

The conversation is locked before the message gets its id, so ids are in the order of acceptance.
"""


async def accept(session: AsyncSession, inbound: InboundMessage, now: datetime) -> Accepted:
    """Store one inbound message under its unique key (account, provider message id).

    Commits nothing. Raises:
        UnknownAccount: the message is for an address that is not ours.
    """
    clean = inbound.rewritten(masked_storable)
    values = {
        "channel": inbound.channel.value,
        "account": inbound.account,
        "sender": inbound.sender,
        "kind": clean.kind.value,
        "body": clean.text[:TEXT_CHARACTERS_MAX],
        # A button's id comes from the client, whatever was put there.
        "buttons": [{"id": masked_storable(clean.button)}] if clean.button else [],
        "attachments": [_attachment(a) for a in clean.attachments],
        "raw": clean.raw,
        "args": _facts(inbound),
        "provider_message_id": clean.provider_message_id,
        "sequence": clean.sequence,
        "now": now,
        "says_nothing_else": _says_nothing_else(clean),
        "tells_language": bool(inbound.profile_language),
        "for_agent": FOR_AGENT,
    }
    found = await _STORE.run(session, **values)
    if not found:
        raise UnknownAccount(f"no enabled {inbound.channel} account has this webhook's address")
    (stored,) = found
    if stored.conversation_id is None:  # the first message from this address
        account = Account(stored.account_id, stored.merchant_id, inbound.channel.value)
        await open_conversation(session, account, inbound.sender, now)
        (stored,) = await _STORE.run(session, **values)
    return Accepted(
        stored.merchant_id,
        stored.conversation_id,
        stored.message_id,
        new=stored.message_id is not None,
        settled=stored.message_id is not None and stored.for_agent,
    )


def _says_nothing_else(message: InboundMessage) -> bool:
    """Whether a message is neither a wish to stop or start nor the change of an earlier one."""
    return (
        message.kind is not InboundKind.EDIT
        and message.contact_wish is None
        and contact_wish(message.text, message.channel) is None
    )


def _attachment(attachment: Attachment) -> dict[str, Any]:
    """What is kept of a file; the provider's reference stays whole, or it could not be fetched."""
    kept = asdict(attachment)
    for told in ("file_name", "details"):
        kept[told] = each_string(kept[told], masked_storable)
    return {key: value for key, value in kept.items() if value not in (None, {})}


def _facts(inbound: InboundMessage) -> Mapping[str, Any]:
    """What the turn needs to know beyond the text."""
    facts: dict[str, Any] = {}
    if inbound.start_token:
        facts["start_token"] = masked_storable(inbound.start_token)
    if inbound.refers_to:
        facts["refers_to"] = inbound.refers_to
    if inbound.profile_language:
        facts["profile_language"] = inbound.profile_language[:2]
    if inbound.contact_wish in (ContactWish.STOP, ContactWish.START):
        facts["contact_wish"] = inbound.contact_wish.value
    if holds_card(inbound.text):
        facts["card_masked"] = True
    return facts


def holds_card(text: str) -> bool:
    """Whether a card's number stands in what a customer wrote, which is then masked."""
    text = mask_ibans(storable(text))
    return mask_cards(text) != text

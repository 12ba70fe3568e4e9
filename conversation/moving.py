"""Where a customer's dialogue goes on: exactly one of their conversations is the active one.

A conversation stays the exchange with one address. When the customer goes elsewhere, by a link, a
code, or just by writing there, that conversation becomes the active one and takes over what the
dialogue needs; a proof of identity goes along only where the new address was proved to be theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from channels.window import window_open
from conversation import audit, contact_thanks
from conversation.consent import cancel_unasked, opt_in
from conversation.identity import lock_customer, proof_holds
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from negotiation.policy_data import policy_from_data
from storage.tables import (
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    HandoffNote,
    Merchant,
    Message,
    Turn,
)


class How(StrEnum):
    """What made another conversation the active one."""

    LINK = "link"
    CODE = "code"
    KNOWN = "known_address"
    """One that the customer had proved before."""
    WROTE = "wrote_there"
    OUTREACH = "outreach"


@dataclass
class Wake:
    """Conversations that have work now; who commits defers their jobs with the same commit."""

    turns: set[int] = field(default_factory=set)
    deliveries: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.turns or self.deliveries)


async def make_active(
    session: AsyncSession, conversation: Conversation, now: datetime, how: How
) -> Conversation | None:
    """Let the customer's dialogue go on in this conversation; return the one it was in before.

    The dialogue's state comes along, the proof of identity does not. What waits unasked in the
    old one is cancelled. None: nothing has changed, or there was none before.
    """
    customer = await lock_customer(session, conversation.customer_id)
    before_id, customer.active_conversation_id = customer.active_conversation_id, conversation.id
    if before_id is None or before_id == conversation.id:
        return None
    before = await session.get(Conversation, before_id)
    if before is None or before.customer_id != customer.id:
        return None
    if before.slots:
        conversation.slots = _taken_along(before.slots)
        conversation.turns_before = await session.scalar(
            select(func.max(Turn.number)).where(Turn.conversation_id == conversation.id)
        )
    conversation.language = before.language or conversation.language
    conversation.address_form = before.address_form or conversation.address_form
    conversation.verification_locked_at = (
        conversation.verification_locked_at or before.verification_locked_at
    )
    await cancel_unasked(session, [before.id], "dialogue_moved")
    audit.note(
        session,
        conversation,
        "channel_changed",
        now,
        {"from": before.channel, "to": conversation.channel, "how": how.value},
    )
    return before


def _taken_along(slots: Mapping[str, Any]) -> dict[str, Any]:
    """The slots; where to go on is answered by being there, and half a proof stays behind:
    somebody else may hold this address."""
    taken = {name: value for name, value in slots.items() if name != "given"}
    return {**taken, "awaiting": "none"} if slots.get("awaiting") == "channel" else taken


async def move(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    how: How,
    wake: Wake,
    *,
    origin: Conversation | None,
) -> None:
    """Go on in a conversation that the customer was led to.

    `origin` is where the link, the code or the wish comes from; a proof of identity given there
    counts here as well. A link that the merchant handed out has none and proves nothing.

    The old channel says goodbye once: here after a link, else the answer there does. The new one
    says hello, thanks as the merchant's policy says for an address that the customer registered,
    and the dialogue engine says where we were: after a link it answers the message
    that brought the customer, else `wake` has its turn.
    """
    before = await make_active(session, conversation, now, how)
    carried = origin is not None and await _carry_proof(session, origin, conversation, now)
    proved = carried or how is not How.LINK
    await _note_address(session, conversation, now, how, proved=proved)
    if origin is not None:  # it was their own wish
        await session.execute(
            update(Customer)
            .where(Customer.id == conversation.customer_id)
            .values(preferred_channel=conversation.channel)
        )
    if conversation.opted_out_at is not None:
        await opt_in(session, conversation, now)
    registered = origin is not None and how in (How.LINK, How.CODE)
    thanked = registered and await _thank(session, conversation, now)
    if before is None:
        return
    if proved:
        await _hand_over(session, before, conversation)
    if how is How.LINK and await _say_goodbye(session, before, conversation, now):
        wake.deliveries.add(before.id)
    held = await scene(session, conversation.id)
    speaker = held.speaker(verified=False)
    hello = [Reply("channel_arrived"), *([Reply("contact_thanks")] if thanked else [])]
    await queue(session, held, speaker, hello, now)
    wake.deliveries.add(conversation.id)
    free = conversation.channel != Channel.WHATSAPP or window_open(
        conversation.last_inbound_at, now
    )
    if how is not How.LINK and free:
        session.add(_arrival(conversation, now))
        wake.turns.add(conversation.id)


async def _thank(session: AsyncSession, conversation: Conversation, now: datetime) -> bool:
    """Thank for the address as the merchant's policy says; two moves at once thank once."""
    customer = await lock_customer(session, conversation.customer_id)
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    return await contact_thanks.thank(session, customer, policy_from_data(merchant.policy), now)


async def _note_address(
    session: AsyncSession, conversation: Conversation, now: datetime, how: How, *, proved: bool
) -> None:
    """The customer wishes to be written to there; with `proved` it is sure to be theirs."""
    known = {"consent_at": now, "invalid_at": None, "invalid_reason": None}
    if proved:
        known["verified_at"] = now
    row = insert(ContactPoint).values(
        merchant_id=conversation.merchant_id,
        customer_id=conversation.customer_id,
        channel=conversation.channel,
        address=conversation.address,
        source="customer" if how is How.CODE else "deep_link",
        created_at=now,
        **known,
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["merchant_id", "customer_id", "channel", "address"], set_=known
        )
    )


async def _carry_proof(
    session: AsyncSession, origin: Conversation, conversation: Conversation, now: datetime
) -> bool:
    if origin.customer_id != conversation.customer_id:
        return False
    held = await scene(session, origin.id)
    if conversation.verification_locked_at is not None or not proof_holds(
        origin.customer_id, origin.verified_at, held.policy, now
    ):
        return False
    conversation.verified_at = origin.verified_at
    conversation.verified_with = origin.verified_with
    audit.note(session, conversation, "verification_carried_over", now, {"from": origin.channel})
    return True


async def _hand_over(
    session: AsyncSession, before: Conversation, conversation: Conversation
) -> None:
    """A person who was asked for, or is writing, goes along."""
    if before.state not in ("waiting", "agent") or conversation.state in ("waiting", "agent"):
        return
    conversation.state, before.state = before.state, "bot"
    handoffs = select(Handoff.id).where(
        Handoff.conversation_id == before.id, Handoff.closed_at.is_(None)
    )
    for table, which in ((HandoffNote, HandoffNote.handoff_id), (Handoff, Handoff.id)):
        await session.execute(
            update(table)
            .where(which.in_(handoffs))
            .values(conversation_id=conversation.id)
            .execution_options(synchronize_session=False)
        )


async def _say_goodbye(
    session: AsyncSession, before: Conversation, conversation: Conversation, now: datetime
) -> bool:
    """Tell the old channel where we go on; not where we must not write."""
    closed = before.channel == Channel.WHATSAPP and not window_open(before.last_inbound_at, now)
    if before.opted_out_at is not None or closed:
        return False
    held = await scene(session, before.id)
    reply = Reply("channel_left", {"channel": conversation.channel})
    await queue(session, held, held.speaker(verified=False), [reply], now)
    return True


def _arrival(conversation: Conversation, now: datetime) -> Message:
    """What stands for the customer's first message where they went without writing one."""
    return Message(
        merchant_id=conversation.merchant_id,
        conversation_id=conversation.id,
        channel_account_id=conversation.channel_account_id,
        direction="in",
        author="system",
        kind="start",
        text="",
        created_at=now,
    )

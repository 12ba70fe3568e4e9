"""The transcript: what was said by whom, what was understood, done, and what came of it.

Reads only. The messages are the transcript; turns, actions, postings, agreements and the audit say
what happened at each of them.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from conversation.redaction import Known
from ledger.money import Money
from storage.tables import (
    ActionResult,
    Agreement,
    AuditEvent,
    Claim,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
    Posting,
    Turn,
)

LISTED_MAX = 50
MESSAGES_MAX = 200
NEVER_SHOWN = frozenset({"action_listen"})
SEEN = "transcript_seen"
"""Each reading stands in the audit, but would drown what happened here."""
_TURN_KEY = re.compile(r"turn:(\d+):")


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in the list, by its newest message."""

    id: int
    message_id: int
    at: datetime
    author: str
    status: str | None
    channel: str
    state: str
    language: str | None
    customer_number: str | None


@dataclass(frozen=True, slots=True)
class Understood:
    """What the assistant took a message for."""

    intent: str
    confidence: float | None
    second: tuple[str, float] | None
    entities: Sequence[tuple[str, Any]]
    language: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a message brought about: in the ledger, an agreement, or elsewhere."""

    kind: str
    """``agreement``, ``posting`` or ``event``."""
    code: str
    amount: Money | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One message with everything that belongs to it; `message` is None for a bare event."""

    at: datetime
    message: Message | None
    understood: Understood | None = None
    actions: Sequence[str] = ()
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation, oldest message first; `earlier` is where the page before it goes on."""

    conversation: Conversation
    customer: Customer | None
    known: Known
    lines: Sequence[Line]
    earlier: int | None


async def listed(
    session: AsyncSession,
    merchant_id: int,
    *,
    before: int | None = None,
    state: str | None = None,
    channel: str | None = None,
    limit: int = LISTED_MAX,
) -> tuple[list[Listed], int | None]:
    """Conversations by their newest message, newest first, and where the next page goes on."""
    newer = aliased(Message)
    wanted = (
        select(
            Conversation.id,
            Message.id.label("message_id"),
            Message.created_at.label("at"),
            Message.author,
            Message.status,
            Conversation.channel,
            Conversation.state,
            Conversation.language,
            Customer.number.label("customer_number"),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(
            Message.merchant_id == merchant_id,
            ~select(newer.id)
            .where(newer.conversation_id == Message.conversation_id, newer.id > Message.id)
            .exists(),
        )
        .order_by(Message.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        wanted = wanted.where(Message.id < before)
    if state is not None:
        wanted = wanted.where(Conversation.state == state)
    if channel is not None:
        wanted = wanted.where(Conversation.channel == channel)
    rows = [Listed(**row._mapping) for row in await session.execute(wanted)]
    return rows[:limit], rows[limit - 1].message_id if len(rows) > limit else None


async def read(
    session: AsyncSession,
    merchant_id: int,
    conversation_id: int,
    *,
    before: int | None = None,
    limit: int = MESSAGES_MAX,
) -> Transcript | None:
    """The newest messages of a conversation, or those before a message; None if it has none such.

    ``session`` is the merchant's: what is another's is not there.
    """
    conversation = await session.scalar(
        select(Conversation).where(
            Conversation.id == conversation_id, Conversation.merchant_id == merchant_id
        )
    )
    if conversation is None:
        return None
    wanted = select(Message).where(Message.conversation_id == conversation_id)
    if before is not None:
        wanted = wanted.where(Message.id < before)
    newest = list(await session.scalars(wanted.order_by(Message.id.desc()).limit(limit + 1)))
    more, messages = len(newest) > limit, list(reversed(newest[:limit]))
    customer = None
    if conversation.customer_id is not None:
        customer = await session.get(Customer, conversation.customer_id)
    return Transcript(
        conversation=conversation,
        customer=customer,
        known=await _known(session, conversation, customer),
        lines=await _lines(session, conversation, messages, to_the_end=before is None),
        earlier=messages[0].id if more else None,
    )


async def _known(
    session: AsyncSession, conversation: Conversation, customer: Customer | None
) -> Known:
    if customer is not None:
        return await known_of(session, customer, conversation.address)
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    return Known(
        addresses=(conversation.address,), spared=(merchant.phone or "", merchant.email or "")
    )


async def known_of(session: AsyncSession, customer: Customer, *addresses: str) -> Known:
    """What is to be covered of a customer, besides these addresses."""
    merchant = await session.get_one(Merchant, customer.merchant_id)
    points = await session.scalars(
        select(ContactPoint.address).where(ContactPoint.customer_id == customer.id)
    )
    return known(customer, merchant, (*addresses, *points))


def known(customer: Customer, merchant: Merchant, addresses: Sequence[str]) -> Known:
    """The same from rows that are at hand."""
    whole = f"{customer.first_name} {customer.name}" if customer.first_name else customer.name
    return Known(
        names=(whole, customer.name, customer.first_name or ""),
        birth_date=customer.birth_date,
        postal_code=customer.postal_code,
        addresses=tuple(addresses),
        spared=(merchant.phone or "", merchant.email or ""),
    )


async def _lines(
    session: AsyncSession,
    conversation: Conversation,
    messages: Sequence[Message],
    *,
    to_the_end: bool,
) -> list[Line]:
    ids = [message.id for message in messages if message.direction == "in"]
    turns = {
        turn.message_id: turn
        for turn in await session.scalars(select(Turn).where(Turn.message_id.in_(ids)))
    }
    results = list(
        await session.scalars(
            select(ActionResult)
            .where(ActionResult.message_id.in_(ids))
            .order_by(ActionResult.message_id, ActionResult.ordinal)
        )
    )
    actions: defaultdict[int, list[str]] = defaultdict(list)
    for result in results:
        actions[result.message_id].append(result.name)
    effects = await _ledger_effects(session, conversation, set(ids))
    # Whatever was noted in the transaction of an action, or of a message settled in code.
    moments = {result.at: result.message_id for result in results}
    moments |= {
        message.handled_at: message.id
        for message in messages
        if message.handled_at is not None and message.id not in turns
    }
    bare: list[Line] = []
    for event in await _events(session, conversation, messages, moments, to_the_end=to_the_end):
        by = {"by": event.person} if event.person else {}
        effect = Effect("event", event.kind, facts={**event.facts, **by})
        if event.at in moments:
            effects[moments[event.at]].append(effect)
        else:
            bare.append(Line(event.at, None, effects=[effect]))
    lines = [
        Line(
            message.created_at,
            message,
            _understood(turns[message.id].understanding) if message.id in turns else None,
            actions[message.id] or _named(turns.get(message.id)),
            effects[message.id],
        )
        for message in messages
    ]
    return _by_time(lines, bare)


def _by_time(lines: Sequence[Line], bare: Sequence[Line]) -> list[Line]:
    """Messages in their own order, and each bare event before the first message after it."""
    merged: list[Line] = []
    waiting = list(bare)
    for line in lines:
        while waiting and waiting[0].at < line.at:
            merged.append(waiting.pop(0))
        merged.append(line)
    return [*merged, *waiting]


def _understood(given: Mapping[str, Any]) -> Understood | None:
    if not given.get("intent"):
        return None
    ranking = [one for one in given.get("ranking") or [] if one.get("name") != given["intent"]]
    second = (ranking[0]["name"], float(ranking[0].get("confidence") or 0)) if ranking else None
    return Understood(
        intent=given["intent"],
        confidence=given.get("confidence"),
        second=second,
        entities=[
            (one["entity"], one.get("value"))
            for one in given.get("entities") or []
            if one.get("entity")
        ],
        language=given.get("language"),
    )


def _named(turn: Turn | None) -> list[str]:
    """The actions of a turn that only said something."""
    return [
        event["name"]
        for event in (turn.events if turn is not None else ())
        if event.get("event") == "action" and event.get("name") not in NEVER_SHOWN
    ]


async def _ledger_effects(
    session: AsyncSession, conversation: Conversation, ids: set[int]
) -> defaultdict[int, list[Effect]]:
    """What turns agreed and posted, by message: their keys begin with the message's number."""
    effects: defaultdict[int, list[Effect]] = defaultdict(list)
    claims = select(Claim.id).where(Claim.customer_id == conversation.customer_id)
    agreements = await session.scalars(
        select(Agreement)
        .where(Agreement.claim_id.in_(claims), Agreement.idempotency_key.startswith("turn:"))
        .order_by(Agreement.id)
    )
    postings = await session.scalars(
        select(Posting)
        .where(Posting.claim_id.in_(claims), Posting.idempotency_key.startswith("turn:"))
        .order_by(Posting.id)
    )
    for row in agreements:
        if (message := _message_of(row.idempotency_key)) in ids:
            total = Money(row.total_minor, row.currency)
            effects[message].append(Effect("agreement", row.kind, total))
    for posting in postings:
        if (message := _message_of(posting.idempotency_key)) in ids:
            amount = Money(posting.amount_minor, posting.currency)
            effects[message].append(Effect("posting", posting.kind, amount))
    return effects


def _message_of(key: str) -> int:
    found = _TURN_KEY.match(key)
    return int(found.group(1)) if found else 0


async def _events(
    session: AsyncSession,
    conversation: Conversation,
    messages: Sequence[Message],
    moments: Mapping[datetime, int],
    *,
    to_the_end: bool,
) -> Sequence[AuditEvent]:
    """The audit of this conversation in the time of these messages, and of its claims at them."""
    if not messages:
        return []
    here = AuditEvent.conversation_id == conversation.id
    span = AuditEvent.at >= messages[0].created_at
    if not to_the_end:
        span &= AuditEvent.at <= messages[-1].created_at
    of_claims = (AuditEvent.customer_id == conversation.customer_id) & AuditEvent.at.in_(moments)
    wanted = select(AuditEvent).where(
        AuditEvent.merchant_id == conversation.merchant_id,
        AuditEvent.kind != SEEN,
        or_(here & span, of_claims & AuditEvent.conversation_id.is_(None)),
    )
    return (await session.scalars(wanted.order_by(AuditEvent.at, AuditEvent.id))).all()

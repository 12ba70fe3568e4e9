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

from conversation.redaction import Known
from ledger.money import Money
from storage.tables import (
    ActionResult,
    Agreement,
    AuditEvent,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
    Posting,
    Turn,
)

MESSAGES_MAX = 80
NEVER_SHOWN = frozenset({"action_listen"})
OF_READERS = (
    *("transcript_seen", "transcript_rated", "transcript_flagged", "transcript_unflagged"),
    *("transcript_commented", "transcripts_exported"),
    *("correction_proposed", "correction_accepted", "correction_rejected"),
)
"""What readers did stands in the audit, but would drown what happened here."""
_TURN_KEY = re.compile(r"turn:(\d+):")


@dataclass(frozen=True, slots=True)
class Understood:
    """What the assistant took a message for."""

    intent: str
    confidence: float | None
    ranking: Sequence[tuple[str, float]]
    """What else it might have been, the likeliest first."""
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
    attempt: ContactAttempt | None = None
    """Why it was sent unasked, and just then."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation, oldest message first; `earlier` is where the page before it goes on."""

    conversation: Conversation
    customer: Customer | None
    known: Known
    lines: Sequence[Line]
    earlier: int | None


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
    held = {conversation_id: (conversation.customer_id, (conversation.address,))}
    known = await known_of_each(session, merchant_id, held)
    return Transcript(
        conversation=conversation,
        customer=customer,
        known=known[conversation_id],
        lines=await _lines(session, conversation, messages, to_the_end=before is None),
        earlier=messages[0].id if more else None,
    )


async def line_of(
    session: AsyncSession, merchant_id: int, conversation_id: int, message: int
) -> Line | None:
    """One message with everything that belongs to it; None where it is not there."""
    read_ = await read(session, merchant_id, conversation_id, before=message + 1, limit=1)
    found = [line for line in read_.lines if line.message is not None] if read_ else []
    newest = found[-1] if found else None
    return newest if newest and newest.message and newest.message.id == message else None


async def page_with(session: AsyncSession, conversation_id: int, message: int) -> int | None:
    """Before which message a page of `read` ends that has this message in its middle; None: the
    newest page has it.
    """
    after = select(Message.id).where(
        Message.conversation_id == conversation_id, Message.id > message
    )
    newer = list(await session.scalars(after.order_by(Message.id).limit(MESSAGES_MAX // 2 + 1)))
    return newer[-1] if len(newer) > MESSAGES_MAX // 2 else None


async def known_of(session: AsyncSession, customer: Customer, *addresses: str) -> Known:
    """What is to be covered of a customer, besides these addresses."""
    held = {customer.id: (customer.id, addresses)}
    return (await known_of_each(session, customer.merchant_id, held))[customer.id]


async def known_of_each(
    session: AsyncSession,
    merchant_id: int,
    held: Mapping[int, tuple[int | None, tuple[str, ...]]],
) -> dict[int, Known]:
    """What is to be covered in each of some conversations: their customer's data, and addresses."""
    ids = {customer for customer, _ in held.values() if customer is not None}
    merchant = await session.get_one(Merchant, merchant_id)
    spared = (merchant.phone or "", merchant.email or "")
    customers: dict[int, Customer] = {}
    points: defaultdict[int, list[str]] = defaultdict(list)
    if ids:
        found = await session.scalars(select(Customer).where(Customer.id.in_(ids)))
        customers = {customer.id: customer for customer in found}
        of = (ContactPoint.customer_id, ContactPoint.address)
        for owner, address in await session.execute(
            select(*of).where(ContactPoint.customer_id.in_(ids))
        ):
            points[owner].append(address)
    known = {}
    for key, (customer_id, addresses) in held.items():
        customer = customers.get(customer_id) if customer_id is not None else None
        if customer is None:
            known[key] = Known(addresses=addresses, spared=spared)
            continue
        known[key] = known_from(customer, merchant, (*addresses, *points[customer.id]))
    return known


def known_from(customer: Customer, merchant: Merchant, addresses: Sequence[str]) -> Known:
    """The same from rows that are at hand, or from one that has the columns of both."""
    first, name = customer.first_name, customer.name
    return Known(
        names=(f"{first} {name}" if first else name, name, first or ""),
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
    sent = [message.id for message in messages if message.direction == "out"]
    attempts = {
        attempt.message_id: attempt
        for attempt in await session.scalars(
            select(ContactAttempt).where(ContactAttempt.message_id.in_(sent))
        )
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
            attempts.get(message.id),
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
    return Understood(
        intent=given["intent"],
        confidence=given.get("confidence"),
        ranking=[(one["name"], float(one.get("confidence") or 0)) for one in ranking],
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
        AuditEvent.kind.not_in(OF_READERS),
        or_(here & span, of_claims & AuditEvent.conversation_id.is_(None)),
    )
    return (await session.scalars(wanted.order_by(AuditEvent.at, AuditEvent.id))).all()

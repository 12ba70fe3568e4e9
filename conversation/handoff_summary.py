"""What a person at the desk reads: facts, computed when they are read. No stored texts.

Address and proof of identity are not shown: an agent needs neither. The name stands in the
summary of one handoff, not in the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, case, select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from channels.window import WINDOW
from conversation.delivery import hindrance
from conversation.handoff_advice import Advice, Mood, mood, next_step
from conversation.handoff_held import HandoffUnknown
from conversation.handoff_urgency import URGENT_REASONS, Urgency
from conversation.identity import proof_holds
from conversation.outbox import scene
from conversation.page_chat import place_of_answer
from ledger import book
from ledger.agreements import AgreementStatus
from ledger.book import ClaimRecord
from ledger.statement import AgreementRecord
from storage.tables import (
    AuditEvent,
    Conversation,
    Customer,
    Handoff,
    HandoffNote,
    Merchant,
    Message,
    Turn,
)

INTENTS_MAX: Final = 10
MESSAGES_MAX: Final = 200


@dataclass(frozen=True)
class Listed:
    """A handoff as a row of the list."""

    handoff: Handoff
    urgency: Urgency
    reasons: Sequence[str]
    overdue: bool
    """Nobody has taken it by the time that can honestly be expected."""
    channel: str
    language: str | None
    verified: bool
    customer_number: str | None


@dataclass(frozen=True)
class Reason:
    """Why a person is needed, and since when."""

    code: str
    at: datetime


@dataclass(frozen=True)
class OpenClaim:
    """A claim of the customer that is open or disputed, with the agreement in force."""

    record: ClaimRecord
    agreement: AgreementRecord | None


@dataclass(frozen=True)
class Said:
    """What the bot understood a message as."""

    intent: str
    confidence: float | None
    at: datetime


@dataclass(frozen=True)
class Summary:
    """Everything about one handoff that a person should know before writing."""

    listed: Listed
    state: str
    reasons: Sequence[Reason]
    customer: Customer | None
    verified_with: str | None
    verified_at: datetime | None
    verification_locked: bool
    opted_out: bool
    on_page: bool
    """Whether a free text is read on the customer's page, behind its proof."""
    reachable: bool
    """Whether a free text may be sent now."""
    window_ends_at: datetime | None
    """WhatsApp: until when."""
    claims: Sequence[OpenClaim]
    offer: Mapping[str, Any] | None
    """The bot's suggestion that waits for a yes: claim, terms and the open amount it is for."""
    facts: Mapping[str, Any]
    """What the requests carried along: the wish, what was asked for, days."""
    said: Sequence[Said]
    """The newest first."""
    mood: Mood
    advice: Advice
    notes: Sequence[HandoffNote]
    transcript: Sequence[Message]
    """The last MESSAGES_MAX messages, oldest first."""


_LISTED = (
    select(Handoff, Conversation, Customer, Merchant.policy)
    .join(Conversation, Conversation.id == Handoff.conversation_id)
    .join(Merchant, Merchant.id == Handoff.merchant_id)
    .outerjoin(Customer, Customer.id == Conversation.customer_id)
)
_FIRST = case(
    (Handoff.reason == "crisis", 0), (Handoff.reason.in_(sorted(URGENT_REASONS)), 1), else_=2
)

_Found = Row[Handoff, Conversation, Customer, dict[str, Any]]


async def open_handoffs(
    session: AsyncSession, merchant_id: int, now: datetime, *, taken: bool | None, limit: int
) -> list[Listed]:
    """A merchant's open handoffs: crisis first, then what is urgent, then the oldest.

    `taken`: only those that a person has, or only those that nobody has.
    """
    wanted = _LISTED.where(Handoff.merchant_id == merchant_id, Handoff.closed_at.is_(None))
    if taken is not None:
        wanted = wanted.where(
            Handoff.taken_at.is_not(None) if taken else Handoff.taken_at.is_(None)
        )
    order = (_FIRST, Handoff.requested_at, Handoff.id)
    found = await session.execute(wanted.order_by(*order).limit(limit))
    return [_listed(row, now) for row in found]


async def summary(
    session: AsyncSession, merchant_id: int, handoff_id: int, now: datetime
) -> Summary:
    """The facts of one handoff, open or ended; raises ``HandoffUnknown``."""
    found = (
        await session.execute(
            _LISTED.where(Handoff.merchant_id == merchant_id, Handoff.id == handoff_id)
        )
    ).one_or_none()
    if found is None:
        raise HandoffUnknown(f"there is no handoff {handoff_id}")
    handoff, conversation, customer, _ = found
    listed = _listed(found, now)
    said = await _said(session, conversation.id)
    where = await place_of_answer(session, await scene(session, conversation.id), now)
    on_page = where.page_customer_id is not None
    reachable = on_page or (
        conversation.opted_out_at is None and hindrance(conversation, now, template=None) is None
    )
    whatsapp = conversation.channel == Channel.WHATSAPP and conversation.last_inbound_at is not None
    return Summary(
        listed=replace(listed, verified=listed.verified or on_page),
        state=conversation.state,
        reasons=await _reasons(session, handoff),
        customer=customer,
        verified_with=conversation.verified_with if listed.verified else None,
        verified_at=conversation.verified_at if listed.verified else None,
        verification_locked=conversation.verification_locked_at is not None,
        opted_out=conversation.opted_out_at is not None,
        on_page=on_page,
        reachable=reachable,
        window_ends_at=conversation.last_inbound_at + WINDOW
        if whatsapp and conversation.last_inbound_at is not None
        else None,
        claims=await _claims(session, customer),
        offer=conversation.slots.get("offer"),
        facts={name: value for name, value in handoff.summary.items() if name != "reasons"},
        said=said,
        mood=mood([each.intent for each in said], listed.reasons),
        advice=next_step(listed.reasons, reachable=reachable),
        notes=await _notes(session, handoff.id),
        transcript=await _transcript(session, conversation.id),
    )


def _listed(row: _Found, now: datetime) -> Listed:
    handoff, conversation, customer, policy = row
    late = handoff.answer_by is not None and handoff.answer_by <= now
    return Listed(
        handoff=handoff,
        urgency=Urgency.of(handoff.reason),
        reasons=handoff.summary.get("reasons", [handoff.reason]),
        overdue=late and handoff.taken_at is None and handoff.closed_at is None,
        channel=conversation.channel,
        language=conversation.language or (customer.language if customer is not None else None),
        verified=proof_holds(conversation.customer_id, conversation.verified_at, policy, now),
        customer_number=customer.number if customer is not None else None,
    )


async def _reasons(session: AsyncSession, handoff: Handoff) -> list[Reason]:
    wanted = select(AuditEvent.facts["reason"].as_string(), AuditEvent.at).where(
        AuditEvent.conversation_id == handoff.conversation_id,
        AuditEvent.kind.in_(("handoff_requested", "handoff_reason_added")),
        AuditEvent.at >= handoff.requested_at,
    )
    if handoff.closed_at is not None:
        wanted = wanted.where(AuditEvent.at <= handoff.closed_at)
    found = await session.execute(wanted.order_by(AuditEvent.id))
    return [Reason(code, at) for code, at in found]


async def _claims(session: AsyncSession, customer: Customer | None) -> list[OpenClaim]:
    if customer is None:
        return []
    claims = []
    for record in await book.records_of(session, customer.id):
        agreement = record.statement().agreement
        active = agreement is not None and agreement.status is AgreementStatus.ACTIVE
        claims.append(OpenClaim(record, agreement if active else None))
    return claims


async def _said(session: AsyncSession, conversation_id: int) -> list[Said]:
    found = await session.execute(
        select(Turn.understanding, Turn.at)
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.number.desc())
        .limit(INTENTS_MAX)
    )
    return [
        Said(understanding["intent"], understanding.get("confidence"), at)
        for understanding, at in found
        if understanding.get("intent")
    ]


async def _notes(session: AsyncSession, handoff_id: int) -> list[HandoffNote]:
    wanted = select(HandoffNote).where(HandoffNote.handoff_id == handoff_id)
    return list(await session.scalars(wanted.order_by(HandoffNote.id)))


async def _transcript(session: AsyncSession, conversation_id: int) -> list[Message]:
    wanted = select(Message).where(Message.conversation_id == conversation_id)
    newest = await session.scalars(wanted.order_by(Message.id.desc()).limit(MESSAGES_MAX))
    return list(reversed(list(newest)))

"""The transcript: what was said by whom, what was understood, done, and what came of it.

Reads only. The messages are the transcript; turns, actions, postings, agreements and the audit say
what happened at each of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Executable,
    Select,
    Text,
    all_,
    any_,
    bindparam,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from conversation.known import known_from
from conversation.redaction import Known
from ledger.money import Money
from storage.statement import Statement
from storage.tables import (
    ActionResult,
    AuditEvent,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
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
_NO_END: Final = 2**63 - 1


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
    reason: str | None = None
    """Why it was sent unasked, and just then, in codes."""


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
    whose = {"merchant_id": merchant_id, "conversation_id": conversation_id}
    held = (await session.execute(_HELD, whose)).one_or_none()
    if held is None:
        return None
    conversation, customer = held.Conversation, held.Customer
    addresses = (conversation.address, *held.addresses)
    wanted = {"conversation_id": conversation_id, "limit": limit + 1}
    newest = (await session.execute(_MESSAGES, {**wanted, "before": before or _NO_END})).all()
    rows = newest[:limit][::-1]
    return Transcript(
        conversation=conversation,
        customer=customer,
        known=known_from(customer, held, addresses),
        lines=await _lines(session, conversation, rows, to_the_end=before is None),
        earlier=rows[0].Message.id if len(newest) > limit else None,
    )


async def line_of(
    session: AsyncSession, merchant_id: int, conversation_id: int, message: int
) -> tuple[Line, Known] | None:
    """One message with everything that belongs to it, and what is to be covered in it.

    None where it is not there.
    """
    found = await read(session, merchant_id, conversation_id, before=message + 1, limit=1)
    for line in found.lines if found is not None else ():
        if found is not None and line.message is not None and line.message.id == message:
            return line, found.known
    return None


async def page_with(session: AsyncSession, conversation_id: int, message: int) -> int | None:
    """Before which message a page of `read` ends that has this message in its middle; None: the
    newest page has it.
    """
    after = select(Message.id).where(
        Message.conversation_id == conversation_id, Message.id > message
    )
    newer = list(await session.scalars(after.order_by(Message.id).limit(MESSAGES_MAX // 2 + 1)))
    return newer[-1] if len(newer) > MESSAGES_MAX // 2 else None


async def _lines(
    session: AsyncSession, conversation: Conversation, rows: Sequence[Any], *, to_the_end: bool
) -> list[Line]:
    if not rows:
        return []
    effects = await _ledger_effects(session, conversation, [one.Message.id for one in rows])
    # Whatever was noted in the transaction of an action, or of a message settled in code.
    moments = {at: one.Message.id for one in rows for at in one.acted_at}
    moments |= {
        one.Message.handled_at: one.Message.id
        for one in rows
        if one.Message.handled_at is not None and one.turn is None
    }
    bare: list[Line] = []
    first, last = rows[0].Message, rows[-1].Message
    for event in await _EVENTS.run(
        session,
        merchant_id=conversation.merchant_id,
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        since=first.created_at,
        until=None if to_the_end else last.created_at,
        moments=list(moments),
    ):
        by = {"by": event.person} if event.person else {}
        effect = Effect("event", event.kind, facts={**event.facts, **by})
        if event.at in moments:
            effects[moments[event.at]].append(effect)
        else:
            bare.append(Line(event.at, None, effects=[effect]))
    lines = [
        Line(
            one.Message.created_at,
            one.Message,
            _understood(one.understanding or {}),
            one.actions or _named(one.events or ()),
            effects[one.Message.id],
            one.reason,
        )
        for one in rows
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


def _named(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The actions of a turn that only said something."""
    return [
        event["name"]
        for event in events
        if event.get("event") == "action" and event.get("name") not in NEVER_SHOWN
    ]


async def _ledger_effects(
    session: AsyncSession, conversation: Conversation, messages: Sequence[int]
) -> defaultdict[int, list[Effect]]:
    """What turns agreed and posted, by message."""
    effects: defaultdict[int, list[Effect]] = defaultdict(list)
    if conversation.customer_id is None:
        return effects
    given = {"customer_id": conversation.customer_id, "messages": list(map(str, messages))}
    for one in await _BOOKED.run(session, **given):
        effects[int(one.message)].append(Effect(one.what, one.kind, Money(one.minor, one.currency)))
    return effects


_CONVERSATION: Final = bindparam("conversation_id", type_=BigInteger)
_HELD: Final = (
    select(
        Conversation,
        Customer,
        Merchant.phone,
        Merchant.email,
        func.array(
            select(ContactPoint.address)
            .where(ContactPoint.customer_id == Conversation.customer_id)
            .order_by(ContactPoint.id)
            .scalar_subquery(),
            type_=ARRAY(Text),
        ).label("addresses"),
    )
    .join(Merchant, Merchant.id == Conversation.merchant_id)
    .outerjoin(Customer, Customer.id == Conversation.customer_id)
    .where(
        Conversation.id == _CONVERSATION,
        Conversation.merchant_id == bindparam("merchant_id", type_=BigInteger),
    )
)
"""Whose conversation it is, and what is to be covered in it."""


def _messages() -> Select[Any]:
    newest = (
        select(Message)
        .where(
            Message.conversation_id == _CONVERSATION,
            Message.id < bindparam("before", type_=BigInteger),
        )
        .order_by(Message.id.desc())
        .limit(bindparam("limit", type_=BigInteger))
        .subquery()
    )
    of = aliased(Message, newest, name="Message")
    reason = select(ContactAttempt.reason).where(ContactAttempt.message_id == of.id)

    def acted(column: InstrumentedAttribute[Any], kind: Any) -> Any:
        found = select(column).where(ActionResult.message_id == of.id)
        ordered = found.order_by(ActionResult.ordinal).scalar_subquery()
        return func.array(ordered, type_=ARRAY(kind))

    return (
        select(
            of,
            Turn.message_id.label("turn"),
            Turn.understanding,
            Turn.events,
            acted(ActionResult.name, Text).label("actions"),
            acted(ActionResult.at, DateTime(timezone=True)).label("acted_at"),
            reason.order_by(ContactAttempt.id.desc()).limit(1).scalar_subquery().label("reason"),
        )
        .outerjoin(Turn, Turn.message_id == of.id)
        .order_by(of.id.desc())
    )


_MESSAGES: Final = _messages()
"""Messages, the newest first, with what was understood and done at each, and why it was sent."""
_BOOKED: Final = Statement(
    text(
        """
    WITH claims AS (SELECT id FROM claim WHERE customer_id = :customer_id)
    SELECT 'agreement' AS what, id, kind, total_minor AS minor, currency,
        split_part(idempotency_key, ':', 2) AS message
    FROM agreement
    WHERE claim_id IN (SELECT id FROM claims) AND idempotency_key LIKE 'turn:%:%'
        AND split_part(idempotency_key, ':', 2) = ANY(:messages)
    UNION ALL
    SELECT 'posting', id, kind, amount_minor, currency, split_part(idempotency_key, ':', 2)
    FROM posting
    WHERE claim_id IN (SELECT id FROM claims) AND idempotency_key LIKE 'turn:%:%'
        AND split_part(idempotency_key, ':', 2) = ANY(:messages)
    ORDER BY what, id
    """
    ).bindparams(
        bindparam("customer_id", type_=BigInteger),
        bindparam("messages", type_=ARRAY(Text)),
    )
)
"""What was agreed and posted at some messages, whose numbers the keys begin with."""


def _events() -> Executable:
    until = bindparam("until", type_=DateTime(timezone=True))
    here = (
        (AuditEvent.conversation_id == _CONVERSATION)
        & (AuditEvent.at >= bindparam("since", type_=DateTime(timezone=True)))
        & (until.is_(None) | (AuditEvent.at <= until))
    )
    of_claims = (
        (AuditEvent.customer_id == bindparam("customer_id", type_=BigInteger))
        & AuditEvent.conversation_id.is_(None)
        & (AuditEvent.at == any_(bindparam("moments", type_=ARRAY(DateTime(timezone=True)))))
    )
    return (
        select(AuditEvent.kind, AuditEvent.at, AuditEvent.person, AuditEvent.facts)
        .where(
            AuditEvent.merchant_id == bindparam("merchant_id", type_=BigInteger),
            AuditEvent.kind != all_(array(OF_READERS)),
            or_(here, of_claims),
        )
        .order_by(AuditEvent.at, AuditEvent.id)
    )


_EVENTS: Final = Statement(_events())
"""The audit of a conversation in the time of some messages, and of its claims at them."""

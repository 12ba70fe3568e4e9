"""What Kulanz knows about an invented customer just now: read only, scoped by merchant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo.coming import Outlook, outlook
from ledger import book
from ledger.statement import Statement
from storage.tables import (
    ActionResult,
    ButtonChoice,
    ContactAttempt,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    Turn,
)

TURNS_MAX: Final = 12
NO_ACTION: Final = "action_listen"


@dataclass(frozen=True)
class Entity:
    """A value that was found in a text."""

    name: str
    value: str


@dataclass(frozen=True)
class Understood:
    """One message of the customer, what it was taken for, and what became of it."""

    text: str
    """What was written, or the title of the button that was pressed."""
    files: int
    channel: str
    at: datetime
    intent: str | None
    """None where code settled it before the assistant was asked (stop, links, files)."""
    confidence: float | None
    second: str | None
    second_confidence: float | None
    entities: tuple[Entity, ...]
    language: str | None
    actions: tuple[str, ...]
    said: tuple[str, ...]
    """Names of the wordings of the answer."""
    outcome: str | None
    waiting: bool


@dataclass(frozen=True)
class Talk:
    """Where the conversation on one channel stands."""

    channel: str
    state: str
    verified_with: str | None
    verified: bool
    opted_out: bool
    busy: bool
    """An answer is on its way."""


@dataclass(frozen=True)
class HandoffShown:
    """A person is asked for."""

    reason: str
    requested_at: datetime
    answer_by: datetime | None
    overdue: bool
    taken_by: str | None


@dataclass(frozen=True)
class Sent:
    """A message that outreach decided to send, and why."""

    step: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Panel:
    """All that stands beside the phones."""

    customer: Customer
    now: datetime
    statements: tuple[Statement, ...]
    turns: tuple[Understood, ...]
    talks: tuple[Talk, ...]
    handoffs: tuple[HandoffShown, ...]
    outlook: Outlook
    sent: tuple[Sent, ...]

    @property
    def busy(self) -> dict[str, bool]:
        """By channel: whether an answer is on its way."""
        return {talk.channel: talk.busy for talk in self.talks}


async def read_panel(
    session: AsyncSession,
    merchant: Merchant,
    customer_id: int,
    addresses: Collection[str],
    now: datetime,
) -> Panel:
    """Read everything about one customer, and what was said at these addresses: whoever turned
    out to be somebody else has a conversation that is no customer's."""
    customer = await session.get_one(Customer, customer_id, populate_existing=True)
    claims = await book.claims_of(session, customer.id, pursued_only=False)
    conversations = (
        await session.scalars(
            select(Conversation)
            .where((Conversation.customer_id == customer.id) | Conversation.address.in_(addresses))
            .order_by(Conversation.id)
            .execution_options(populate_existing=True)
        )
    ).all()
    ids = [each.id for each in conversations]
    channels = {each.id: each.channel for each in conversations}
    return Panel(
        customer=customer,
        now=now,
        statements=tuple([await book.statement(session, claim.id, now=now) for claim in claims]),
        turns=await _turns(session, channels),
        talks=tuple([await _talk(session, each) for each in conversations]),
        handoffs=await _handoffs(session, ids),
        outlook=await outlook(session, merchant, customer, now),
        sent=await _sent(session, customer.id),
    )


async def _turns(session: AsyncSession, channels: Mapping[int, str]) -> tuple[Understood, ...]:
    rows = (
        await session.execute(
            select(Message, Turn.understanding)
            .outerjoin(Turn, Turn.message_id == Message.id)
            .where(Message.conversation_id.in_(channels), Message.direction == "in")
            .order_by(Message.id.desc())
            .limit(TURNS_MAX)
        )
    ).all()
    ids = [message.id for message, _ in rows]
    actions = await _grouped(
        session,
        select(ActionResult.message_id, ActionResult.name)
        .where(ActionResult.message_id.in_(ids))
        .order_by(ActionResult.message_id, ActionResult.ordinal),
    )
    said = await _grouped(
        session,
        select(Message.in_reply_to, Message.wording)
        .where(Message.in_reply_to.in_(ids))
        .order_by(Message.in_reply_to, Message.ordinal),
    )
    pressed = [button["id"] for message, _ in rows for button in message.buttons if "id" in button]
    titles = dict(
        (
            await session.execute(
                select(ButtonChoice.id, ButtonChoice.title).where(ButtonChoice.id.in_(pressed))
            )
        )
        .tuples()
        .all()
    )
    return tuple(
        _understood(message, understanding or {}, channels, actions, said, titles)
        for message, understanding in rows
    )


async def _grouped(session: AsyncSession, query: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for key, name in await session.execute(query):
        if name is not None:
            found.setdefault(key, []).append(name)
    return found


def _understood(
    message: Message,
    understanding: Mapping[str, Any],
    channels: Mapping[int, str],
    actions: Mapping[int, Sequence[str]],
    said: Mapping[int, Sequence[str]],
    titles: Mapping[str, str],
) -> Understood:
    ranking = understanding.get("ranking") or []
    second = ranking[1] if len(ranking) > 1 else {}
    return Understood(
        text=message.text or ", ".join(titles.get(each["id"], "") for each in message.buttons),
        files=len(message.attachments),
        channel=channels[message.conversation_id],
        at=message.created_at,
        intent=understanding.get("intent"),
        confidence=understanding.get("confidence"),
        second=second.get("name"),
        second_confidence=second.get("confidence"),
        entities=tuple(
            Entity(str(each.get("entity")), _short(each.get("value")))
            for each in understanding.get("entities") or []
        ),
        language=understanding.get("language"),
        actions=tuple(name for name in actions.get(message.id, ()) if name != NO_ACTION),
        said=tuple(said.get(message.id, ())),
        outcome=message.outcome,
        waiting=message.handled_at is None,
    )


def _short(value: Any) -> str:
    text = ", ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


async def _talk(session: AsyncSession, conversation: Conversation) -> Talk:
    open_work = await session.scalar(
        select(Message.id)
        .where(
            Message.conversation_id == conversation.id,
            (
                (Message.direction == "in")
                & Message.handled_at.is_(None)
                & (conversation.state == "bot")
            )
            | (Message.in_reply_to.is_not(None) & Message.status.in_(("queued", "sending"))),
        )
        .limit(1)
    )
    return Talk(
        channel=conversation.channel,
        state=conversation.state,
        verified_with=conversation.verified_with,
        verified=conversation.verified_at is not None,
        opted_out=conversation.opted_out_at is not None,
        busy=open_work is not None,
    )


async def _handoffs(session: AsyncSession, ids: Sequence[int]) -> tuple[HandoffShown, ...]:
    found = await session.scalars(
        select(Handoff)
        .where(Handoff.conversation_id.in_(ids), Handoff.closed_at.is_(None))
        .order_by(Handoff.id)
    )
    return tuple(
        HandoffShown(
            each.reason,
            each.requested_at,
            each.answer_by,
            each.overdue_at is not None,
            each.taken_by,
        )
        for each in found
    )


async def _sent(session: AsyncSession, customer_id: int) -> tuple[Sent, ...]:
    found = await session.scalars(
        select(ContactAttempt)
        .where(ContactAttempt.customer_id == customer_id)
        .order_by(ContactAttempt.id.desc())
    )
    return tuple(Sent(each.step, each.reason, each.at) for each in found)

"""What the next step of a conversation is decided by, read with one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from channels.message import AttachmentKind
from conversation.delivery import IS_UNSENT, OUT
from conversation.outbox import Question, was_shown
from storage.statement import Statement
from storage.tables import Conversation, Customer, Message, Turn

TURNS_MAX = 3
"""Rules look one turn back and slots are kept apart; older turns stay in the transcript."""
DOCUMENT_KINDS = frozenset(
    {AttachmentKind.PHOTO.value, AttachmentKind.DOCUMENT.value, AttachmentKind.VIDEO.value}
)
"""A voice message, a sticker or a place shows nothing; the customer is asked for a text."""


async def lock(session: AsyncSession, conversation_id: int) -> Conversation:
    """The conversation, locked until the transaction ends."""
    return (
        await session.execute(
            select(Conversation)
            .where(Conversation.id == conversation_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()


@dataclass(frozen=True)
class Inbound:
    """An unhandled message."""

    id: int
    kind: str
    text: str
    args: Mapping[str, Any]
    buttons: Sequence[Mapping[str, str]]
    attachments: Sequence[Mapping[str, Any]]
    created_at: datetime
    page_customer_id: int | None
    """Whose page it was written on, if it was."""

    @property
    def documents(self) -> list[str]:
        """The kinds of what a person can look at as a receipt or as evidence."""
        kinds = [attachment.get("kind") for attachment in self.attachments]
        return [kind for kind in kinds if kind in DOCUMENT_KINDS]


@dataclass(frozen=True)
class Look:
    """A conversation at the start of a step."""

    conversation_id: int
    merchant_id: int
    channel: str
    state: str
    language: str | None
    customer_id: int | None
    active: bool
    """Whether the customer's dialogue goes on here."""
    slots: Mapping[str, Any]
    hint: Mapping[str, Any] | None
    """What a person who gave the conversation back told us."""
    unsent: bool
    """Whether the outbox holds anything."""
    turns: int
    """Messages answered within the last hour."""
    newest_of_bot: Question | None
    """Our newest message; it may have come too late for the customer's."""
    message: Inbound | None
    """The next unhandled one in order of acceptance."""
    follows: int | None
    """The customer's message that the bot's message right before it answered; None where another
    one stands right before it, or where that message had not left when the customer wrote."""
    past: Sequence[Sequence[dict[str, Any]]]
    """The engine's events of the last TURNS_MAX turns, newest first; empty without a message."""


_next_in, _in, _turn, _bots, _newest, _before = (
    aliased(Message, name=name)
    for name in ("next_in", "inbound", "turns", "bots", "newest", "before")
)
_ID = bindparam("conversation_id", type_=BigInteger)
_IN: ColumnElement[str] = literal_column("'in'")
_BOT: ColumnElement[str] = literal_column("'bot'")
_recent = (
    select(Turn.events, Turn.number)
    .where(
        Turn.conversation_id == _ID,
        Turn.number
        > select(func.coalesce(Conversation.turns_before, 0))
        .where(Conversation.id == _ID)
        .scalar_subquery(),
    )
    .order_by(Turn.number.desc())
    .limit(TURNS_MAX)
    .subquery("recent")
)
_PAST = select(
    func.jsonb_agg(aggregate_order_by(_recent.c.events, _recent.c.number.desc()))
).scalar_subquery()
_SHOWN = was_shown(_newest, _in.id, _in.created_at, _in.page_customer_id)
_LOOK = Statement(
    select(
        Conversation.id.label("conversation_id"),
        Conversation.merchant_id,
        Conversation.channel,
        Conversation.state,
        Conversation.language,
        Conversation.customer_id,
        func.coalesce(Customer.active_conversation_id == Conversation.id, false()).label("active"),
        Conversation.slots,
        Conversation.hint,
        exists().where(Message.conversation_id == _ID, IS_UNSENT).correlate(None).label("unsent"),
        select(func.count())
        .where(
            _turn.conversation_id == _ID,
            _turn.direction == OUT,
            _turn.ordinal == 0,
            _turn.created_at > bindparam("an_hour_ago", type_=DateTime(timezone=True)),
        )
        .scalar_subquery()
        .label("turns"),
        case((_in.id.is_not(None), _PAST)).label("past"),
        case(
            (
                and_(
                    _SHOWN,
                    _newest.id
                    == select(func.max(_before.id))
                    .where(
                        _before.conversation_id == _ID,
                        _before.id < _in.id,
                        _before.kind != literal_column("'edit'"),
                    )
                    .scalar_subquery(),
                ),
                _newest.in_reply_to,
            )
        ).label("follows"),
        func.coalesce(_SHOWN, false()).label("newest_shown"),
        _newest.id.label("newest_id"),
        _newest.buttons.label("newest_buttons"),
        *(getattr(_in, field.name).label(f"in_{field.name}") for field in fields(Inbound)),
    )
    .select_from(Conversation)
    .outerjoin(Customer, Customer.id == Conversation.customer_id)
    .outerjoin(
        _in,
        _in.id
        == select(_next_in.id)
        .where(
            _next_in.conversation_id == _ID,
            _next_in.direction == _IN,
            _next_in.handled_at.is_(None),
        )
        .order_by(_next_in.sequence.nulls_last(), _next_in.id)
        .limit(1)
        .scalar_subquery(),
    )
    .outerjoin(
        _newest,
        _newest.id
        == select(func.max(_bots.id))
        .where(_bots.conversation_id == _ID, _bots.direction == OUT, _bots.author == _BOT)
        .scalar_subquery(),
    )
    .where(Conversation.id == _ID)
)


async def look(session: AsyncSession, conversation_id: int, now: datetime) -> Look:
    """Read what the next step is decided by; the caller holds the conversation's lock.

    An earlier provider sequence (Telegram's ``update_id``) that is not yet handled goes first.
    """
    (found,) = await _LOOK.run(
        session, conversation_id=conversation_id, an_hour_ago=now - timedelta(hours=1)
    )
    row = found._asdict()
    inbound = {field.name: row.pop(f"in_{field.name}") for field in fields(Inbound)}
    newest = Question(*(row.pop(f"newest_{name}") for name in ("id", "buttons", "shown")))
    return Look(
        past=row.pop("past") or [],
        newest_of_bot=newest if newest.message_id is not None else None,
        message=Inbound(**inbound) if inbound["id"] is not None else None,
        **row,
    )

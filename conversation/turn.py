"""The turn: one inbound message in, replies in the outbox out, exactly once.

The job around it works like this, each step one transaction that holds the conversation's lock
from its start (``Database.conversation``), nothing locked in between:

1. `look` reads the conversation; `next_unhandled` settles what needs no dialogue engine (stop
   words, deep links, edits, a person at the desk), or returns what the engine has to see;
2. the engine runs (its actions commit their effects under keys of their own, see
   ``api/action_endpoint.py``);
3. `store`, only if the message is still unhandled, writes the replies, the engine's events and
   the mark "handled" together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from channels.message import AttachmentKind, Channel, ContactWish
from channels.optout import contact_wish
from conversation.consent import bind_start_token, opt_in, opt_out
from conversation.delivery import IS_UNSENT, OUT, ToSend
from conversation.engine import TurnRequest, TurnResult, readable
from conversation.handoff import request_handoff
from conversation.identity import is_verified, lapse
from conversation.outbox import Question, Reply, Said, Scene, queue, resolve_choice, scene
from negotiation.policy_data import policy_from_data
from storage.statement import Statement
from storage.tables import Conversation, Message, Turn

EVENTS_MAX = 24
TURNS_MAX = 3
"""Rules look one turn back and slots are kept apart; older turns stay in the transcript."""
FAILED_ATTEMPTS_MAX = 5
GIVE_UP_AFTER = timedelta(minutes=2)
"""However often it failed: a part of ours that restarts must not cost a customer the answer."""
TURNS_PER_HOUR_MAX = 150
"""More is no conversation but two machines talking to each other; a person is asked."""
WORDS_THAT_TELL_A_LANGUAGE = 3
DOCUMENT_KINDS = frozenset(
    {AttachmentKind.PHOTO.value, AttachmentKind.DOCUMENT.value, AttachmentKind.VIDEO.value}
)
"""A voice message, a sticker or a place shows nothing; the customer is asked for a text."""
RETRY_SECONDS_MAX = 15
STALLED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Pending:
    """A message that the dialogue engine has to see."""

    message_id: int
    request: TurnRequest


@dataclass(frozen=True)
class Settled:
    """A message that was handled here, without the engine."""

    message_id: int
    outcome: str


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
    slots: Mapping[str, Any]
    hint: Mapping[str, Any] | None
    """What a person who gave the conversation back told us."""
    unsent: bool
    """Whether the outbox holds anything."""
    turns: int
    """Messages answered within the last hour."""
    newest_of_bot: Question | None
    """Our newest message; one that is younger than the customer's came too late for it."""
    message: Inbound | None
    """The next unhandled one in order of acceptance."""
    follows: int | None
    """The customer's message that the bot's message right before it answered; None where another
    one stands right before it."""
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
    .where(Turn.conversation_id == _ID)
    .order_by(Turn.number.desc())
    .limit(TURNS_MAX)
    .subquery("recent")
)
_PAST = select(
    func.jsonb_agg(aggregate_order_by(_recent.c.events, _recent.c.number.desc()))
).scalar_subquery()
_LOOK = Statement(
    select(
        Conversation.id.label("conversation_id"),
        Conversation.merchant_id,
        Conversation.channel,
        Conversation.state,
        Conversation.language,
        Conversation.customer_id,
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
                _newest.id
                == select(func.max(_before.id))
                .where(
                    _before.conversation_id == _ID,
                    _before.id < _in.id,
                    _before.kind != literal_column("'edit'"),
                )
                .scalar_subquery(),
                _newest.in_reply_to,
            )
        ).label("follows"),
        _newest.id.label("newest_id"),
        _newest.buttons.label("newest_buttons"),
        *(getattr(_in, field.name).label(f"in_{field.name}") for field in fields(Inbound)),
    )
    .select_from(Conversation)
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
    newest_id, buttons = row.pop("newest_id"), row.pop("newest_buttons")
    return Look(
        past=row.pop("past") or [],
        newest_of_bot=Question(newest_id, buttons) if newest_id is not None else None,
        message=Inbound(**inbound) if inbound["id"] is not None else None,
        **row,
    )


async def next_unhandled(
    session: AsyncSession, seen: Look, now: datetime
) -> Pending | Settled | None:
    """Take the next unhandled message; None when there is none left."""
    inbound = seen.message
    if inbound is None:
        return None
    language = seen.language
    if not _is_plain(seen, inbound):
        conversation = await lock(session, seen.conversation_id)
        message = await session.get_one(Message, inbound.id)
        if language is None and inbound.args.get("profile_language") in ("de", "en"):
            language = conversation.language = inbound.args["profile_language"]
        outcome = await _settle(session, conversation, message, seen, now)
        if outcome is not None:
            message.handled_at = now
            message.outcome = outcome
            return Settled(message.id, outcome)
    return Pending(inbound.id, await _request(session, seen, inbound, language, now))


def _is_plain(seen: Look, inbound: Inbound) -> bool:
    """Whether the message is of the many that are the engine's business alone."""
    return (
        inbound.kind in ("message", "button")
        and not inbound.args.keys() - {"profile_language", "refers_to"}
        and (seen.language is not None or "profile_language" not in inbound.args)
        and contact_wish(inbound.text, Channel(seen.channel)) is None
        and seen.state not in ("agent", "closed")
        and seen.turns < TURNS_PER_HOUR_MAX
        and seen.customer_id is not None
        and bool(inbound.text.strip() or inbound.buttons or inbound.documents)
    )


async def _settle(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    recent: Look,
    now: datetime,
) -> str | None:
    """Handle what comes before any model; return the outcome, or None for the engine."""
    if message.kind == "edit":
        if await _is_late_edit(session, conversation, message):
            return await _say(session, conversation, message, Reply("message_edited_noted"), now)
        return "edit_noted"
    wish = message.args.get("contact_wish") or contact_wish(
        message.text, Channel(conversation.channel)
    )
    if wish == ContactWish.STOP:
        return await _stop(session, conversation, message, now)
    if conversation.state == "agent":
        if wish == ContactWish.START and conversation.opted_out_at is not None:
            await opt_in(session, conversation, now)  # the person at the desk may write again
        return "for_agent"
    if conversation.state == "closed":
        conversation.state = "bot"
    if message.kind == "start":
        await bind_start_token(session, conversation, message.args.get("start_token"), now)
    if wish == ContactWish.START and conversation.opted_out_at is not None:
        await opt_in(session, conversation, now)
        return await _say(session, conversation, message, Reply("opted_in_again"), now)
    if recent.turns >= TURNS_PER_HOUR_MAX:
        await request_handoff(
            session,
            conversation_id=conversation.id,
            reason="too_many_messages",
            summary={},
            now=now,
        )
        return "too_many_messages"
    if conversation.customer_id is None:
        return await _say(session, conversation, message, Reply("unknown_sender"), now)
    if message.args.get("card_masked"):
        return await _say(session, conversation, message, Reply("card_masked"), now)
    says_something = message.text.strip() or message.buttons or message.kind == "start"
    if not says_something and not (recent.message and recent.message.documents):
        return await _say(session, conversation, message, Reply("unsupported_media"), now)
    return None


async def _is_late_edit(
    session: AsyncSession, conversation: Conversation, message: Message
) -> bool:
    """Whether the customer's newest message was changed after its answer, and may be told so.

    Said once: a second edit follows the first. Typos in older messages need no word.
    """
    if conversation.state == "agent" or conversation.opted_out_at is not None:
        return False
    first, since = aliased(Message), aliased(Message)
    found = await session.scalar(
        select(
            exists().where(
                first.conversation_id == conversation.id,
                first.direction == "in",
                first.provider_message_id == message.args.get("refers_to"),
                first.outcome == "answered",
                first.text != message.text,
                ~exists().where(
                    since.conversation_id == conversation.id,
                    since.direction == "in",
                    since.id > first.id,
                    since.id < message.id,
                ),
            )
        )
    )
    return bool(found)


async def _stop(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str:
    already = conversation.opted_out_at is not None
    await opt_out(session, conversation, now)
    # Where the provider itself recognised the word it has blocked the number and answered.
    if not already and not message.args.get("contact_wish"):
        await _say(session, conversation, message, Reply("opt_out_confirmed"), now)
    return "opted_out"


async def _say(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    reply: Reply,
    now: datetime,
) -> str:
    held = await scene(session, conversation.id)
    await queue(session, held, held.speaker(verified=False), [reply], now, in_reply_to=message.id)
    return reply.say


async def _request(
    session: AsyncSession, seen: Look, inbound: Inbound, language: str | None, now: datetime
) -> TurnRequest:
    newest = seen.newest_of_bot
    parse_data: dict[str, Any] | None = None
    said = Said(seen.conversation_id, seen.channel, inbound.id, inbound.text, inbound.buttons)
    choice = await resolve_choice(session, said, newest)
    if choice is not None:
        entities = [{"entity": name, "value": value} for name, value in choice.entities.items()]
        parse_data = {"intent": choice.intent, "entities": entities}
    elif inbound.buttons:  # a button of another conversation, or one that never was
        parse_data = {"intent": "out_of_scope", "entities": []}
    elif inbound.kind == "start":
        parse_data = {"intent": "greet", "entities": []}
    elif inbound.documents and not inbound.text.strip():
        parse_data = {"intent": "send_document", "entities": []}
    return TurnRequest(
        conversation_id=seen.conversation_id,
        text=readable(choice.title if choice is not None else inbound.text) or "…",
        parse_data=parse_data,
        events=_past_events(seen),
        metadata={
            "message_id": inbound.id,
            "conversation_id": seen.conversation_id,
            "merchant_id": seen.merchant_id,
            # "Tomorrow" counts from when it was written, and means the same in a retried turn.
            "now": inbound.created_at.isoformat(),
            "acting_at": now.isoformat(),
            "language": language,
            "channel": seen.channel,
            "follows": seen.follows,
            **({"hint": seen.hint} if seen.hint else {}),
            **({"documents": inbound.documents} if inbound.documents else {}),
        },
    )


def _past_events(seen: Look) -> list[dict[str, Any]]:
    """The slots as they are, then the events of the last turns that fit into EVENTS_MAX."""
    if not seen.slots:  # a new conversation, or one that lost its customer
        return []
    events: list[dict[str, Any]] = []
    for turn in seen.past:
        if events and len(events) + len(turn) > EVENTS_MAX:
            break
        events = [*turn, *events]
    if not events:
        return []
    timestamp = events[0].get("timestamp")
    slots = [
        {"event": "slot", "name": name, "value": value, "timestamp": timestamp}
        for name, value in seen.slots.items()
        if value is not None
    ]
    return [*slots, *events]


@dataclass(frozen=True)
class Stored:
    """A turn that was written down; `first` is its first reply where it may be sent at once."""

    first: ToSend | None


_HANDLED = Statement(
    text(
        """
    WITH handled AS (
        UPDATE message SET handled_at = :now, outcome = :outcome WHERE id = :message_id
    ), held AS (
        UPDATE conversation SET slots = :slots, language = :language, stalled_notice_at = NULL,
            hint = NULL
        WHERE id = :conversation_id
    )
    INSERT INTO turn (message_id, merchant_id, conversation_id, understanding, events, at)
    VALUES (:message_id, :merchant_id, :conversation_id, :understanding, :events, :now)
    """
    ).bindparams(
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("outcome", type_=Text),
        bindparam("message_id", type_=BigInteger),
        bindparam("merchant_id", type_=BigInteger),
        bindparam("conversation_id", type_=BigInteger),
        bindparam("slots", type_=JSONB),
        bindparam("language", type_=Text),
        bindparam("understanding", type_=JSONB),
        bindparam("events", type_=JSONB),
    )
)


async def store(
    session: AsyncSession,
    conversation_id: int,
    message_id: int,
    result: TurnResult,
    now: datetime,
) -> Stored | None:
    """Write replies, events and the mark "handled"; None when another job was faster.

    The caller holds the conversation's lock. Raises what rendering raises (the disclosure guard
    among it): then nothing is stored.
    """
    held = await scene(session, conversation_id, message_id)
    if held.message_text is None:
        return None
    language = _language(held, held.message_text, result)
    lapses_after = lapse(policy_from_data(held.policy))
    verified = is_verified(held.customer_id, held.verified_at, now, lapses_after)
    replies = [
        Reply(m["say"], m.get("args") or {}, m.get("buttons") or []) for m in result.messages
    ]
    queued = await queue(
        session,
        held,
        held.speaker(verified=verified, language=language),
        replies,
        now,
        in_reply_to=message_id,
        claim_first=True,
    )
    await _HANDLED.run(
        session,
        now=now,
        outcome="answered" if replies else "silent",
        message_id=message_id,
        merchant_id=held.merchant_id,
        conversation_id=conversation_id,
        # Whoever is found at this address next starts anew, without a word of what was said.
        slots=result.slots if held.customer_id is not None else {},
        language=language,
        understanding=result.understanding,
        events=result.events,
    )
    return Stored(queued[0].to_send if queued else None)


def _language(held: Scene, said: str, result: TurnResult) -> str | None:
    """The language that was chosen, else that of a message long enough to tell ("ok" is both)."""
    chosen, heard = result.slots.get("language"), result.understanding.get("language")
    known = held.conversation_language or held.customer_language
    if known is None or len(said.split()) >= WORDS_THAT_TELL_A_LANGUAGE:
        chosen = chosen or heard
    return chosen if chosen in ("de", "en") else known


async def note_failure(
    session: AsyncSession, conversation_id: int, message_id: int, now: datetime
) -> float | None:
    """Count a failed turn; after FAILED_ATTEMPTS_MAX and GIVE_UP_AFTER a person gets the message.

    Returns the seconds to wait before the next try, or None when the message was given up and the
    conversation can go on with the next.
    """
    conversation = await lock(session, conversation_id)
    message = await _unhandled(session, message_id)
    if message is None:
        return None
    message.attempts += 1
    age = now - message.created_at
    if age >= STALLED_AFTER:
        await _tell_a_person(session, conversation, now)
    if message.attempts < FAILED_ATTEMPTS_MAX or age < GIVE_UP_AFTER:
        return float(min(2 ** (message.attempts - 1), RETRY_SECONDS_MAX))
    message.handled_at = now
    message.outcome = "bot_failed"
    return None


async def note_stall(
    session: AsyncSession, conversation_id: int, message_id: int, now: datetime
) -> None:
    """The engine does not answer: after a minute say so once, honestly, and tell a person.

    The message stays unhandled; it gets its answer when the engine is back.
    """
    conversation = await lock(session, conversation_id)
    message = await _unhandled(session, message_id)
    if message is None or conversation.stalled_notice_at is not None:
        return
    if now - message.created_at < STALLED_AFTER:
        return
    await _tell_a_person(session, conversation, now)


async def _tell_a_person(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    # Once, however many messages wait or fail; who has a person already needs no notice.
    if conversation.stalled_notice_at is None and conversation.state != "agent":
        # Not in reply to the message: its own answer may still come, under its own ordinals.
        held = await scene(session, conversation.id)
        notice = Reply("stalled_notice")
        await queue(session, held, held.speaker(verified=False), [notice], now, author="system")
        conversation.stalled_notice_at = now
    await request_handoff(
        session, conversation_id=conversation.id, reason="bot_failure", summary={}, now=now
    )


async def _unhandled(session: AsyncSession, message_id: int) -> Message | None:
    return await session.scalar(
        select(Message)
        .where(Message.id == message_id, Message.handled_at.is_(None))
        .execution_options(populate_existing=True)
    )

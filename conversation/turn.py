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

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, defer

from channels.message import Channel, ContactWish
from channels.optout import contact_wish
from conversation.consent import bind_start_token, opt_in, opt_out
from conversation.delivery import ToSend, to_send
from conversation.engine import TurnRequest, TurnResult
from conversation.handoff import request_handoff
from conversation.identity import is_verified, lapse
from conversation.outbox import (
    Question,
    Reply,
    queue,
    resolve_choice,
    speaker_for,
    speaker_of,
)
from negotiation.policy_data import policy_from_data
from storage.tables import ChannelAccount, Conversation, Customer, Merchant, Message, Turn

EVENTS_MAX = 60
"""Rasa looks at no more; older turns stay in the transcript."""
TURNS_MAX = 12
FAILED_ATTEMPTS_MAX = 5
GIVE_UP_AFTER = timedelta(minutes=2)
"""However often it failed: a part of ours that restarts must not cost a customer the answer."""
TURNS_PER_HOUR_MAX = 150
"""More is no conversation but two machines talking to each other; a person is asked."""
WORDS_THAT_TELL_A_LANGUAGE = 3
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
class Look:
    """A conversation at the start of a step."""

    conversation: Conversation
    message: Message | None
    """The next unhandled one in order of acceptance."""
    unsent: bool
    """Whether the outbox holds anything."""
    turns: int
    """Messages answered within the last hour."""
    newest_of_bot: Question | None
    """Our newest message; one that is younger than the customer's came too late for it."""


_next_in, _turn, _bots, _newest = (aliased(Message, name=n) for n in ("n", "t", "b", "newest"))
_ID = bindparam("conversation_id", type_=BigInteger)
# Literals: with parameters a prepared statement may not find the partial indexes.
_IN: ColumnElement[str] = literal_column("'in'")
_OUT: ColumnElement[str] = literal_column("'out'")
_BOT: ColumnElement[str] = literal_column("'bot'")
_UNSENT = exists().where(
    Message.conversation_id == _ID,
    Message.direction == _OUT,
    Message.status.in_([literal_column("'queued'"), literal_column("'sending'")]),
)
_LOOK = (
    select(
        Conversation,
        Message,
        _newest.id.label("newest_id"),
        _newest.buttons.label("newest_buttons"),
        _UNSENT.correlate(None).label("unsent"),
        select(func.count())
        .where(
            _turn.conversation_id == _ID,
            _turn.direction == _OUT,
            _turn.ordinal == 0,
            _turn.created_at > bindparam("an_hour_ago", type_=DateTime(timezone=True)),
        )
        .scalar_subquery()
        .label("turns"),
    )
    .select_from(Conversation)
    .outerjoin(
        Message,
        Message.id
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
        .where(_bots.conversation_id == _ID, _bots.direction == _OUT, _bots.author == _BOT)
        .scalar_subquery(),
    )
    .where(Conversation.id == _ID)
    .options(defer(Message.raw))
    .execution_options(populate_existing=True)
)


async def look(session: AsyncSession, conversation_id: int, now: datetime) -> Look:
    """Read what the next step is decided by; the caller holds the conversation's lock.

    An earlier provider sequence (Telegram's ``update_id``) that is not yet handled goes first.
    """
    row = (
        await session.execute(
            _LOOK, {"conversation_id": conversation_id, "an_hour_ago": now - timedelta(hours=1)}
        )
    ).one()
    newest = Question(row.newest_id, row.newest_buttons) if row.newest_id is not None else None
    return Look(row[0], row[1], row.unsent, row.turns, newest)


async def next_unhandled(
    session: AsyncSession, seen: Look, now: datetime
) -> Pending | Settled | None:
    """Take the next unhandled message; None when there is none left."""
    conversation, message = seen.conversation, seen.message
    if message is None:
        return None
    if conversation.language is None and message.args.get("profile_language") in ("de", "en"):
        conversation.language = message.args["profile_language"]
    outcome = await _settle(session, conversation, message, seen, now)
    if outcome is not None:
        message.handled_at = now
        message.outcome = outcome
        return Settled(message.id, outcome)
    return Pending(message.id, await _request(session, seen, message, now))


async def _settle(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    recent: Look,
    now: datetime,
) -> str | None:
    """Handle what comes before any model; return the outcome, or None for the engine."""
    if message.kind == "edit":
        return "edit_noted"
    wish = message.args.get("contact_wish") or contact_wish(
        message.text, Channel(conversation.channel)
    )
    if wish == ContactWish.STOP:
        return await _stop(session, conversation, message, now)
    if conversation.state == "agent":
        return "for_agent"
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
    if not message.text.strip() and not message.buttons and message.kind != "start":
        return await _say(session, conversation, message, Reply("unsupported_media"), now)
    return None


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
    speaker = await speaker_for(session, conversation, verified=False)
    await queue(session, conversation, speaker, [reply], now, in_reply_to=message.id)
    return reply.say


async def _request(
    session: AsyncSession, seen: Look, message: Message, now: datetime
) -> TurnRequest:
    conversation, newest = seen.conversation, seen.newest_of_bot
    parse_data: dict[str, Any] | None = None
    choice = await resolve_choice(session, message, newest)
    if choice is not None:
        entities = [{"entity": name, "value": value} for name, value in choice.entities.items()]
        parse_data = {"intent": choice.intent, "entities": entities}
    elif message.buttons:  # a button of another conversation, or one that never was
        parse_data = {"intent": "out_of_scope", "entities": []}
    elif message.kind == "start":
        parse_data = {"intent": "greet", "entities": []}
    return TurnRequest(
        conversation_id=conversation.id,
        text=(choice.title if choice is not None else message.text) or "…",
        parse_data=parse_data,
        events=await _past_events(session, conversation),
        metadata={
            "message_id": message.id,
            "conversation_id": conversation.id,
            "merchant_id": conversation.merchant_id,
            # "Tomorrow" counts from when it was written, and means the same in a retried turn.
            "now": message.created_at.isoformat(),
            "acting_at": now.isoformat(),
            "language": conversation.language,
            "channel": conversation.channel,
            "unseen_question": newest is not None and newest.message_id > message.id,
        },
    )


async def _past_events(session: AsyncSession, conversation: Conversation) -> list[dict[str, Any]]:
    """The slots as they are, then the events of the last turns that fit into EVENTS_MAX."""
    if not conversation.slots:  # a new conversation, or one that lost its customer
        return []
    turns = await session.scalars(
        select(Turn.events)
        .where(Turn.conversation_id == conversation.id)
        .order_by(Turn.number.desc())
        .limit(TURNS_MAX)
    )
    events: list[dict[str, Any]] = []
    for turn in turns:
        if events and len(events) + len(turn) > EVENTS_MAX:
            break
        events = [*turn, *events]
    if not events:
        return []
    timestamp = events[0].get("timestamp")
    slots = [
        {"event": "slot", "name": name, "value": value, "timestamp": timestamp}
        for name, value in conversation.slots.items()
        if value is not None
    ]
    return [*slots, *events]


_SCENE = (
    select(
        Conversation,
        Message,
        Merchant,
        Customer,
        ChannelAccount.templates,
        _UNSENT.correlate(None).label("unsent"),
    )
    .select_from(Conversation)
    .join(Merchant, Merchant.id == Conversation.merchant_id)
    .join(ChannelAccount, ChannelAccount.id == Conversation.channel_account_id)
    .outerjoin(Customer, Customer.id == Conversation.customer_id)
    .outerjoin(
        Message,
        and_(
            Message.id == bindparam("message_id", type_=BigInteger),
            Message.handled_at.is_(None),
        ),
    )
    .where(Conversation.id == _ID)
    .options(defer(Message.raw))
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True)
class Stored:
    """A turn that was written down; `first` is its first reply where it may be sent at once."""

    first: ToSend | None


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
    row = (
        await session.execute(
            _SCENE, {"conversation_id": conversation_id, "message_id": message_id}
        )
    ).one()
    conversation: Conversation = row[0]
    message: Message | None = row[1]
    merchant: Merchant = row[2]
    if message is None:
        return None
    _note_language(conversation, message, result)
    verified = is_verified(conversation, now, lapse(policy_from_data(merchant.policy)))
    speaker = speaker_of(conversation, merchant, row[3], row.templates, verified=verified)
    replies = [
        Reply(m["say"], m.get("args") or {}, m.get("buttons") or []) for m in result.messages
    ]
    queued = await queue(
        session,
        conversation,
        speaker,
        replies,
        now,
        in_reply_to=message_id,
        claim_first=not row.unsent,
    )
    # Whoever is found at this address next starts anew, without a word of what was said before.
    conversation.slots = result.slots if conversation.customer_id is not None else {}
    conversation.stalled_notice_at = None
    message.handled_at = now
    message.outcome = "answered" if replies else "silent"
    session.add(
        Turn(
            message_id=message_id,
            merchant_id=conversation.merchant_id,
            conversation_id=conversation_id,
            understanding=result.understanding,
            events=result.events,
            at=now,
        )
    )
    claimed = queued and queued[0].status == "sending"
    return Stored(to_send(queued[0], conversation) if claimed else None)


def _note_language(conversation: Conversation, message: Message, result: TurnResult) -> None:
    """The language that was chosen, else that of a message long enough to tell ("ok" is both)."""
    chosen, heard = result.slots.get("language"), result.understanding.get("language")
    if conversation.language is None or len(message.text.split()) >= WORDS_THAT_TELL_A_LANGUAGE:
        chosen = chosen or heard
    if chosen in ("de", "en"):
        conversation.language = chosen


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
    if conversation.stalled_notice_at is None:  # once, however many messages wait or fail
        # Not in reply to the message: its own answer may still come, under its own ordinals.
        speaker = await speaker_for(session, conversation, verified=False)
        notice = Reply("stalled_notice")
        await queue(session, conversation, speaker, [notice], now, author="system")
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

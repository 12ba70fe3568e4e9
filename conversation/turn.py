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

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Text,
    bindparam,
    exists,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from channels.message import Channel, ContactWish
from channels.optout import contact_wish
from conversation import desk_offer
from conversation.arriving import Arrival, come_by_link, token_of
from conversation.consent import (
    MayGuess,
    is_stopped,
    may_always,
    opt_in,
    opt_out,
    opt_out_everywhere,
)
from conversation.delivery import ToSend
from conversation.engine import TurnRequest, TurnResult, readable
from conversation.handoff import request_handoff
from conversation.identity import proof_holds
from conversation.inbox import FOR_AGENT
from conversation.look import Inbound, Look, lock, look
from conversation.moving import How, Wake, make_active
from conversation.outbox import PAGE, Said, Scene, queue, resolve_choice, scene
from conversation.speaker import Reply
from storage.statement import Statement
from storage.tables import Conversation, Customer, Message

EVENTS_MAX = 24
TURNS_PER_HOUR_MAX = 150
"""More is no conversation but two machines talking to each other; a person is asked."""
WORDS_THAT_TELL_A_LANGUAGE = 3


@dataclass(frozen=True)
class Pending:
    """A message that the dialogue engine has to see."""

    message_id: int
    request: TurnRequest
    wake: Wake = field(default_factory=Wake)


@dataclass(frozen=True)
class Settled:
    """A message that was handled here, without the engine."""

    message_id: int
    outcome: str
    wake: Wake = field(default_factory=Wake)


async def next_unhandled(
    session: AsyncSession, seen: Look, now: datetime, *, may_guess: MayGuess = may_always
) -> Pending | Settled | None:
    """Take the next unhandled message; None when there is none left.

    `may_guess` limits how often links are tried from one address.
    """
    inbound = seen.message
    if inbound is None:
        return None
    language = seen.language
    if not _is_plain(seen, inbound):
        conversation = await lock(session, seen.conversation_id)
        message = await session.get_one(Message, inbound.id)
        if language is None and inbound.args.get("profile_language") in ("de", "en"):
            language = conversation.language = inbound.args["profile_language"]
        arrival = Arrival(may_guess)
        outcome = await _settle(session, conversation, message, seen, now, arrival)
        if outcome is not None:
            message.handled_at = now
            message.outcome = outcome
            return Settled(message.id, outcome, arrival.wake)
        await session.flush()
        seen = await look(session, seen.conversation_id, now)
        language = seen.language or language
        request = await _request(session, seen, inbound, language, now, by_link=arrival.by_link)
        return Pending(inbound.id, request, arrival.wake)
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
        and seen.active
        and token_of(inbound, seen.channel) is None
        and bool(inbound.text.strip() or inbound.buttons or inbound.documents)
    )


async def _settle(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    recent: Look,
    now: datetime,
    arrival: Arrival,
) -> str | None:
    """Handle what comes before any model; return the outcome, or None for the engine."""
    said = contact_wish(message.text, Channel(conversation.channel))
    wish = message.args.get("contact_wish") or said
    if wish == ContactWish.STOP or said is ContactWish.STOP_ALL:
        return await _stop(
            session, conversation, message, now, everywhere=said is ContactWish.STOP_ALL
        )
    if message.kind == "edit":
        if await _is_late_edit(session, conversation, message):
            return await _say(session, conversation, message, Reply("message_edited_noted"), now)
        return "edit_noted"
    starts = wish == ContactWish.START and await is_stopped(session, conversation)
    if conversation.state == "agent":
        if starts:
            await opt_in(session, conversation, now)  # the person at the desk may write again
        return await desk_offer.hear(session, conversation, message, now) or FOR_AGENT
    if conversation.state == "closed":
        conversation.state = "bot"
    link_used = not await come_by_link(session, conversation, message, now, arrival)
    # The page is no place that the dialogue could move to: outreach has no address there.
    if conversation.customer_id is not None and message.page_customer_id is None:
        await make_active(session, conversation, now, How.WROTE)
    if starts:
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
        unbound = "link_used" if link_used else "unknown_sender"
        return await _say(session, conversation, message, Reply(unbound), now)
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
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    now: datetime,
    *,
    everywhere: bool,
) -> str:
    already = conversation.opted_out_at is not None
    if everywhere:
        if already and conversation.customer_id is not None:
            customer = await session.get_one(Customer, conversation.customer_id)
            already = customer.opted_out_at is not None
        await opt_out_everywhere(session, conversation, now)
    else:
        await opt_out(session, conversation, now)
    # Where the provider itself recognised the word it has blocked the number and answered.
    if not already and not message.args.get("contact_wish"):
        wording = "opt_out_everywhere_confirmed" if everywhere else "opt_out_confirmed"
        await _say(session, conversation, message, Reply(wording), now)
    return "opted_out"


async def _say(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    reply: Reply,
    now: datetime,
) -> str:
    held = await scene(session, conversation.id, message.id)
    await queue(session, held, held.speaker(verified=False), [reply], now, in_reply_to=message.id)
    return reply.say


async def _request(
    session: AsyncSession,
    seen: Look,
    inbound: Inbound,
    language: str | None,
    now: datetime,
    *,
    by_link: bool = False,
) -> TurnRequest:
    newest = seen.newest_of_bot
    on_page = inbound.page_customer_id is not None
    channel = PAGE if on_page else seen.channel
    parse_data: dict[str, Any] | None = None
    said = Said(
        seen.conversation_id,
        channel,
        inbound.id,
        inbound.created_at,
        inbound.text,
        inbound.buttons,
        inbound.page_customer_id,
    )
    choice = await resolve_choice(session, said, newest)
    if choice is not None:
        entities = [{"entity": name, "value": value} for name, value in choice.entities.items()]
        parse_data = {"intent": choice.intent, "entities": entities}
    elif inbound.buttons and not (channel == Channel.WHATSAPP and inbound.text.strip()):
        # A button of another conversation, or one that never was. A quick reply of an approved
        # template is neither, and its title says what it means.
        parse_data = {"intent": "out_of_scope", "entities": []}
    elif inbound.kind == "start" or by_link:
        parse_data = {"intent": "greet", "entities": []}
    elif inbound.documents and not inbound.text.strip():
        parse_data = {"intent": "send_document", "entities": []}
    return TurnRequest(
        conversation_id=seen.conversation_id,
        text=readable(choice.title if choice is not None else inbound.text) or "…",
        parse_data=parse_data,
        events=_past_events(seen, now),
        metadata={
            "message_id": inbound.id,
            "conversation_id": seen.conversation_id,
            "merchant_id": seen.merchant_id,
            # "Tomorrow" counts from when it was written, and means the same in a retried turn.
            "now": inbound.created_at.isoformat(),
            "acting_at": now.isoformat(),
            "language": language,
            "channel": channel,
            "follows": seen.follows,
            **({"page_customer_id": inbound.page_customer_id} if on_page else {}),
            **({"hint": seen.hint} if seen.hint else {}),
            **({"documents": inbound.documents} if inbound.documents else {}),
        },
    )


def _past_events(seen: Look, now: datetime) -> list[dict[str, Any]]:
    """The slots as they are, then the events of the last turns that fit into EVENTS_MAX.

    A dialogue that came from elsewhere has slots and no turns here yet.
    """
    if not seen.slots:  # a new conversation, or one that lost its customer
        return []
    events: list[dict[str, Any]] = []
    for turn in seen.past:
        if events and len(events) + len(turn) > EVENTS_MAX:
            break
        events = [*turn, *events]
    if not events:
        listening = {"event": "action", "name": "action_listen", "timestamp": now.timestamp()}
        events = [listening]
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
            hint = NULL, verified_at = CASE WHEN :renewed THEN :now ELSE verified_at END
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
        bindparam("renewed", type_=Boolean),
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
    *,
    public_url: str = "",
) -> Stored | None:
    """Write replies, events and the mark "handled"; None when another job was faster.

    A proof given in the chat starts a new period of silence. `public_url` is our address, for
    links to the customer's page. The caller holds the conversation's lock. Raises what rendering
    raises (the disclosure guard among it): then nothing is stored.
    """
    held = await scene(session, conversation_id, message_id)
    if held.message_text is None:
        return None
    language = _language(held, held.message_text, result)
    verified = (
        held.proved_at_page
        if held.page_customer_id is not None
        else proof_holds(held.customer_id, held.verified_at, held.policy, now)
    )
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
        public_url=public_url,
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
        renewed=verified and held.page_customer_id is None,
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

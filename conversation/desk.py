"""What a person does with a handoff: take it, write, note, give it back, close it.

Every function works in a transaction that holds the conversation's lock
(``Database.conversation``) and commits nothing. While a person holds a conversation the bot is
silent (``conversation/turn.py``); what it was already answering when it was taken still goes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import desk_offer
from conversation.delivery import hindrance
from conversation.handoff import request_handoff
from conversation.handoff_held import (
    By,
    HandoffUnknown,
    Held,
    Outcome,
    ReplyKeyReused,
    SomethingNewer,
    answered,
    held_handoff,
    open_handoff,
)
from conversation.handoff_voice import announce_person, known_reply, refuse_unsendable
from conversation.identity import proof_holds, reopen
from conversation.masking import masked_storable
from conversation.outbox import queue, scene
from conversation.page_chat import place_of_answer, tell_of_answer
from conversation.page_visit import is_visiting
from conversation.speaker import Reply
from storage.tables import (
    Conversation,
    Customer,
    Handoff,
    HandoffNote,
    Message,
    Turn,
)

REPLY_CHARACTERS_MAX: Final = 1500
"""Fits every channel with room to spare (Twilio takes 1,600 characters, Telegram 4,096)."""
DOUBLED_WITHIN: Final = timedelta(minutes=1)
"""Nobody writes the same note, or tries to call, again so soon: it is the same form once more."""
RETURNED: Final = "returned"
NOTE: Final = "note"
CALL: Final = "call"
_FORGOTTEN: Final = {"awaiting": "none", "offer": None, "wish": None, "given": None}
"""Slots that a "yes" could be taken to answer: after a person has spoken it no longer does."""


@dataclass(frozen=True)
class Replied:
    """An agent's message in the outbox; `new` is False for a repeated request."""

    message_id: int
    new: bool
    verified: bool


async def conversation_of(session: AsyncSession, handoff_id: int) -> int:
    """Whose conversation has to be locked to work on this handoff; raises ``HandoffUnknown``."""
    found = await session.scalar(select(Handoff.conversation_id).where(Handoff.id == handoff_id))
    if found is None:
        raise HandoffUnknown(f"there is no handoff {handoff_id}")
    return found


async def open_in(session: AsyncSession, conversation_id: int, reason: str, now: datetime) -> int:
    """The handoff that is open in a conversation; asked for now, for that reason, if none is."""
    wanted = select(Handoff.id).where(
        Handoff.conversation_id == conversation_id, Handoff.closed_at.is_(None)
    )
    found = await session.scalar(wanted)
    if found is not None:
        return found
    await request_handoff(
        session, conversation_id=conversation_id, reason=reason, summary={}, now=now
    )
    await session.flush()
    return (await session.scalars(wanted)).one()


async def take(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    now: datetime,
    *,
    instead_of: By | None = None,
) -> None:
    """Give the conversation to a person; again for the same one changes nothing.

    With `instead_of` it is taken over from that colleague, and from nobody else. Whoever it was
    given to has it already, and begins with this.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffTaken
    """
    held = await open_handoff(session, handoff_id)
    handoff, before = held.handoff, held.handoff.taken_by
    theirs = by.has(handoff)
    if theirs and handoff.taken_at is not None:
        return
    if not theirs:
        held.still_with(instead_of)
    held.note("handoff_taken", now, agent=by.name, instead_of=None if theirs else before)
    if not theirs or by.person_id is not None:
        handoff.person_id = by.person_id
    handoff.taken_by, handoff.taken_at = by.name, now
    handoff.given_at = handoff.given_at if theirs else now
    handoff.snoozed_at = handoff.snoozed_until = None
    held.conversation.state = "agent"


async def reply(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    text: str,
    now: datetime,
    *,
    key: str | None = None,
    seen: int | None = None,
    public_url: str = "",
) -> Replied:
    """Put a person's words into the outbox, after the notice that a person writes from here on.

    Where the customer has last written on their page they are read there, see
    ``conversation.page_chat.place_of_answer``; who no longer visits it is told so on the channel,
    with a link under `public_url`. No machine can tell whether free text discloses something, so
    it is sent as it is; `verified` in the answer says whether the customer has proved who they
    are. Card numbers are masked. The same `key` with the same text sends once. `seen` is the last
    message that the writer had read: a newer one of the customer or of a colleague comes first.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken, AddressOptedOut,
        TemplateNeeded, ReplyKeyReused, SomethingNewer
    """
    written = masked_storable(text)
    held = await held_handoff(session, handoff_id)
    where = await place_of_answer(session, await scene(session, held.conversation.id), now)
    page = where.page_customer_id
    verified = page is not None or proof_holds(
        where.customer_id, where.verified_at, where.policy, now
    )
    known = await known_reply(session, held.conversation.id, key)
    if known is not None:
        if (known.text, known.args.get("agent")) != (written, by.name):
            raise ReplyKeyReused("the idempotency key belongs to another reply", message=known.id)
        return Replied(known.id, False, verified)
    held.of(by)
    if seen is not None:
        await _refuse_unseen(session, held.conversation.id, by, seen)
    if page is None:
        refuse_unsendable(held.conversation, now)
    await announce_person(session, held, where, now)
    message = Message(
        merchant_id=held.conversation.merchant_id,
        conversation_id=held.conversation.id,
        channel_account_id=held.conversation.channel_account_id,
        direction="out",
        author="agent",
        kind="message",
        text=written,
        args=by.signature,
        status="queued" if page is None else "sent",
        sent_at=None if page is None else now,
        page_customer_id=page,
        idempotency_key=key,
        created_at=now,
    )
    session.add(message)
    answered(held.handoff, now)
    await session.flush()
    if page is not None and not await is_visiting(session, page, now):
        await tell_of_answer(session, held.conversation, now, public_url)
    return Replied(message.id, True, verified)


async def _refuse_unseen(session: AsyncSession, conversation_id: int, by: By, seen: int) -> None:
    newer = await session.scalar(
        select(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.id > seen,
            or_(
                Message.direction == "in",
                and_(Message.author == "agent", ~_written_by(by)),
            ),
        )
        .order_by(Message.id.desc())
        .limit(1)
    )
    if newer is not None:
        name = newer.args.get("agent", "") if newer.author == "agent" else ""
        raise SomethingNewer("somebody has written since", message=newer.id, by=name)


def _written_by(by: By) -> ColumnElement[bool]:
    """As `By.has`: by the account where both have one, else by the name."""
    same_name: ColumnElement[bool] = Message.args["agent"].as_string() == by.name
    if by.person_id is None:
        return same_name
    account = Message.args["person_id"].as_integer()
    return or_(
        and_(account.is_(None), same_name), and_(account.is_not(None), account == by.person_id)
    )


async def note(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    text: str,
    now: datetime,
    *,
    kind: str = NOTE,
) -> int:
    """Keep words for colleagues; they have no way to the customer. Whoever has taken it or not.

    `kind` is ``note``, or ``call`` for what was said on the telephone.

    Raises:
        HandoffUnknown, HandoffClosed
    """
    held = await open_handoff(session, handoff_id)
    return await _write_note(session, held, kind, by, text, now)


async def noted_just_now(
    session: AsyncSession, handoff_id: int, by: By, text: str, now: datetime, *, kind: str
) -> bool:
    """Whether the same person has kept the same words a moment ago: one form, sent twice."""
    found = await session.scalar(
        select(HandoffNote.id).where(
            HandoffNote.handoff_id == handoff_id,
            HandoffNote.kind == kind,
            HandoffNote.author == by.name,
            HandoffNote.text == masked_storable(text),
            HandoffNote.at > now - DOUBLED_WITHIN,
        )
    )
    return found is not None


async def give_back(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    now: datetime,
    *,
    hint: str = "",
    facts: Mapping[str, Any] | None = None,
    greet: bool = True,
    resume_contact: bool = False,
    reopen_proof: bool = False,
) -> bool:
    """Give the conversation back to the bot; True when the bot's greeting was queued.

    The automated assistant names itself again (AI Act Art. 50(1)): in the greeting, or without
    one in its next answer. `hint` is kept for colleagues, `facts` are what the bot's next turn
    sees. What the bot had asked or suggested before is no longer open. `resume_contact` ends a
    pause of contact, `reopen_proof` lets the customer try again to prove who they are.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken
    """
    held = await held_handoff(session, handoff_id)
    if held.ended_as(RETURNED, by):
        return False
    held.of(by)
    if hint:
        await _write_note(session, held, "hint", by, hint, now)
    await _end(session, held, "bot", RETURNED, by, now)
    await _reopen(session, held, now, contact=resume_contact, proof=reopen_proof)
    held.conversation.hint = dict(facts) if facts else None
    # Flushes: the introduction is due again.
    where = await place_of_answer(session, await scene(session, held.conversation.id), now)
    on_page = where.page_customer_id is not None
    if not greet or not (on_page or _can_be_greeted(held.conversation, now)):
        return False
    await queue(session, where, where.speaker(verified=False), [Reply("agent_finished")], now)
    return True


async def close(
    session: AsyncSession,
    handoff_id: int,
    by: By,
    outcome: Outcome,
    now: datetime,
    *,
    resume_contact: bool = False,
    reopen_proof: bool = False,
    wrap_up: str | None = None,
) -> None:
    """End the handoff and the conversation; when the customer writes again the bot answers.

    `wrap_up` is the merchant's own name for the outcome (``conversation.wrap_up``).

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken
    """
    held = await held_handoff(session, handoff_id)
    if held.ended_as(outcome.value, by):
        return
    held.of(by)
    held.handoff.wrap_up = wrap_up
    await _end(session, held, "closed", outcome.value, by, now)
    await _reopen(session, held, now, contact=resume_contact, proof=reopen_proof)


async def mark_overdue(session: AsyncSession, handoff_id: int, now: datetime) -> bool:
    """Mark a handoff that nobody took in time; True when the customer is told, once.

    Told is who was promised a time, unless contact with them rests or they said stop.
    """
    held = await held_handoff(session, handoff_id)
    handoff, conversation = held.handoff, held.conversation
    late = handoff.answer_by is not None and handoff.answer_by <= now
    begun = handoff.taken_at or handoff.first_answer_at
    if not late or handoff.overdue_at or begun or handoff.closed_at:
        return False
    told = handoff.promised and await _may_be_told(session, conversation, now)
    handoff.overdue_at = now
    held.note("handoff_overdue", now, told=told)
    if told:
        where = await scene(session, conversation.id)
        late_notice = Reply("person_late")
        # By "system": a question of the bot that waits for an answer stays the newest one.
        await queue(
            session, where, where.speaker(verified=False), [late_notice], now, author="system"
        )
    return told


async def _write_note(
    session: AsyncSession, held: Held, kind: str, by: By, text: str, now: datetime
) -> int:
    written = HandoffNote(
        merchant_id=held.conversation.merchant_id,
        handoff_id=held.handoff.id,
        conversation_id=held.conversation.id,
        kind=kind,
        author=by.name,
        text=masked_storable(text),
        at=now,
    )
    session.add(written)
    await session.flush()
    return written.id


async def _end(
    session: AsyncSession, held: Held, state: str, outcome: str, by: By, now: datetime
) -> None:
    held.handoff.closed_at, held.handoff.outcome = now, outcome
    held.conversation.state = state
    held.conversation.introduced_at = None
    await _forget_open_questions(session, held.conversation)
    await desk_offer.withdraw(session, held.conversation.id, now)
    held.note("handoff_ended", now, agent=by.name, outcome=outcome)


async def _reopen(
    session: AsyncSession, held: Held, now: datetime, *, contact: bool, proof: bool
) -> None:
    """Lift what only a person may lift: a pause of contact, a locked proof."""
    conversation = held.conversation
    if proof:
        await reopen(session, conversation)
        held.note("proof_reopened", now)
    if contact and conversation.customer_id is not None:
        customer = await session.get_one(Customer, conversation.customer_id)
        if customer.contact_paused_until is not None:
            held.note("contact_resumed", now, reason=customer.contact_pause_reason)
        customer.contact_paused_until = customer.contact_pause_reason = None


async def _forget_open_questions(session: AsyncSession, conversation: Conversation) -> None:
    """Nothing is waited for any more, in the slots and at the end of the events they come from."""
    forgotten = {name: value for name, value in _FORGOTTEN.items() if name in conversation.slots}
    conversation.slots = {**conversation.slots, **forgotten}
    last = await session.scalar(
        select(Turn)
        .where(Turn.conversation_id == conversation.id)
        .order_by(Turn.number.desc())
        .limit(1)
    )
    if last is None or not last.events:
        return
    timestamp = last.events[-1].get("timestamp")
    slots = [
        {"event": "slot", "name": name, "value": value, "timestamp": timestamp}
        for name, value in forgotten.items()
    ]
    await session.execute(
        update(Turn).where(Turn.message_id == last.message_id).values(events=[*last.events, *slots])
    )


def _can_be_greeted(conversation: Conversation, now: datetime) -> bool:
    return conversation.opted_out_at is None and hindrance(conversation, now, template=None) is None


async def _may_be_told(session: AsyncSession, conversation: Conversation, now: datetime) -> bool:
    if conversation.customer_id is None or conversation.opted_out_at is not None:
        return False
    customer = await session.get_one(Customer, conversation.customer_id)
    return customer.contact_paused_until is None or customer.contact_paused_until <= now

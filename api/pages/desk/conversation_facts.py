"""Everything that the page of one conversation shows, read in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.customer_view import cover_with
from api.pages.console.page import language_of, parts_of
from api.pages.console.view import texts
from api.pages.desk import conversation_view as view
from api.pages.desk.queue_page import by
from api.people.roles import Permission
from api.people.sessions import SignedIn
from api.presence import Presence, Seen, member
from channels.gsm7 import ALPHABET, ALPHABET_DOUBLE
from channels.message import Channel
from conversation import canned, desk_offer, identity
from conversation.call_time import best_call_time
from conversation.desk import REPLY_CHARACTERS_MAX
from conversation.handoff_advice import Step
from conversation.handoff_held import HandoffUnknown
from conversation.handoff_summary import MESSAGES_MAX, Summary, summary
from conversation.known import known_from, known_of_each
from conversation.outbox import Scene, scene
from conversation.page_chat import place_of_answer
from conversation.redaction import Known, Redaction, cover_address
from conversation.speaker import Reply
from conversation.wording import DisclosureRefused, formats
from conversation.wrap_up import wrap_up_codes
from ledger.claim import PURSUED
from negotiation.policy_data import policy_from_data
from storage.statement import Statement
from storage.tables import (
    AuditEvent,
    Conversation,
    DeskOffer,
    HandoffNote,
    Merchant,
    Message,
)

CLAIMS_MAX = 6
BESIDES_MAX = 80
"""Notes, and events, that are shown between the messages."""
COVERED_UNTIL_SENT = frozenset({"vorname", "name", "first_name"})
SUGGESTED: Mapping[Step, tuple[str, ...]] = {
    Step.FIND_AN_EASIER_WAY: ("hardship_slower", "ways", "promise_ask_date"),
    Step.DECIDE_THE_WISH: ("ways", "promise_ask_date"),
    Step.FIND_THE_PAYMENT: ("already_paid_ask",),
    Step.CORRECT_CONTACT: ("wrong_person_noted",),
    Step.ANSWER_DATA_REQUEST: ("data_request_noted",),
    Step.CALL_BACK: ("callback_ask_number",),
    Step.ANSWER_OPEN_MESSAGES: ("clarify",),
    Step.ASK_WHAT_IS_NEEDED: ("clarify", "anything_else"),
}
"""Wordings that fit a situation as they stand; whoever writes may change them."""
AT_THE_END = ("anything_else", "goodbye")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not done, beside what it is about, with what was filled in."""

    where: str
    text: str
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom the page is read, and which of it."""

    person: SignedIn
    language: str
    now: datetime
    uncovered: bool
    seen: Seen
    problem: Problem | None = None
    with_lines: bool = True


async def facts_of(session: AsyncSession, handoff_id: int, asked: Asked) -> dict[str, Any]:
    """The page's facts. Raises HandoffUnknown."""
    person, language, now, zone = asked.person, asked.language, asked.now, asked.person.zone
    found = await summary(session, person.merchant_id, handoff_id, now)
    handoff = found.listed.handoff
    conversation = await session.get_one(Conversation, handoff.conversation_id)
    merchant = await session.get_one(Merchant, person.merchant_id)
    policy = policy_from_data(merchant.policy)
    customer = found.customer
    redaction = await _redaction(session, conversation, asked)
    cover = cover_with(redaction)
    where = await place_of_answer(session, await scene(session, conversation.id), now)
    last = found.transcript[-1].id if found.transcript else 0
    mine = by(person).has(handoff)
    words = texts(language)["desk"]
    offer = await desk_offer.open_offer(session, conversation.id)
    return {
        "person": person,
        "handoff": handoff_id,
        "conversation": conversation.id,
        "here": f"/console/desk/{handoff_id}",
        "language": language,
        "t": texts(language),
        "d": words,
        "last": last,
        "problem": asked.problem,
        "covered": not asked.uncovered,
        "open": handoff.closed_at is None,
        "outcome": words["outcomes"].get(handoff.outcome, handoff.outcome or ""),
        "taken_by": handoff.taken_by or "",
        "taken_by_id": handoff.person_id or 0,
        "mine": mine,
        "may_write": mine and handoff.closed_at is None,
        "verified": found.listed.verified,
        **asked.seen.besides(me(person)),
        "summary": view.summary_view(found, language, zone, now),
        "call": _call(found, zone, now, language),
        "lines": view.lines_view(
            found.transcript,
            await _notes(session, conversation.id),
            await _events(session, conversation.id),
            language,
            zone,
            redaction,
            opens=person.may(Permission.REVEAL),
        )
        if asked.with_lines
        else [],
        "customer": _customer(found, conversation, language, covered=not asked.uncovered),
        "caller": await _caller(session, conversation, merchant, language, zone, now),
        "claims": [
            view.claim_view(
                one, policy, language, now, cover, may_waive=person.may(Permission.ADJUST)
            )
            for one in found.claims[:CLAIMS_MAX]
            if one.record.claim.status in PURSUED
        ],
        "offer": view.offer_view(offer, language),
        "offer_turn": await _count(session, DeskOffer.id, DeskOffer.handoff_id == handoff_id),
        "compose": await _compose(session, found, conversation, where, asked),
        "codes": [
            (one.code, one.name or words["outcomes"][one.outcome.value])
            for one in await wrap_up_codes(session)
        ],
        "paused": customer is not None
        and customer.contact_paused_until is not None
        and customer.contact_paused_until > now,
        "locked": found.verification_locked,
    }


async def lines_since(
    session: AsyncSession, handoff_id: int, asked: Asked, after: int
) -> dict[str, Any]:
    """What came after a message, and what became of our last ones: in few statements, since
    everybody who has the conversation open asks for it at once.

    Raises HandoffUnknown.
    """
    person, language = asked.person, asked.language
    rows = await _SINCE.run(session, handoff=handoff_id, after=after, events=sorted(view.EVENTS))
    if not rows:
        raise HandoffUnknown(f"there is no handoff {handoff_id}")
    (held,) = rows
    redaction = None
    if not asked.uncovered:
        addresses = (held.address, *held.addresses)
        spared = (held.phone or "", held.email or "")
        known = (
            Known(addresses=addresses, spared=spared)
            if held.customer_id is None
            else known_from(held, held, addresses)
        )
        redaction = Redaction(known, texts(language)["covered"])
    here = Message.conversation_id == held.conversation_id
    ours = select(Message.id).where(here, Message.direction == "out")
    again = ours.order_by(Message.id.desc()).limit(view.OURS_AGAIN)
    newest = await session.scalars(
        select(Message)
        .where(here, or_(Message.id > after, Message.id.in_(again)))
        .order_by(Message.id.desc())
        .limit(MESSAGES_MAX)
    )
    notes, events = held.notes, held.events
    return {
        "person": person,
        "here": f"/console/desk/{handoff_id}",
        "t": texts(language),
        "d": texts(language)["desk"],
        "may_write": by(person).has(held) and held.closed_at is None,
        "lines": view.lines_view(
            list(reversed(newest.all())),
            await _notes(session, held.conversation_id, held.since) if notes else (),
            await _events(session, held.conversation_id, held.since) if events else (),
            language,
            person.zone,
            redaction,
            opens=person.may(Permission.REVEAL),
        ),
    }


_SINCE = Statement(
    text(
        """
    WITH since AS (
        SELECT handoff.conversation_id, message.created_at AS at
        FROM handoff LEFT JOIN message
            ON message.id = :after AND message.conversation_id = handoff.conversation_id
        WHERE handoff.id = :handoff
    )
    SELECT handoff.conversation_id, handoff.taken_by, handoff.person_id, handoff.closed_at,
        since.at AS since,
        EXISTS (
            SELECT FROM handoff_note
            WHERE handoff_note.conversation_id = handoff.conversation_id
                AND (since.at IS NULL OR handoff_note.at >= since.at)
        ) AS notes,
        EXISTS (
            SELECT FROM audit_event
            WHERE audit_event.conversation_id = handoff.conversation_id
                AND audit_event.kind = ANY(:events) AND audit_event.person IS NULL
                AND (since.at IS NULL OR audit_event.at >= since.at)
        ) AS events,
        conversation.address, merchant.phone, merchant.email, customer.id AS customer_id,
        customer.first_name, customer.name, customer.birth_date, customer.postal_code,
        ARRAY(
            SELECT address FROM contact_point
            WHERE contact_point.customer_id = customer.id ORDER BY contact_point.id
        ) AS addresses
    FROM handoff
    JOIN since ON since.conversation_id = handoff.conversation_id
    JOIN conversation ON conversation.id = handoff.conversation_id
    JOIN merchant ON merchant.id = handoff.merchant_id
    LEFT JOIN customer ON customer.id = conversation.customer_id
    WHERE handoff.id = :handoff
    """
    ).bindparams(
        bindparam("handoff", type_=BigInteger),
        bindparam("after", type_=BigInteger),
        bindparam("events", type_=ARRAY(Text)),
    )
)
"""Whose conversation it is, what is to be covered in it, and whether anything but messages came."""


async def _redaction(
    session: AsyncSession, conversation: Conversation, asked: Asked
) -> Redaction | None:
    """What covers personal data, of whom we do not know as well; None where it is uncovered."""
    if asked.uncovered:
        return None
    held = {conversation.id: (conversation.customer_id, (conversation.address,))}
    known = await known_of_each(session, conversation.merchant_id, held)
    return Redaction(known[conversation.id], texts(asked.language)["covered"])


async def _notes(
    session: AsyncSession, conversation_id: int, since: datetime | None = None
) -> Sequence[HandoffNote]:
    wanted = select(HandoffNote).where(HandoffNote.conversation_id == conversation_id)
    if since is not None:
        wanted = wanted.where(HandoffNote.at >= since)
    found = await session.scalars(wanted.order_by(HandoffNote.id.desc()).limit(BESIDES_MAX))
    return found.all()


async def _events(
    session: AsyncSession, conversation_id: int, since: datetime | None = None
) -> Sequence[AuditEvent]:
    wanted = select(AuditEvent).where(
        AuditEvent.conversation_id == conversation_id,
        AuditEvent.kind.in_(sorted(view.EVENTS)),
        AuditEvent.person.is_(None),
    )
    if since is not None:
        wanted = wanted.where(AuditEvent.at >= since)
    found = await session.scalars(wanted.order_by(AuditEvent.id.desc()).limit(BESIDES_MAX))
    return found.all()


async def _count(session: AsyncSession, column: Any, where: Any) -> int:
    return int(await session.scalar(select(func.count(column)).where(where)) or 0)


def _call(found: Summary, zone: ZoneInfo, now: datetime, language: str) -> dict[str, str] | None:
    customer = found.customer
    if customer is None:
        return None
    at_home = ZoneInfo(customer.timezone) if customer.timezone else zone
    best = best_call_time(
        now,
        at_home,
        hours=(customer.contact_from, customer.contact_until),
        written=[one.created_at for one in found.transcript if one.direction == "in"],
        rests_until=customer.contact_paused_until,
    )
    return view.call_view(best, language, zone, now)


def _customer(
    found: Summary, conversation: Conversation, language: str, *, covered: bool
) -> dict[str, Any] | None:
    customer = found.customer
    if customer is None:
        return None
    born = customer.birth_date
    return {
        "id": customer.id,
        "number": customer.number,
        "name": "" if covered else " ".join(filter(None, (customer.first_name, customer.name))),
        "born": "" if covered or born is None else formats.day(
            born.isoformat(), language, short=True
        ),
        "address": cover_address(conversation.address) if covered else conversation.address,
        "language": found.listed.language or "",
    }  # fmt: skip


async def _caller(
    session: AsyncSession,
    conversation: Conversation,
    merchant: Merchant,
    language: str,
    zone: ZoneInfo,
    now: datetime,
) -> dict[str, Any] | None:
    """Which facts a caller can be asked for; never what they are."""
    if conversation.customer_id is None:
        return None
    known = await identity.known_facts(session, conversation.customer_id)
    at = await desk_offer.caller_proved_at(session, conversation, merchant, now)
    names = texts(language)["desk"]["proved_by"]
    askable = known.askable()
    return {
        "facts": [names[one.value] for one in askable],
        "numbers": any(one is not identity.Fact.BIRTH_DATE_AND_POSTAL_CODE for one in askable),
        "born": identity.Fact.BIRTH_DATE_AND_POSTAL_CODE in askable,
        "proved": view.clock(at, language, zone, now) if at is not None else "",
        "locked": conversation.verification_locked_at is not None,
    }


async def _compose(
    session: AsyncSession,
    found: Summary,
    conversation: Conversation,
    where: Scene,
    asked: Asked,
) -> dict[str, Any]:
    """What limits writing here and now, and what is ready to be written."""
    language, now, zone = asked.language, asked.now, asked.person.zone
    words = texts(language)["desk"]["limits"]
    channel = conversation.channel
    closed = not found.reachable and channel == Channel.WHATSAPP and not found.opted_out
    started = channel != Channel.TELEGRAM or conversation.last_inbound_at is not None
    notes = []
    if found.on_page:
        notes.append(words["on_page"])
    if found.opted_out:
        notes.append(words["opted_out"])
    elif closed:
        notes.append(words["window_closed"])
    elif not started:
        notes.append(words["no_start"])
    elif found.window_ends_at is not None:
        until = view.clock(found.window_ends_at, language, zone, now)
        notes.append(words["window"].format(until=until))
    if not found.listed.verified:
        notes.append(words["not_verified"])
    sms = channel == Channel.SMS and not found.on_page
    said = found.listed.language or where.merchant_language
    return {
        "channel": texts(language)["channels"].get(channel, channel),
        "notes": notes,
        "possible": (found.reachable and started) or found.on_page,
        "most": REPLY_CHARACTERS_MAX,
        "gsm7": (ALPHABET, ALPHABET_DOUBLE) if sms else None,
        "templates": _templates(where) if closed else [],
        "closed": closed,
        "number": await _count(
            session,
            Message.id,
            (Message.conversation_id == conversation.id) & (Message.author == "agent"),
        ),
        "ready": [
            _ready(one.shortcut, text, found, where, asked)
            for one in await canned.all_ready(session, where.merchant_id)
            if (
                text := (one.text_en if said == "en" else one.text_de) or one.text_de or one.text_en
            )
        ],
        "suggested": _suggested(found, where),
    }


def ready_facts(found: Summary, where: Scene, agent: str) -> dict[str, str]:
    """What placeholders of ready replies stand for here, in the customer's language."""
    language = found.listed.language or where.merchant_language
    language = language if language in ("de", "en") else "de"
    facts = {"shop": where.voice.name, "agent": agent}
    if found.customer is not None:
        facts["first_name"] = found.customer.first_name or ""
        facts["name"] = found.customer.name
    if found.claims:
        record = found.claims[0].record
        facts["amount"] = view.in_words(record.open.total, language)
        facts["invoice"] = record.claim.invoice_number
        facts["due"] = view.day(record.claim.due_date, language)
    return facts


def _ready(shortcut: str, text: str, found: Summary, where: Scene, asked: Asked) -> dict[str, str]:
    words = texts(asked.language)["desk"]
    facts = ready_facts(found, where, asked.person.operator)
    later = frozenset() if asked.uncovered else COVERED_UNTIL_SENT
    refused = ""
    try:
        text = canned.filled(text, facts, verified=found.listed.verified, later=later)
    except DisclosureRefused:
        refused = words["refused_ready"]
    except canned.FactMissing as missing:
        refused = words["missing_ready"].format(names=", ".join(missing.names))
    return {"shortcut": shortcut, "text": "" if refused else text, "refused": refused}


def _suggested(found: Summary, where: Scene) -> list[str]:
    """Wordings of the catalogue that fit, as this customer would read them."""
    speaker = where.speaker(verified=found.listed.verified)
    said: list[str] = []
    for name in (*SUGGESTED.get(found.advice.step, ()), *AT_THE_END):
        try:
            said.append(speaker.say(Reply(name)).text)
        except DisclosureRefused:
            continue
    return list(dict.fromkeys(said))[:3]


def _templates(where: Scene) -> list[dict[str, str]]:
    """The approved templates that need nothing filled in, with what they say."""
    speaker = where.speaker(verified=False)
    found = []
    for name in sorted({key.rpartition(".")[0] for key in where.templates}):
        try:
            said = speaker.say(Reply(name))
        except (LookupError, DisclosureRefused):
            continue
        if speaker.template_of(name) and not said.discloses:
            found.append({"name": name, "text": said.text})
    return found


async def asked_of(
    request: Request, person: SignedIn, handoff_id: int, *, people: bool = True, **more: Any
) -> Asked:
    """Who asks for the page, now."""
    presence = presence_of(request, person)
    return Asked(
        person,
        language_of(request),
        parts_of(request).clock.now(),
        await presence.is_uncovered(handoff_id, person.session),
        await presence.look(handoff_id) if people else Seen(),
        **more,
    )


def presence_of(request: Request, person: SignedIn) -> Presence:
    """Who is at the merchant's handoffs."""
    return Presence(parts_of(request).events.redis, person.merchant_id)


def me(person: SignedIn) -> str:
    """Who it is among those who have a handoff open."""
    return member(person.operator, person.person_id)

"""Everything that the page of one conversation shows, read in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.customer_view import cover_with
from api.pages.console.view import texts
from api.pages.desk import conversation_view as view
from api.pages.desk.conversation_asked import Asked, me
from api.pages.desk.conversation_since import events_of, notes_of
from api.pages.desk.queue_page import by
from api.people.roles import Permission
from channels.gsm7 import ALPHABET, ALPHABET_DOUBLE
from channels.message import Channel
from conversation import canned, desk_offer, identity
from conversation.call_time import best_call_time
from conversation.callbacks import wished_call
from conversation.desk import REPLY_CHARACTERS_MAX
from conversation.desk_queue import clock_of
from conversation.handoff_advice import Step
from conversation.handoff_summary import Summary, summary
from conversation.known import known_of_each
from conversation.outbox import Scene, scene
from conversation.page_chat import place_of_answer
from conversation.redaction import Redaction, cover_address
from conversation.speaker import Reply
from conversation.wording import DisclosureRefused, formats
from conversation.wrap_up import wrap_up_codes
from ledger.claim import PURSUED
from negotiation.policy_data import policy_from_data
from storage.tables import (
    Conversation,
    DeskOffer,
    Merchant,
    Message,
)

CLAIMS_MAX = 6
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
        "summary": view.summary_view(
            found,
            await clock_of(session, person.merchant_id, handoff_id),
            language,
            zone,
            now,
        ),
        "call": _call(found, zone, now, language),
        "lines": view.lines_view(
            found.transcript,
            await notes_of(session, conversation.id),
            await events_of(session, conversation.id),
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


async def _redaction(
    session: AsyncSession, conversation: Conversation, asked: Asked
) -> Redaction | None:
    """What covers personal data, of whom we do not know as well; None where it is uncovered."""
    if asked.uncovered:
        return None
    held = {conversation.id: (conversation.customer_id, (conversation.address,))}
    known = await known_of_each(session, conversation.merchant_id, held)
    return Redaction(known[conversation.id], texts(asked.language)["covered"])


async def _count(session: AsyncSession, column: Any, where: Any) -> int:
    return int(await session.scalar(select(func.count(column)).where(where)) or 0)


def _call(found: Summary, zone: ZoneInfo, now: datetime, language: str) -> dict[str, str] | None:
    customer = found.customer
    if customer is None:
        return None
    at_home = ZoneInfo(customer.timezone) if customer.timezone else zone
    wished = wished_call(found.listed.handoff, at_home)
    if wished is not None and (wished.end or wished.start) > now:
        return view.wished_call_view(wished, language, zone, now)
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

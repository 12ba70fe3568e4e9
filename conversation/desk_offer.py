"""Terms that a person suggests: told on the customer's channel, agreed when the customer says yes.

While a person holds a conversation the dialogue engine is not asked, so a yes is heard here, in
code: a pressed button, its letter or title, or a plain yes right after the suggestion. Anything
else is the person's to read; they may note a yes that was given on the telephone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import audit, identity
from conversation.delivery import hindrance
from conversation.handoff_held import (
    By,
    CallerNotVerified,
    CustomerNotVerified,
    answered,
    held_handoff,
)
from conversation.handoff_voice import announce_person, refuse_unsendable
from conversation.identity import proof_holds
from conversation.outbox import Question, Said, queue, resolve_choice, scene
from conversation.page_chat import place_of_answer
from conversation.speaker import Reply
from ledger import book
from ledger.agreements import (
    AgreementTerms,
    Deferral,
    InstalmentPlan,
    Promise,
    Settlement,
    terms_from_data,
    terms_to_data,
)
from ledger.book import ClaimRecord
from ledger.errors import (
    AgreementRefused,
    ClaimInDispute,
    ClaimNotOpen,
    ClaimUnknown,
    NothingOwed,
    TermsDoNotFit,
)
from ledger.money import Money
from negotiation.bounds import guard_for
from negotiation.policy_data import policy_from_data
from storage.tables import AuditEvent, Conversation, DeskOffer, Merchant, Message

AGREED, DECLINED, OUTDATED = "agreed", "declined", "outdated"
REPLACED, WITHDRAWN = "replaced", "withdrawn"
AT_PHONE = "phone"
NOT_POSSIBLE = (AgreementRefused, ClaimInDispute, ClaimNotOpen, NothingOwed, TermsDoNotFit)
_SHOWN = ("sent", "delivered", "read")
_YES = frozenset(
    {
        "ja", "ja bitte", "ja gern", "ja gerne", "ja danke", "jawohl", "ok", "okay", "ja ok",
        "einverstanden", "ja einverstanden", "passt", "ja passt", "das passt", "in ordnung",
        "yes", "yes please", "yes thanks", "agreed", "that works", "yes that works",
    }
)  # fmt: skip


class Consent(StrEnum):
    """How the customer said yes."""

    BUTTON = "button"
    WORDS = "words"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a person wants to suggest about a claim; `key` makes a repeated form count once."""

    claim_id: int
    terms: AgreementTerms
    key: str
    by_phone: bool = False
    """The customer has heard it on the telephone, and said yes there."""


async def suggest(
    session: AsyncSession, handoff_id: int, by: By, given: Suggestion, now: datetime
) -> DeskOffer:
    """Suggest terms that the policy allows; a suggestion that was open before ends.

    On the telephone the caller has to have proved who they are, and it is agreed at once. The
    caller of this holds the conversation's lock.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken, AddressOptedOut,
        TemplateNeeded, CustomerNotVerified, CallerNotVerified, ClaimUnknown, and any of
        NOT_POSSIBLE
    """
    held = await held_handoff(session, handoff_id)
    conversation = held.conversation
    known = await session.scalar(
        select(DeskOffer).where(
            DeskOffer.merchant_id == conversation.merchant_id,
            DeskOffer.idempotency_key == given.key,
        )
    )
    if known is not None:
        return known
    held.of(by)
    record = await book.record(session, given.claim_id, now=now)
    if conversation.customer_id is None or record.claim.customer_id != conversation.customer_id:
        raise ClaimUnknown(given.claim_id)
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    guard_for(policy_from_data(merchant.policy))(given.terms, record.facts(now))
    if given.by_phone and await caller_proved_at(session, conversation, merchant, now) is None:
        raise CallerNotVerified("the caller has not proved who they are")
    await _end_open(session, conversation.id, REPLACED, now)
    offer = DeskOffer(
        merchant_id=merchant.id,
        handoff_id=handoff_id,
        conversation_id=conversation.id,
        claim_id=given.claim_id,
        terms=terms_to_data(given.terms),
        balance_minor=record.open.total.minor,
        offered_by=by.name,
        offered_at=now,
        idempotency_key=given.key,
    )
    session.add(offer)
    await session.flush()
    facts = {"offer": offer.id, "agreement_kind": given.terms.kind.value, "agent": by.name}
    audit.note(session, conversation, "desk_offer_made", now, facts, claim_id=given.claim_id)
    if given.by_phone:
        await _agree(session, conversation, offer, record, Consent.PHONE, now)
        return offer
    where = await place_of_answer(session, await scene(session, conversation.id), now)
    on_page = where.page_customer_id is not None
    if not (on_page or proof_holds(where.customer_id, where.verified_at, where.policy, now)):
        raise CustomerNotVerified("nothing about a claim may be named yet")
    if not on_page:
        refuse_unsendable(conversation, now)
    await announce_person(session, held, where, now)
    reply = Reply(
        f"{_word(given.terms)}_offer",
        {**_told(record, given.terms, now), **by.signature},
        [
            {
                "title": f"button_{title}",
                "intent": intent,
                "entities": {"offer": f"desk:{offer.id}"},
            }
            for title, intent in (("put_down", "affirm"), ("other", "deny"))
        ],
    )
    (queued,) = await queue(
        session, where, where.speaker(verified=True), [reply], now, author="agent"
    )
    offer.message_id = queued.message_id
    answered(held.handoff, now)
    return offer


async def caller_proved_at(
    session: AsyncSession, conversation: Conversation, merchant: Merchant, now: datetime
) -> datetime | None:
    """When whoever is on the telephone has proved who they are, if that still counts."""
    since = now - identity.lapse(policy_from_data(merchant.policy))
    return await session.scalar(
        select(AuditEvent.at)
        .where(
            AuditEvent.conversation_id == conversation.id,
            AuditEvent.kind == "verified",
            AuditEvent.facts["at"].as_string() == AT_PHONE,
            AuditEvent.at >= since,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )


async def open_offer(session: AsyncSession, conversation_id: int) -> DeskOffer | None:
    """The suggestion that waits for a yes."""
    return await session.scalar(
        select(DeskOffer).where(
            DeskOffer.conversation_id == conversation_id, DeskOffer.ended_at.is_(None)
        )
    )


async def agreed_by_phone(
    session: AsyncSession, handoff_id: int, by: By, offer_id: int, now: datetime
) -> bool:
    """Note that the customer has said yes on the telephone; False where it is no longer open.

    Raises what `suggest` raises.
    """
    held = await held_handoff(session, handoff_id)
    held.of(by)
    offer = await open_offer(session, held.conversation.id)
    if offer is None or offer.id != offer_id:
        return False
    merchant = await session.get_one(Merchant, held.conversation.merchant_id)
    if await caller_proved_at(session, held.conversation, merchant, now) is None:
        raise CallerNotVerified("the caller has not proved who they are")
    record = await book.record(session, offer.claim_id, now=now)
    await _agree(session, held.conversation, offer, record, Consent.PHONE, now)
    return True


async def withdraw(session: AsyncSession, conversation_id: int, now: datetime) -> None:
    """End what is still open: whoever suggested it no longer holds the conversation."""
    await _end_open(session, conversation_id, WITHDRAWN, now)


async def hear(
    session: AsyncSession, conversation: Conversation, message: Message, now: datetime
) -> str | None:
    """Take a customer's answer to an open suggestion; the message's outcome, None for no answer.

    What is no longer possible ends as outdated, and the person who suggested it sees that.
    """
    offer = await open_offer(session, conversation.id)
    if offer is None or offer.message_id is None:
        return None
    told = await session.get_one(Message, offer.message_id)
    answer = await _answer(session, conversation, message, told, offer)
    if answer is None:
        return None
    if answer == "deny":
        _end(offer, DECLINED, now)
        _note(session, conversation, offer, "desk_offer_declined", now)
        return "offer_declined"
    # What was said to whoever holds the phone by then is no answer of the customer.
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    on_page = message.page_customer_id is not None
    if not (
        on_page
        or proof_holds(conversation.customer_id, conversation.verified_at, merchant.policy, now)
    ):
        return None
    record = await book.record(session, offer.claim_id, now=now)
    how = Consent.WORDS if answer == "words" else Consent.BUTTON
    try:
        if record.open.total.minor != offer.balance_minor:
            raise TermsDoNotFit("another amount is open by now")
        await _agree(session, conversation, offer, record, how, now, in_reply_to=message)
    except NOT_POSSIBLE:
        _end(offer, OUTDATED, now)
        _note(session, conversation, offer, "desk_offer_outdated", now)
        return "offer_outdated"
    return "offer_agreed"


async def _answer(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    told: Message,
    offer: DeskOffer,
) -> str | None:
    """``affirm``, ``deny`` or ``words`` (a plain yes); None for anything else."""
    here = told.page_customer_id == message.page_customer_id
    shown = here and told.id < message.id and told.status in _SHOWN
    said = Said(
        conversation.id,
        conversation.channel if message.page_customer_id is None else "page",
        message.id,
        message.created_at,
        message.text,
        message.buttons,
        message.page_customer_id,
    )
    question = Question(told.id, told.buttons, shown=True) if shown else None
    choice = await resolve_choice(session, said, question)
    if choice is not None:
        return choice.intent if choice.entities.get("offer") == f"desk:{offer.id}" else None
    plain = " ".join(re.findall(r"\w+", message.text.casefold()))
    if not shown or plain not in _YES:
        return None
    newest = await session.scalar(
        select(Message.id)
        .where(
            Message.conversation_id == conversation.id,
            Message.direction == "out",
            Message.id < message.id,
        )
        .order_by(Message.id.desc())
        .limit(1)
    )
    return "words" if newest == told.id else None


async def _agree(
    session: AsyncSession,
    conversation: Conversation,
    offer: DeskOffer,
    record: ClaimRecord,
    how: Consent,
    now: datetime,
    *,
    in_reply_to: Message | None = None,
) -> None:
    """Post the agreement, and confirm it where the customer may read of it."""
    terms = terms_from_data(offer.terms)
    merchant = await session.get_one(Merchant, conversation.merchant_id)
    await book.agree(
        session,
        offer.claim_id,
        terms,
        guard=guard_for(policy_from_data(merchant.policy)),
        now=now,
        key=f"desk-offer:{offer.id}",
        conversation_id=conversation.id,
    )
    _end(offer, AGREED, now)
    offer.consent = how.value
    _note(session, conversation, offer, "desk_offer_agreed", now, consent=how.value)
    where = await place_of_answer(session, await scene(session, conversation.id), now)
    on_page = where.page_customer_id is not None
    verified = on_page or proof_holds(where.customer_id, where.verified_at, where.policy, now)
    silent = conversation.opted_out_at is not None or hindrance(conversation, now, template=None)
    if not verified or (silent and not on_page):
        return
    wording = "plan_agreed" if isinstance(terms, InstalmentPlan) else "payment_agreed"
    told = {
        **_told(record, terms, now),
        "invoice": record.claim.invoice_number,
        "reference": record.claim.rf_reference,
    }
    await queue(
        session,
        where,
        where.speaker(verified=True),
        [Reply(wording, told)],
        now,
        author="system",
        in_reply_to=in_reply_to.id if in_reply_to is not None else None,
    )


async def _end_open(
    session: AsyncSession, conversation_id: int, outcome: str, now: datetime
) -> None:
    offer = await open_offer(session, conversation_id)
    if offer is not None:
        _end(offer, outcome, now)
        await session.flush()


def _end(offer: DeskOffer, outcome: str, now: datetime) -> None:
    offer.ended_at, offer.outcome = now, outcome


def _note(
    session: AsyncSession,
    conversation: Conversation,
    offer: DeskOffer,
    kind: str,
    now: datetime,
    **more: Any,
) -> None:
    facts = {"offer": offer.id, "agreement_kind": terms_from_data(offer.terms).kind.value, **more}
    audit.note(session, conversation, kind, now, facts, claim_id=offer.claim_id)


def _word(terms: AgreementTerms) -> str:
    """How the wordings call a kind of terms."""
    if isinstance(terms, InstalmentPlan):
        return "plan"
    return {Promise: "promise", Deferral: "deferral", Settlement: "settlement"}[type(terms)]


def _told(record: ClaimRecord, terms: AgreementTerms, now: datetime) -> Mapping[str, Any]:
    """The facts of terms as arguments of a wording: plain data."""
    interest = record.interest_effect(terms)
    if not isinstance(terms, InstalmentPlan):
        waived = terms.waived.to_json() if isinstance(terms, Settlement) else None
        due = terms.instalments[0].due
        facts = {"amount": terms.total.to_json(), "due": due.isoformat(), "interest": interest}
        return {**facts, "waived": waived} if waived else facts
    coming = record.interest_ahead(terms, now)
    rates = [_rate(part.number, part.due, part.amount) for part in terms.instalments]
    return {
        "rates": rates,
        "total": terms.total.to_json(),
        "charge": terms.charge.to_json(),
        "interest": interest,
        **({"rhythm": terms.rhythm.value} if terms.rhythm is not None else {}),
        **({"coming": coming.to_json()} if coming else {}),
    }


def _rate(number: int, due: date, amount: Money) -> dict[str, Any]:
    return {"number": number, "due": due.isoformat(), "amount": amount.to_json()}

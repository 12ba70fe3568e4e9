"""What the policy allows, as buttons: suggest terms, note a yes on the telephone, waive.

Each goes through the book with its guard. What lies outside the policy is refused with the reason
and with the nearest that is possible.
"""

import hashlib
import json
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.handoffs import send_outbox
from api.pages.console.customers import REASONS
from api.pages.console.page import console_router, language_of, parts_of
from api.pages.console.view import texts
from api.pages.desk.conversation import ONE
from api.pages.desk.conversation_acts import Line, Number, Refused, act
from api.pages.desk.conversation_view import PARTS, in_short, in_words
from api.pages.desk.page import Agent, Id
from api.pages.desk.queue_page import by
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import desk_offer
from conversation.desk_offer import NOT_POSSIBLE, Suggestion
from conversation.handoff_held import held_handoff
from ledger import book
from ledger.agreements import AgreementTerms
from ledger.book import ClaimRecord
from ledger.errors import (
    AmountNotPositive,
    ClaimUnknown,
    IdempotencyConflict,
    WaiverExceedsBalance,
)
from ledger.money import AmountAmbiguous, AmountUnreadable, UnknownCurrency, parse_amount
from negotiation.bounds import discount_max
from negotiation.negotiate import evaluate_deferral, evaluate_discount, evaluate_instalments
from negotiation.offers import CounterOffer, Decision, Escalate, InstalmentRequest, Reason
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data
from storage.tables import DeskOffer, Merchant

router = console_router()

Adjuster = Annotated[SignedIn, Depends(Needs(Permission.ADJUST))]
_COUNT_DIGITS_MAX = 3


@router.post(ONE + "/offer")
async def offer(
    request: Request,
    person: Agent,
    handoff: Id,
    claim: Number = 0,
    kind: Line = "",
    count: Line = "",
    first: Line = "",
    until: Line = "",
    how: Line = "",
    turn: Line = "",
) -> Response:
    """Suggest a plan, a later day or a smaller sum; ``how`` is ``phone`` where it was agreed."""
    words = texts(language_of(request))["desk"]
    by_phone = how == "phone"

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        record, policy = await _claim(session, handoff, claim, request, person)
        if not turn.isdigit():
            raise Refused(words["problems"]["figures"])
        key = _key(handoff, turn, claim, kind, count, first, until, how)
        if await _known(session, person.merchant_id, key):
            return
        facts = record.facts(now)
        decision: Decision
        if kind == "plan":
            if not (count.isascii() and count.isdigit() and len(count) <= _COUNT_DIGITS_MAX):
                raise Refused(words["problems"]["figures"])
            wish = InstalmentRequest(count=int(count), first_due=_day(first, words))
            decision = evaluate_instalments(policy, facts, wish)
        elif kind == "later":
            decision = evaluate_deferral(policy, facts, _day(until, words))
        elif kind == "less":
            decision = evaluate_discount(policy, facts)
        else:
            raise Refused(words["problems"]["figures"])
        terms = _accepted(decision, kind, request)
        try:
            await desk_offer.suggest(
                session, handoff, by(person), Suggestion(claim, terms, key, by_phone), now
            )
        except NOT_POSSIBLE as refused:
            raise Refused(_why(str(refused), words)) from refused
        audit.note(
            session, person, "consent_noted" if by_phone else "terms_suggested", now,
            merchant_id=person.merchant_id, customer_id=record.claim.customer_id, claim_id=claim,
            agreement_kind=terms.kind.value,
        )  # fmt: skip
        await send_outbox(request, session, person.merchant_id, handoff)

    given = {"count": count, "first": first, "until": until, "kind": kind}
    done = "agreed" if by_phone else "offered"
    return await act(request, person, handoff, f"claim{claim}", step, done, given)


@router.post(ONE + "/consent")
async def consent(request: Request, person: Agent, handoff: Id, offer: Number = 0) -> Response:
    """The customer has said yes to the open suggestion, on the telephone."""
    words = texts(language_of(request))["desk"]

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        try:
            noted = await desk_offer.agreed_by_phone(session, handoff, by(person), offer, now)
        except NOT_POSSIBLE as refused:
            raise Refused(_why(str(refused), words)) from refused
        if not noted:
            raise Refused(words["problems"]["no_offer"])
        audit.note(session, person, "consent_noted", now, merchant_id=person.merchant_id)
        await send_outbox(request, session, person.merchant_id, handoff)

    return await act(request, person, handoff, "offer", step, "agreed")


@router.post(ONE + "/waive")
async def waive(
    request: Request,
    person: Adjuster,
    handoff: Id,
    claim: Number = 0,
    part: Line = "",
    amount: Line = "",
    reason: Line = "",
    posted: Line = "",
) -> Response:
    """Let interest or costs go, as far as the policy lets anything go."""
    language = language_of(request)
    words = texts(language)["desk"]

    async def step(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        record, policy = await _claim(session, handoff, claim, request, person)
        if part not in PARTS or reason not in REASONS["waive"] or not posted.isdigit():
            raise Refused(words["problems"]["figures"])
        try:
            wanted = parse_amount(amount, currency=record.claim.currency)
        except (AmountUnreadable, AmountAmbiguous, UnknownCurrency) as invalid:
            raise Refused(words["problems"]["amount"]) from invalid
        # What was posted when the form was made: with the next posting it is another waiver.
        key = f"desk-waiver:{claim}:{posted}:{part}"
        again = key in {posting.command_key for posting in record.postings}
        most = discount_max(policy, record.facts(now))
        if not again and wanted > most:
            raise Refused(words["problems"]["waive_most"].format(amount=in_words(most, language)))
        try:
            await book.post_waiver(
                session, claim, wanted, value_date=now.astimezone(person.zone).date(), now=now,
                key=key, part=PARTS[part],
            )  # fmt: skip
        except (AmountNotPositive, IdempotencyConflict) as invalid:
            raise Refused(words["problems"]["amount"]) from invalid
        except WaiverExceedsBalance as invalid:
            open_part = in_words(getattr(record.open, part), language)
            raise Refused(words["problems"]["waive_most"].format(amount=open_part)) from invalid
        if not again:
            audit.note(
                session, person, "amount_waived", now, merchant_id=person.merchant_id,
                customer_id=record.claim.customer_id, claim_id=claim, part=part,
                amount_minor=wanted.minor, currency=wanted.currency, reason=reason,
            )  # fmt: skip

    given = {"amount": amount, "part": part, "kind": "waive"}
    return await act(request, person, handoff, f"claim{claim}", step, "waived", given)


async def _claim(
    session: AsyncSession, handoff: int, claim: int, request: Request, person: SignedIn
) -> tuple[ClaimRecord, Policy]:
    """A claim of this handoff's customer, whoever holds it."""
    held = await held_handoff(session, handoff)
    held.of(by(person))
    words = texts(language_of(request))["desk"]
    try:
        record = await book.record(session, claim, now=parts_of(request).clock.now())
    except ClaimUnknown as unknown:
        raise Refused(words["problems"]["no_offer"]) from unknown
    if record.claim.customer_id != held.conversation.customer_id:
        raise Refused(words["problems"]["no_offer"])
    merchant = await session.get_one(Merchant, person.merchant_id)
    return record, policy_from_data(merchant.policy)


def _accepted(decision: Decision, kind: str, request: Request) -> AgreementTerms:
    """The terms that were asked for, or why they are not to be had and what is."""
    language = language_of(request)
    words = texts(language)["desk"]
    if isinstance(decision, Escalate):
        raise Refused(_why(decision.reason.value, words))
    if isinstance(decision, CounterOffer):
        if kind == "less" and decision.reason is Reason.OPEN_REQUEST:
            return decision.terms
        nearest = words["problems"]["nearest"].format(terms=in_short(decision.terms, language))
        raise Refused(f"{_why(decision.reason.value, words)} {nearest}")
    return decision.terms


def _why(reason: str, words: Any) -> str:
    told = words["refusals"].get(reason, words["refusals"]["total_differs"])
    return str(words["problems"]["refused"].format(reason=told))


def _key(handoff: int, turn: str, claim: int, *wish: str) -> str:
    """The same form again is the same suggestion; another wish on an old page is another one."""
    said = hashlib.sha256(json.dumps(wish).encode()).hexdigest()
    return f"desk:{handoff}:{turn}:{claim}:{said[:16]}"


async def _known(session: AsyncSession, merchant_id: int, key: str) -> bool:
    """Whether this form was sent before; its terms may be reckoned otherwise by now."""
    found = await session.scalar(
        select(DeskOffer.id).where(
            DeskOffer.merchant_id == merchant_id, DeskOffer.idempotency_key == key
        )
    )
    return found is not None


def _day(given: str, words: Any) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as invalid:
        raise Refused(words["problems"]["figures"]) from invalid

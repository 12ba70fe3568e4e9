"""Later, in instalments, or less at once: what the merchant's policy allows, reckoned before a yes.

The same negotiation, the same guard and the same book as in the chat.
"""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from api.pages.pay import sessions
from api.pages.pay.claims import ClaimView
from api.pages.pay.entry import ask_code
from api.pages.pay.overview import Id, transfer_of
from api.pages.pay.visit import HOME, NotVisiting, Visit, go, visiting
from api.queue import Overtaken, defer_delivery
from conversation.look import lock
from conversation.page_visit import say_noted, withdraw_suggestion
from conversation.port import conversation_port
from ledger import book
from ledger.agreements import (
    AgreementTerms,
    Deferral,
    DownPayment,
    InstalmentPlan,
    terms_from_data,
    terms_to_data,
)
from ledger.errors import AgreementRefused, ClaimInDispute, ClaimNotOpen, LedgerError, NothingOwed
from ledger.money import AmountUnreadable, Money, parse_amount
from ledger.schedule import Period
from negotiation.bounds import discount_max, guard_for, latest, offers_less_at_once, start_latest
from negotiation.negotiate import (
    evaluate,
    evaluate_deferral,
    evaluate_discount,
    evaluate_instalments,
)
from negotiation.offers import CounterOffer, Decision, Escalate, InstalmentRequest, Reason
from storage.tables import Agreement, AuditEvent

router = APIRouter(prefix=HOME, include_in_schema=False)
USUAL_DAYS = 14
TERMS_CHARACTERS_MAX = 20_000
_NONCE = re.compile(r"[\w-]{16,64}", re.ASCII)
_REFUSED = (AgreementRefused, ClaimInDispute, ClaimNotOpen, NothingOwed)
Text = Annotated[str, Form(max_length=200)]
FormId = Annotated[int, Form(ge=1, le=2**63 - 1)]


@router.get("/plan")
async def plan(
    request: Request,
    claim: Id,
    count: str = "",
    amount: str = "",
    period: str = "",
    first: str = "",
    down: str = "",
    down_day: str = "",
    fragment: bool = False,
    lang: str = "",
) -> Response:
    """Instalments, with every one of them reckoned for the figures that are filled in.

    A down payment without a day is made today, as in the chat.
    """
    try:
        async with visiting(request, lang=lang) as here:
            view = await here.claim(claim)
            if view is None or not view.payable:
                return go(HOME)
            unread = any(given.strip() and not _amount(given, here) for given in (amount, down))
            put_down = _amount(down, here)
            wish = InstalmentRequest(
                count=int(count)
                if count.isascii() and count.isdigit() and len(count) < 4
                else None,
                amount=_amount(amount, here),
                period=Period(period) if period in set(Period) else None,
                first_due=_day(first),
                down=DownPayment(put_down, _day(down_day) or here.today) if put_down else None,
            )
            if wish.amount is not None:
                wish = replace(wish, count=None)
            decision = evaluate_instalments(here.policy, view.facts, wish)
            facts = {
                **_shown(here, view, decision),
                "filled": {
                    **{"count": count, "amount": amount, "period": period, "first": first},
                    **{"down": down, "down_day": down_day},
                },
                "unread": unread,
            }
            if fragment:
                return here.respond("preview.html", facts)
            most = here.policy.instalment_count_max(view.open)
            facts |= {
                "counts": range(2, most + 1),
                "periods": [one.value for one in here.policy.instalment_periods],
                "first_max": start_latest(here.policy, view.facts),
                "may_put_down": _may_put_down(here, view),
            }
            return here.respond("plan.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


@router.get("/later")
async def later(
    request: Request, claim: Id, until: str = "", fragment: bool = False, lang: str = ""
) -> Response:
    """Everything on a later day."""
    try:
        async with visiting(request, lang=lang) as here:
            view = await here.claim(claim)
            if view is None or not view.payable:
                return go(HOME)
            last = latest(view.facts, here.policy.deferral_days_max(view.facts.age_days))
            day = _day(until) or min(last, here.today + timedelta(days=USUAL_DAYS))
            decision = evaluate_deferral(here.policy, view.facts, day)
            facts = {**_shown(here, view, decision), "until": day, "last": last}
            return here.respond("preview.html" if fragment else "later.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


@router.get("/less")
async def less(request: Request, claim: Id, lang: str = "") -> Response:
    """Less than is open, for paying soon: only where the policy lets something go."""
    try:
        async with visiting(request, lang=lang) as here:
            view = await here.claim(claim)
            if view is None or not lets_go(here, view):
                return go(HOME)
            decision = evaluate_discount(here.policy, view.facts)
            return here.respond("less.html", _shown(here, view, decision))
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/agree")
@retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)
async def agree(
    request: Request,
    claim: FormId,
    terms: Annotated[str, Form(max_length=TERMS_CHARACTERS_MAX)],
    nonce: Text,
    csrf: Text = "",
) -> Response:
    """The yes: posted once, however often it is sent. What is no longer possible is shown anew."""
    try:
        async with visiting(request, csrf=csrf) as here:
            conversation = await lock(here.session, here.visitor.conversation_id)
            view, wanted = await here.claim(claim), _terms(terms)
            if view is None or wanted is None or not _NONCE.fullmatch(nonce):
                return go(HOME)
            key = f"page:{here.customer.id}:{nonce}"
            repeated = await here.session.scalar(
                select(Agreement.claim_id).where(
                    Agreement.merchant_id == here.merchant.id, Agreement.idempotency_key == key
                )
            )
            if repeated is not None:
                return go(f"{HOME}/agreed?claim={repeated}")
            if not view.payable:
                return go(HOME)
            try:
                made = await book.agree(
                    here.session,
                    view.id,
                    wanted,
                    guard=guard_for(here.policy),
                    now=here.now,
                    key=key,
                    conversation_id=conversation.id,
                )
            except _REFUSED:
                decision = evaluate(here.policy, view.facts, wanted)
                return here.respond("changed.html", _shown(here, view, decision), 409)
            here.session.add(
                AuditEvent(
                    merchant_id=here.merchant.id,
                    kind="page_agreed",
                    at=here.now,
                    customer_id=here.customer.id,
                    claim_id=view.id,
                    conversation_id=conversation.id,
                    facts={"agreement": made.id},
                )
            )
            if not here.merchant.iban:
                port = await conversation_port(here.session, conversation.id, here.now)
                await port.request_person("bank_details", {})
            await tell_chat(here)
            return go(f"{HOME}/agreed?claim={view.id}")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.get("/agreed")
async def agreed(request: Request, claim: Id, lang: str = "") -> Response:
    """What was agreed, and where to transfer it."""
    try:
        async with visiting(request, lang=lang) as here:
            view = await here.claim(claim)
            if view is None or view.agreement is None or not view.payable:
                return go(HOME)
            facts = {"one": view, "made": transfer_of(here, view)}
            return here.respond("agreed.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/person")
@retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)
async def person(request: Request, claim: FormId, reason: Text, csrf: Text = "") -> Response:
    """What only a person may decide goes to one; the claim rests meanwhile."""
    try:
        async with visiting(request, csrf=csrf) as here:
            view = await here.claim(claim)
            if view is None or not view.payable or reason not in set(Reason):
                return go(HOME)
            await lock(here.session, here.visitor.conversation_id)
            port = await conversation_port(here.session, here.visitor.conversation_id, here.now)
            summary = {"claim": view.id, "at": "page"}
            await port.request_person(f"decision_{reason}", summary)
            until = here.today + timedelta(days=here.policy.check_days)
            await book.pause(here.session, view.id, "person_decides", until=until, now=here.now)
            await tell_chat(here)
            return go(f"{HOME}?done=person")
    except NotVisiting:
        return ask_code(request, "", status=403)


async def tell_chat(here: Visit) -> None:
    """The chat knows: its suggestion ends, and it says that something was noted. Raises Overtaken.

    The conversation is locked by the caller.
    """
    conversation = await lock(here.session, here.visitor.conversation_id)
    await withdraw_suggestion(here.session, conversation)
    if await say_noted(here.session, conversation, here.now, here.parts.public_url):
        await defer_delivery(here.jobs, here.session, here.merchant.id, conversation.id)
    here.after.append(conversation.id)


def lets_go(here: Visit, view: ClaimView) -> bool:
    """Whether something is let go for paying soon."""
    if not view.payable or view.agreement is not None:
        return False
    return offers_less_at_once(here.policy, view.facts)


def _may_put_down(here: Visit, view: ClaimView) -> bool:
    """Whether the policy allows a plan that begins with a down payment."""
    least = Money(here.policy.instalment_minor_min, view.open.currency)
    wish = InstalmentRequest(down=DownPayment(least, here.today))
    decision = evaluate_instalments(here.policy, view.facts, wish)
    terms = None if isinstance(decision, Escalate) else decision.terms
    return isinstance(terms, InstalmentPlan) and terms.starts_apart


def _shown(here: Visit, view: ClaimView, decision: Decision) -> dict[str, Any]:
    """A decision as the preview shows it; the terms go back with the yes as they are."""
    facts: dict[str, Any] = {
        "one": view,
        "terms": None,
        "reason": "",
        "unread": False,
        "nonce": sessions.new_token(),
        "less": lets_go(here, view),
        "waived_max": discount_max(here.policy, view.facts),
    }
    if isinstance(decision, Escalate):
        return {**facts, "reason": decision.reason.value}
    if isinstance(decision, CounterOffer) and decision.reason is not Reason.OPEN_REQUEST:
        facts["reason"] = decision.reason.value
    facts |= {
        "terms": decision.terms,
        "terms_data": json.dumps(terms_to_data(decision.terms), separators=(",", ":")),
        "interest_effect": view.interest_effect(decision.terms),
        "coming": view.record.interest_ahead(decision.terms, here.now),
        "is_deferral": isinstance(decision.terms, Deferral),
    }
    return facts


def _terms(given: str) -> AgreementTerms | None:
    """Terms as a form sends them back; None for anything else. The guard judges them."""
    try:
        return terms_from_data(json.loads(given))
    except (ValueError, KeyError, TypeError, LedgerError, RecursionError):
        return None


def _amount(given: str, here: Visit) -> Money | None:
    try:
        amount = parse_amount(given, currency=here.merchant.currency)
    except AmountUnreadable:
        return None
    return amount if amount.minor > 0 else None


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        return None

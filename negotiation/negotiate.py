"""Answers to what a customer asks for: yes, the nearest possible, or a person.

All functions are pure. Every term in an ``Accept`` or a ``CounterOffer`` lies within the policy
(``bounds.is_within``) for the claim as it is on ``facts.today``.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from ledger.agreements import (
    AgreementTerms,
    Deferral,
    DownPayment,
    InstalmentPlan,
    Promise,
    Settlement,
)
from ledger.claim import ClaimFacts
from ledger.money import Money
from negotiation.bounds import (
    discount_max,
    is_within,
    latest,
    needs_person,
    obstacle,
    regular_latest,
)
from negotiation.offers import (
    ALTERNATIVES_MAX,
    Accept,
    CounterOffer,
    Decision,
    Escalate,
    InstalmentRequest,
    Reason,
)
from negotiation.plans import PlanRoom, fitted
from negotiation.policy import Policy

# Three instalments are what most people have in mind when they name no number.
_USUAL_COUNT = 3


def evaluate_promise(
    policy: Policy, facts: ClaimFacts, due: date, amount: Money | None = None
) -> Decision:
    """ "I will pay on Friday": the whole open amount, or ``amount`` of it, on the day ``due``.

    Less than the open amount leads to an instalment plan that starts with that amount; a day
    beyond what a promise may reach leads to a deferral where one is allowed.
    """
    reason = obstacle(policy, facts)
    if reason is None and amount is not None and amount.currency != policy.currency:
        reason = Reason.OTHER_CURRENCY
    if reason is not None:
        return Escalate(reason)
    if amount is not None and amount < facts.balance:
        plan = evaluate_instalments(policy, facts, InstalmentRequest(amount=amount, first_due=due))
        return _because(Reason.PARTIAL_AMOUNT, plan)
    if due < facts.today:
        return _counter(policy, facts, [Promise(facts.balance, facts.today)], [Reason.DATE_PAST])
    if due <= latest(facts, policy.promise_days_max):
        return Accept(Promise(facts.balance, due))
    return _later(policy, facts, due, Reason.PROMISE_TOO_LATE)


def evaluate_deferral(policy: Policy, facts: ClaimFacts, until: date | None = None) -> Decision:
    """ "I need time until the 15th": everything later. Without a day the longest is offered."""
    reason = needs_person(policy, facts)
    if reason is not None:
        return Escalate(reason)
    longest = latest(facts, policy.deferral_days_max(facts.age_days))
    if until is None:
        return _later(policy, facts, longest, Reason.OPEN_REQUEST)
    if until < facts.today:
        return _counter(policy, facts, [Deferral(facts.balance, facts.today)], [Reason.DATE_PAST])
    if until <= longest:
        return Accept(Deferral(facts.balance, until))
    return _later(policy, facts, until, Reason.DEFERRAL_TOO_LONG)


def evaluate_instalments(policy: Policy, facts: ClaimFacts, request: InstalmentRequest) -> Decision:
    """Instalments by number, by amount, both or neither, with or without a first day, and with or
    without a down payment before them.

    The counter-offer has the number, or the amount, closest to the one that was asked for; where
    both were named and do not go together, the amount counts: it is what a person can spare.
    """
    named = (request.amount, request.down.amount if request.down else None)
    reason = needs_person(policy, facts)
    if reason is None and any(
        amount is not None and amount.currency != policy.currency for amount in named
    ):
        reason = Reason.OTHER_CURRENCY
    if reason is not None:
        return Escalate(reason)
    request, first, period, reasons = fitted(policy, facts, request)
    down = request.down
    room = PlanRoom.of(policy, facts, first, period, down)
    if down is not None and room.total.minor <= 0:
        return _at_once(policy, facts, down.due, Reason.AMOUNT_COVERS_ALL)
    if down is None and request.amount is not None and request.amount >= room.total:
        return _at_once(policy, facts, first, Reason.AMOUNT_COVERS_ALL)
    if down is None and request.count == 1 and request.amount is None:
        return _at_once(policy, facts, first, Reason.NO_PLAN)
    if room.empty:
        return _at_once(policy, facts, first, Reason.BALANCE_TOO_SMALL)
    plan, missed = _closest(room, request)
    last = regular_latest(policy, facts, plan)
    if plan.first > last:
        if request.first_due is not None and Reason.REST_TOO_LATE not in reasons:
            reasons.append(Reason.REST_TOO_LATE)
        room = replace(room, first=last)
        plan, missed = _closest(room, request)
    reasons = [*missed, *reasons]
    if down is not None and not is_within(policy, plan, facts):
        return _without_down(policy, facts, request, down)
    if not reasons:
        return Accept(plan)
    later = _longest_deferral(policy, facts) if missed else None
    return _counter(policy, facts, [plan, *_other_plans(room, plan, request), later], reasons)


def _without_down(
    policy: Policy, facts: ClaimFacts, request: InstalmentRequest, down: DownPayment
) -> Decision:
    """Where no regular instalments fit after a down payment, those from its day on."""
    count = request.count + 1 if request.count else None
    request = replace(request, count=count, first_due=down.due, down=None)
    return _because(Reason.PLAN_TERMS_DIFFER, evaluate_instalments(policy, facts, request))


def _closest(room: PlanRoom, request: InstalmentRequest) -> tuple[InstalmentPlan, list[Reason]]:
    """The plan closest to the wish for a number or an amount, and what of it was missed."""
    count, amount = request.count, request.amount
    equal = room.by_count(count) if count is not None else None
    if amount is not None:
        if equal is not None and equal.regular == amount:
            return equal, []
        by_amount = room.by_regular(amount.minor)
        plan = by_amount or room.smallest()
        missed = [] if by_amount else [room.too_small_because()]
        if count is not None and len(plan.regulars) != count:
            missed.append(Reason.COUNT_AND_AMOUNT_DIFFER)
        return plan, missed
    if count is None or count < 1:
        usual = room.by_count(min(_USUAL_COUNT, room.equal_count_max))
        return usual or room.longest(), [Reason.OPEN_REQUEST]
    if equal is not None:
        return equal, []
    if count > room.count_max:
        return room.longest(), [Reason.TOO_MANY_INSTALMENTS]
    return room.longest(), [Reason.INSTALMENT_TOO_SMALL]


def _other_plans(
    room: PlanRoom, plan: InstalmentPlan, request: InstalmentRequest
) -> Iterable[AgreementTerms]:
    """Other allowed plans worth a look: the number asked for, neighbours, the smallest rate."""
    count = len(plan.regulars)
    counts = [count - 1, count + 1]
    if request.count is None and request.amount is None:
        counts = [(count + room.equal_count_max + 1) // 2, room.equal_count_max]
    if request.count is not None:
        counts.insert(0, request.count)
    for number in counts:
        other = room.by_count(number)
        if other is not None:
            yield other


def evaluate_discount(
    policy: Policy, facts: ClaimFacts, amount: Money | None = None, due: date | None = None
) -> Decision:
    """ "Can you make it 80?": less than is open, paid at once (by ``due``).

    Only interest and costs are let go unless the policy names the principal too. Without an
    amount the lowest possible one is offered.
    """
    reason = needs_person(policy, facts)
    if reason is None and amount is not None and amount.currency != policy.currency:
        reason = Reason.OTHER_CURRENCY
    if reason is not None:
        return Escalate(reason)
    most = discount_max(policy, facts)
    day = due or latest(facts, policy.discount_days_max)
    if amount is not None and amount >= facts.balance:
        return evaluate_promise(policy, facts, day)
    plans = _plans_by(policy, facts, amount)
    if most.minor <= 0:
        full = _clamped_promise(policy, facts, day)
        return _counter(policy, facts, [full, *plans], [Reason.NO_DISCOUNT])
    reasons = []
    lowest = facts.balance - most
    if amount is None:
        reasons.append(Reason.OPEN_REQUEST)
    elif amount < lowest:
        reasons.append(Reason.DISCOUNT_TOO_LARGE)
    pay = lowest if amount is None else max(amount, lowest)
    if day < facts.today:
        reasons.append(Reason.DATE_PAST)
    elif day > latest(facts, policy.discount_days_max):
        reasons.append(Reason.DISCOUNT_TOO_LATE)
    day = min(max(day, facts.today), latest(facts, policy.discount_days_max))
    terms = Settlement(pay, facts.balance - pay, day)
    return _counter(policy, facts, [terms, *plans], reasons) if reasons else Accept(terms)


def evaluate(policy: Policy, facts: ClaimFacts, terms: AgreementTerms) -> Decision:
    """Whether terms that are on the table are still allowed, else what is closest to them now."""
    if is_within(policy, terms, facts):
        return Accept(terms)
    if isinstance(terms, Promise):
        decision = evaluate_promise(policy, facts, terms.due)
    elif isinstance(terms, Deferral):
        decision = evaluate_deferral(policy, facts, terms.until)
    elif isinstance(terms, Settlement):
        due = terms.due if terms.due >= facts.today else None
        decision = evaluate_discount(policy, facts, terms.amount, due)
    else:
        wish = InstalmentRequest.for_plan(terms)
        if terms.first < facts.today:
            wish = replace(
                wish, first_due=None
            )  # Passed meanwhile: as early as plans usually start.
        decision = evaluate_instalments(policy, facts, wish)
    # The same wish with other figures, as after a payment: allowed, but to be confirmed anew.
    return _because(Reason.TOTAL_DIFFERS, decision) if isinstance(decision, Accept) else decision


def _later(policy: Policy, facts: ClaimFacts, wanted: date, reason: Reason) -> CounterOffer:
    """Everything in one sum as near to the wanted day as possible; instalments beside it."""
    candidates: list[Promise | Deferral] = [_clamped_promise(policy, facts, wanted)]
    deferral = _longest_deferral(policy, facts)
    if deferral is not None:
        candidates.insert(0, replace(deferral, until=min(wanted, deferral.until)))
    candidates.sort(key=lambda terms: abs((terms.instalments[0].due - wanted).days))
    return _counter(policy, facts, [*candidates, *_plans_by(policy, facts, None)], [reason])


def _at_once(policy: Policy, facts: ClaimFacts, day: date, reason: Reason) -> Decision:
    """One payment where instalments do not fit."""
    return _because(reason, evaluate_promise(policy, facts, day))


def _clamped_promise(policy: Policy, facts: ClaimFacts, day: date) -> Promise:
    latest_day = latest(facts, policy.promise_days_max)
    return Promise(facts.balance, min(max(day, facts.today), latest_day))


def _longest_deferral(policy: Policy, facts: ClaimFacts) -> Deferral | None:
    days = policy.deferral_days_max(facts.age_days)
    return Deferral(facts.balance, latest(facts, days)) if days else None


def _plans_by(policy: Policy, facts: ClaimFacts, amount: Money | None) -> list[InstalmentPlan]:
    """One plan to show beside another offer: of about this amount, or of the usual number."""
    first = latest(facts, policy.instalment_first_days_usual)
    room = PlanRoom.of(policy, facts, first, policy.instalment_periods[0])
    if room.empty:
        return []
    plan, _ = _closest(room, InstalmentRequest(amount=amount))
    return [plan]


def _counter(
    policy: Policy,
    facts: ClaimFacts,
    offers: Iterable[AgreementTerms | None],
    reasons: Iterable[Reason],
) -> CounterOffer:
    """The first offer with up to three different others, all of them allowed."""
    allowed: list[AgreementTerms] = []
    for terms in offers:
        if terms is not None and terms not in allowed and is_within(policy, terms, facts):
            allowed.append(terms)
    return CounterOffer(allowed[0], tuple(allowed[1 : ALTERNATIVES_MAX + 1]), tuple(reasons))


def _because(reason: Reason, decision: Decision) -> Decision:
    """The same as a counter-offer with another main reason."""
    if isinstance(decision, Accept):
        return CounterOffer(decision.terms, (), (reason,))
    if isinstance(decision, CounterOffer):
        others = tuple(other for other in decision.reasons if other is not reason)
        return replace(decision, reasons=(reason, *others))
    return decision

"""Whatever a customer asks for, and whatever the policy: answers stay inside it."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from ledger.agreements import (
    Deferral,
    InstalmentPlan,
    Promise,
    Settlement,
    plan_by_amount,
    plan_by_count,
)
from ledger.claim import ClaimFacts, OpenAmount
from ledger.money import Money
from ledger.schedule import Period
from negotiation.bounds import guard_for, is_within, violations
from negotiation.negotiate import (
    evaluate_deferral,
    evaluate_discount,
    evaluate_instalments,
    evaluate_promise,
)
from negotiation.offers import (
    ALTERNATIVES_MAX,
    Accept,
    CounterOffer,
    Decision,
    Escalate,
    InstalmentRequest,
)
from negotiation.policy import DeferralBand, InstalmentBand, Policy

TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def facts(
    principal: int = 300_00, costs: int = 0, interest: int = 0, **changed: object
) -> ClaimFacts:
    open_ = OpenAmount(eur(costs), eur(interest), eur(principal), eur(0))
    made = ClaimFacts(claim_id=1, today=TODAY, open=open_, due_date=TODAY - timedelta(days=10))
    return replace(made, **changed)  # type: ignore[arg-type]


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


amounts = st.integers(-5_00, 6_000_00).map(eur)
dates = st.integers(-400, 4000).map(day)
policies = st.builds(
    Policy,
    instalment_minor_min=st.integers(1, 100_00),
    instalment_bands=st.tuples(
        st.builds(InstalmentBand, st.integers(0, 500_00), st.integers(1, 60)),
        st.builds(InstalmentBand, st.none(), st.integers(1, 60)),
    ),
    instalment_first_days_max=st.integers(31, 60),
    instalment_first_days_usual=st.integers(0, 31),
    instalment_periods=st.lists(st.sampled_from(Period), min_size=1, unique=True).map(tuple),
    plan_charge_business_minor=st.integers(0, 20_00),
    shift_due_days_land=st.sampled_from([None, "BE", "BY"]),
    deferral_bands=st.tuples(
        st.builds(DeferralBand, st.integers(0, 90), st.integers(0, 60)),
        st.builds(DeferralBand, st.none(), st.integers(0, 60)),
    ),
    promise_days_max=st.integers(0, 60),
    discount_interest_percent=st.integers(0, 100),
    discount_costs_percent=st.integers(0, 100),
    discount_principal_percent=st.integers(0, 100),
    discount_days_max=st.integers(0, 30),
    authority_minor=st.integers(0, 10_000_00),
)
claims = st.builds(
    lambda principal, costs, interest, overdue, business: facts(
        principal, costs, interest, due_date=day(-overdue), business=business
    ),
    st.one_of(st.integers(0, 200), st.integers(0, 5_000_00)),
    st.integers(0, 50_00),
    st.integers(0, 50_00),
    st.integers(-30, 400),
    st.booleans(),
)
requests = st.builds(
    InstalmentRequest,
    count=st.none() | st.integers(-2, 200),
    amount=st.none() | amounts,
    period=st.none() | st.sampled_from(Period),
    first_due=st.none() | dates,
)


@st.composite
def decisions(draw: st.DrawFn) -> tuple[Policy, ClaimFacts, Decision]:
    policy, claim = draw(policies), draw(claims)
    asked = draw(st.sampled_from(["promise", "deferral", "instalments", "discount"]))
    if asked == "promise":
        answer = evaluate_promise(policy, claim, draw(dates), draw(st.none() | amounts))
    elif asked == "deferral":
        answer = evaluate_deferral(policy, claim, draw(st.none() | dates))
    elif asked == "instalments":
        answer = evaluate_instalments(policy, claim, draw(requests))
    else:
        answer = evaluate_discount(
            policy, claim, draw(st.none() | amounts), draw(st.none() | dates)
        )
    return policy, claim, answer


@given(decisions())
def test_nothing_outside_the_policy_is_ever_answered(
    made: tuple[Policy, ClaimFacts, Decision],
) -> None:
    policy, claim, answer = made
    if isinstance(answer, Accept):
        assert violations(policy, answer.terms, claim) == ()
    elif isinstance(answer, CounterOffer):
        assert len(answer.alternatives) <= ALTERNATIVES_MAX
        assert answer.reasons
        offers = (answer.terms, *answer.alternatives)
        assert len(set(offers)) == len(offers)
        for terms in offers:
            assert violations(policy, terms, claim) == ()
            guard_for(policy)(terms, claim)


@given(decisions())
def test_an_offer_that_is_asked_for_is_accepted(
    made: tuple[Policy, ClaimFacts, Decision],
) -> None:
    policy, claim, answer = made
    if isinstance(answer, Escalate):
        return
    offers = chain([answer.terms], answer.alternatives if isinstance(answer, CounterOffer) else ())
    for terms in offers:
        if isinstance(terms, Promise):
            again = evaluate_promise(policy, claim, terms.due, terms.amount)
        elif isinstance(terms, Deferral):
            again = evaluate_deferral(policy, claim, terms.until)
        elif isinstance(terms, Settlement):
            again = evaluate_discount(policy, claim, terms.amount, terms.due)
        else:
            request = InstalmentRequest(terms.count, terms.regular, terms.period, terms.first)
            again = evaluate_instalments(policy, claim, request)
        assert again == Accept(terms)


@given(policies, claims, st.integers(2, 80))
def test_no_allowed_number_is_nearer_to_the_one_asked_for(
    policy: Policy, claim: ClaimFacts, count: int
) -> None:
    answer = evaluate_instalments(policy, claim, InstalmentRequest(count=count))
    if isinstance(answer, Escalate) or not isinstance(answer.terms, InstalmentPlan):
        return
    offered = abs(answer.terms.count - count)
    owed = answer.terms.total - answer.terms.charge
    for other in range(2, 81):
        if abs(other - count) < offered and answer.terms.total.minor >= other:
            plan = plan_by_count(
                owed,
                other,
                first=answer.terms.first,
                period=answer.terms.period,
                charge=answer.terms.charge,
                shift_land=policy.shift_due_days_land,
            )
            assert not is_within(policy, plan, claim)


@given(policies, claims, st.integers(1, 500_00))
def test_no_allowed_amount_is_nearer_to_the_one_asked_for(
    policy: Policy, claim: ClaimFacts, minor: int
) -> None:
    answer = evaluate_instalments(policy, claim, InstalmentRequest(amount=eur(minor)))
    if isinstance(answer, Escalate) or not isinstance(answer.terms, InstalmentPlan):
        return
    offered = answer.terms.regular.minor
    total = answer.terms.total
    # Amounts just nearer than the offered one, and half way to it.
    for nearer in {offered - 1, offered + 1, (offered + minor) // 2}:
        if abs(nearer - minor) < abs(offered - minor) and 0 < nearer < total.minor:
            plan = plan_by_amount(
                claim.balance,
                eur(nearer),
                first=answer.terms.first,
                period=answer.terms.period,
                charge=answer.terms.charge,
                shift_land=policy.shift_due_days_land,
            )
            assert not is_within(policy, plan, claim)

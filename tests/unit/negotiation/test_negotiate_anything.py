"""Whatever a customer asks for, and whatever the policy: answers stay inside it."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreements import (
    Deferral,
    DownPayment,
    InstalmentPlan,
    Promise,
    Settlement,
    plan_by_amount,
    plan_by_count,
)
from ledger.claim import ClaimFacts, OpenAmount
from ledger.money import Money
from ledger.schedule import Period, due_days, next_working_day
from negotiation.bounds import guard_for, is_within, violations
from negotiation.negotiate import (
    evaluate,
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
    Reason,
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
    lambda principal, costs, interest, overdue, business, instalment: facts(
        principal,
        costs,
        interest,
        due_date=day(-overdue),
        business=business,
        instalment_due=instalment and day(instalment),
    ),
    st.one_of(st.integers(0, 200), st.integers(0, 5_000_00)),
    st.integers(0, 50_00),
    st.integers(0, 50_00),
    st.integers(-30, 400),
    st.booleans(),
    st.none() | st.integers(-40, 60),
)
downs = st.builds(DownPayment, amounts, dates | st.integers(0, 60).map(day))
requests = st.builds(
    InstalmentRequest,
    count=st.none() | st.integers(-2, 200),
    amount=st.none() | amounts,
    period=st.none() | st.sampled_from(Period),
    first_due=st.none() | dates | st.integers(0, 90).map(day),
    down=st.none() | downs,
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
            again = evaluate_instalments(policy, claim, InstalmentRequest.for_plan(terms))
        assert again == Accept(terms)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Policy, ClaimFacts, InstalmentPlan]:
    """Plans as a broken dialogue might send them: near what is allowed, and somewhere bent."""
    floor = draw(st.integers(1, 30_00))
    policy = replace(draw(policies), authority_minor=10_000_00, instalment_minor_min=floor)
    claim = replace(draw(claims), open=facts(draw(st.integers(2, 600_00))).open)
    whole = claim.balance.minor + policy.plan_charge(claim.business).minor
    down = DownPayment(eur(draw(st.integers(1, whole - 1))), day(draw(st.integers(0, 40))))
    apart = draw(st.booleans())
    rest = whole - down.amount.minor if apart else whole
    plan = plan_by_count(
        claim.balance,
        draw(st.integers(1, min(rest, 6))),
        first=day(draw(st.integers(-1, 80))),
        period=draw(st.sampled_from(policy.instalment_periods)),
        charge=policy.plan_charge(claim.business),
        shift_land=policy.shift_due_days_land,
        down=down if apart else None,
    )
    if draw(st.integers(0, 3)) == 0:
        one, other = draw(st.tuples(*[st.integers(0, plan.count - 1)] * 2))
        parts = [*plan.instalments]
        moved = eur(draw(st.integers(0, parts[one].amount.minor - 1)))
        parts[one] = replace(parts[one], amount=parts[one].amount - moved)
        parts[other] = replace(parts[other], amount=parts[other].amount + moved)
        later = parts[other].due + timedelta(days=draw(st.integers(-3, 3)))
        parts[other] = replace(parts[other], due=later)
        plan = replace(plan, instalments=tuple(parts))
    return policy, claim, plan


@given(plans())
@settings(max_examples=300)
def test_a_plan_that_the_guard_lets_pass_pays_no_later_than_any_plan_may(
    made: tuple[Policy, ClaimFacts, InstalmentPlan],
) -> None:
    policy, claim, plan = made
    if violations(policy, plan, claim):
        return
    _, *others = plan.instalments
    assert plan.total == claim.balance + plan.charge
    assert 2 <= plan.count <= policy.instalment_count_max(claim.balance)
    assert all(part.amount.minor >= policy.instalment_minor_min for part in plan.instalments[:-1])
    assert all(before.due < after.due for before, after in pairwise(plan.instalments))
    assert plan.instalments[0].due >= TODAY
    start = max(TODAY, claim.instalment_due or TODAY) + timedelta(
        days=policy.instalment_first_days_max
    )
    latest = due_days(start, plan.period, plan.count, shift_land=plan.shift_land)
    assert all(part.due <= day for part, day in zip(plan.instalments, latest, strict=True))
    # A down payment is no token before a sum that comes late.
    if plan.starts_apart and others[0].due > latest[0]:
        assert plan.instalments[0].amount >= others[0].amount


@given(policies, claims, downs, st.integers(1, 300_00))
def test_a_first_payment_that_is_allowed_keeps_its_amount_and_day(
    policy: Policy, claim: ClaimFacts, down: DownPayment, minor: int
) -> None:
    answer = evaluate_instalments(policy, claim, InstalmentRequest(amount=eur(minor), down=down))
    if isinstance(answer, Accept) and isinstance(answer.terms, InstalmentPlan):
        assert answer.terms.starts_apart
        assert answer.terms.instalments[0].amount == down.amount
        if policy.shift_due_days_land is None:
            assert answer.terms.instalments[0].due == down.due
        assert answer.terms.regular == min(eur(minor), answer.terms.total - down.amount)


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


@given(st.integers(50_00, 400_00), st.integers(15_00, 60_00), st.sampled_from([None, "BE", "BY"]))
def test_every_two_weeks_pays_the_sum_on_days_two_weeks_apart(
    owed: int, each: int, land: str | None
) -> None:
    policy, claim = Policy(shift_due_days_land=land), facts(owed)
    wish = InstalmentRequest(amount=eur(each), period=Period.BIWEEKLY)
    decision = evaluate_instalments(policy, claim, wish)
    assert not isinstance(decision, Escalate)
    assert is_within(policy, decision.terms, claim)
    if isinstance(decision.terms, InstalmentPlan):
        plan = decision.terms
        parts = [part.amount.minor for part in plan.instalments]
        assert (plan.period, sum(parts)) == (Period.BIWEEKLY, owed)
        apart = [plan.first + timedelta(days=14 * number) for number in range(len(parts))]
        moved = [next_working_day(due, land) if land else due for due in apart]
        assert [part.due for part in plan.instalments] == moved


@given(st.integers(50_00, 400_00), st.integers(15_00, 60_00))
def test_a_rhythm_that_no_plan_has_is_said_and_stays_within_policy(owed: int, each: int) -> None:
    policy, claim = Policy(), facts(owed)
    wish = InstalmentRequest(amount=eur(each), other_rhythm=True)
    decision = evaluate_instalments(policy, claim, wish)
    assert isinstance(decision, CounterOffer)
    assert is_within(policy, decision.terms, claim)
    if isinstance(decision.terms, InstalmentPlan):
        assert Reason.PERIOD_NOT_OFFERED in decision.reasons


@given(st.integers(1, 60), st.integers(2, 10))
def test_a_plan_whose_first_day_has_passed_is_offered_with_days_to_come(
    late: int, count: int
) -> None:
    policy, shown = Policy(), facts(300_00)
    decision = evaluate_instalments(policy, shown, InstalmentRequest(count=count))
    assert isinstance(decision, Accept)
    assert isinstance(decision.terms, InstalmentPlan)
    today = decision.terms.first + timedelta(days=late)
    claim = replace(shown, today=today)
    again = evaluate(policy, claim, decision.terms)
    assert isinstance(again, CounterOffer)
    assert is_within(policy, again.terms, claim)
    assert again.terms.instalments[0].due == today + timedelta(days=14)

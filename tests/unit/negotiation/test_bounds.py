"""The guard before every agreement: named rules, nothing gets past them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.agreements import (
    AgreementTerms,
    Deferral,
    DownPayment,
    Promise,
    Settlement,
    plan_by_amount,
    plan_by_count,
)
from ledger.claim import ClaimFacts, OpenAmount
from ledger.errors import AgreementRefused
from ledger.money import Money
from negotiation import errors
from negotiation.bounds import guard_for, violations
from negotiation.negotiate import (
    evaluate,
)
from negotiation.offers import (
    Accept,
    CounterOffer,
    Decision,
    Reason,
)
from negotiation.policy import Policy

TODAY = date(2026, 11, 23)
POLICY = Policy()


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


def countered(decision: Decision) -> CounterOffer:
    assert isinstance(decision, CounterOffer), decision
    return decision


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (Promise(eur(300_00), day(15)), errors.PromiseTooLate),
        (Promise(eur(299_99), day(3)), errors.TotalDiffers),
        (Promise(eur(300_00), day(-1)), errors.DateInThePast),
        (Deferral(eur(300_00), day(46)), errors.DeferralTooLong),
        (plan_by_count(eur(300_00), 11, first=TODAY), errors.TooManyInstalments),
        (plan_by_count(eur(300_00), 1, first=TODAY), errors.NoPlan),
        (plan_by_count(eur(300_00), 3, first=day(32)), errors.FirstInstalmentTooLate),
        (plan_by_amount(eur(300_00), eur(9_99), first=TODAY), errors.TooManyInstalments),
        (
            plan_by_count(eur(300_00), 3, first=TODAY, charge=eur(1_00)),
            errors.PlanTermsDiffer,
        ),
        (
            plan_by_count(eur(300_00), 3, first=TODAY, stops_interest=False),
            errors.PlanTermsDiffer,
        ),
        (Settlement(eur(299_00), eur(1_00), day(3)), errors.DiscountTooLarge),
        (Settlement(eur(300_00), eur(0), day(3)), errors.DiscountTooLarge),
    ],
)
def test_guard_names_the_rule_that_is_missed(
    terms: AgreementTerms, refusal: type[AgreementRefused]
) -> None:
    with pytest.raises(refusal):
        guard_for(POLICY)(terms, facts())


def test_guard_sees_a_balloon_and_a_skipped_month() -> None:
    plan = plan_by_count(eur(300_00), 3, first=TODAY)
    balloon = replace(
        plan,
        instalments=(
            replace(plan.instalments[0], amount=eur(10_00)),
            replace(plan.instalments[1], amount=eur(10_00)),
            replace(plan.instalments[2], amount=eur(280_00)),
        ),
    )
    skipped = replace(
        plan,
        instalments=(
            *plan.instalments[:2],
            replace(plan.instalments[2], due=day(200)),
        ),
    )
    assert Reason.PLAN_UNEVEN in violations(POLICY, balloon, facts())
    assert Reason.PLAN_UNEVEN in violations(POLICY, skipped, facts())


@pytest.mark.parametrize(
    ("down", "first", "refusal"),
    [
        (DownPayment(eur(9_99), TODAY), day(20), errors.PlanBelowFloor),
        (DownPayment(eur(50_00), day(-1)), day(20), errors.DateInThePast),
        (DownPayment(eur(50_00), day(32)), day(40), errors.FirstInstalmentTooLate),
        (DownPayment(eur(50_00), TODAY), day(32), errors.RestTooLate),
        (DownPayment(eur(200_00), TODAY), day(63), errors.RestTooLate),
        (DownPayment(eur(50_00), day(20)), day(20), errors.PlanUneven),
    ],
)
def test_guard_judges_what_a_down_payment_leaves(
    down: DownPayment, first: date, refusal: type[AgreementRefused]
) -> None:
    plan = plan_by_count(eur(300_00), 1, first=first, down=down)
    with pytest.raises(refusal):
        guard_for(POLICY)(plan, facts())
    allowed = plan_by_count(eur(300_00), 1, first=day(31), down=DownPayment(eur(50_00), TODAY))
    guard_for(POLICY)(allowed, facts())


def test_terms_on_the_table_are_offered_anew_after_a_payment() -> None:
    terms = Promise(eur(300_00), day(3))
    assert evaluate(POLICY, facts(), terms) == Accept(terms)
    answer = countered(evaluate(POLICY, facts(250_00), terms))
    assert answer.terms == Promise(eur(250_00), day(3))
    assert answer.reason is Reason.TOTAL_DIFFERS

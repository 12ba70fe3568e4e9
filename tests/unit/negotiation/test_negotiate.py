"""What a customer is answered: yes, the nearest possible, or a person."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.agreements import (
    Deferral,
    DownPayment,
    InstalmentPlan,
    Promise,
    Settlement,
    plan_by_count,
)
from ledger.claim import ClaimFacts, ClaimStatus, OpenAmount
from ledger.money import Money
from ledger.schedule import Period
from negotiation.bounds import is_within, violations
from negotiation.negotiate import (
    evaluate_deferral,
    evaluate_discount,
    evaluate_instalments,
    evaluate_promise,
)
from negotiation.offers import (
    Accept,
    CounterOffer,
    Decision,
    Escalate,
    InstalmentRequest,
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


def plan_of(decision: Decision) -> InstalmentPlan:
    assert isinstance(decision, Accept | CounterOffer), decision
    assert isinstance(decision.terms, InstalmentPlan)
    return decision.terms


# Promises


def test_promise_within_two_weeks_is_accepted() -> None:
    assert evaluate_promise(POLICY, facts(), day(14)) == Accept(Promise(eur(300_00), day(14)))


def test_later_promise_becomes_a_deferral_to_the_same_day() -> None:
    answer = countered(evaluate_promise(POLICY, facts(), day(20)))
    assert answer.terms == Deferral(eur(300_00), day(20))
    assert answer.reason is Reason.PROMISE_TOO_LATE
    assert Promise(eur(300_00), day(14)) in answer.alternatives


def test_promise_of_a_part_becomes_a_plan_that_starts_with_it() -> None:
    answer = countered(evaluate_promise(POLICY, facts(), day(3), eur(50_00)))
    plan = plan_of(answer)
    assert plan.instalments[0].amount == eur(50_00)
    assert plan.instalments[0].due == day(3)
    assert answer.reason is Reason.PARTIAL_AMOUNT


def test_promise_of_more_than_is_open_is_a_promise_of_all() -> None:
    answer = evaluate_promise(POLICY, facts(), day(3), eur(400_00))
    assert answer == Accept(Promise(eur(300_00), day(3)))


def test_promise_for_yesterday_is_offered_for_today() -> None:
    answer = countered(evaluate_promise(POLICY, facts(), day(-1)))
    assert answer.terms == Promise(eur(300_00), TODAY)
    assert answer.reason is Reason.DATE_PAST


# Deferrals


@pytest.mark.parametrize(("overdue_days", "days_max"), [(10, 45), (31, 30), (91, 21)])
def test_deferral_reaches_as_far_as_the_age_of_the_claim_allows(
    overdue_days: int, days_max: int
) -> None:
    claim = facts(due_date=day(-overdue_days))
    exact = evaluate_deferral(POLICY, claim, day(days_max))
    assert exact == Accept(Deferral(eur(300_00), day(days_max)))
    over = countered(evaluate_deferral(POLICY, claim, day(days_max + 1)))
    assert over.terms == Deferral(eur(300_00), day(days_max))
    assert over.reason is Reason.DEFERRAL_TOO_LONG


def test_deferral_without_a_day_offers_the_longest() -> None:
    answer = countered(evaluate_deferral(POLICY, facts()))
    assert answer.terms == Deferral(eur(300_00), day(45))
    assert answer.reason is Reason.OPEN_REQUEST


# Instalments


def test_number_of_instalments_within_policy_is_accepted() -> None:
    answer = evaluate_instalments(POLICY, facts(), InstalmentRequest(count=3, first_due=day(8)))
    assert answer == Accept(plan_by_count(eur(300_00), 3, first=day(8)))


def test_two_instalments_are_the_least() -> None:
    answer = evaluate_instalments(POLICY, facts(), InstalmentRequest(count=2))
    assert isinstance(answer, Accept)
    assert violations(POLICY, answer.terms, facts()) == ()
    one = countered(evaluate_instalments(POLICY, facts(), InstalmentRequest(count=1)))
    assert one.terms == Promise(eur(300_00), day(14))
    assert one.reason is Reason.NO_PLAN


def test_too_many_instalments_get_the_largest_number() -> None:
    answer = countered(evaluate_instalments(POLICY, facts(), InstalmentRequest(count=12)))
    assert plan_of(answer).count == 10
    assert answer.reason is Reason.TOO_MANY_INSTALMENTS


def test_number_whose_instalments_are_too_small_gets_the_nearest_number() -> None:
    policy = replace(POLICY, instalment_minor_min=70_00)
    answer = countered(evaluate_instalments(policy, facts(), InstalmentRequest(count=10)))
    # 70 + 70 + 70 + 70 + 20
    assert plan_of(answer).count == 5
    assert plan_of(answer).regular == eur(70_00)
    assert answer.reason is Reason.INSTALMENT_TOO_SMALL


def test_amount_per_month_is_accepted_with_a_smaller_last_one() -> None:
    answer = evaluate_instalments(POLICY, facts(), InstalmentRequest(amount=eur(80_00)))
    assert isinstance(answer, Accept)
    assert [part.amount.minor for part in plan_of(answer).instalments] == [
        80_00,
        80_00,
        80_00,
        60_00,
    ]


def test_too_small_amount_gets_the_smallest_possible() -> None:
    answer = countered(evaluate_instalments(POLICY, facts(), InstalmentRequest(amount=eur(20_00))))
    assert plan_of(answer).regular == eur(30_00)
    assert answer.reason is Reason.TOO_MANY_INSTALMENTS
    small = countered(
        evaluate_instalments(POLICY, facts(35_00), InstalmentRequest(amount=eur(5_00)))
    )
    assert plan_of(small).regular == eur(10_00)
    assert small.reason is Reason.INSTALMENT_TOO_SMALL


def test_number_and_amount_that_go_together_are_accepted() -> None:
    request = InstalmentRequest(count=3, amount=eur(33_33))
    answer = evaluate_instalments(POLICY, facts(100_00), request)
    assert isinstance(answer, Accept)
    assert plan_of(answer).count == 3


def test_number_and_amount_that_differ_keep_the_amount_and_show_the_number() -> None:
    request = InstalmentRequest(count=4, amount=eur(50_00), first_due=day(5))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert plan_of(answer).regular == eur(50_00)
    assert answer.reason is Reason.COUNT_AND_AMOUNT_DIFFER
    assert plan_by_count(eur(300_00), 4, first=day(5)) in answer.alternatives


def test_open_request_shows_three_possible_numbers() -> None:
    answer = countered(evaluate_instalments(POLICY, facts(), InstalmentRequest()))
    counts = [
        terms.count
        for terms in (answer.terms, *answer.alternatives)
        if isinstance(terms, InstalmentPlan)
    ]
    assert counts == [3, 7, 10]


@pytest.mark.parametrize("minor", [40_00, 50_00])
def test_amount_that_covers_everything_is_paid_at_once(minor: int) -> None:
    answer = countered(
        evaluate_instalments(POLICY, facts(40_00), InstalmentRequest(amount=eur(minor)))
    )
    assert answer.terms == Promise(eur(40_00), day(14))
    assert answer.reason is Reason.AMOUNT_COVERS_ALL


def test_balance_too_small_for_instalments_is_paid_at_once() -> None:
    answer = countered(evaluate_instalments(POLICY, facts(9_00), InstalmentRequest(count=3)))
    assert answer.terms == Promise(eur(9_00), day(14))
    assert answer.reason is Reason.BALANCE_TOO_SMALL


def test_first_day_too_late_moves_to_the_last_possible() -> None:
    answer = countered(
        evaluate_instalments(POLICY, facts(), InstalmentRequest(count=3, first_due=day(60)))
    )
    assert plan_of(answer).first == day(31)
    assert plan_of(answer).count == 3
    assert answer.reasons == (Reason.FIRST_TOO_LATE,)


def test_period_that_is_not_offered_becomes_the_nearest_one() -> None:
    policy = replace(POLICY, instalment_periods=(Period.MONTHLY,))
    request = InstalmentRequest(amount=eur(14_00), period=Period.WEEKLY)
    answer = countered(evaluate_instalments(policy, facts(), request))
    assert plan_of(answer).period is Period.MONTHLY
    assert plan_of(answer).regular == eur(60_00)
    assert answer.reasons == (Reason.PERIOD_NOT_OFFERED,)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [(Period.WEEKLY, Period.BIWEEKLY), (Period.MONTHLY, Period.BIWEEKLY)],
)
def test_the_nearest_period_is_the_one_of_nearest_length(asked: Period, nearest: Period) -> None:
    others = (Period.MONTHLY, Period.BIWEEKLY, Period.WEEKLY)
    policy = replace(POLICY, instalment_periods=tuple(p for p in others if p is not asked))
    request = InstalmentRequest(count=4, period=asked)
    assert plan_of(evaluate_instalments(policy, facts(), request)).period is nearest


def test_consumers_pay_nothing_for_a_plan_and_businesses_what_the_policy_says() -> None:
    policy = replace(POLICY, plan_charge_business_minor=9_00)
    request = InstalmentRequest(count=3)
    consumer = plan_of(evaluate_instalments(policy, facts(), request))
    business = plan_of(evaluate_instalments(policy, facts(business=True), request))
    assert not consumer.charge
    assert consumer.total == eur(300_00)
    assert business.total == eur(309_00)


# A part now and the rest later


def paid(decision: Decision) -> list[tuple[int, date]]:
    return [(part.amount.minor, part.due) for part in plan_of(decision).instalments]


def test_a_first_payment_of_its_own_size_comes_before_the_regular_ones() -> None:
    request = InstalmentRequest(
        amount=eur(50_00), first_due=day(39), down=DownPayment(eur(100_00), TODAY)
    )
    answer = evaluate_instalments(POLICY, facts(), request)
    assert isinstance(answer, Accept)
    assert paid(answer) == [
        (100_00, TODAY),
        (50_00, date(2027, 1, 1)),
        (50_00, date(2027, 2, 1)),
        (50_00, date(2027, 3, 1)),
        (50_00, date(2027, 4, 1)),
    ]


def test_a_part_now_and_the_rest_on_a_day() -> None:
    request = InstalmentRequest(count=1, first_due=day(22), down=DownPayment(eur(50_00), TODAY))
    answer = evaluate_instalments(POLICY, facts(), request)
    assert isinstance(answer, Accept)
    assert paid(answer) == [(50_00, TODAY), (250_00, day(22))]


def test_without_a_day_the_rest_follows_a_period_later() -> None:
    request = InstalmentRequest(amount=eur(100_00), down=DownPayment(eur(20_00), TODAY))
    answer = evaluate_instalments(POLICY, facts(), request)
    assert isinstance(answer, Accept)
    assert paid(answer)[:2] == [(20_00, TODAY), (100_00, date(2026, 12, 23))]


def test_little_now_does_not_buy_more_time_for_the_rest() -> None:
    request = InstalmentRequest(count=1, first_due=day(60), down=DownPayment(eur(10_00), TODAY))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert paid(answer) == [(10_00, TODAY), (290_00, day(31))]
    assert answer.reason is Reason.REST_TOO_LATE
    half = replace(request, down=DownPayment(eur(150_00), TODAY), first_due=day(59))
    assert isinstance(evaluate_instalments(POLICY, facts(), half), Accept)


def test_a_first_payment_below_the_least_is_raised_to_it() -> None:
    request = InstalmentRequest(amount=eur(50_00), down=DownPayment(eur(5_00), TODAY))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert paid(answer)[0] == (10_00, TODAY)
    assert answer.reason is Reason.INSTALMENT_TOO_SMALL


def test_a_first_payment_of_everything_is_a_promise() -> None:
    request = InstalmentRequest(count=1, down=DownPayment(eur(300_00), day(2)))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert answer.terms == Promise(eur(300_00), day(2))
    assert answer.reason is Reason.AMOUNT_COVERS_ALL


def test_a_first_payment_counts_as_an_instalment() -> None:
    request = InstalmentRequest(count=10, down=DownPayment(eur(30_00), TODAY))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert plan_of(answer).count == 10
    assert answer.reason is Reason.TOO_MANY_INSTALMENTS


def test_a_rest_before_its_first_payment_is_put_after_it() -> None:
    request = InstalmentRequest(count=1, first_due=day(3), down=DownPayment(eur(150_00), day(10)))
    answer = countered(evaluate_instalments(POLICY, facts(), request))
    assert paid(answer)[0] == (150_00, day(10))
    assert paid(answer)[1][1] > day(10)
    assert answer.reason is Reason.PLAN_TERMS_DIFFER


def test_a_plan_in_force_moves_from_its_next_instalment_on() -> None:
    claim = facts(instalment_due=day(8))
    request = InstalmentRequest(amount=eur(50_00), first_due=day(39))
    assert isinstance(evaluate_instalments(POLICY, claim, request), Accept)
    late = countered(evaluate_instalments(POLICY, claim, replace(request, first_due=day(40))))
    assert plan_of(late).first == day(39)
    overdue = facts(instalment_due=day(-8))
    assert plan_of(evaluate_instalments(POLICY, overdue, request)).first == day(31)


# Reductions


def test_interest_is_let_go_when_the_rest_is_paid_at_once() -> None:
    claim = facts(100_00, costs=5_00, interest=3_00)
    answer = countered(evaluate_discount(POLICY, claim))
    assert answer.terms == Settlement(eur(105_00), eur(3_00), day(7))
    assert evaluate_discount(POLICY, claim, eur(106_00), day(2)) == Accept(
        Settlement(eur(106_00), eur(2_00), day(2))
    )


def test_principal_is_never_reduced_unless_the_policy_says_so() -> None:
    claim = facts(100_00, interest=3_00)
    low = countered(evaluate_discount(POLICY, claim, eur(80_00)))
    assert low.terms == Settlement(eur(100_00), eur(3_00), day(7))
    assert low.reason is Reason.DISCOUNT_TOO_LARGE
    none = countered(evaluate_discount(POLICY, facts(100_00), eur(80_00)))
    assert none.terms == Promise(eur(100_00), day(7))
    assert none.reason is Reason.NO_DISCOUNT
    generous = replace(POLICY, discount_principal_percent=20)
    assert evaluate_discount(generous, claim, eur(80_00), TODAY) == Accept(
        Settlement(eur(80_00), eur(23_00), TODAY)
    )


# People decide


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (facts(status=ClaimStatus.DISPUTED), Reason.CLAIM_DISPUTED),
        (facts(status=ClaimStatus.SETTLED), Reason.CLAIM_NOT_OPEN),
        (facts(0), Reason.NOTHING_OWED),
        (facts(limitation_date=day(-1)), Reason.TIME_BARRED),
        (facts(agreements_before=4), Reason.MANY_AGREEMENTS),
        (facts(5_000_01), Reason.ABOVE_AUTHORITY),
    ],
)
def test_a_person_decides(claim: ClaimFacts, reason: Reason) -> None:
    assert evaluate_deferral(POLICY, claim, day(3)) == Escalate(reason)
    assert evaluate_instalments(POLICY, claim, InstalmentRequest(count=3)) == Escalate(reason)
    assert evaluate_discount(POLICY, claim) == Escalate(reason)


def test_authority_reaches_up_to_its_amount() -> None:
    claim = facts(5_000_00)
    assert isinstance(evaluate_deferral(POLICY, claim, day(3)), Accept)
    assert is_within(POLICY, Deferral(eur(5_000_00), day(3)), claim)
    assert is_within(POLICY, plan_by_count(eur(5_000_00), 5, first=TODAY), claim)


def test_an_amount_in_another_currency_is_for_a_person() -> None:
    francs = Money(50_00, "CHF")
    other = Escalate(Reason.OTHER_CURRENCY)
    assert evaluate_promise(POLICY, facts(), day(3), francs) == other
    assert evaluate_instalments(POLICY, facts(), InstalmentRequest(amount=francs)) == other
    assert evaluate_discount(POLICY, facts(), francs) == other
    swiss = replace(POLICY, currency="CHF")
    assert evaluate_promise(swiss, facts(), day(3)) == other
    assert violations(POLICY, Promise(francs, day(3)), facts()) == (Reason.OTHER_CURRENCY,)


def test_a_promise_to_pay_everything_needs_no_authority() -> None:
    claim = facts(9_000_00)
    assert evaluate_promise(POLICY, claim, day(3)) == Accept(Promise(eur(9_000_00), day(3)))
    late = countered(evaluate_promise(POLICY, claim, day(30)))
    assert late.terms == Promise(eur(9_000_00), day(14))

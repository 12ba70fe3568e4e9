"""Whether terms lie within a merchant's policy: the one place that says so."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from ledger.agreements import (
    AgreementTerms,
    Deferral,
    InstalmentPlan,
    Promise,
    Settlement,
)
from ledger.claim import ClaimFacts, ClaimStatus
from ledger.errors import AgreementRefused
from ledger.guard import Guard
from ledger.money import Money
from ledger.schedule import Period, due_days, is_even
from negotiation import errors
from negotiation.offers import Reason
from negotiation.policy import Policy

INSTALMENTS_MIN = 2

_REFUSALS: Mapping[Reason, type[AgreementRefused]] = {
    Reason.INSTALMENT_TOO_SMALL: errors.PlanBelowFloor,
    Reason.TOO_MANY_INSTALMENTS: errors.TooManyInstalments,
    Reason.NO_PLAN: errors.NoPlan,
    Reason.PLAN_UNEVEN: errors.PlanUneven,
    Reason.PLAN_TERMS_DIFFER: errors.PlanTermsDiffer,
    Reason.PERIOD_NOT_OFFERED: errors.PeriodNotOffered,
    Reason.FIRST_TOO_LATE: errors.FirstInstalmentTooLate,
    Reason.REST_TOO_LATE: errors.RestTooLate,
    Reason.DATE_PAST: errors.DateInThePast,
    Reason.PROMISE_TOO_LATE: errors.PromiseTooLate,
    Reason.DEFERRAL_TOO_LONG: errors.DeferralTooLong,
    Reason.DISCOUNT_TOO_LARGE: errors.DiscountTooLarge,
    Reason.DISCOUNT_TOO_LATE: errors.DiscountPaidTooLate,
    Reason.TOTAL_DIFFERS: errors.TotalDiffers,
    Reason.ABOVE_AUTHORITY: errors.AboveAuthority,
    Reason.MANY_AGREEMENTS: errors.TooManyAgreements,
    Reason.DAY_MOVED_BEFORE: errors.TooManyAgreements,
    Reason.TIME_BARRED: errors.ClaimTimeBarred,
    Reason.CLAIM_DISPUTED: errors.ClaimNotNegotiable,
    Reason.CLAIM_NOT_OPEN: errors.ClaimNotNegotiable,
    Reason.NOTHING_OWED: errors.ClaimNotNegotiable,
    Reason.OTHER_CURRENCY: errors.ClaimNotNegotiable,
}


def latest(facts: ClaimFacts, days: int) -> date:
    """The day so many days from today."""
    return facts.today + timedelta(days=days)


def start_latest(policy: Policy, facts: ClaimFacts) -> date:
    """The latest day of a plan's first payment: counted from today, or from the next instalment
    where a plan is in force, so that a kept plan may be moved as far as a new one may start."""
    start = max(facts.today, facts.instalment_due or facts.today)
    return start + timedelta(days=policy.instalment_first_days_max)


def regular_latest(policy: Policy, facts: ClaimFacts, plan: InstalmentPlan) -> date:
    """The latest day that the regular instalments may count from.

    A down payment of at least their size stands for the first of them, so they may start a period
    later, as the second one of a plan may.
    """
    day = start_latest(policy, facts)
    down = plan.down_payment
    if down is None or down.amount < plan.regular:
        return day
    return due_days(day, plan.period, 2)[1]


def down_payment_latest(policy: Policy, facts: ClaimFacts) -> date:
    """The latest day of a down payment, moved as due days are."""
    return _due(policy, start_latest(policy, facts))


def _due(policy: Policy, day: date) -> date:
    return due_days(day, Period.MONTHLY, 1, shift_land=policy.shift_due_days_land)[0]


def obstacle(policy: Policy, facts: ClaimFacts) -> Reason | None:
    """Why nothing at all can be agreed about the claim without a person."""
    if facts.status is ClaimStatus.DISPUTED:
        return Reason.CLAIM_DISPUTED
    if facts.status is not ClaimStatus.OPEN:
        return Reason.CLAIM_NOT_OPEN
    if facts.balance.currency != policy.currency:
        return Reason.OTHER_CURRENCY
    if facts.balance.minor <= 0:
        return Reason.NOTHING_OWED
    if facts.time_barred:
        return Reason.TIME_BARRED
    if facts.agreements_before >= policy.agreements_max:
        return Reason.MANY_AGREEMENTS
    return None


def needs_person(policy: Policy, facts: ClaimFacts) -> Reason | None:
    """Why nothing but a promise to pay everything can be agreed without a person."""
    found = obstacle(policy, facts)
    if found is None and facts.balance.minor > policy.authority_minor:
        return Reason.ABOVE_AUTHORITY
    if found is None and _day_moved_before(policy, facts):
        return Reason.DAY_MOVED_BEFORE
    return found


def _day_moved_before(policy: Policy, facts: ClaimFacts) -> bool:
    """Whether a day has passed again, after one that was moved without a person."""
    return facts.late and facts.days_moved >= policy.days_moved_max


def discount_max(policy: Policy, facts: ClaimFacts) -> Money:
    """The most that may be let go when the rest is paid at once; something is always paid."""
    allowed = (
        facts.open.interest.percent(policy.discount_interest_percent)
        + facts.open.costs.percent(policy.discount_costs_percent)
        + facts.open.principal.percent(policy.discount_principal_percent)
    )
    return min(allowed, facts.balance - Money(1, facts.balance.currency))


def offers_less_at_once(policy: Policy, facts: ClaimFacts) -> bool:
    """Whether less than the open amount is enough when it is paid at once."""
    return needs_person(policy, facts) is None and discount_max(policy, facts).minor > 0


def violations(policy: Policy, terms: AgreementTerms, facts: ClaimFacts) -> tuple[Reason, ...]:
    """Everything about the terms that the policy does not allow; empty when all is allowed."""
    general = obstacle(policy, facts)
    if general is None and terms.total.currency != policy.currency:
        general = Reason.OTHER_CURRENCY
    if general is None and not isinstance(terms, Promise) and _day_moved_before(policy, facts):
        general = Reason.DAY_MOVED_BEFORE
    if general is not None:
        return (general,)
    if isinstance(terms, Promise):
        found = _of_promise(policy, terms, facts)
    elif isinstance(terms, Deferral):
        found = _of_deferral(policy, terms, facts)
    elif isinstance(terms, InstalmentPlan):
        found = _of_plan(policy, terms, facts)
    else:
        found = _of_settlement(policy, terms, facts)
    return tuple(found)


def _of_promise(policy: Policy, terms: Promise, facts: ClaimFacts) -> Iterator[Reason]:
    if terms.amount != facts.balance:
        yield Reason.TOTAL_DIFFERS
    if terms.due < facts.today:
        yield Reason.DATE_PAST
    if terms.due > latest(facts, policy.promise_days_max):
        yield Reason.PROMISE_TOO_LATE


def _of_deferral(policy: Policy, terms: Deferral, facts: ClaimFacts) -> Iterator[Reason]:
    if facts.balance.minor > policy.authority_minor:
        yield Reason.ABOVE_AUTHORITY
    if terms.amount != facts.balance:
        yield Reason.TOTAL_DIFFERS
    if terms.until < facts.today:
        yield Reason.DATE_PAST
    if terms.until > latest(facts, policy.deferral_days_max(facts.age_days)):
        yield Reason.DEFERRAL_TOO_LONG


def _of_plan(policy: Policy, terms: InstalmentPlan, facts: ClaimFacts) -> Iterator[Reason]:
    if facts.balance.minor > policy.authority_minor:
        yield Reason.ABOVE_AUTHORITY
    if terms.total != facts.balance + terms.charge:
        yield Reason.TOTAL_DIFFERS
    if (
        terms.charge != policy.plan_charge(facts.business)
        or terms.stops_interest != policy.plan_stops_interest
        or terms.shift_land != policy.shift_due_days_land
    ):
        yield Reason.PLAN_TERMS_DIFFER
    if terms.count < INSTALMENTS_MIN:
        yield Reason.NO_PLAN
    if terms.count > policy.instalment_count_max(facts.balance):
        yield Reason.TOO_MANY_INSTALMENTS
    if any(part.amount.minor < policy.instalment_minor_min for part in terms.instalments[:-1]):
        yield Reason.INSTALMENT_TOO_SMALL
    if terms.period not in policy.instalment_periods:
        yield Reason.PERIOD_NOT_OFFERED
    down = terms.down_payment
    if min(terms.first, terms.instalments[0].due) < facts.today:
        yield Reason.DATE_PAST
    if down is not None and down.due > down_payment_latest(policy, facts):
        yield Reason.FIRST_TOO_LATE
    if terms.first > regular_latest(policy, facts, terms):
        yield Reason.REST_TOO_LATE if down else Reason.FIRST_TOO_LATE
    if not _is_regular(policy, terms):
        yield Reason.PLAN_UNEVEN


def _is_regular(policy: Policy, plan: InstalmentPlan) -> bool:
    """Whether the regular instalments are equal, on the days of their period, and after the down
    payment, which falls on a day that due days may have."""
    regulars, down = plan.regulars, plan.down_payment
    days = due_days(plan.first, plan.period, len(regulars), shift_land=plan.shift_land)
    if days != tuple(part.due for part in regulars):
        return False
    if down is not None and (down.due != _due(policy, down.due) or down.due >= days[0]):
        return False
    return is_even([part.amount for part in regulars])


def _of_settlement(policy: Policy, terms: Settlement, facts: ClaimFacts) -> Iterator[Reason]:
    if facts.balance.minor > policy.authority_minor:
        yield Reason.ABOVE_AUTHORITY
    if terms.amount + terms.waived != facts.balance:
        yield Reason.TOTAL_DIFFERS
    if terms.waived.minor <= 0 or terms.waived > discount_max(policy, facts):
        yield Reason.DISCOUNT_TOO_LARGE
    if terms.due < facts.today:
        yield Reason.DATE_PAST
    if terms.due > latest(facts, policy.discount_days_max):
        yield Reason.DISCOUNT_TOO_LATE


def is_within(policy: Policy, terms: AgreementTerms, facts: ClaimFacts) -> bool:
    """Whether the policy allows the terms for the claim as it is today."""
    return not violations(policy, terms, facts)


def guard_for(policy: Policy) -> Guard:
    """The guard that ``ledger.book.agree`` asks for: raises the first rule that is missed."""

    def guard(terms: AgreementTerms, facts: ClaimFacts) -> None:
        for reason in violations(policy, terms, facts):
            raise _REFUSALS[reason](reason.value)

    return guard

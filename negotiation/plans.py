"""Which instalment plans a policy leaves, and which of them is closest to a wish."""

from dataclasses import dataclass, replace
from datetime import date

from ledger.agreements import InstalmentPlan, plan_by_amount, plan_by_count
from ledger.claim import ClaimFacts
from ledger.money import Money
from ledger.schedule import Period
from negotiation.bounds import INSTALMENTS_MIN, latest
from negotiation.offers import InstalmentRequest, Reason
from negotiation.policy import Policy

_DAYS = {Period.WEEKLY: 7, Period.BIWEEKLY: 14, Period.MONTHLY: 30}


def _count_by_regular(owed: int, regular: int) -> int:
    count, rest = divmod(owed, regular)
    return count if rest < count else count + 1


@dataclass(frozen=True, slots=True)
class PlanRoom:
    """The plans that are allowed for a claim, from a first day in one period.

    ``equal_count_max`` is the largest number of equal instalments, ``regular_min`` the smallest
    regular instalment, in minor units; the smallest may need one instalment more than the equal
    ones, a smaller last one.
    """

    policy: Policy
    owed: Money
    count_max: int
    first: date
    period: Period
    charge: Money

    @classmethod
    def of(cls, policy: Policy, facts: ClaimFacts, first: date, period: Period) -> "PlanRoom":
        """The room that the policy leaves for the claim."""
        charge = policy.plan_charge(facts.business)
        count_max = policy.instalment_count_max(facts.balance)
        return cls(policy, facts.balance, count_max, first, period, charge)

    @property
    def total(self) -> Money:
        return self.owed + self.charge

    @property
    def equal_count_max(self) -> int:
        return min(self.count_max, self.total.minor // self.policy.instalment_minor_min)

    @property
    def regular_min(self) -> int:
        least = max(1, self.total.minor // self.count_max)
        if _count_by_regular(self.total.minor, least) > self.count_max:
            least += 1
        return max(least, self.policy.instalment_minor_min)

    @property
    def empty(self) -> bool:
        """Whether no plan is possible: the amount is too small, or plans are not offered."""
        return self.count_max < INSTALMENTS_MIN or self.regular_min >= self.total.minor

    def by_count(self, count: int) -> InstalmentPlan | None:
        """Equal instalments, where the policy allows that number."""
        if not INSTALMENTS_MIN <= count <= self.equal_count_max:
            return None
        return plan_by_count(
            self.owed,
            count,
            first=self.first,
            period=self.period,
            charge=self.charge,
            stops_interest=self.policy.plan_stops_interest,
            shift_land=self.policy.shift_due_days_land,
        )

    def by_regular(self, minor: int) -> InstalmentPlan | None:
        """Instalments of this amount, where the policy allows it."""
        if not self.regular_min <= minor < self.total.minor:
            return None
        return plan_by_amount(
            self.owed,
            Money(minor, self.owed.currency),
            first=self.first,
            period=self.period,
            charge=self.charge,
            stops_interest=self.policy.plan_stops_interest,
            shift_land=self.policy.shift_due_days_land,
        )

    def smallest(self) -> InstalmentPlan:
        """The plan with the smallest regular instalment; the room must not be empty."""
        plan = self.by_regular(self.regular_min)
        if plan is None:
            raise ValueError("no plan is possible")
        return plan

    def longest(self) -> InstalmentPlan:
        """The plan with the most instalments; the room must not be empty."""
        smallest = self.smallest()
        equal = self.by_count(self.equal_count_max)
        return equal if equal is not None and equal.count >= smallest.count else smallest

    def too_small_because(self) -> Reason:
        """Which bound a smaller instalment than the smallest would miss."""
        if self.regular_min == self.policy.instalment_minor_min:
            return Reason.INSTALMENT_TOO_SMALL
        return Reason.TOO_MANY_INSTALMENTS


def fitted(
    policy: Policy, facts: ClaimFacts, request: InstalmentRequest
) -> tuple[InstalmentRequest, date, Period, list[Reason]]:
    """Move the period and the first day of a request into the policy's bounds.

    A period that is not offered becomes the one nearest in length; amount and number are
    carried over, so that the customer pays about as much in the same time.
    """
    reasons = []
    period = request.period or policy.instalment_periods[0]
    if period not in policy.instalment_periods:
        reasons.append(Reason.PERIOD_NOT_OFFERED)
        asked = _DAYS[period]
        period = min(policy.instalment_periods, key=lambda offered: abs(_DAYS[offered] - asked))
        request = replace(
            request,
            count=None
            if request.count is None
            else max(1, round(request.count * asked / _DAYS[period])),
            amount=None
            if request.amount is None
            else Money(request.amount.minor * _DAYS[period] // asked, request.amount.currency),
        )
    first = request.first_due or latest(facts, policy.instalment_first_days_usual)
    if first < facts.today:
        reasons.append(Reason.DATE_PAST)
        first = facts.today
    elif first > latest(facts, policy.instalment_first_days_max):
        reasons.append(Reason.FIRST_TOO_LATE)
        first = latest(facts, policy.instalment_first_days_max)
    return request, first, period, reasons

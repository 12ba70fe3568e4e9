"""Which instalment plans a policy leaves, and which of them is closest to a wish."""

from dataclasses import dataclass, replace
from datetime import date

from ledger.agreements import DownPayment, InstalmentPlan, plan_by_amount, plan_by_count
from ledger.claim import ClaimFacts
from ledger.money import Money
from ledger.schedule import Period, due_days
from negotiation.bounds import INSTALMENTS_MIN, down_payment_latest, latest, start_latest
from negotiation.offers import InstalmentRequest, Reason
from negotiation.policy import Policy

_DAYS = {Period.WEEKLY: 7, Period.BIWEEKLY: 14, Period.MONTHLY: 30}


def _count_by_regular(owed: int, regular: int) -> int:
    count, rest = divmod(owed, regular)
    return count if rest < count else count + 1


@dataclass(frozen=True, slots=True)
class PlanRoom:
    """The plans that are allowed for a claim, from a first day in one period.

    After a down payment, all figures are those of the regular instalments that follow it.
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
    down: DownPayment | None = None

    @classmethod
    def of(
        cls,
        policy: Policy,
        facts: ClaimFacts,
        first: date,
        period: Period,
        down: DownPayment | None = None,
    ) -> "PlanRoom":
        """The room that the policy leaves for the claim."""
        charge = policy.plan_charge(facts.business)
        count_max = policy.instalment_count_max(facts.balance) - (down is not None)
        return cls(policy, facts.balance, count_max, first, period, charge, down)

    @property
    def total(self) -> Money:
        """What the regular instalments come to."""
        whole = self.owed + self.charge
        return whole - self.down.amount if self.down else whole

    @property
    def count_min(self) -> int:
        return INSTALMENTS_MIN - (self.down is not None)

    @property
    def equal_count_max(self) -> int:
        # The last payment of a plan may be smaller than the least instalment.
        alone = int(self.down is not None)
        return min(self.count_max, max(alone, self.total.minor // self.policy.instalment_minor_min))

    @property
    def regular_min(self) -> int:
        least = max(1, self.total.minor // self.count_max)
        if _count_by_regular(self.total.minor, least) > self.count_max:
            least += 1
        least = max(least, self.policy.instalment_minor_min)
        return min(least, self.total.minor) if self.down else least

    @property
    def empty(self) -> bool:
        """Whether no plan is possible: the amount is too small, or plans are not offered."""
        if self.total.minor <= 0 or self.count_max < self.count_min:
            return True
        return self.down is None and self.regular_min >= self.total.minor

    def by_count(self, count: int) -> InstalmentPlan | None:
        """Equal instalments, where the policy allows that number."""
        if not self.count_min <= count <= self.equal_count_max:
            return None
        return plan_by_count(
            self.owed,
            count,
            first=self.first,
            period=self.period,
            charge=self.charge,
            stops_interest=self.policy.plan_stops_interest,
            shift_land=self.policy.shift_due_days_land,
            down=self.down,
        )

    def by_regular(self, minor: int) -> InstalmentPlan | None:
        """Instalments of this amount, where the policy allows it."""
        if self.down:
            minor = min(minor, self.total.minor)
        if minor < self.regular_min or (minor == self.total.minor and not self.down):
            return None
        return plan_by_amount(
            self.owed,
            Money(minor, self.owed.currency),
            first=self.first,
            period=self.period,
            charge=self.charge,
            stops_interest=self.policy.plan_stops_interest,
            shift_land=self.policy.shift_due_days_land,
            down=self.down,
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
    """Move the period, the days and the down payment of a request into the policy's bounds.

    A period that is not offered becomes the one nearest in length; amount and number are
    carried over, so that the customer pays about as much in the same time.
    """
    reasons = [Reason.PERIOD_NOT_OFFERED] if request.other_rhythm else []
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
    last = start_latest(policy, facts)
    first = request.first_due or latest(facts, policy.instalment_first_days_usual)
    if request.down is not None:
        down = _fitted_down(policy, facts, request.down, reasons)
        request, last = replace(request, down=down), due_days(last, period, 2)[1]
        following = due_days(max(down.due, facts.today), period, 2)[1]
        first = request.first_due or following
        if first <= down.due:
            reasons.append(Reason.PLAN_TERMS_DIFFER)
            first = following
    if first < facts.today:
        reasons.append(Reason.DATE_PAST)
        first = facts.today
    elif first > last:
        if request.first_due is not None:
            reasons.append(Reason.REST_TOO_LATE if request.down else Reason.FIRST_TOO_LATE)
        first = last
    return request, first, period, reasons


def _fitted_down(
    policy: Policy, facts: ClaimFacts, down: DownPayment, reasons: list[Reason]
) -> DownPayment:
    """The down payment on a day and of a size that the policy allows."""
    least, last = policy.instalment_minor_min, down_payment_latest(policy, facts)
    if down.amount.minor < least:
        reasons.append(Reason.INSTALMENT_TOO_SMALL)
        down = replace(down, amount=Money(least, down.amount.currency))
    if down.due < facts.today:
        reasons.append(Reason.DATE_PAST)
    elif down.due > last:
        reasons.append(Reason.FIRST_TOO_LATE)
    return replace(down, due=min(max(down.due, facts.today), last))

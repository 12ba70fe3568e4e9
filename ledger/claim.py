"""What a claim is and what is open on it, as values."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from ledger.money import Money


class ClaimStatus(StrEnum):
    """Where a claim stands."""

    OPEN = "open"
    DISPUTED = "disputed"
    SETTLED = "settled"
    RECALLED = "recalled"
    WRITTEN_OFF = "written_off"


PURSUED = frozenset({ClaimStatus.OPEN, ClaimStatus.DISPUTED})
"""Something is still to be done about these."""


@dataclass(frozen=True, slots=True)
class OpenAmount:
    """What is open on a claim by its parts; ``overpaid`` is what the customer gets back."""

    costs: Money
    interest: Money
    principal: Money
    overpaid: Money

    @classmethod
    def nothing(cls, currency: str) -> "OpenAmount":
        """Nothing open, nothing overpaid."""
        zero = Money.zero(currency)
        return cls(zero, zero, zero, zero)

    def with_interest(self, more: Money) -> "OpenAmount":
        """The same with so much more interest."""
        return replace(self, interest=self.interest + more)

    @property
    def total(self) -> Money:
        """Costs, interest and principal together."""
        return self.costs + self.interest + self.principal


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What a negotiation has to know about a claim, on one day.

    ``today`` is the calendar day at the merchant. ``open`` is what the ledger holds
    now, ``agreements_before`` how many agreements were made about the claim so far,
    ``instalment_due`` the day of the next instalment of the plan in force. ``late``: a day of the
    agreement in force has passed without its payment; ``days_moved``: how often one that had
    passed was moved before.
    """

    claim_id: int
    today: date
    open: OpenAmount
    due_date: date
    status: ClaimStatus = ClaimStatus.OPEN
    business: bool = False
    limitation_date: date | None = None
    agreements_before: int = 0
    instalment_due: date | None = None
    late: bool = False
    days_moved: int = 0

    @property
    def balance(self) -> Money:
        """The whole open amount."""
        return self.open.total

    @property
    def age_days(self) -> int:
        """Days since the invoice fell due; 0 before."""
        return max(0, (self.today - self.due_date).days)

    @property
    def time_barred(self) -> bool:
        """Whether limitation has set in (§ 194 BGB); such a claim is not pursued."""
        return self.limitation_date is not None and self.today > self.limitation_date


def is_fresh(confirmed_at: datetime | None, freshness_hours: int, now: datetime) -> bool:
    """Whether the merchant confirmed the open amount at most ``freshness_hours`` ago."""
    return confirmed_at is not None and now - confirmed_at <= timedelta(hours=freshness_hours)

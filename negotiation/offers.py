"""What a negotiation answers with, and why."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from ledger.agreements import AgreementTerms, DownPayment, InstalmentPlan
from ledger.money import Money
from ledger.schedule import Period

ALTERNATIVES_MAX = 3


class Reason(StrEnum):
    """Why something is not accepted as asked. The wording catalogue has a text for each."""

    INSTALMENT_TOO_SMALL = "instalment_too_small"
    TOO_MANY_INSTALMENTS = "too_many_instalments"
    BALANCE_TOO_SMALL = "balance_too_small"
    """The open amount is too small to be split."""
    NO_PLAN = "no_plan"
    PLAN_UNEVEN = "plan_uneven"
    PLAN_TERMS_DIFFER = "plan_terms_differ"
    PERIOD_NOT_OFFERED = "period_not_offered"
    FIRST_TOO_LATE = "first_too_late"
    REST_TOO_LATE = "rest_too_late"
    """What follows a down payment comes too late."""
    COUNT_AND_AMOUNT_DIFFER = "count_and_amount_differ"
    AMOUNT_COVERS_ALL = "amount_covers_all"
    PARTIAL_AMOUNT = "partial_amount"
    """A promise names less than what is open; the rest needs days too."""
    DATE_PAST = "date_past"
    PROMISE_TOO_LATE = "promise_too_late"
    DEFERRAL_TOO_LONG = "deferral_too_long"
    NO_DISCOUNT = "no_discount"
    DISCOUNT_TOO_LARGE = "discount_too_large"
    DISCOUNT_TOO_LATE = "discount_too_late"
    OPEN_REQUEST = "open_request"
    """The customer named no figure or day; these are the possible ones."""
    TOTAL_DIFFERS = "total_differs"
    ABOVE_AUTHORITY = "above_authority"
    MANY_AGREEMENTS = "many_agreements"
    DAY_MOVED_BEFORE = "day_moved_before"
    """A day has passed again, after one that was moved."""
    CLAIM_DISPUTED = "claim_disputed"
    CLAIM_NOT_OPEN = "claim_not_open"
    NOTHING_OWED = "nothing_owed"
    TIME_BARRED = "time_barred"
    OTHER_CURRENCY = "other_currency"


@dataclass(frozen=True, slots=True)
class InstalmentRequest:
    """What a customer asked for; anything may be left open.

    ``count``, ``amount`` and ``first_due`` are those of the regular instalments; ``down`` is what
    is paid before them. ``other_rhythm``: a rhythm was named that no plan has.
    """

    count: int | None = None
    amount: Money | None = None
    period: Period | None = None
    first_due: date | None = None
    down: DownPayment | None = None
    other_rhythm: bool = False

    @classmethod
    def for_plan(cls, plan: InstalmentPlan) -> Self:
        """The request that asks for exactly this plan."""
        count = len(plan.regulars)
        return cls(count, plan.regular, plan.period, plan.first, plan.down_payment)


@dataclass(frozen=True, slots=True)
class Accept:
    """What was asked for is allowed, in these terms."""

    terms: AgreementTerms


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """The allowed terms closest to what was asked for, up to three others, and the reasons.

    All of them are allowed as they stand.
    """

    terms: AgreementTerms
    alternatives: tuple[AgreementTerms, ...]
    reasons: tuple[Reason, ...]

    @property
    def reason(self) -> Reason:
        """The main reason."""
        return self.reasons[0]


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person has to decide."""

    reason: Reason


Decision = Accept | CounterOffer | Escalate

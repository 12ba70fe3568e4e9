"""What a merchant allows: the policy of a negotiation, as data.

Every field has a default, so ``{}`` is a complete policy. Amounts are minor units of
``currency``; bands are read in order, the first whose upper limit is not passed counts, and the
last one has no limit (``null``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.costs import LETTER_MINOR
from ledger.left_over import SMALL_REST_BELOW_MINOR, TRANSIT_DAYS
from ledger.money import Money
from ledger.schedule import Period


class DayWord(StrEnum):
    """When there is a word on an agreed day."""

    WITHOUT_NOTE = "without_note"
    ALWAYS = "always"
    NEVER = "never"


class BrokenNext(StrEnum):
    """What a merchant does about an agreement that was not kept."""

    REMINDERS = "reminders"
    """First contact and reminder begin again."""
    HANDOFF = "handoff"
    LETTER = "letter"
    """A row of the follow-up list, for a letter."""
    EXPORT = "export"
    """A row of the follow-up list, for the merchant's own process."""


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class InstalmentBand:
    """Open amounts up to ``up_to_minor`` may be paid in at most ``count_max`` instalments."""

    up_to_minor: int | None
    count_max: int


@dataclass(frozen=True, slots=True)
class DeferralBand:
    """Claims up to ``up_to_days`` past due may be deferred by at most ``days_max``."""

    up_to_days: int | None
    days_max: int


@dataclass(frozen=True, slots=True)
class EffortBand:
    """For open amounts up to ``up_to_minor``: reminders after first contact, and whether a
    person follows up by telephone."""

    up_to_minor: int | None
    reminders_max: int
    call: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be agreed without asking anybody, and how much effort a claim is worth.

    ``instalment_minor_min``: least regular instalment; the last one may be the smaller rest.
    ``instalment_bands``: largest number of instalments by open amount.
    ``instalment_first_days_max``: the first instalment is due at most so many days from today, or
    from the next instalment of a plan in force that is changed;
    ``instalment_first_days_usual`` is proposed when the customer names no day.
    ``instalment_periods``: what is offered, the preferred one first.
    ``plan_charge_business_minor``: what a plan costs a business; consumers pay nothing for plans
    and deferrals (a charge would make it consumer credit, § 506 BGB).
    ``plan_stops_interest``: no default interest while a plan runs.
    ``shift_due_days_land``: due days move off weekends and this Land's holidays; null: they stay.
    ``deferral_bands``: longest deferral in days by age of the claim.
    ``promise_days_max``: a promise to pay everything lies at most so many days ahead.
    ``discount_*_percent``: share of the part that is let go when the rest is paid within
    ``discount_days_max`` days. Principal is never reduced unless the merchant says so.
    ``authority_minor``: above this open amount a person decides about anything but a promise.
    ``agreements_max``: after so many agreements about one claim a person decides, so that no row
    of short deferrals becomes a long one.
    ``let_go_below_minor``: claims below this open amount are not pursued.
    ``effort_bands``: effort in proportion to the amount.
    ``freshness_hours``: no message about a claim whose open amount was confirmed longer ago.
    ``verification_minutes``: a proof of identity lapses after so long a silence.
    ``check_days``: how long reminders rest, and by when the answer comes, while a reported payment
    or a dispute is checked.
    ``reminder_after_days``: the one reminder goes out so long after an unanswered first contact.
    ``note_days``: a friendly note so many days before an agreed day; 0: none.
    ``day_word``: whether there is a word on the agreed day itself: only where no note was sent
    before, always, or never.
    ``invoice_note_days``: a note so many days before an invoice falls due; 0: none.
    ``thanks``: whether the first instalment and the last one are thanked for.
    ``question_banking_days``: so long after a missed day a new one is offered.
    ``days_moved_max``: how often a day that has passed may be moved without a person.
    ``broken_after_days``: so long after that question an agreement ends, if nothing came.
    ``broken_next``: what follows then.
    ``contact_country``: whose contact rules hold (ISO 3166-1 alpha-2); ``contact_rules`` are the
    merchant's own, which can only be stricter (``outreach.rules.ContactRules.tightened_by``).
    ``opening_hours``: when people answer, weekday → ``"09:00-17:00"`` at the merchant; on a day
    that is not named, and on the Land's holidays, nobody does.
    ``transit_days``: an amount that was complete on one of so many days before it arrived settles
    its claim; the interest of those days is let go (``ledger.left_over``).
    ``small_rest_below_minor``: a rest of default interest below this is let go after a payment.
    ``reminder_letter_minor``: what a reminder by letter adds to a claim in default, print and
    postage at most (``ledger.costs``); electronic ones never cost anything.
    ``contact_thanks_minor``: what of costs and interest is let go, once for each customer, who
    registers another address of theirs; 0: nothing.
    ``answer_minutes``: so long before closing an answer can still be promised for the same day.
    """

    currency: str = "EUR"
    instalment_minor_min: int = 10_00
    instalment_bands: tuple[InstalmentBand, ...] = (
        InstalmentBand(100_00, 4),
        InstalmentBand(500_00, 10),
        InstalmentBand(None, 24),
    )
    instalment_first_days_max: int = 31
    instalment_first_days_usual: int = 14
    instalment_periods: tuple[Period, ...] = (Period.MONTHLY, Period.BIWEEKLY, Period.WEEKLY)
    plan_charge_business_minor: int = 0
    plan_stops_interest: bool = True
    shift_due_days_land: str | None = None
    deferral_bands: tuple[DeferralBand, ...] = (
        DeferralBand(30, 45),
        DeferralBand(90, 30),
        DeferralBand(None, 21),
    )
    promise_days_max: int = 14
    discount_interest_percent: int = 100
    discount_costs_percent: int = 0
    discount_principal_percent: int = 0
    discount_days_max: int = 7
    authority_minor: int = 5_000_00
    agreements_max: int = 4
    let_go_below_minor: int = 2_00
    effort_bands: tuple[EffortBand, ...] = (
        EffortBand(20_00, 1, False),
        EffortBand(200_00, 1, False),
        EffortBand(None, 1, True),
    )
    freshness_hours: int = 24
    verification_minutes: int = 30
    check_days: int = 10
    reminder_after_days: int = 3
    note_days: int = 3
    day_word: DayWord = DayWord.WITHOUT_NOTE
    invoice_note_days: int = 0
    thanks: bool = True
    question_banking_days: int = 2
    days_moved_max: int = 1
    broken_after_days: int = 7
    broken_next: BrokenNext = BrokenNext.REMINDERS
    contact_country: str = "DE"
    contact_rules: Mapping[str, Any] = field(default_factory=dict)
    opening_hours: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(WEEKDAYS[:5], "09:00-17:00")
    )
    answer_minutes: int = 60
    transit_days: int = TRANSIT_DAYS
    small_rest_below_minor: int = SMALL_REST_BELOW_MINOR
    reminder_letter_minor: int = LETTER_MINOR
    contact_thanks_minor: int = 0

    def instalment_count_max(self, balance: Money) -> int:
        """The largest number of instalments for this open amount."""
        return next(
            band.count_max
            for band in self.instalment_bands
            if band.up_to_minor is None or balance.minor <= band.up_to_minor
        )

    def deferral_days_max(self, age_days: int) -> int:
        """The longest deferral, in days from today, for a claim so many days past due."""
        return next(
            band.days_max
            for band in self.deferral_bands
            if band.up_to_days is None or age_days <= band.up_to_days
        )

    def effort(self, balance: Money) -> EffortBand:
        """The effort that this open amount is worth."""
        return next(
            band
            for band in self.effort_bands
            if band.up_to_minor is None or balance.minor <= band.up_to_minor
        )

    def lets_go(self, balance: Money) -> bool:
        """Whether the open amount is too small to be pursued."""
        return balance.minor < self.let_go_below_minor

    def reminder_costs(self, *, electronic: bool) -> Money:
        """What a reminder costs a customer in default."""
        return Money(0 if electronic else self.reminder_letter_minor, self.currency)

    def plan_charge(self, business: bool) -> Money:
        """What an instalment plan costs the customer."""
        return Money(self.plan_charge_business_minor if business else 0, self.currency)


@dataclass(frozen=True, slots=True)
class PolicyError:
    """One thing that is wrong with policy data: the field's path and what is expected."""

    field: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field}: {self.expected}"


class PolicyInvalid(ValueError):
    """The data is no policy; ``errors`` has everything that is wrong with it."""

    def __init__(self, errors: tuple[PolicyError, ...]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors

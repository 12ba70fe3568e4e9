"""The words of outreach: what it knows about a customer, and what it decides.

Plain frozen values, read by ``customer_facts`` and judged by ``decision``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from channels.message import Channel
from ledger.money import Money
from negotiation.policy import Policy
from outreach.channel_choice import Account, ChoiceReason, Obstacle, Point
from outreach.rules import ContactRules


class Step(StrEnum):
    """A step of the journey, as ``contact_attempt.step`` has it."""

    FIRST_CONTACT = "first_contact"
    REMINDER = "reminder"
    DUE_DAY = "due_day"
    """Of what was agreed: on its day, once."""

    @property
    def wording(self) -> str:
        """Name of the message in the wording catalogue."""
        return {Step.REMINDER: "first_reminder", Step.DUE_DAY: "agreement_due"}.get(
            self, "first_contact"
        )


class StepReason(StrEnum):
    """Why it is this step's turn."""

    NO_CONTACT_YET = "no_contact_yet"
    NEVER_REACHED = "earlier_message_never_arrived"
    NEW_CLAIM = "new_claim_since_last_contact"
    NO_ANSWER = "no_answer"
    DUE = "agreed_day_has_come"


class SkipReason(StrEnum):
    """Why a customer with an open claim is not contacted now."""

    OPTED_OUT = "opted_out"
    WITH_PERSON = "with_person"
    PAUSED = "paused"
    DISPUTE = "dispute"
    AGREEMENT = "agreement"
    TIME_BARRED = "time_barred"
    NOT_DUE = "not_due"
    NOT_CONFIRMED = "open_amount_not_confirmed"
    NOTHING_OPEN = "nothing_open"
    SMALL_BALANCE = "small_balance"
    IN_TOUCH = "in_touch"
    ANSWERED = "answered"
    AWAITING_ANSWER = "awaiting_answer"
    ON_ITS_WAY = "message_on_its_way"
    REMINDED = "reminded_once"
    NO_REMINDER = "too_small_for_reminder"
    NO_CHANNEL = "no_channel"
    OTHER_CUSTOMER = "conversation_of_other_customer"
    MOVED = "dialogue_moved"
    UNKNOWN_TIMEZONE = "unknown_timezone"
    QUIET_HOURS = "quiet_hours"
    REST_DAY = "rest_day"
    PUBLIC_HOLIDAY = "public_holiday"
    SPACING = "spacing"
    WEEK_FULL = "week_full"
    PREFERRED_HOURS = "preferred_hours"


@dataclass(frozen=True)
class OpenClaim:
    """What decides whether a claim may be the ground of a message."""

    id: int
    status: str
    balance: Money
    due_date: date
    limitation_date: date | None
    paused_until: date | None
    confirmed_at: datetime | None
    created_at: datetime
    has_agreement: bool
    agreed_day: date | None = None
    """Of the active agreement: the due day of the first payment that is not complete."""


@dataclass(frozen=True)
class AttemptFacts:
    """A message that outreach decided to send earlier, and what became of it."""

    cycle: int
    step: Step
    at: datetime
    """When it was sent; where it is not yet, when it was decided."""
    contact_point_id: int
    message_status: str | None


@dataclass(frozen=True)
class Talk:
    """Where the conversations with a customer stand, all channels together."""

    last_inbound_at: datetime | None = None
    with_person: bool = False
    """A person has taken over, or is asked to."""


@dataclass(frozen=True)
class CustomerFacts:
    """What is known about one customer when outreach decides."""

    id: int
    number: str
    language: str | None
    timezone: str
    land: str | None
    preferred_channel: Channel | None
    paused_until: datetime | None
    talk: Talk
    claims: Sequence[OpenClaim]
    points: Sequence[Point]
    attempts: Sequence[AttemptFacts]
    stopped: bool = False
    """They want no messages at all; a stop on one channel is that contact point's."""
    contact_from: time | None = None
    contact_until: time | None = None
    """The hours, theirs, in which they want to be written to."""

    @property
    def opted_out(self) -> bool:
        """Nothing may be sent to them, on any channel that is known."""
        return self.stopped or (bool(self.points) and all(point.opted_out for point in self.points))


@dataclass(frozen=True)
class Sender:
    """The merchant's side of a contact: who writes, from which accounts, under which rules."""

    merchant_id: int
    collector: bool
    language: str
    timezone: str
    land: str
    accounts: Sequence[Account]
    policy: Policy
    rules: ContactRules


@dataclass(frozen=True)
class PlannedContact:
    """A message to send now; holds no name and no claim facts but ids."""

    merchant_id: int
    customer_id: int
    customer_number: str
    contact_point_id: int
    channel_account_id: int
    channel: Channel
    address: str
    language: str
    wording: str
    template: str
    """Key of ``channel_account.templates``, ``first_contact.de``; binding on WhatsApp."""
    cycle: int
    step: Step
    step_reason: StepReason
    channel_reason: ChoiceReason
    passed: Sequence[tuple[Channel, Obstacle]] = ()
    """The channels that would have come first, with what stands in their way."""
    args: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the wording."""

    @property
    def reason(self) -> str:
        """Both reasons, and the channels passed over, as they are stored with the attempt."""
        passed = "".join(f"; not {channel}: {why}" for channel, why in self.passed)
        return f"{self.step_reason}; {self.channel_reason}{passed}"


@dataclass(frozen=True)
class Skipped:
    """A customer who is not contacted now, and why."""

    customer_id: int
    customer_number: str
    reason: SkipReason
    not_before: datetime | None = None
    """Aware; when the reason passes by itself."""
    detail: str = ""
    """For ``no_channel``: the obstacle of each contact point, ``sms:invalid``."""

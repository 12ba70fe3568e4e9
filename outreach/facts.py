"""The words of outreach: what it knows about a customer, and what it decides.

Plain frozen values, read by ``customer_facts`` and judged by ``decision``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

from channels.message import Channel
from ledger.money import Money
from ledger.statement import AgreementRecord
from negotiation.policy import Policy
from outreach.channel_choice import Account, ChoiceReason, Obstacle, Point
from outreach.rules import ContactRules


class Step(StrEnum):
    """A step of the journey, as ``contact_attempt.step`` has it."""

    FIRST_CONTACT = "first_contact"
    REMINDER = "reminder"
    NOTE = "note"
    """Some days before an agreed day."""
    DUE_DAY = "due_day"
    """On an agreed day itself."""
    THANKS = "thanks"
    """For the first instalment."""
    QUESTION = "question"
    """After a missed day: was it an oversight, which day suits instead?"""
    NEWS = "news"
    """A plan has other amounts than were agreed."""
    SETTLED = "settled"
    """Thanks at the end."""
    PAID = "paid"
    """Thanks for a payment that belongs to no agreement."""
    RETURNED = "returned"
    """A payment came back."""
    INVOICE_NOTE = "invoice_note"
    """Some days before an invoice falls due."""

    @property
    def wording(self) -> str:
        """Name of the message in the wording catalogue, as anybody may read it."""
        return _WORDINGS[self]

    @property
    def details(self) -> str | None:
        """Name of the message with its facts, for a customer who has just proved who they are."""
        return _DETAILS.get(self)


_WORDINGS: Final = {
    Step.FIRST_CONTACT: "first_contact",
    Step.REMINDER: "first_reminder",
    Step.NOTE: "agreement_soon",
    Step.DUE_DAY: "agreement_due",
    Step.THANKS: "agreement_thanks",
    Step.QUESTION: "agreement_missed",
    Step.NEWS: "agreement_repriced",
    Step.SETTLED: "agreement_settled",
    Step.INVOICE_NOTE: "invoice_soon",
    Step.PAID: "arrived_thanks",
    Step.RETURNED: "came_back",
}
_DETAILS: Final = {
    Step.THANKS: "instalment_thanks",
    Step.NEWS: "plan_repriced",
    Step.SETTLED: "settled_thanks",
    Step.PAID: "payment_thanks",
    Step.RETURNED: "payment_came_back",
}
JOURNEY: Final = frozenset({Step.FIRST_CONTACT, Step.REMINDER})
"""The steps towards a first answer; all others watch what was agreed."""
STEP_OF_WORDING: Final = {
    name: step for names in (_WORDINGS, _DETAILS) for step, name in names.items()
}


class StepReason(StrEnum):
    """Why it is this step's turn."""

    NO_CONTACT_YET = "no_contact_yet"
    NEVER_REACHED = "earlier_message_never_arrived"
    NEW_CLAIM = "new_claim_since_last_contact"
    NO_ANSWER = "no_answer"
    DUE = "agreed_day_has_come"
    SOON = "agreed_day_is_near"
    FIRST_PAID = "first_instalment_paid"
    MISSED = "agreed_day_missed"
    REPRICED = "plan_has_other_amounts"
    SETTLED = "all_is_paid"
    PAID = "payment_arrived"
    RETURNED = "payment_came_back"
    INVOICE_SOON = "invoice_falls_due"
    BROKEN = "agreement_not_kept"


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
    agreement: AgreementRecord | None = None
    """The latest one about the claim, whatever became of it."""


@dataclass(frozen=True)
class AttemptFacts:
    """A message that outreach decided to send earlier, and what became of it."""

    cycle: int
    step: Step
    at: datetime
    """When it was sent; where it is not yet, when it was decided."""
    contact_point_id: int
    message_status: str | None
    about: str = ""
    """What a message that watches an agreement is about; see ``outreach.watch.Note``."""


@dataclass(frozen=True)
class Talk:
    """Where the conversations with a customer stand, all channels together."""

    last_inbound_at: datetime | None = None
    with_person: bool = False
    """A person has taken over, or is asked to."""


@dataclass(frozen=True)
class MoneyFacts:
    """A payment that arrived, or came back, by whatever way; on all claims that it is about."""

    about: str
    """``payment:<id>``, ``return:<id>`` of its first posting, or ``failed:<id>`` of a payment that
    was on its way and never came."""
    came_back: bool
    claim_ids: tuple[int, ...]
    amount: Money
    at: datetime
    """When it was noted here."""
    day: date
    """On which it happened."""
    agreed: bool = False
    """It belongs to an agreement, whose notes speak of it."""
    overtaken: bool = False
    """Something happened on the claims since that makes a word about it wrong."""


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
    kept: Sequence[AgreementRecord] = ()
    """The latest agreement of each claim that is done, where it was kept."""
    money: Sequence[MoneyFacts] = ()
    """What arrived and came back, oldest first."""
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
    about: str = ""
    claim_id: int | None = None
    """The claim whose agreement is watched."""

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

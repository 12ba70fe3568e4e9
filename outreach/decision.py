"""Whether a customer is contacted now, with what message, or why not.

Pure: :func:`decide` takes the facts of one customer and returns one decision. The journey is
short on purpose: one first contact, one friendly reminder when no answer came, then it waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.agreements import AgreementStatus
from ledger.claim import is_fresh
from ledger.money import total
from negotiation.policy import BrokenNext, Policy
from outreach.channel_choice import NoChannel, choose_channel
from outreach.facts import (
    JOURNEY,
    AttemptFacts,
    CustomerFacts,
    OpenClaim,
    PlannedContact,
    Sender,
    Skipped,
    SkipReason,
    Step,
    StepReason,
)
from outreach.rules import Allowed, UnknownTimezone, may_contact
from outreach.watch import IN_TOUCH, NEVER_ARRIVED, Note, due_note, still_open

ON_ITS_WAY: Final = frozenset({"queued", "sending"})


@dataclass(frozen=True)
class NextStep:
    """The step whose turn it is."""

    step: Step
    cycle: int
    reason: StepReason
    before: int | None
    """Contact point of the message before."""
    undelivered: frozenset[int]
    """Contact points at which a message of this journey failed."""
    note: Note | None = None
    """What is said, where something agreed is watched."""


@dataclass(frozen=True)
class Wait:
    """No step is due."""

    reason: SkipReason
    not_before: datetime | None = None


def decide(facts: CustomerFacts, sender: Sender, now: datetime) -> PlannedContact | Skipped:
    """Decide about one customer at ``now`` (aware)."""

    def skipped(wait: Wait, detail: str = "") -> Skipped:
        return Skipped(facts.id, facts.number, wait.reason, wait.not_before, detail)

    step: NextStep | Wait = watched_step(facts, sender, now)
    if isinstance(step, Wait):
        watched, ground = step, contact_ground(facts, sender, now)
        step = ground if isinstance(ground, Wait) else next_step(facts, ground, sender.policy, now)
        if isinstance(step, Wait):
            return skipped(_sooner(step, watched))

    note, language = step.note, facts.language or sender.language
    template = f"{step.step.wording}.{language}"
    choice = choose_channel(
        facts.points,
        sender.accounts,
        collector=sender.collector,
        template=template,
        preferred=facts.preferred_channel,
        before=step.before,
        undelivered=step.undelivered,
    )
    channel_of = {point.id: point.channel for point in facts.points}
    if isinstance(choice, NoChannel):
        obstacles = (f"{channel_of[id_]}:{why}" for id_, why in choice.obstacles.items())
        return skipped(Wait(SkipReason.NO_CHANNEL), ", ".join(obstacles))

    history = [
        attempt.at for attempt in facts.attempts if attempt.message_status not in NEVER_ARRIVED
    ]
    wait = wait_for_time(facts, sender, now, history)
    if wait is not None:
        return skipped(wait, facts.timezone if wait.reason is SkipReason.UNKNOWN_TIMEZONE else "")
    return PlannedContact(
        merchant_id=sender.merchant_id,
        customer_id=facts.id,
        customer_number=facts.number,
        contact_point_id=choice.point.id,
        channel_account_id=choice.account.id,
        channel=choice.point.channel,
        address=choice.point.address,
        language=language,
        wording=step.step.wording,
        template=template,
        cycle=step.cycle,
        step=step.step,
        step_reason=step.reason,
        channel_reason=choice.reason,
        passed=tuple((channel_of[id_], why) for id_, why in choice.passed.items()),
        args={"day": note.day.isoformat()} if note is not None and note.day else {},
        about=note.about if note is not None else "",
        claim_id=note.claim_id if note is not None else None,
    )


def _sooner(wait: Wait, watched: Wait) -> Wait:
    """The reason of the one, and the earlier time of both."""
    times = [at for at in (wait.not_before, watched.not_before) if at is not None]
    return replace(wait, not_before=min(times, default=None))


def wait_for_time(
    facts: CustomerFacts, sender: Sender, now: datetime, history: Sequence[datetime]
) -> Wait | None:
    """Why it is not the time: the contact rules, and inside them the hours the customer wishes."""
    wished = sender.rules.kept_to(facts.contact_from, facts.contact_until)
    if wished is None:
        return Wait(SkipReason.PREFERRED_HOURS)
    try:
        permission = may_contact(now, facts.timezone, facts.land, wished, history)
        if isinstance(permission, Allowed):
            return None
        anyway = may_contact(now, facts.timezone, facts.land, sender.rules, history)
    except UnknownTimezone:
        return Wait(SkipReason.UNKNOWN_TIMEZONE)
    if isinstance(anyway, Allowed):
        return Wait(SkipReason.PREFERRED_HOURS, permission.at)
    return Wait(SkipReason(anyway.reason.value), permission.at)


def contact_ground(
    facts: CustomerFacts, sender: Sender, now: datetime
) -> Sequence[OpenClaim] | Wait:
    """The claims on whose account the customer may be contacted, or what forbids it.

    A wish to stop, a person who took over, a pause and a dispute hold for the customer as a whole:
    a reminder that names no claim would read as being about the disputed one (§ 5 UWG).
    """
    held_back = held_back_by(facts, now)
    if held_back is not None:
        return held_back
    today = _today(sender.timezone, now)
    hindrances = {claim.id: _hindrance(claim, sender.policy, today, now) for claim in facts.claims}
    ground = [claim for claim in facts.claims if hindrances[claim.id] is None]
    if not ground:
        present = set(hindrances.values())
        return Wait(
            next((reason for reason in _MOST_TELLING if reason in present), SkipReason.NOTHING_OPEN)
        )
    return ground


def held_back_by(facts: CustomerFacts, now: datetime) -> Wait | None:
    """What holds back every message that nobody asked for."""
    if facts.opted_out:
        return Wait(SkipReason.OPTED_OUT)
    if facts.talk.with_person:
        return Wait(SkipReason.WITH_PERSON)
    if facts.paused_until is not None and facts.paused_until > now:
        return Wait(SkipReason.PAUSED, facts.paused_until)
    if any(claim.status == "disputed" for claim in facts.claims):
        return Wait(SkipReason.DISPUTE)
    return None


def watched_step(facts: CustomerFacts, sender: Sender, now: datetime) -> NextStep | Wait:
    """What is to be said about something agreed, or from when on something is."""
    held_back = held_back_by(facts, now)
    if held_back is not None:
        return held_back
    note = due_note(facts, sender, now)
    if not isinstance(note, Note):
        return Wait(SkipReason.AGREEMENT, note.at if note is not None else None)
    tried = [each for each in facts.attempts if each.step is note.step and each.about == note.about]
    failed = frozenset(each.contact_point_id for each in tried if each.message_status == "failed")
    return NextStep(note.step, len(tried) + 1, note.reason, None, failed, note)


def still_said(
    facts: CustomerFacts, sender: Sender, now: datetime, step: Step, about: str
) -> Wait | None:
    """Why a note that was queued must not go out any more."""
    held_back = held_back_by(facts, now)
    if held_back is not None:
        return held_back
    return None if still_open(facts, sender, now, step, about) else Wait(SkipReason.AGREEMENT)


def reachable(facts: CustomerFacts, sender: Sender) -> bool:
    """Whether a question about a missed day could reach the customer, at whatever time."""
    if facts.opted_out:
        return False
    chosen = choose_channel(
        facts.points,
        sender.accounts,
        collector=sender.collector,
        template=f"{Step.QUESTION.wording}.{facts.language or sender.language}",
        preferred=facts.preferred_channel,
        undelivered=frozenset(
            each.contact_point_id
            for each in facts.attempts
            if each.step is Step.QUESTION and each.message_status == "failed"
        ),
    )
    return not isinstance(chosen, NoChannel)


_MOST_TELLING: Final = (
    SkipReason.AGREEMENT,
    SkipReason.PAUSED,
    SkipReason.NOT_CONFIRMED,
    SkipReason.NOT_DUE,
    SkipReason.SMALL_BALANCE,
    SkipReason.TIME_BARRED,
)
"""Where each claim has its own hindrance: the one that the merchant most wants to know."""


def next_step(
    facts: CustomerFacts, ground: Sequence[OpenClaim], policy: Policy, now: datetime
) -> NextStep | Wait:
    """The step whose turn it is, given what was sent and answered on account of these claims.

    Messages from before the oldest of the claims belong to a journey that is over. One that never
    arrived does not count: its step is taken again in a cycle of its own, so that the unique key
    (customer, cycle, step) holds.
    """
    last_inbound = facts.talk.last_inbound_at
    begin = min(_journey_begins(claim, policy) for claim in ground)
    journey = sorted(
        (each for each in facts.attempts if each.at >= begin and each.step in JOURNEY),
        key=lambda each: each.at,
    )
    arrived = [each for each in journey if each.message_status not in NEVER_ARRIVED]
    undelivered = frozenset(
        each.contact_point_id for each in journey if each.message_status == "failed"
    )
    last_cycle = max((each.cycle for each in facts.attempts if each.step in JOURNEY), default=0)

    if not arrived:
        if last_inbound is not None and last_inbound + IN_TOUCH > now:
            return Wait(SkipReason.IN_TOUCH, last_inbound + IN_TOUCH)
        begins_anew = any(_journey_begins(claim, policy) > claim.created_at for claim in ground)
        reason = _first_contact_reason(facts.attempts, journey, begins_anew)
        return NextStep(Step.FIRST_CONTACT, last_cycle + 1, reason, None, undelivered)
    if last_inbound is not None and last_inbound >= arrived[0].at:
        return Wait(SkipReason.ANSWERED)
    if any(each.message_status in ON_ITS_WAY for each in arrived):
        return Wait(SkipReason.ON_ITS_WAY)
    if any(each.step is Step.REMINDER for each in arrived):
        return Wait(SkipReason.REMINDED)
    if not _worth_a_reminder(ground, policy):
        return Wait(SkipReason.NO_REMINDER)
    first = arrived[-1]
    reminder_from = first.at + timedelta(days=policy.reminder_after_days)
    if now < reminder_from:
        return Wait(SkipReason.AWAITING_ANSWER, reminder_from)
    taken = any(each.cycle == first.cycle and each.step is Step.REMINDER for each in facts.attempts)
    cycle = last_cycle + 1 if taken else first.cycle
    return NextStep(Step.REMINDER, cycle, StepReason.NO_ANSWER, first.contact_point_id, undelivered)


def _journey_begins(claim: OpenClaim, policy: Policy) -> datetime:
    """When the steps towards an answer begin: with the claim, or anew when an agreement about it
    was not kept and the merchant wants to remind again."""
    agreement = claim.agreement
    if (
        policy.broken_next is BrokenNext.REMINDERS
        and agreement is not None
        and agreement.status is AgreementStatus.BROKEN
        and agreement.ended_at is not None
    ):
        return agreement.ended_at
    return claim.created_at


def _first_contact_reason(
    attempts: Sequence[AttemptFacts], journey: Sequence[AttemptFacts], begins_anew: bool
) -> StepReason:
    if journey:
        return StepReason.NEVER_REACHED
    if begins_anew:
        return StepReason.BROKEN
    return StepReason.NEW_CLAIM if attempts else StepReason.NO_CONTACT_YET


def _hindrance(claim: OpenClaim, policy: Policy, today: date, now: datetime) -> SkipReason | None:
    """Why this claim alone is no ground for a message.

    A claim falls due at the end of its due day, and can be enforced up to and on its limitation
    date (§ 199 BGB: the end of a year), so both days still count.
    """
    checks = (
        (claim.status != "open" or claim.balance.minor <= 0, SkipReason.NOTHING_OPEN),
        (claim.has_agreement, SkipReason.AGREEMENT),
        (
            claim.limitation_date is not None and claim.limitation_date < today,
            SkipReason.TIME_BARRED,
        ),
        (claim.paused_until is not None and claim.paused_until >= today, SkipReason.PAUSED),
        (claim.due_date >= today, SkipReason.NOT_DUE),
        (policy.lets_go(claim.balance), SkipReason.SMALL_BALANCE),
        (
            not is_fresh(claim.confirmed_at, policy.freshness_hours, now),
            SkipReason.NOT_CONFIRMED,
        ),
    )
    return next((reason for present, reason in checks if present), None)


def _worth_a_reminder(claims: Sequence[OpenClaim], policy: Policy) -> bool:
    """Effort in proportion to what is open together; two currencies never add up."""
    currencies = {claim.balance.currency for claim in claims}
    return any(
        policy.effort(
            total((claim.balance for claim in claims if claim.balance.currency == each), each)
        ).reminders_max
        > 0
        for each in currencies
    )


def _today(timezone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(timezone)).date()

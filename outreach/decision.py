"""Whether a customer is contacted now, with what message, or why not.

Pure: :func:`decide` takes the facts of one customer and returns one decision. The journey is
short on purpose: one first contact, one friendly reminder when no answer came, then it waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.claim import is_fresh
from ledger.money import total
from negotiation.policy import Policy
from outreach.channel_choice import NoChannel, choose_channel
from outreach.facts import (
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

IN_TOUCH_HOURS: Final = 24
"""Whoever wrote within this time is talking with us: no message from our side starts anew."""

NEVER_ARRIVED: Final = frozenset({"failed", "cancelled"})
"""Message statuses that mean that the customer was not reached."""

DUE_DAYS: Final = 3
"""How long after an agreed day its reminder may still come."""

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
    day: date | None = None
    """Of what was agreed, for the message about it."""


@dataclass(frozen=True)
class Wait:
    """No step is due."""

    reason: SkipReason
    not_before: datetime | None = None


def decide(facts: CustomerFacts, sender: Sender, now: datetime) -> PlannedContact | Skipped:
    """Decide about one customer at ``now`` (aware)."""

    def skipped(wait: Wait, detail: str = "") -> Skipped:
        return Skipped(facts.id, facts.number, wait.reason, wait.not_before, detail)

    step: NextStep | Wait | None = due_step(facts, sender, now)
    if step is None:
        ground = contact_ground(facts, sender, now)
        if isinstance(ground, Wait):
            return skipped(ground)
        step = next_step(facts, ground, sender.policy, now)
    if isinstance(step, Wait):
        return skipped(step)

    language = facts.language or sender.language
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
        args={"day": step.day.isoformat()} if step.day is not None else {},
    )


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
    held_back = _held_back(facts, now)
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


def _held_back(facts: CustomerFacts, now: datetime) -> Wait | None:
    if facts.opted_out:
        return Wait(SkipReason.OPTED_OUT)
    if facts.talk.with_person:
        return Wait(SkipReason.WITH_PERSON)
    if facts.paused_until is not None and facts.paused_until > now:
        return Wait(SkipReason.PAUSED, facts.paused_until)
    if any(claim.status == "disputed" for claim in facts.claims):
        return Wait(SkipReason.DISPUTE)
    return None


def due_ground(facts: CustomerFacts, sender: Sender, now: datetime) -> date | Wait:
    """The agreed day that has come and whose payment is not complete, or why none is spoken of.

    It is spoken of from that day on for DUE_DAYS, since the day itself may be a rest day.
    """
    held_back = _held_back(facts, now)
    if held_back is not None:
        return held_back
    today = _today(sender.timezone, now)
    come = [
        claim
        for claim in facts.claims
        if claim.agreed_day is not None
        and claim.agreed_day <= today <= claim.agreed_day + timedelta(days=DUE_DAYS)
        and claim.balance.minor > 0
        and (claim.paused_until is None or claim.paused_until < today)
    ]
    if not come:
        return Wait(SkipReason.AGREEMENT)
    fresh = [
        claim.agreed_day
        for claim in come
        if is_fresh(claim.confirmed_at, sender.policy.freshness_hours, now)
        and claim.agreed_day is not None
    ]
    return max(fresh) if fresh else Wait(SkipReason.NOT_CONFIRMED)


def due_step(facts: CustomerFacts, sender: Sender, now: datetime) -> NextStep | None:
    """The reminder of an agreed day, once for each; None where it is nobody's turn."""
    day = due_ground(facts, sender, now)
    if isinstance(day, Wait):
        return None
    zone = ZoneInfo(sender.timezone)
    tried = [
        each
        for each in facts.attempts
        if each.step is Step.DUE_DAY and each.at.astimezone(zone).date() >= day
    ]
    if any(each.message_status not in NEVER_ARRIVED for each in tried):
        return None
    last_inbound = facts.talk.last_inbound_at
    if last_inbound is not None and last_inbound.astimezone(zone).date() >= day:
        return None  # they have written since the day came: they know
    failed = frozenset(each.contact_point_id for each in tried if each.message_status == "failed")
    cycle = max((attempt.cycle for attempt in facts.attempts), default=0) + 1
    return NextStep(Step.DUE_DAY, cycle, StepReason.DUE, None, failed, day)


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
    begin = min(claim.created_at for claim in ground)
    journey = sorted(
        (
            attempt
            for attempt in facts.attempts
            if attempt.at >= begin and attempt.step is not Step.DUE_DAY
        ),
        key=lambda each: each.at,
    )
    arrived = [each for each in journey if each.message_status not in NEVER_ARRIVED]
    undelivered = frozenset(
        each.contact_point_id for each in journey if each.message_status == "failed"
    )
    last_cycle = max((attempt.cycle for attempt in facts.attempts), default=0)

    if not arrived:
        if last_inbound is not None and last_inbound + timedelta(hours=IN_TOUCH_HOURS) > now:
            return Wait(SkipReason.IN_TOUCH, last_inbound + timedelta(hours=IN_TOUCH_HOURS))
        reason = _first_contact_reason(facts.attempts, journey)
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


def _first_contact_reason(
    attempts: Sequence[AttemptFacts], journey: Sequence[AttemptFacts]
) -> StepReason:
    if journey:
        return StepReason.NEVER_REACHED
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

"""What is said of its own accord about something agreed, until it is kept; and when it is not.

Pure. A note has a window of days; outside it it is never sent, so that nothing comes out of order
however far the clock has moved. Each is sent at most once: it is known by its step and by what it
is about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.agreements import AgreementStatus
from ledger.banking_days import banking_days_after
from ledger.claim import is_fresh
from ledger.progress import InstalmentProgress
from ledger.repricing import REPRICED
from ledger.statement import AgreementRecord
from negotiation.policy import DayWord
from outreach.facts import AttemptFacts, CustomerFacts, OpenClaim, Sender, Step, StepReason

NEVER_ARRIVED: Final = frozenset({"failed", "cancelled"})
"""Message statuses that mean that the customer was not reached."""
DAY_WORD_DAYS: Final = 3
"""How long after an agreed day its word may still come: the day itself may be a rest day."""
THANKS_DAYS: Final = 5
NEWS_DAYS: Final = 14
TALKING: Final = timedelta(minutes=15)
"""Nobody is interrupted who is just talking with us."""
IN_TOUCH: Final = timedelta(hours=24)
"""Whoever wrote within this time is talking with us: no message from our side starts anew."""

_BY_WEIGHT: Final = (
    *(Step.RETURNED, Step.NEWS, Step.QUESTION, Step.SETTLED, Step.PAID, Step.THANKS),
    *(Step.DUE_DAY, Step.NOTE, Step.INVOICE_NOTE),
)
"""Where several are due at once, the first goes first."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that may be said from ``opens`` on, up to and including ``closes``."""

    step: Step
    reason: StepReason
    about: str
    """``claim:<id>:<day>``, ``claim:<id>``, ``agreement:<id>`` or ``MoneyFacts.about``: what it is
    said once about."""
    claim_id: int
    opens: date
    closes: date
    day: date | None = None
    """The day it names."""
    quiet: timedelta = TALKING
    """How long nothing must have come from the customer."""


def local_day(sender: Sender, moment: datetime) -> date:
    """The calendar day at the merchant."""
    return moment.astimezone(ZoneInfo(sender.timezone)).date()


def day_begins(sender: Sender, day: date) -> datetime:
    """The first moment of a day at the merchant."""
    return datetime.combine(day, time(), ZoneInfo(sender.timezone))


def notes(facts: CustomerFacts, sender: Sender, now: datetime) -> Iterator[Note]:
    """Everything that is or will be to be said about what is agreed as it stands now.

    What was said already is not looked at, except where one note makes another needless.
    """
    for claim in facts.claims:
        if not _may_be_spoken_of(claim, sender, now):
            continue
        agreement = claim.agreement
        if agreement is not None and agreement.status is AgreementStatus.ACTIVE:
            yield from _of_agreement(facts, sender, claim.id, agreement)
        elif not claim.has_agreement:
            yield from _of_invoice(sender, claim)
    yield from _of_money(facts, sender, now)
    if sender.policy.thanks:
        for agreement in facts.kept:
            if agreement.ended_at is not None:
                ended = local_day(sender, agreement.ended_at)
                yield Note(
                    *(Step.SETTLED, StepReason.SETTLED, f"agreement:{agreement.id}"),
                    *(agreement.claim_id, ended, ended + timedelta(days=THANKS_DAYS)),
                )


def _of_money(facts: CustomerFacts, sender: Sender, now: datetime) -> Iterator[Note]:
    """Thanks for payments that belong to no agreement, and a soft word where one came back.

    Each once, from whichever way it came; what a merchant only hands over, and happened long ago,
    never. What is still open on a claim is only spoken of where
    anything may be said about that claim.
    """
    open_claims = {claim.id: claim for claim in facts.claims}
    for money in facts.money:
        still = [open_claims[each] for each in money.claim_ids if each in open_claims]
        told = all(_may_be_spoken_of(claim, sender, now) for claim in still)
        noted = local_day(sender, money.at)
        long_ago = noted - money.day > timedelta(days=NEWS_DAYS)
        if money.overtaken or long_ago or not told:
            continue
        if money.came_back and still:
            yield Note(
                *(Step.RETURNED, StepReason.RETURNED, money.about, still[0].id),
                *(noted, noted + timedelta(days=NEWS_DAYS)),
            )
        elif not money.came_back and not money.agreed and sender.policy.thanks:
            yield Note(
                *(Step.PAID, StepReason.PAID, money.about, money.claim_ids[0]),
                *(noted, noted + timedelta(days=THANKS_DAYS)),
            )


def _may_be_spoken_of(claim: OpenClaim, sender: Sender, now: datetime) -> bool:
    today = local_day(sender, now)
    return (
        claim.status == "open"
        and claim.balance.minor > 0
        and (claim.paused_until is None or claim.paused_until < today)
        and (claim.limitation_date is None or claim.limitation_date >= today)
        and is_fresh(claim.confirmed_at, sender.policy.freshness_hours, now)
    )


def _of_agreement(
    facts: CustomerFacts, sender: Sender, claim_id: int, agreement: AgreementRecord
) -> Iterator[Note]:
    policy = sender.policy
    agreed = local_day(sender, agreement.agreed_at)
    if agreement.because in REPRICED:
        yield Note(
            *(Step.NEWS, StepReason.REPRICED, f"agreement:{agreement.id}", claim_id, agreed),
            agreed + timedelta(days=NEWS_DAYS),
        )
    first, *others = agreement.progress
    if policy.thanks and others and first.noted_at is not None:
        noted = local_day(sender, first.noted_at)
        yield Note(
            *(Step.THANKS, StepReason.FIRST_PAID, f"claim:{claim_id}", claim_id, noted),
            noted + timedelta(days=THANKS_DAYS),
        )
    coming = agreement.next_instalment
    if coming is not None:
        yield from _of_day(facts, sender, claim_id, agreed, coming.instalment.due)


def _of_day(
    facts: CustomerFacts, sender: Sender, claim_id: int, agreed: date, due: date
) -> Iterator[Note]:
    """The note before an agreed day, the word on it, the question after it."""
    policy = sender.policy
    about = f"claim:{claim_id}:{due}"
    asked = question_day(sender, due)
    lead = timedelta(days=policy.note_days)
    # What was agreed a moment ago needs no note; the word on the day is enough.
    if lead and agreed <= due - 2 * lead and not _wrote_since(facts, sender, due - lead):
        yield Note(
            *(Step.NOTE, StepReason.SOON, about, claim_id, due - lead, due - timedelta(days=1), due)
        )
    noted = any(_arrived(facts, Step.NOTE, about))
    wanted = policy.day_word is DayWord.ALWAYS or (
        policy.day_word is DayWord.WITHOUT_NOTE and not noted
    )
    if wanted and not _wrote_since(facts, sender, due):
        last = min(due + timedelta(days=DAY_WORD_DAYS), asked - timedelta(days=1))
        yield Note(*(Step.DUE_DAY, StepReason.DUE, about, claim_id, due, last, due))
    yield Note(
        *(Step.QUESTION, StepReason.MISSED, about, claim_id, asked, date.max, due), quiet=IN_TOUCH
    )


def _of_invoice(sender: Sender, claim: OpenClaim) -> Iterator[Note]:
    """Before an invoice falls due, where the merchant wants that."""
    lead = timedelta(days=sender.policy.invoice_note_days)
    if lead and not sender.policy.lets_go(claim.balance):
        due = claim.due_date
        yield Note(
            *(Step.INVOICE_NOTE, StepReason.INVOICE_SOON, f"claim:{claim.id}", claim.id),
            *(due - lead, due - timedelta(days=1), due),
        )


def question_day(sender: Sender, due: date) -> date:
    """When a missed day is asked about: money that was sent on it has arrived by then."""
    return banking_days_after(due, sender.policy.question_banking_days)


def _wrote_since(facts: CustomerFacts, sender: Sender, day: date) -> bool:
    """Whether the customer has written since that day came: they know of it."""
    last = facts.talk.last_inbound_at
    return last is not None and local_day(sender, last) >= day


def _arrived(facts: CustomerFacts, step: Step, about: str) -> Iterator[AttemptFacts]:
    return (
        each
        for each in facts.attempts
        if each.step is step and each.about == about and each.message_status not in NEVER_ARRIVED
    )


@dataclass(frozen=True, slots=True)
class Ahead:
    """Nothing is to be said now; from this moment on something may be."""

    at: datetime


def due_note(facts: CustomerFacts, sender: Sender, now: datetime) -> Note | Ahead | None:
    """The note whose turn it is at ``now``, or when the next one's is."""
    today, last = local_day(sender, now), facts.talk.last_inbound_at
    open_now, ahead = [], []
    for note in notes(facts, sender, now):
        if note.closes < today or any(_arrived(facts, note.step, note.about)):
            continue
        quiet = last + note.quiet if last is not None else now
        if note.opens > today:
            ahead.append(day_begins(sender, note.opens))
        elif quiet > now:
            ahead.append(quiet)
        else:
            open_now.append(note)
    if open_now:
        return min(open_now, key=lambda note: (_BY_WEIGHT.index(note.step), note.opens))
    return Ahead(min(ahead)) if ahead else None


def still_open(facts: CustomerFacts, sender: Sender, now: datetime, step: Step, about: str) -> bool:
    """Whether a note that was queued is still true, and its time has not passed."""
    today = local_day(sender, now)
    return any(
        (note.step, note.about) == (step, about) and note.opens <= today <= note.closes
        for note in notes(facts, sender, now)
    )


def ends_on(
    facts: CustomerFacts, sender: Sender, claim: OpenClaim, *, reachable: bool
) -> date | None:
    """The first day on which a missed agreement counts as broken; None: nothing is missed, or it
    has not been asked about yet.

    Time runs from the question or from the customer's last words, whichever is later. Whom no
    message can reach is not waited for longer than that.
    """
    agreement = claim.agreement
    if agreement is None or agreement.status is not AgreementStatus.ACTIVE:
        return None
    missed: InstalmentProgress | None = agreement.next_instalment
    if missed is None:
        return None
    due = missed.instalment.due
    asked = [
        local_day(sender, each.at)
        for each in _arrived(facts, Step.QUESTION, f"claim:{claim.id}:{due}")
    ]
    if not asked and reachable:
        return None
    since = [question_day(sender, due), *asked]
    if facts.talk.last_inbound_at is not None:
        since.append(local_day(sender, facts.talk.last_inbound_at))
    return max(since) + timedelta(days=sender.policy.broken_after_days + 1)


def broken(
    facts: CustomerFacts, sender: Sender, now: datetime, *, reachable: bool
) -> Iterator[AgreementRecord]:
    """The agreements that were not kept, and have had their time.

    None is while anything about the customer rests: a dispute, a pause, a person, or figures that
    the merchant has not confirmed.
    """
    resting = (
        facts.talk.with_person
        or (facts.paused_until is not None and facts.paused_until > now)
        or any(claim.status == "disputed" for claim in facts.claims)
    )
    if resting:
        return
    today = local_day(sender, now)
    for claim in facts.claims:
        if claim.agreement is not None and _may_be_spoken_of(claim, sender, now):
            day = ends_on(facts, sender, claim, reachable=reachable)
            if day is not None and day <= today:
                yield claim.agreement

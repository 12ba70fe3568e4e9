"""What happens next with a customer, and when: read from the database, nothing is changed."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book
from ledger.book_reading import ClaimRecord
from ledger.money import Money
from outreach.customer_facts import read_customers, read_sender
from outreach.decision import decide, reachable
from outreach.facts import CustomerFacts, PlannedContact, Sender, Skipped
from outreach.watch import day_begins, ends_on
from storage.tables import Conversation, Customer, Handoff, Merchant, Message

MORNING: Final = time(10, 0)
"""When a day that something falls due on is looked at."""
LOOK_AHEAD_MAX: Final = 6


@dataclass(frozen=True)
class Coming:
    """Something that will happen at a moment.

    `what` names it; `detail` is a channel, an invoice's number or the reason of a handoff, and
    `amount` what is due then.
    """

    at: datetime
    what: str
    detail: str = ""
    amount: Money | None = None


@dataclass(frozen=True)
class Outlook:
    """What outreach decides about the customer now, and all that is to come, the next first."""

    decision: PlannedContact | Skipped | None
    coming: tuple[Coming, ...]


async def outlook(
    session: AsyncSession, merchant: Merchant, customer: Customer, now: datetime
) -> Outlook:
    """Look ahead from `now`."""
    sender = await read_sender(session, merchant.id)
    (facts,) = await read_customers(session, sender, [customer.id])
    decision = decide(facts, sender, now)
    found = [
        *_contact(facts, sender, now),
        *_ends(facts, sender, now),
        *_pauses(customer, await book.records_of(session, customer.id), merchant, now),
        *[each async for each in _waiting(session, customer.id, now)],
    ]
    return Outlook(decision, tuple(sorted(found, key=lambda each: each.at)))


def _contact(facts: CustomerFacts, sender: Sender, now: datetime) -> Iterator[Coming]:
    """When outreach would write, if nothing is said until then and the shop confirms what is open
    each day."""
    at = now
    for _ in range(LOOK_AHEAD_MAX):
        fresh = replace(facts, claims=[replace(claim, confirmed_at=at) for claim in facts.claims])
        decision = decide(fresh, sender, at)
        if isinstance(decision, PlannedContact):
            yield Coming(at, decision.step.value, decision.channel.value)
            return
        if decision.not_before is None or decision.not_before <= at:
            return
        at = decision.not_before


def _ends(facts: CustomerFacts, sender: Sender, now: datetime) -> Iterator[Coming]:
    """When something agreed that was asked about counts as not kept."""
    for claim in facts.claims:
        day = ends_on(facts, sender, claim, reachable=reachable(facts, sender))
        if day is not None and day_begins(sender, day) > now:
            yield Coming(day_begins(sender, day), "agreement_ends")


def _pauses(
    customer: Customer, records: list[ClaimRecord], merchant: Merchant, now: datetime
) -> Iterator[Coming]:
    zone = ZoneInfo(merchant.timezone)

    def morning(day: date) -> datetime:
        return datetime.combine(day, MORNING, zone)

    paused_until = customer.contact_paused_until
    if paused_until is not None and paused_until > now:
        yield Coming(paused_until, "pause_ends")
    for record in records:
        claim = record.claim
        if claim.paused_until is not None and morning(claim.paused_until) > now:
            yield Coming(
                morning(claim.paused_until + timedelta(days=1)),
                "claim_pause_ends",
                claim.invoice_number,
            )
        agreement = record.statement().agreement
        if agreement is None or agreement.ended_at is not None:
            continue
        for part in agreement.progress:
            due = part.instalment.due
            if not part.missing:
                continue
            what = "rate" if len(agreement.progress) > 1 else "day"
            detail = str(part.instalment.number)
            if morning(due) > now:
                yield Coming(morning(due), f"{what}_due", detail, part.missing)
            elif morning(due + timedelta(days=1)) > now:
                yield Coming(morning(due + timedelta(days=1)), f"{what}_late", detail, part.missing)


async def _waiting(session: AsyncSession, customer_id: int, now: datetime) -> AsyncIterator[Coming]:
    """Handoffs that a person should have answered by then, and sends that are tried again."""
    handoffs = await session.execute(
        select(Handoff.answer_by, Handoff.reason)
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .where(
            Conversation.customer_id == customer_id,
            Handoff.closed_at.is_(None),
            Handoff.taken_at.is_(None),
            Handoff.overdue_at.is_(None),
            Handoff.answer_by > now,
        )
    )
    for answer_by, reason in handoffs:
        if answer_by is not None:
            yield Coming(answer_by, "answer_by", reason)
    sends = await session.scalars(
        select(Message.send_after)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.customer_id == customer_id,
            Message.direction == "out",
            Message.status == "queued",
            Message.send_after > now,
        )
    )
    for send_after in sends:
        if send_after is not None:
            yield Coming(send_after, "sent_again")

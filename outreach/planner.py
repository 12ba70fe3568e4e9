"""Whom to contact now: pages of decisions, and the record of what was decided.

Outreach decides and records; it sends nothing and commits nothing. The caller, per planned
contact and in one transaction: find or open the conversation, queue the message, call
:func:`record`, defer the delivery.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.statement import AgreementRecord
from outreach.customer_facts import (
    next_customer_ids,
    read_customers,
    read_sender,
    watched_customer_ids,
)
from outreach.decision import decide, reachable
from outreach.facts import JOURNEY, PlannedContact, Sender, Skipped
from outreach.watch import broken
from storage.tables import AuditEvent, ContactAttempt

PAGE_CUSTOMERS: Final = 500
"""Customers judged at a time; bounds the memory of a plan over any number of them."""


class AlreadyContacted(Exception):
    """Another planner recorded this step of this customer first; the contact is to be dropped."""


@dataclass(frozen=True)
class PlanPage:
    """Decisions about some customers; ``next_after`` continues the plan, ``None`` ends it."""

    decisions: tuple[PlannedContact | Skipped, ...]
    next_after: int | None


async def plan_page(
    session: AsyncSession,
    *,
    merchant_id: int,
    now: datetime,
    after: int = 0,
    limit: int = PAGE_CUSTOMERS,
    sender: Sender | None = None,
) -> PlanPage:
    """Decide about the next customers with an open or disputed claim, by ascending id.

    Args:
        session: of the merchant or the operator; only read.
        now: aware.
        after: customer id to go on from, ``PlanPage.next_after`` of the page before.
        limit: most customers of the page.
        sender: as :func:`outreach.customer_facts.read_sender` gave it for an earlier page.

    Raises:
        UnknownMerchant, PolicyInvalid, InvalidContactRules, UnknownCountry: see ``read_sender``.
    """
    if sender is None:
        sender = await read_sender(session, merchant_id)
    ids = await next_customer_ids(session, merchant_id, after=after, limit=limit)
    customers = await read_customers(session, sender, ids)
    return PlanPage(
        decisions=tuple(decide(facts, sender, now) for facts in customers),
        next_after=ids[-1] if len(ids) == limit else None,
    )


async def plan(
    session: AsyncSession, *, merchant_id: int, now: datetime
) -> AsyncIterator[PlannedContact | Skipped]:
    """Decide about all of a merchant's customers within one session, a page at a time.

    For a dry run; who sends what is planned takes :func:`plan_page`, a transaction each.
    """
    sender = await read_sender(session, merchant_id)
    after: int | None = 0
    while after is not None:
        page = await plan_page(
            session, merchant_id=merchant_id, now=now, after=after, sender=sender
        )
        for decision in page.decisions:
            yield decision
        after = page.next_after


@dataclass(frozen=True)
class WatchPage:
    """What is to be said about what some customers agreed, and which agreements are broken;
    ``next_after`` continues the watch, ``None`` ends it."""

    planned: tuple[PlannedContact, ...]
    broken: tuple[AgreementRecord, ...]
    next_after: int | None


async def watch_page(
    session: AsyncSession,
    *,
    sender: Sender,
    now: datetime,
    after: int = 0,
    limit: int = PAGE_CUSTOMERS,
    customer_id: int | None = None,
) -> WatchPage:
    """Look at the next customers with something agreed or paid lately, or at one; first
    contacts are not planned here."""
    ids: Sequence[int] = (
        [customer_id]
        if customer_id is not None
        else await watched_customer_ids(session, sender, now=now, after=after, limit=limit)
    )
    planned: list[PlannedContact] = []
    ended: list[AgreementRecord] = []
    for facts in await read_customers(session, sender, ids):
        ended += broken(facts, sender, now, reachable=reachable(facts, sender))
        decision = decide(facts, sender, now)
        if isinstance(decision, PlannedContact) and decision.step not in JOURNEY:
            planned.append(decision)
    more = customer_id is None and len(ids) == limit
    return WatchPage(tuple(planned), tuple(ended), ids[-1] if more else None)


async def record(
    session: AsyncSession, planned: PlannedContact, *, message_id: int, now: datetime
) -> int:
    """Record that a message was queued for a planned contact; returns the attempt's id.

    Two planners cannot both get here for one step: the second waits for the first's transaction
    and then fails.

    Raises:
        AlreadyContacted: the step is taken. Roll back, so that the queued message goes too.
    """
    attempt_id: int | None = await session.scalar(
        insert(ContactAttempt)
        .values(
            merchant_id=planned.merchant_id,
            customer_id=planned.customer_id,
            contact_point_id=planned.contact_point_id,
            message_id=message_id,
            cycle=planned.cycle,
            step=planned.step,
            about=planned.about,
            reason=planned.reason,
            at=now,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "cycle", "step", "about"])
        .returning(ContactAttempt.id)
    )
    if attempt_id is None:
        raise AlreadyContacted(f"customer {planned.customer_id}, {planned.step} {planned.cycle}")
    if planned.passed:
        passed = [{"channel": channel, "reason": why} for channel, why in planned.passed]
        session.add(
            AuditEvent(
                merchant_id=planned.merchant_id,
                kind="channel_fallback",
                at=now,
                customer_id=planned.customer_id,
                facts={"to": planned.channel, "passed": passed},
            )
        )
    return attempt_id

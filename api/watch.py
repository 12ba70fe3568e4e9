"""Agreements watched until they are kept: each note sent, each broken one ended with what follows.

Every step is a transaction of its own and may be repeated: a note is recorded once, an agreement
ends once, and what follows belongs to its end.
"""

from datetime import datetime

import procrastinate
import structlog
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.contact import send_planned
from api.wiring import Parts
from conversation.handoff import request_handoff
from conversation.look import lock
from ledger import book
from ledger.book_follow_up import add_follow_up
from ledger.statement import AgreementRecord
from negotiation.policy import BrokenNext
from outreach.customer_facts import read_customers, read_sender
from outreach.decision import reachable
from outreach.facts import Sender
from outreach.planner import watch_page
from outreach.watch import broken
from storage.tables import Agreement, Claim, Customer, Merchant

log = structlog.get_logger()


async def look_at_all(parts: Parts, jobs: procrastinate.App) -> None:
    """Look after everything that is agreed, of all merchants."""
    async with parts.database.operator() as session:
        merchant_ids = await session.scalars(
            select(Merchant.id)
            .where(exists().where(Claim.merchant_id == Merchant.id))
            .order_by(Merchant.id)
        )
    for merchant_id in merchant_ids.all():
        try:
            sent = await look(parts, jobs, merchant_id)
        except (ValueError, LookupError) as error:  # one merchant's data must not stop all
            log.error("agreements_not_watched", merchant=merchant_id, error=type(error).__name__)
            continue
        if sent:
            log.info("agreement_notes_queued", merchant=merchant_id, count=sent)


async def look(
    parts: Parts, jobs: procrastinate.App, merchant_id: int, *, customer_id: int | None = None
) -> int:
    """Do what is due about a merchant's agreements, or one customer's; returns the notes queued."""
    now, sent = parts.clock.now(), 0
    after: int | None = 0
    while after is not None:
        async with parts.database.merchant(merchant_id) as session:
            sender = await read_sender(session, merchant_id)
            page = await watch_page(
                session, sender=sender, now=now, after=after, customer_id=customer_id
            )
        for agreement in page.broken:
            async with parts.database.merchant(merchant_id) as session:
                await end_broken(session, sender, agreement, now)
        for planned in page.planned:
            sent += await send_planned(parts, jobs, planned, now)
        after = page.next_after
    return sent


async def end_broken(
    session: AsyncSession, sender: Sender, agreement: AgreementRecord, now: datetime
) -> bool:
    """End an agreement that was not kept, and begin what the merchant wants to follow.

    Money may have arrived since it was judged: under the claim's lock it is judged again.
    """
    conversation_id = await _conversation(session, agreement)
    if conversation_id is not None:
        await lock(session, conversation_id)  # before the claim, as everybody takes them
    claim = await session.get_one(Claim, agreement.claim_id, with_for_update=True)
    (facts,) = await read_customers(session, sender, [claim.customer_id])
    still = broken(facts, sender, now, reachable=reachable(facts, sender))
    if agreement.id not in {each.id for each in still}:
        return False
    await book.break_agreement(session, agreement.id, "not_paid", now=now)
    following = sender.policy.broken_next
    if following is BrokenNext.HANDOFF and conversation_id is not None:
        summary = {"claim": agreement.claim_id, "agreement": agreement.id}
        await request_handoff(
            session,
            conversation_id=conversation_id,
            reason="agreement_broken",
            summary=summary,
            now=now,
        )
    elif following is not BrokenNext.REMINDERS:
        # Nobody ever wrote with them here: the merchant has to take it up another way.
        kind = BrokenNext.EXPORT if following is BrokenNext.HANDOFF else following
        await add_follow_up(session, sender.merchant_id, agreement, kind.value, now)
    return True


async def _conversation(session: AsyncSession, agreement: AgreementRecord) -> int | None:
    """Where the dialogue with the customer is, else where it was agreed."""
    active: int | None = await session.scalar(
        select(Customer.active_conversation_id)
        .join(Claim, Claim.customer_id == Customer.id)
        .join(Agreement, Agreement.claim_id == Claim.id)
        .where(Agreement.id == agreement.id)
    )
    return active or agreement.conversation_id

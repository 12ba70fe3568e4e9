"""Handoffs that nobody took in time, and answers that nobody read: the customer is told once."""

from datetime import datetime

import procrastinate
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.queue import defer_delivery
from conversation import desk, page_chat
from negotiation.policy_data import policy_from_data
from outreach.rules import Allowed, UnknownTimezone, may_contact, rules_of
from storage.engine import Database
from storage.tables import Conversation, Customer, Handoff, Merchant

log = structlog.get_logger()

LOOK_MAX = 200


async def look(database: Database, jobs: procrastinate.App, now: datetime) -> list[int]:
    """Mark what is overdue, a transaction each; returns the conversations that were told.

    Where it is night at the customer's, a handoff waits for the next permitted hour.
    """
    async with database.operator() as session:
        found = (
            await session.execute(
                select(Handoff.merchant_id, Handoff.conversation_id, Handoff.id)
                .where(
                    Handoff.closed_at.is_(None),
                    Handoff.taken_at.is_(None),
                    Handoff.first_answer_at.is_(None),
                    Handoff.overdue_at.is_(None),
                    Handoff.answer_by <= now,
                )
                .order_by(func.random())  # those that wait for the morning hold nobody up
                .limit(LOOK_MAX)
            )
        ).all()
    told = []
    for merchant_id, conversation_id, handoff_id in found:
        async with database.conversation(merchant_id, conversation_id) as session:
            try:
                permitted = await may_write_unasked(session, conversation_id, now)
            except (ValueError, LookupError) as error:  # one merchant's data must not stop all
                log.error("handoff_not_looked_at", handoff=handoff_id, error=type(error).__name__)
                continue
            if not permitted:
                continue
            log.warning("handoff_overdue", handoff=handoff_id)
            if await desk.mark_overdue(session, handoff_id, now):
                await defer_delivery(jobs, session, merchant_id, conversation_id)
                told.append(conversation_id)
    return told


async def tell_of_answers(
    database: Database, jobs: procrastinate.App, public_url: str, now: datetime
) -> list[int]:
    """Tell whoever has not read a person's answer on their page that it is there, a transaction
    each and within the contact hours; returns the conversations that were told."""
    async with database.operator() as session:
        found = await page_chat.unread(session, now, LOOK_MAX)
    told = []
    for merchant_id, conversation_id in found:
        async with database.conversation(merchant_id, conversation_id) as session:
            conversation = await session.get_one(Conversation, conversation_id)
            try:
                permitted = await may_write_unasked(session, conversation_id, now)
            except (ValueError, LookupError) as error:  # one merchant's data must not stop all
                log.error("answer_not_told", error=type(error).__name__)
                continue
            if permitted and await page_chat.tell_of_answer(session, conversation, now, public_url):
                await defer_delivery(jobs, session, merchant_id, conversation_id)
                told.append(conversation_id)
    return told


async def may_write_unasked(session: AsyncSession, conversation_id: int, now: datetime) -> bool:
    """Whether the contact hours of the customer's place permit a message that answers none.

    Only the hours count: whoever waits for a person was in touch just now.
    """
    found = await session.execute(
        select(Merchant, Customer)
        .select_from(Conversation)
        .join(Merchant, Merchant.id == Conversation.merchant_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(Conversation.id == conversation_id)
    )
    merchant, customer = found.one()
    timezone, land = merchant.timezone, merchant.land
    if customer is not None:
        timezone, land = customer.timezone or timezone, customer.land or land
    policy = policy_from_data(merchant.policy)
    rules = rules_of(policy.contact_country, policy.contact_rules)
    try:
        return isinstance(may_contact(now, timezone, land, rules, ()), Allowed)
    except UnknownTimezone:
        return isinstance(may_contact(now, merchant.timezone, land, rules, ()), Allowed)

"""First contact and the friendly reminder: plan, queue and record, one transaction a customer."""

from collections.abc import AsyncIterator
from datetime import datetime

import procrastinate
from sqlalchemy.ext.asyncio import AsyncSession
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from actions.new_day import ANSWERS
from api.queue import Overtaken, defer_delivery
from api.watch_details import details
from api.wiring import Parts
from channels.choices import LETTERED_CHANNELS
from conversation import genuine, inbox, outbox
from conversation.look import lock
from conversation.moving import How, make_active
from conversation.speaker import Reply
from outreach.facts import PlannedContact, Skipped, Step
from outreach.planner import AlreadyContacted, plan_page, record
from storage.engine import Database


async def decisions(
    database: Database, merchant_id: int, now: datetime
) -> AsyncIterator[PlannedContact | Skipped]:
    """All decisions about a merchant's customers, a page and a transaction at a time."""
    after: int | None = 0
    while after is not None:
        async with database.merchant(merchant_id) as session:
            page = await plan_page(session, merchant_id=merchant_id, now=now, after=after)
        for decision in page.decisions:
            yield decision
        after = page.next_after


async def decision_about(
    database: Database, merchant_id: int, customer_id: int, now: datetime
) -> PlannedContact | Skipped | None:
    """The decision about one customer; None for one without an open claim."""
    async with database.merchant(merchant_id) as session:
        page = await plan_page(
            session, merchant_id=merchant_id, now=now, after=customer_id - 1, limit=1
        )
    return next((found for found in page.decisions if found.customer_id == customer_id), None)


@retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)
async def send_planned(
    parts: Parts, jobs: procrastinate.App, planned: PlannedContact, now: datetime
) -> bool:
    """Queue one planned message with its record and its job; False when another planner did."""
    account = inbox.Account(planned.channel_account_id, planned.merchant_id, planned.channel.value)
    try:
        async with parts.database.operator() as session:
            conversation_id = await inbox.open_conversation(
                session, account, planned.address, now, customer_id=planned.customer_id
            )
            conversation = await lock(session, conversation_id)
            # A number that wrote before it was imported has a conversation with nobody yet.
            conversation.customer_id = conversation.customer_id or planned.customer_id
            conversation.language = conversation.language or planned.language
            if conversation.customer_id == planned.customer_id:
                await make_active(session, conversation, now, How.OUTREACH)
            await session.flush()
            message_id = await _queue(session, parts, planned, conversation_id, now)
            await record(session, planned, message_id=message_id, now=now)
            await defer_delivery(jobs, session, planned.merchant_id, conversation_id)
    except AlreadyContacted:
        return False
    return True


async def _queue(
    session: AsyncSession,
    parts: Parts,
    planned: PlannedContact,
    conversation_id: int,
    now: datetime,
) -> int:
    """Queue the message: as anybody may read it, or with its figures where it answers to proof."""
    held = await outbox.scene(session, conversation_id)
    told = await details(session, held, planned, now)
    if told is not None:
        # Before it the assistant may have to name itself again.
        *_, queued = await outbox.queue(session, held, held.speaker(verified=True), [told], now)
        return queued.message_id
    speaker = held.speaker(verified=False)
    code = genuine.new_code()
    link = genuine.link(code, held.voice, speaker.language, parts.public_url)
    one_tap = planned.step is Step.QUESTION and planned.channel not in LETTERED_CHANNELS
    buttons = ANSWERS if one_tap else []
    reply = Reply(planned.wording, {**planned.args, "proof": link}, buttons)
    (queued,) = await outbox.queue(session, held, speaker, [reply], now)
    genuine.keep(
        session, code, merchant_id=planned.merchant_id, message_id=queued.message_id, now=now
    )
    return queued.message_id

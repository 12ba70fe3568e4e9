"""Between plan and sending much can change: the last look before a message leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ledger import book
from ledger.money import Money
from outreach.facts import SkipReason, Step
from outreach.rules import Allowed
from outreach.send_check import NotAnOutreachWording, Refused, still_allowed
from storage.engine import Database
from storage.tables import (
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
)
from tests.conftest import NOW  # Monday, 11:00 in Berlin
from tests.db.outreach_shop import TODAY, Shop, planned_of


@pytest.fixture
def shop(database: Database, merchant: Merchant) -> Shop:
    return Shop(database, merchant)


async def test_just_before_sending_all_is_still_well(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    await shop.change(message, status="sending")
    assert await shop.check(message, customer) == Allowed()


Change = Callable[[Shop, Customer, Message], Any]


async def _dispute(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await shop.claims_of(customer)
    async with shop.session() as session:
        await book.dispute(session, claim.id, "returned", now=NOW)


async def _stale(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await shop.claims_of(customer)
    await shop.change(claim, confirmed_at=NOW - timedelta(hours=25))


async def _paid(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await shop.claims_of(customer)
    async with shop.session() as session:
        await book.post_payment(
            session, claim.id, Money(84_90), value_date=TODAY, now=NOW, key="paid"
        )


async def _conversation_changed(shop: Shop, message: Message, **fields: Any) -> None:
    async with shop.session() as session:
        await session.execute(
            update(Conversation).where(Conversation.id == message.conversation_id).values(**fields)
        )


async def _stop(shop: Shop, customer: Customer, message: Message) -> None:
    await _conversation_changed(shop, message, opted_out_at=NOW)


async def _answer(shop: Shop, customer: Customer, message: Message) -> None:
    await _conversation_changed(shop, message, last_inbound_at=NOW)


async def _person(shop: Shop, customer: Customer, message: Message) -> None:
    await _conversation_changed(shop, message, state="waiting")


async def _nobodys(shop: Shop, customer: Customer, message: Message) -> None:
    await _conversation_changed(shop, message, customer_id=None)


async def _wrong_number(shop: Shop, customer: Customer, message: Message) -> None:
    async with shop.session() as session:
        await session.execute(update(ContactPoint).values(invalid_at=NOW))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_dispute, SkipReason.DISPUTE),
        (_stale, SkipReason.NOT_CONFIRMED),
        (_paid, SkipReason.NOTHING_OPEN),
        (_stop, SkipReason.OPTED_OUT),
        (_answer, SkipReason.ANSWERED),
        (_person, SkipReason.WITH_PERSON),
        (_nobodys, SkipReason.OTHER_CUSTOMER),
        (_wrong_number, SkipReason.NO_CHANNEL),
    ],
)
async def test_what_changed_since_the_plan_holds_the_message_back(
    shop: Shop, change: Change, reason: SkipReason
) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    await change(shop, customer, message)
    assert await shop.check(message, customer) == Refused(reason)


async def test_a_message_that_waited_into_the_evening_is_held_back(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    evening = NOW + timedelta(hours=9)
    morning = NOW + timedelta(hours=22)
    assert await shop.check(message, customer, evening) == Refused(SkipReason.QUIET_HOURS, morning)


async def test_a_cancelled_message_is_planned_anew(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    await shop.change(message, status="cancelled")
    again = planned_of(await shop.decision(customer))
    assert (again.step, again.cycle) == (Step.FIRST_CONTACT, 2)
    await shop.queue(again)


async def test_replies_are_not_subject_to_the_check(shop: Shop) -> None:
    async with shop.session() as session:
        with pytest.raises(NotAnOutreachWording):
            await still_allowed(
                session,
                customer_id=1,
                conversation_id=1,
                message_id=1,
                message_wording="plan_offer",
                now=NOW,
            )

"""Planning first contacts on a real database: who is contacted, who is not, and once only."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from channels.message import Channel
from ledger import book
from ledger.agreements import Promise, terms_to_data
from ledger.money import Money
from outreach.customer_facts import UnknownMerchant, read_customers, read_sender
from outreach.decision import decide
from outreach.facts import PlannedContact, Skipped, SkipReason, Step
from outreach.planner import AlreadyContacted, plan, plan_page
from storage.engine import Database
from storage.tables import (
    Agreement,
    AuditEvent,
    ContactAttempt,
    Conversation,
    Merchant,
    Message,
)
from tests.conftest import NOW  # Monday, 11:00 in Berlin
from tests.db.outreach_shop import TODAY, Shop, planned_of, reason_of


@pytest.fixture
def shop(database: Database, merchant: Merchant) -> Shop:
    return Shop(database, merchant)


async def test_plans_the_first_contact(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    planned = planned_of(await shop.decision(customer))
    assert (planned.customer_number, planned.wording) == ("K-1", "first_contact")
    assert (planned.channel, planned.address) == (Channel.SMS, "+4915735990123")
    assert planned.channel_account_id == (await shop.account(Channel.SMS)).id


async def test_balances_are_the_sums_that_the_ledger_keeps(shop: Shop) -> None:
    customer = await shop.customer("K-1")
    claims = [await shop.claim(customer, 50_00), await shop.claim(customer, 30_00)]
    async with shop.session() as session:
        await book.post_payment(
            session, claims[0].id, Money(12_34), value_date=TODAY, now=NOW, key="p1"
        )
        await book.post_payment(
            session, claims[1].id, Money(45_00), value_date=TODAY, now=NOW, key="p2"
        )
        await book.post_return(
            session, claims[0].id, Money(2_34), value_date=TODAY, now=NOW, key="r1"
        )
    async with shop.session() as session:
        sender = await read_sender(session, shop.merchant.id)
        (facts,) = await read_customers(session, sender, [customer.id])
        found = {claim.id: claim.balance for claim in facts.claims}
        assert found[claims[0].id] == (await book.balance(session, claims[0].id)).total
    assert found == {claims[0].id: Money(40_00)}


async def test_what_is_paid_or_small_is_let_go(shop: Shop) -> None:
    paid = await shop.reachable("K-1", "+4915735990101")
    small = await shop.reachable("K-2", "+4915735990102")
    long_ago = TODAY - timedelta(days=30)  # nobody is thanked any more
    async with shop.session() as session:
        for customer, amount in ((paid, 84_90), (small, 83_00)):
            (claim,) = await book.claims_of(session, customer.id)
            await book.post_payment(
                session, claim.id, Money(amount), value_date=long_ago, now=NOW, key=f"p{claim.id}"
            )
    decisions = await shop.plan()
    assert [each.customer_id for each in decisions] == [small.id]
    assert reason_of(decisions[0]) is SkipReason.SMALL_BALANCE


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"confirmed_at": NOW - timedelta(hours=25)}, SkipReason.NOT_CONFIRMED),
        ({"confirmed_at": None}, SkipReason.NOT_CONFIRMED),
        ({"status": "disputed"}, SkipReason.DISPUTE),
        ({"paused_until": TODAY}, SkipReason.PAUSED),
        ({"limitation_date": date(2026, 11, 22)}, SkipReason.TIME_BARRED),
        ({"due_date": TODAY}, SkipReason.NOT_DUE),
    ],
)
async def test_claims_that_are_no_ground(
    shop: Shop, fields: dict[str, Any], reason: SkipReason
) -> None:
    customer = await shop.customer("K-1")
    await shop.claim(customer, **fields)
    await shop.point(customer, "+4915735990123")
    assert reason_of(await shop.decision(customer)) is reason


@pytest.mark.parametrize("status", ["settled", "recalled", "written_off"])
async def test_claims_that_are_done_bring_nobody_up(shop: Shop, status: str) -> None:
    customer = await shop.customer("K-1")
    await shop.claim(customer, status=status)
    assert await shop.plan() == []


async def test_an_active_agreement_is_left_alone(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    async with shop.session() as session:
        (claim,) = await book.claims_of(session, customer.id)
        agreement = Agreement(
            merchant_id=shop.merchant.id,
            claim_id=claim.id,
            kind="promise",
            terms={
                "agreed": terms_to_data(Promise(Money(84_90), TODAY + timedelta(days=9))),
                "after_posting": 0,
            },
            total_minor=84_90,
            currency="EUR",
            agreed_at=NOW,
            idempotency_key="a1",
            input_hash="",
        )
        session.add(agreement)
    assert reason_of(await shop.decision(customer)) is SkipReason.AGREEMENT
    await shop.change(agreement, status="broken")
    planned_of(await shop.decision(customer))


async def test_a_stop_on_one_channel_is_that_channels_and_is_named(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.account(Channel.TELEGRAM)
    await shop.point(customer, "4711", Channel.TELEGRAM)
    await shop.conversation(
        customer,
        "4711",
        Channel.TELEGRAM,
        opted_out_at=NOW,
        last_inbound_at=NOW - timedelta(days=9),
    )
    planned = planned_of(await shop.decision(customer))
    assert planned.channel is Channel.SMS
    assert planned.reason.endswith("; not telegram: opted_out")
    await shop.queue(planned)
    async with shop.session() as session:
        event = (
            await session.scalars(select(AuditEvent).where(AuditEvent.kind == "channel_fallback"))
        ).one()
    passed = [{"channel": "telegram", "reason": "opted_out"}]
    assert (event.customer_id, event.facts) == (customer.id, {"to": "sms", "passed": passed})


async def test_no_more_messages_at_all_holds_for_every_channel(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.change(customer, opted_out_at=NOW)
    assert reason_of(await shop.decision(customer)) is SkipReason.OPTED_OUT


async def test_a_stop_said_at_an_address_holds_for_whoever_it_stands_for(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.conversation(None, "+4915735990123", opted_out_at=NOW)
    assert reason_of(await shop.decision(customer)) is SkipReason.OPTED_OUT


@pytest.mark.parametrize("state", ["waiting", "agent"])
async def test_who_is_with_a_person_is_left_to_the_person(shop: Shop, state: str) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.conversation(customer, "+4915735990123", state=state)
    assert reason_of(await shop.decision(customer)) is SkipReason.WITH_PERSON


async def test_telegram_only_where_the_customer_came_in(shop: Shop) -> None:
    await shop.account(Channel.TELEGRAM)
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.point(customer, "4711", Channel.TELEGRAM, source="customer")
    assert planned_of(await shop.decision(customer)).channel is Channel.SMS
    await shop.conversation(
        customer, "4711", Channel.TELEGRAM, last_inbound_at=NOW - timedelta(days=9)
    )
    assert planned_of(await shop.decision(customer)).channel is Channel.TELEGRAM


async def test_whatsapp_with_consent_and_template_and_never_for_collectors(shop: Shop) -> None:
    account = await shop.account(Channel.WHATSAPP)
    customer = await shop.reachable("K-1", "+4915735990123")
    point = await shop.point(customer, "+4915735990123", Channel.WHATSAPP)
    assert planned_of(await shop.decision(customer)).channel is Channel.SMS
    await shop.change(point, consent_at=NOW)
    assert planned_of(await shop.decision(customer)).channel is Channel.SMS
    await shop.change(account, templates={"first_contact.de": "HX00"})
    assert planned_of(await shop.decision(customer)).channel is Channel.WHATSAPP
    async with shop.database.operator() as session:
        await session.execute(update(Merchant).values(kind="collector"))
    assert planned_of(await shop.decision(customer)).channel is Channel.SMS


async def test_an_uncertain_number_is_not_written_to(shop: Shop) -> None:
    customer = await shop.customer("K-1")
    await shop.claim(customer)
    await shop.point(customer, "+4915735990123", match_confidence=Decimal("0.99"))
    decision = await shop.decision(customer)
    assert isinstance(decision, Skipped)
    assert decision.detail == "sms:match_uncertain"


async def test_one_number_of_two_customers_reaches_one_of_them(shop: Shop) -> None:
    first = await shop.reachable("K-1", "+4915735990123")
    second = await shop.reachable("K-2", "+4915735990123")
    planned = planned_of(await shop.decision(first))
    assert reason_of(await shop.decision(second)) is SkipReason.NO_CHANNEL
    await shop.queue(planned)
    async with shop.session() as session:
        (claim,) = await book.claims_of(session, first.id)
        await book.recall(session, claim.id, "paid elsewhere", now=NOW)
    decision = await shop.decision(second)
    assert isinstance(decision, Skipped)
    assert decision.detail == "sms:shared_address"


async def test_the_whole_journey(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    (claim,) = await shop.claims_of(customer)

    async def at(days: float) -> PlannedContact | Skipped:
        now = NOW + timedelta(days=days)
        await shop.change(claim, confirmed_at=now)
        return await shop.decision(customer, now)

    first = await shop.queue(planned_of(await at(0)))
    assert reason_of(await at(0)) is SkipReason.ON_ITS_WAY
    await shop.change(first, status="sent", sent_at=NOW)
    assert reason_of(await at(2)) is SkipReason.AWAITING_ANSWER
    reminder = planned_of(await at(3))
    assert (reminder.step, reminder.wording) == (Step.REMINDER, "first_reminder")
    message = await shop.queue(reminder, NOW + timedelta(days=3))
    await shop.change(message, status="sent", sent_at=NOW + timedelta(days=3))
    assert reason_of(await at(30)) is SkipReason.REMINDED
    async with shop.session() as session:
        attempts = await session.scalars(select(ContactAttempt).order_by(ContactAttempt.id))
        assert [(each.cycle, each.step, each.reason) for each in attempts] == [
            (1, "first_contact", "no_contact_yet; only_reachable_channel"),
            (1, "reminder", "no_answer; same_channel_as_before"),
        ]


async def test_an_answer_ends_the_journey(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    await shop.change(message, status="sent", sent_at=NOW)
    async with shop.session() as session:
        await session.execute(update(Conversation).values(last_inbound_at=NOW + timedelta(days=1)))
    (claim,) = await shop.claims_of(customer)
    later = NOW + timedelta(days=4)
    await shop.change(claim, confirmed_at=later)
    assert reason_of(await shop.decision(customer, later)) is SkipReason.ANSWERED


async def test_two_planners_send_once(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.conversation(customer, "+4915735990123")
    plans = [planned_of(await shop.decision(customer)) for _ in range(4)]
    outcomes = await asyncio.gather(*map(shop.queue, plans), return_exceptions=True)
    assert sum(isinstance(each, Message) for each in outcomes) == 1
    assert sum(isinstance(each, AlreadyContacted) for each in outcomes) == 3
    async with shop.session() as session:
        assert len((await session.scalars(select(ContactAttempt))).all()) == 1
        assert len((await session.scalars(select(Message))).all()) == 1


async def test_pages_go_on_where_the_last_one_ended(shop: Shop) -> None:
    customers = [await shop.reachable(f"K-{n}", f"+49157359901{n:02}") for n in range(5)]
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        async with shop.session() as session:
            page = await plan_page(
                session, merchant_id=shop.merchant.id, now=NOW, after=after, limit=2
            )
        assert len(page.decisions) <= 2
        seen += [each.customer_id for each in page.decisions]
        after = page.next_after
    assert seen == [each.id for each in customers]


async def test_a_merchant_sees_only_its_own(shop: Shop, database: Database) -> None:
    await shop.reachable("K-1", "+4915735990123")
    other = Merchant(key="other", name="Other", policy={}, created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    assert await Shop(database, other).plan() == []
    async with database.operator() as session:
        found = [each async for each in plan(session, merchant_id=other.id, now=NOW)]
    assert found == []
    async with shop.session() as session:
        with pytest.raises(UnknownMerchant):
            await read_sender(session, 10**9)


async def test_the_merchants_own_contact_rules_count(shop: Shop, database: Database) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    async with database.operator() as session:
        policy = {"contact_rules": {"weekday": "12:00-17:00"}}
        await session.execute(update(Merchant).values(policy=policy))
    decision = await shop.decision(customer)
    assert isinstance(decision, Skipped)
    assert decision.not_before == NOW + timedelta(hours=1)


async def test_the_decision_is_the_same_for_page_and_customer(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    async with shop.session() as session:
        sender = await read_sender(session, shop.merchant.id)
        (facts,) = await read_customers(session, sender, [customer.id])
    assert decide(facts, sender, NOW) == await shop.decision(customer)

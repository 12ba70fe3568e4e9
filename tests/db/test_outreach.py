"""Planning first contacts on a real database: what is read, what is recorded, what is refused."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from outreach.customer_facts import UnknownMerchant, read_customers, read_sender
from outreach.decision import decide
from outreach.facts import PlannedContact, Skipped, SkipReason, Step
from outreach.planner import AlreadyContacted, plan, plan_page, record
from outreach.rules import Allowed
from outreach.send_check import NotAnOutreachWording, Refused, still_allowed
from storage.engine import Database
from storage.tables import (
    Agreement,
    ChannelAccount,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
)
from tests.conftest import NOW  # Monday, 11:00 in Berlin

TODAY = date(2026, 11, 23)


@dataclass
class Shop:
    """One merchant's rows, made as the tests need them."""

    database: Database
    merchant: Merchant
    claims_made: int = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with self.database.merchant(self.merchant.id) as session:
            yield session

    async def customer(self, number: str, **fields: Any) -> Customer:
        row = Customer(
            merchant_id=self.merchant.id,
            number=number,
            name="Beispiel",
            created_at=NOW,
            updated_at=NOW,
            **fields,
        )
        async with self.session() as session:
            session.add(row)
        return row

    async def claim(
        self, customer: Customer, amount_minor: int = 84_90, *, at: datetime = NOW, **fields: Any
    ) -> Claim:
        self.claims_made += 1
        reference = f"R-{self.claims_made}"
        async with self.session() as session:
            claim = await book.open_claim(
                session,
                NewClaim(
                    merchant_id=self.merchant.id,
                    customer_id=customer.id,
                    reference=reference,
                    invoice_number=reference,
                    description="Schuhe",
                    principal=Money(amount_minor),
                    invoice_date=date(2026, 9, 15),
                    due_date=date(2026, 10, 15),
                    confirmed_at=at,
                ),
                now=at,
                key=f"claim:{reference}",
            )
            for name, value in fields.items():
                setattr(claim, name, value)
        return claim

    async def point(
        self, customer: Customer, address: str, channel: Channel = Channel.SMS, **fields: Any
    ) -> ContactPoint:
        row = ContactPoint(
            merchant_id=self.merchant.id,
            customer_id=customer.id,
            channel=channel,
            address=address,
            source=fields.pop("source", "merchant_import"),
            created_at=NOW,
            **fields,
        )
        async with self.session() as session:
            session.add(row)
        return row

    async def reachable(self, number: str, address: str) -> Customer:
        """A customer with one claim of 84.90 EUR and one telephone number."""
        customer = await self.customer(number)
        await self.claim(customer)
        await self.point(customer, address)
        return customer

    async def account(self, channel: Channel) -> ChannelAccount:
        async with self.session() as session:
            row = await session.scalar(
                select(ChannelAccount).where(ChannelAccount.channel == channel)
            )
            if row is None:
                row = ChannelAccount(
                    merchant_id=self.merchant.id,
                    channel=channel,
                    address=f"{channel} of {self.merchant.key}",
                    created_at=NOW,
                )
                session.add(row)
        return row

    async def conversation(
        self, customer: Customer | None, address: str, channel: Channel = Channel.SMS, **fields: Any
    ) -> Conversation:
        account = await self.account(channel)
        row = Conversation(
            merchant_id=self.merchant.id,
            channel_account_id=account.id,
            channel=channel,
            address=address,
            customer_id=customer.id if customer else None,
            created_at=NOW,
            **fields,
        )
        async with self.session() as session:
            session.add(row)
        return row

    async def plan(self, now: datetime = NOW) -> list[PlannedContact | Skipped]:
        async with self.session() as session:
            return [each async for each in plan(session, merchant_id=self.merchant.id, now=now)]

    async def decision(self, customer: Customer, now: datetime = NOW) -> PlannedContact | Skipped:
        return next(each for each in await self.plan(now) if each.customer_id == customer.id)

    async def queue(self, planned: PlannedContact, now: datetime = NOW) -> Message:
        """What the edge does with a planned contact, in one transaction."""
        async with self.session() as session:
            conversation = await session.scalar(
                select(Conversation).where(
                    Conversation.channel_account_id == planned.channel_account_id,
                    Conversation.address == planned.address,
                )
            )
            if conversation is None:
                conversation = Conversation(
                    merchant_id=self.merchant.id,
                    channel_account_id=planned.channel_account_id,
                    channel=planned.channel,
                    address=planned.address,
                    customer_id=planned.customer_id,
                    created_at=now,
                )
                session.add(conversation)
                await session.flush()
            message = Message(
                merchant_id=self.merchant.id,
                conversation_id=conversation.id,
                channel_account_id=planned.channel_account_id,
                direction="out",
                author="bot",
                kind="text",
                text="…",
                wording=planned.wording,
                status="queued",
                created_at=now,
            )
            session.add(message)
            await session.flush()
            await record(session, planned, message_id=message.id, now=now)
        return message

    async def change(self, row: Any, **fields: Any) -> None:
        table = type(row)
        async with self.session() as session:
            await session.execute(update(table).where(table.id == row.id).values(**fields))

    async def check(self, message: Message, customer: Customer, now: datetime = NOW) -> Any:
        async with self.session() as session:
            return await still_allowed(
                session,
                customer_id=customer.id,
                conversation_id=message.conversation_id,
                message_wording=message.wording or "",
                now=now,
            )


@pytest.fixture
def shop(database: Database, merchant: Merchant) -> Shop:
    return Shop(database, merchant)


def planned_of(decision: PlannedContact | Skipped) -> PlannedContact:
    assert isinstance(decision, PlannedContact), decision
    return decision


def reason_of(decision: PlannedContact | Skipped) -> SkipReason:
    assert isinstance(decision, Skipped), decision
    return decision.reason


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
    async with shop.session() as session:
        for customer, amount in ((paid, 84_90), (small, 83_00)):
            (claim,) = await book.claims_of(session, customer.id)
            await book.post_payment(
                session, claim.id, Money(amount), value_date=TODAY, now=NOW, key=f"p{claim.id}"
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


async def test_a_stop_on_one_channel_holds_for_all(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    await shop.point(customer, "+4915735990124", opted_out_at=NOW)
    other = await shop.reachable("K-2", "+4915735990125")
    await shop.conversation(other, "4711", Channel.TELEGRAM, opted_out_at=NOW)
    assert [reason_of(each) for each in await shop.plan()] == [SkipReason.OPTED_OUT] * 2


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
    (claim,) = await _claims(shop, customer)

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
    (claim,) = await _claims(shop, customer)
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


async def test_just_before_sending_all_is_still_well(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    message = await shop.queue(planned_of(await shop.decision(customer)))
    await shop.change(message, status="sending")
    assert await shop.check(message, customer) == Allowed()


Change = Callable[[Shop, Customer, Message], Any]


async def _dispute(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await _claims(shop, customer)
    async with shop.session() as session:
        await book.dispute(session, claim.id, "returned", now=NOW)


async def _stale(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await _claims(shop, customer)
    await shop.change(claim, confirmed_at=NOW - timedelta(hours=25))


async def _paid(shop: Shop, customer: Customer, message: Message) -> None:
    (claim,) = await _claims(shop, customer)
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
                message_wording="plan_offer",
                now=NOW,
            )


async def _claims(shop: Shop, customer: Customer) -> list[Claim]:
    async with shop.session() as session:
        return await book.claims_of(session, customer.id)


MANY = """
INSERT INTO customer (merchant_id, number, name, created_at, updated_at)
    SELECT :merchant, 'M-' || n, 'Beispiel', :now, :now FROM generate_series(1, :count) n;
INSERT INTO contact_point (merchant_id, customer_id, channel, address, source, created_at)
    SELECT merchant_id, id, 'sms', '+49157' || lpad(id::text, 8, '0'), 'merchant_import', :now
    FROM customer;
INSERT INTO claim (merchant_id, customer_id, reference, invoice_number, description, currency,
        rf_reference, invoice_date, due_date, confirmed_at, created_at, updated_at)
    SELECT merchant_id, id, number || '-' || k, number || '-' || k, 'Ware', 'EUR',
        number || '-' || k, '2026-09-01', '2026-09-15', :now, :now, :now
    FROM customer, generate_series(1, 2) k;
INSERT INTO posting (merchant_id, claim_id, number, kind, source, destination, amount_minor,
        currency, value_date, booked_at, idempotency_key, input_hash, previous_hash, hash)
    SELECT merchant_id, id, k, 'opening', 'revenue',
        CASE k WHEN 1 THEN 'receivable:principal' ELSE 'receivable:costs' END, 1000 * k,
        'EUR', '2026-09-01', :now, 'many:' || id || ':' || k, '', '', ''
    FROM claim, generate_series(1, 2) k
"""


async def test_twenty_thousand_customers_page_by_page(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    """The number of statements grows with pages, not customers; the time is only reported."""
    count = 20_000
    async with shop.database.operator() as session:
        for statement in MANY.split(";"):
            await session.execute(
                text(statement), {"merchant": shop.merchant.id, "now": NOW, "count": count}
            )
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = shop.database.engines[0].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    begun = time.perf_counter()
    planned = 0
    async with shop.session() as session:
        async for decision in plan(session, merchant_id=shop.merchant.id, now=NOW):
            planned += isinstance(decision, PlannedContact)
    seconds = time.perf_counter() - begun
    event.remove(engine, "before_cursor_execute", note)
    record_property("plan_20000_customers_seconds", round(seconds, 2))
    print(f"plan over {count} customers: {seconds:.2f} s, {len(statements)} statements")
    assert planned == count
    assert len(statements) <= 7 * (count // 500 + 1) + 3


async def test_the_decision_is_the_same_for_page_and_customer(shop: Shop) -> None:
    customer = await shop.reachable("K-1", "+4915735990123")
    async with shop.session() as session:
        sender = await read_sender(session, shop.merchant.id)
        (facts,) = await read_customers(session, sender, [customer.id])
    assert decide(facts, sender, NOW) == await shop.decision(customer)

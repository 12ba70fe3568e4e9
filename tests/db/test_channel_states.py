"""Whatever happens to a customer's channels, in whatever order: who may be written to stays so.

A state machine over real PostgreSQL. After each step, what outreach would send and what the outbox
would let go is compared with a model of what each address permits.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.outreach_check import still_allowed
from channels.message import Channel
from channels.window import window_open
from conversation import delivery
from conversation.address_code import send_code, try_code
from conversation.consent import (
    bind_start_token,
    make_start_token,
    opt_out,
    opt_out_everywhere,
    set_reachable,
)
from conversation.inbox import Account, open_conversation
from conversation.moving import How, Wake, make_active, move
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from outreach.facts import PlannedContact
from outreach.planner import plan
from storage.engine import Database
from storage.tables import (
    ChannelAccount,
    Claim,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
)
from tests.conftest import NOW, PostgresServer

ADDRESSES = {
    Channel.SMS: "+4915735990123",
    Channel.WHATSAPP: "+4915735990456",
    Channel.TELEGRAM: "4711",
}
ARGUMENTS = {"first_contact": {"proof": "https://kulanz.example/echt/bcdfg-23456"}}
CHANNELS = st.sampled_from(sorted(ADDRESSES))


class Channels(RuleBasedStateMachine):
    """One customer with a claim; an imported SMS number of theirs, and whatever they open."""

    server: PostgresServer

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.lent = ExitStack()
        urls = self.lent.enter_context(self.server.database())
        self.database = Database(urls, pool_size=2)
        self.now: datetime = NOW
        self.stopped: set[Channel] = set()
        self.gone: set[Channel] = set()
        """Addresses that the provider says do not exist."""
        self.everywhere = False
        self.proved: set[Channel] = set()
        self.wrote_at: dict[Channel, datetime] = {}
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.loop.close()
        self.lent.close()

    async def _open(self) -> None:
        async with self.database.operator() as session:
            merchant = Merchant(
                key="lindenhof", name="Lindenhof", phone="+493023125000", policy={}, created_at=NOW
            )
            session.add(merchant)
            await session.flush()
            self.merchant_id = merchant.id
            self.accounts = {}
            for channel in ADDRESSES:
                account = ChannelAccount(
                    merchant_id=merchant.id,
                    channel=channel,
                    address=f"of {channel}",
                    public_name="bot",
                    templates={"first_contact.de": "HX"} if channel is Channel.WHATSAPP else {},
                    created_at=NOW,
                )
                session.add(account)
                await session.flush()
                self.accounts[channel] = account.id
            customer = Customer(
                merchant_id=merchant.id, number="K-1", name="B", created_at=NOW, updated_at=NOW
            )
            session.add(customer)
            await session.flush()
            self.customer_id = customer.id
            session.add(
                ContactPoint(
                    merchant_id=merchant.id,
                    customer_id=customer.id,
                    channel="sms",
                    address=ADDRESSES[Channel.SMS],
                    source="merchant_import",
                    created_at=NOW,
                )
            )
            new = NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="R-1",
                invoice_number="R-1",
                description="Schuhe",
                principal=Money(84_90),
                invoice_date=(NOW - timedelta(days=60)).date(),
                due_date=(NOW - timedelta(days=40)).date(),
                confirmed_at=NOW,
            )
            await book.open_claim(session, new, now=NOW, key="claim")

    async def _talk(self, session: Any, channel: Channel) -> Conversation:
        account = Account(self.accounts[channel], self.merchant_id, channel)
        id_ = await open_conversation(session, account, ADDRESSES[channel], self.now)
        found: Conversation = await session.get_one(Conversation, id_)
        return found

    @rule(channel=CHANNELS)
    def writes(self, channel: Channel) -> None:
        """The customer writes there; only a known address is theirs."""

        async def work() -> None:
            async with self.database.merchant(self.merchant_id) as session:
                held = await self._talk(session, channel)
                held.last_inbound_at = self.now
                if held.customer_id is not None:
                    await make_active(session, held, self.now, How.WROTE)

        self.run(work())
        self.wrote_at[channel] = self.now

    @rule(channel=CHANNELS.filter(lambda channel: channel is not Channel.SMS), source=CHANNELS)
    def comes_by_link(self, channel: Channel, source: Channel) -> None:
        async def work() -> None:
            async with self.database.merchant(self.merchant_id) as session:
                asked = await self._talk(session, source)
                # Whom nobody knows there has the link from the merchant.
                origin = asked if asked.customer_id == self.customer_id else None
                token = await make_start_token(
                    session,
                    merchant_id=self.merchant_id,
                    customer_id=self.customer_id,
                    channel_account_id=self.accounts[channel],
                    now=self.now,
                    from_conversation_id=origin.id if origin is not None else None,
                )
                held = await self._talk(session, channel)
                held.last_inbound_at = self.now
                assert await bind_start_token(session, held, token, self.now)
                await move(session, held, self.now, How.LINK, Wake(), origin=origin)

        self.run(work())
        self._arrived(channel)

    @precondition(lambda self: self.proved - {Channel.SMS})
    @rule()
    def types_a_code(self) -> None:
        source = sorted(self.proved - {Channel.SMS})[0]

        async def work() -> bool:
            async with self.database.merchant(self.merchant_id) as session:
                origin = await self._talk(session, source)
                account = await session.get_one(ChannelAccount, self.accounts[Channel.SMS])
                sent, _ = await send_code(
                    session, origin, account, ADDRESSES[Channel.SMS], self.now
                )
                if sent != "sent":
                    return False
                newest = (
                    await session.scalars(
                        select(Message)
                        .where(Message.wording == "channel_code")
                        .order_by(Message.id.desc())
                    )
                ).first()
                assert newest is not None
                _, target = await try_code(session, origin, newest.text[:6], self.now)
                assert target is not None
                await move(session, target, self.now, How.CODE, Wake(), origin=origin)
                return True

        if self.run(work()):
            assert Channel.SMS not in self.stopped | self.gone
            self.proved.add(Channel.SMS)
            self.everywhere = False if Channel.SMS in self.stopped else self.everywhere

    def _arrived(self, channel: Channel) -> None:
        self.wrote_at[channel] = self.now
        self.proved.add(channel)
        self.gone.discard(channel)
        if channel in self.stopped:
            self.everywhere = False
        self.stopped.discard(channel)

    @rule(channel=CHANNELS, by=st.sampled_from(["stop", "block", "all"]))
    def refuses(self, channel: Channel, by: str) -> None:
        async def work() -> bool:
            async with self.database.merchant(self.merchant_id) as session:
                held = await self._talk(session, channel)
                if by == "stop":
                    await opt_out(session, held, self.now)
                elif by == "all":
                    await opt_out_everywhere(session, held, self.now)
                else:
                    await set_reachable(
                        session,
                        channel=channel,
                        account=f"of {channel}",
                        address=ADDRESSES[channel],
                        reachable=False,
                        now=self.now,
                    )
                return held.customer_id is not None

        known = self.run(work())
        self.stopped.add(channel)
        if by == "all" and known:
            self.everywhere = True
            self.stopped |= self.proved | {Channel.SMS}

    @rule()
    def number_is_unknown(self) -> None:
        async def work() -> None:
            async with self.database.merchant(self.merchant_id) as session:
                await session.execute(
                    update(ContactPoint)
                    .where(ContactPoint.channel == "sms")
                    .values(invalid_at=self.now, invalid_reason="unreachable")
                )

        self.run(work())
        self.gone.add(Channel.SMS)

    @rule(hours=st.sampled_from([1, 25, 50]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

        async def work() -> None:
            async with self.database.merchant(self.merchant_id) as session:
                await session.execute(update(Claim).values(confirmed_at=self.now))

        self.run(work())

    def _may(self, channel: Channel) -> bool:
        """What the model says of an unasked message to an address."""
        mine = channel in self.proved or channel is Channel.SMS
        return mine and not self.everywhere and channel not in self.stopped | self.gone

    @invariant()
    def outreach_writes_only_where_it_may(self) -> None:
        async def work() -> list[Channel]:
            async with self.database.merchant(self.merchant_id) as session:
                found = plan(session, merchant_id=self.merchant_id, now=self.now)
                return [each.channel async for each in found if isinstance(each, PlannedContact)]

        for channel in self.run(work()):
            assert self._may(channel), f"outreach would write on {channel}"

    @invariant()
    def the_outbox_lets_go_only_what_may_go(self) -> None:
        """An unasked message in each conversation: a free text, and outreach's own."""

        async def would_go(
            session: AsyncSession, channel: Channel, wording: str
        ) -> tuple[Any, bool]:
            held = await self._talk(session, channel)
            where = await scene(session, held.id)
            reply = Reply(wording, ARGUMENTS.get(wording, {}))
            (*_, queued) = await queue(
                session, where, where.speaker(verified=False), [reply], self.now
            )
            await session.execute(
                update(Message)
                .where(Message.id < queued.message_id, Message.status == "queued")
                .values(status="cancelled")
            )
            step = await delivery.claim_next(
                session, held.id, self.now, still_allowed=still_allowed
            )
            customer = await session.get_one(Customer, self.customer_id)
            return step, customer.active_conversation_id in (None, held.id)

        async def work() -> list[tuple[Channel, Any, Any, bool]]:
            found = []
            async with self.database.merchant(self.merchant_id) as session:
                await session.execute(
                    update(Message)
                    .where(Message.direction == "out", Message.status == "queued")
                    .values(status="cancelled")
                )
                for channel in ADDRESSES:
                    async with session.begin_nested() as tried:
                        text, _ = await would_go(session, channel, "channel_arrived")
                        await tried.rollback()
                    async with session.begin_nested() as tried:
                        contact, active = await would_go(session, channel, "first_contact")
                        await tried.rollback()
                    found.append((channel, text, contact, active))
                await session.rollback()
            return found

        for channel, text, contact, active in self.run(work()):
            if isinstance(text, delivery.ToSend):
                assert channel not in self.stopped, f"a text would go to {channel}"
                if channel is Channel.WHATSAPP:
                    assert window_open(self.wrote_at.get(channel), self.now)
            if isinstance(contact, delivery.ToSend):
                assert self._may(channel), f"a first contact would go to {channel}"
                assert active, "not where the dialogue is"

    @invariant()
    def the_active_conversation_is_the_customers_own(self) -> None:
        """One column holds it, so there is one; and it is never somebody else's, nor unproved."""

        async def work() -> tuple[int | None, str] | None:
            async with self.database.merchant(self.merchant_id) as session:
                customer = await session.get_one(Customer, self.customer_id)
                if customer.active_conversation_id is None:
                    return None
                held = await session.get_one(Conversation, customer.active_conversation_id)
                return held.customer_id, held.channel

        found = self.run(work())
        if found is not None:
            assert found[0] == self.customer_id
            assert Channel(found[1]) in self.proved | {Channel.SMS}


def test_channel_states(postgres_server: PostgresServer) -> None:
    machine = type("Machine", (Channels,), {"server": postgres_server})
    test = machine.TestCase  # type: ignore[attr-defined]
    test.settings = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    test("runTest").runTest()


def test_an_address_that_was_stopped_before_it_was_written_to_stays_so(
    postgres_server: PostgresServer,
) -> None:
    machine = type("Machine", (Channels,), {"server": postgres_server})()
    try:
        machine.number_is_unknown()
        machine.comes_by_link(channel=Channel.TELEGRAM, source=Channel.SMS)
        machine.refuses(channel=Channel.TELEGRAM, by="all")
        machine.the_outbox_lets_go_only_what_may_go()
    finally:
        machine.teardown()

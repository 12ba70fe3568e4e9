"""A dialogue goes from one channel to another: by link, by code, by writing there; and back."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from channels.message import Channel
from conversation import address_code, turn
from conversation.address_code import CODES_PER_DAY_MAX, TRIES_MAX, Sent, Tried
from conversation.consent import (
    LINK_REFUSALS_PER_HOUR_MAX,
    make_start_token,
    opt_out,
    opt_out_channel,
    opt_out_everywhere,
    set_reachable,
)
from conversation.inbox import Account, open_conversation
from conversation.look import look
from conversation.moving import How, Wake, make_active, move
from conversation.port import Port, conversation_port
from conversation.ways import Kind
from ledger import book
from ledger.book import NewClaim
from ledger.book_rows import open_book
from ledger.money import Money
from ledger.posting import PostingKind
from storage.engine import Database
from storage.tables import (
    AddressCode,
    AuditEvent,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
)
from tests.conftest import NOW

NUMBER = "+4915735990123"
MOBILE = "+4915735990777"


@dataclass
class World:
    """One customer and the merchant's accounts on all channels."""

    database: Database
    merchant: Merchant
    customer: Customer
    accounts: dict[Channel, ChannelAccount] = field(default_factory=dict)
    provider_ids: int = 0

    async def start(self, channel: Channel, address: str, **fields: Any) -> Conversation:
        """The customer's conversation at an address, which is theirs by the merchant's import."""
        async with self.database.merchant(self.merchant.id) as session:
            session.add(
                ContactPoint(
                    merchant_id=self.merchant.id,
                    customer_id=self.customer.id,
                    channel=channel,
                    address=address,
                    source="merchant_import",
                    created_at=NOW,
                )
            )
            await session.flush()
            account = self.accounts[channel]
            id_ = await open_conversation(
                session, Account(account.id, account.merchant_id, channel), address, NOW
            )
            found = await session.get_one(Conversation, id_)
            for name, value in {"last_inbound_at": NOW, "introduced_at": NOW, **fields}.items():
                setattr(found, name, value)
            await make_active(session, found, NOW, How.WROTE)
        return found

    async def receive(
        self, channel: Channel, address: str, text: str, *, now: datetime = NOW, **facts: Any
    ) -> tuple[Conversation, turn.Pending | turn.Settled | None]:
        """A message comes in at an address and is looked at."""
        account = self.accounts[channel]
        self.provider_ids += 1
        async with self.database.merchant(self.merchant.id) as session:
            id_ = await open_conversation(
                session, Account(account.id, account.merchant_id, channel), address, now
            )
            held = await session.get_one(Conversation, id_)
            held.last_inbound_at = now
            session.add(
                Message(
                    merchant_id=self.merchant.id,
                    conversation_id=id_,
                    channel_account_id=account.id,
                    direction="in",
                    author="customer",
                    text=text,
                    provider_message_id=str(self.provider_ids),
                    created_at=now,
                    **{"kind": "message", **facts},
                )
            )
        async with self.database.conversation(self.merchant.id, id_) as session:
            taken = await turn.next_unhandled(session, await look(session, id_, now), now)
            if isinstance(taken, turn.Pending):  # as the answered turn would mark it
                message = await session.get_one(Message, taken.message_id)
                message.handled_at = now
        return await self.conversation(id_), taken

    async def conversation(self, id_: int) -> Conversation:
        async with self.database.merchant(self.merchant.id) as session:
            return await session.get_one(Conversation, id_)

    async def policy(self, **fields: Any) -> None:
        async with self.database.operator() as session:
            (await session.get_one(Merchant, self.merchant.id)).policy = fields

    async def claim(self, costs: Money) -> None:
        """An invoice of the customer's over 100 €, with costs."""
        async with self.database.merchant(self.merchant.id) as session:
            await book.open_claim(
                session,
                NewClaim(
                    merchant_id=self.merchant.id,
                    customer_id=self.customer.id,
                    reference="F-1",
                    invoice_number="RE-1",
                    order_number=None,
                    description="Gartentisch",
                    principal=Money(100_00),
                    costs=costs,
                    costs_reason="Porto" if costs.minor else None,
                    invoice_date=date(2026, 8, 3),
                    due_date=date(2026, 8, 17),
                    confirmed_at=NOW,
                ),
                now=NOW,
                key="open-1",
            )

    async def active(self) -> int | None:
        async with self.database.merchant(self.merchant.id) as session:
            row = await session.get_one(Customer, self.customer.id)
            return row.active_conversation_id

    async def said(self, conversation: Conversation) -> list[str | None]:
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(
                select(Message.wording)
                .where(
                    Message.conversation_id == conversation.id,
                    Message.direction == "out",
                    Message.status != "cancelled",
                )
                .order_by(Message.id)
            )
            return list(found)

    async def events(self, kind: str) -> list[dict[str, Any]]:
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(
                select(AuditEvent).where(AuditEvent.kind == kind).order_by(AuditEvent.id)
            )
            return [event.facts for event in found]

    async def link(self, conversation: Conversation, channel: Channel, now: datetime = NOW) -> str:
        """The token of a link that the customer asked for."""
        async with self.database.merchant(self.merchant.id) as session:
            port = await conversation_port(session, conversation.id, now)
            link = await port.link_to(channel)
        found = re.search(r"[\w-]{32}\Z", link)
        assert found is not None, link
        return found.group()

    async def code(
        self, conversation: Conversation, number: str = MOBILE, now: datetime = NOW
    ) -> str:
        """Ask for a code; the one that is in the text message, or why none was sent."""
        async with self.database.merchant(self.merchant.id) as session:
            port = await conversation_port(session, conversation.id, now)
            sent = await port.send_code(number)
            if sent != Sent.SENT:
                return sent
            (there,) = port.wake.deliveries
            message = (
                await session.scalars(
                    select(Message)
                    .where(Message.conversation_id == there)
                    .order_by(Message.id.desc())
                    .limit(1)
                )
            ).one()
        return message.text[:6]

    async def type_code(self, conversation: Conversation, code: str, now: datetime = NOW) -> str:
        async with self.database.merchant(self.merchant.id) as session:
            port = await conversation_port(session, conversation.id, now)
            return await port.try_code(code)


@pytest.fixture
async def world(database: Database, merchant: Merchant, customer: Customer) -> World:
    made = World(database, merchant, customer)
    async with database.merchant(merchant.id) as session:
        (sms,) = await session.scalars(select(ChannelAccount))
        made.accounts[Channel.SMS] = sms
        for channel, address, name in (
            (Channel.TELEGRAM, "7001", "linde_bot"),
            (Channel.WHATSAPP, "+4915735990002", None),
        ):
            account = ChannelAccount(
                merchant_id=merchant.id,
                channel=channel,
                address=address,
                public_name=name,
                created_at=NOW,
            )
            session.add(account)
            made.accounts[channel] = account
    return made


@pytest.fixture
async def whatsapp(world: World) -> Conversation:
    """Where the customer is: on WhatsApp, having proved who they are, in the middle of things."""
    return await world.start(
        Channel.WHATSAPP,
        NUMBER,
        verified_at=NOW,
        verified_with="invoice_number",
        language="de",
        slots={"awaiting": "confirm_agreement", "claim_shown": 7, "offer": {"id": "a"}},
    )


async def test_a_link_takes_the_dialogue_along_with_its_proof(
    world: World, whatsapp: Conversation
) -> None:
    token = await world.link(whatsapp, Channel.TELEGRAM)

    there, taken = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}
    )

    assert there.customer_id == world.customer.id
    assert (there.verified_at, there.slots) == (NOW, whatsapp.slots)
    assert await world.active() == there.id
    assert await world.said(whatsapp) == ["channel_left"], "the old channel says goodbye once"
    assert await world.said(there) == ["channel_arrived"]
    assert isinstance(taken, turn.Pending), "the engine goes on where we were"
    assert taken.request.parse_data == {"intent": "greet", "entities": []}
    assert taken.wake.deliveries == {whatsapp.id, there.id}
    known = {event["name"]: event.get("value") for event in taken.request.events}
    assert known == {**whatsapp.slots, "action_listen": None}
    moved = {"from": "whatsapp", "to": "telegram", "how": "link"}
    assert await world.events("channel_changed") == [moved]


async def test_a_proof_that_has_lapsed_does_not_come_along(
    world: World, whatsapp: Conversation
) -> None:
    later = NOW + timedelta(hours=20)
    token = await world.link(whatsapp, Channel.TELEGRAM)
    there, _ = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}, now=later
    )
    assert (await world.active(), there.verified_at) == (there.id, None)


async def test_a_link_that_the_merchant_handed_out_proves_nothing(
    world: World, whatsapp: Conversation
) -> None:
    """It may have lain in a letter that somebody else opened."""
    async with world.database.merchant(world.merchant.id) as session:
        port = await conversation_port(session, whatsapp.id, NOW)
        await port.request_person("asked_for_person", {})
        token = await make_start_token(
            session,
            merchant_id=world.merchant.id,
            customer_id=world.customer.id,
            channel_account_id=world.accounts[Channel.TELEGRAM].id,
            now=NOW,
        )
    there, _ = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}
    )
    assert (there.customer_id, there.verified_at) == (world.customer.id, None)
    assert (await world.conversation(whatsapp.id)).state == "waiting", "the person stays there"
    async with world.database.merchant(world.merchant.id) as session:
        port = await conversation_port(session, whatsapp.id, NOW)
        assert (await port.way_to(Channel.TELEGRAM)).kind is Kind.LINK, "not known to be theirs"


async def test_letting_us_in_again_at_the_provider_takes_no_stop_back(
    world: World, whatsapp: Conversation
) -> None:
    async with world.database.merchant(world.merchant.id) as session:
        await opt_out_everywhere(session, await session.get_one(Conversation, whatsapp.id), NOW)
        await set_reachable(
            session,
            channel=Channel.WHATSAPP,
            account=world.accounts[Channel.WHATSAPP].address,
            address=NUMBER,
            reachable=True,
            now=NOW,
        )
        assert (await session.get_one(Customer, world.customer.id)).opted_out_at == NOW


@pytest.mark.parametrize("said", ["here", "elsewhere", None])
async def test_unblocking_ends_a_block_and_no_stop_that_was_said(
    world: World, whatsapp: Conversation, said: str | None
) -> None:
    telegram = await world.start(Channel.TELEGRAM, "7001")

    async def reachable(reachable: bool) -> None:
        async with world.database.merchant(world.merchant.id) as session:
            await set_reachable(
                session,
                channel=Channel.TELEGRAM,
                account=world.accounts[Channel.TELEGRAM].address,
                address="7001",
                reachable=reachable,
                now=NOW,
            )

    if said == "here":
        await world.receive(Channel.TELEGRAM, "7001", "STOP")
    if said == "elsewhere":
        async with world.database.merchant(world.merchant.id) as session:
            held = await session.get_one(Conversation, whatsapp.id)
            await opt_out_channel(session, held, Channel.TELEGRAM, NOW)
    await reachable(False)
    assert (await world.conversation(telegram.id)).opted_out_at is not None
    await reachable(True)
    stopped = (await world.conversation(telegram.id)).opted_out_at is not None
    assert stopped is (said is not None)


async def test_start_is_heard_where_the_address_was_stopped_before_anything_was_written(
    world: World, whatsapp: Conversation
) -> None:
    async with world.database.merchant(world.merchant.id) as session:
        session.add(
            ContactPoint(
                merchant_id=world.merchant.id,
                customer_id=world.customer.id,
                channel=Channel.SMS,
                address=MOBILE,
                source="merchant_import",
                created_at=NOW,
            )
        )
        await session.flush()
        await opt_out_everywhere(session, await session.get_one(Conversation, whatsapp.id), NOW)
    _, taken = await world.receive(Channel.SMS, MOBILE, "START")
    assert isinstance(taken, turn.Settled)
    assert taken.outcome == "opted_in_again"
    async with world.database.merchant(world.merchant.id) as session:
        point = await session.scalar(select(ContactPoint).where(ContactPoint.address == MOBILE))
        assert point is not None
        assert point.opted_out_at is None
        assert (await session.get_one(Customer, world.customer.id)).opted_out_at is None


async def test_half_a_proof_does_not_come_along(world: World) -> None:
    slots = {"awaiting": "verification", "given": {"postal_code": "10115"}, "claim_id": 7}
    await world.start(Channel.WHATSAPP, NUMBER, slots=slots)
    await world.start(Channel.SMS, MOBILE)
    sms, _ = await world.receive(Channel.SMS, MOBILE, "Hallo")
    assert sms.slots == {"awaiting": "verification", "claim_id": 7}


async def test_no_more_messages_after_a_stop_is_confirmed_once(world: World) -> None:
    sms = await world.start(Channel.SMS, NUMBER)
    for text in ("STOP", "keine Nachrichten mehr", "keine Nachrichten mehr"):
        await world.receive(Channel.SMS, NUMBER, text)
    said = await world.said(sms)
    assert said == ["opt_out_confirmed", "opt_out_everywhere_confirmed"]


async def test_a_link_to_whatsapp_comes_back_in_the_first_message(world: World) -> None:
    sms = await world.start(Channel.SMS, NUMBER, verified_at=NOW)
    token = await world.link(sms, Channel.WHATSAPP)
    there, taken = await world.receive(Channel.WHATSAPP, MOBILE, f"Hier machen wir weiter: {token}")
    assert (there.customer_id, there.verified_at) == (world.customer.id, NOW)
    assert isinstance(taken, turn.Pending)
    assert taken.request.parse_data == {"intent": "greet", "entities": []}


@pytest.mark.parametrize(
    "why", ["forged", "late", "used", "wrong_person", "other_account", "other_customer"]
)
async def test_a_link_that_is_not_good_binds_nobody(
    world: World, whatsapp: Conversation, why: str
) -> None:
    token, now, channel = await world.link(whatsapp, Channel.TELEGRAM), NOW, Channel.TELEGRAM
    if why == "forged":
        token = token[:-1] + ("a" if token[-1] != "a" else "b")
    elif why == "late":
        now = NOW + timedelta(hours=25)
    elif why == "used":
        await world.receive(channel, "1", "", kind="start", args={"start_token": token})
    elif why == "wrong_person":
        async with world.database.merchant(world.merchant.id) as session:
            port = await conversation_port(session, whatsapp.id, NOW)
            await port.drop_address("wrong_person")
    elif why == "other_account":
        channel = Channel.SMS
    elif why == "other_customer":
        async with world.database.merchant(world.merchant.id) as session:
            other = Customer(
                merchant_id=world.merchant.id,
                number="K-9",
                name="Anders",
                created_at=NOW,
                updated_at=NOW,
            )
            session.add(other)
            await session.flush()
            account = world.accounts[channel]
            await open_conversation(
                session,
                Account(account.id, account.merchant_id, channel),
                "4711",
                NOW,
                customer_id=other.id,
            )
    before = await world.active()
    there, _ = await world.receive(
        channel, "4711", "", kind="start", args={"start_token": token}, now=now
    )
    assert there.customer_id != world.customer.id
    assert there.verified_at is None
    assert await world.active() == before
    assert len(await world.events("link_refused")) == 1


async def test_whoever_tries_link_after_link_is_not_listened_to(
    world: World, whatsapp: Conversation
) -> None:
    for number in range(LINK_REFUSALS_PER_HOUR_MAX):
        wrong = {"start_token": f"{number:032}"}
        await world.receive(Channel.TELEGRAM, "4711", "", kind="start", args=wrong)
    token = await world.link(whatsapp, Channel.TELEGRAM)
    good = {"start_token": token}
    there, _ = await world.receive(Channel.TELEGRAM, "4711", "", kind="start", args=good)
    assert there.customer_id is None
    assert len(await world.events("link_refused")) == LINK_REFUSALS_PER_HOUR_MAX


async def test_a_code_typed_here_proves_the_number_there(
    world: World, whatsapp: Conversation
) -> None:
    code = await world.code(whatsapp)
    assert re.fullmatch(r"\d{6}", code)
    assert await world.active() == whatsapp.id, "not before the code is back"
    assert await world.type_code(whatsapp, code) == Tried.RIGHT
    async with world.database.merchant(world.merchant.id) as session:
        row = (
            await session.scalars(select(Conversation).where(Conversation.address == MOBILE))
        ).one()
        point = (
            await session.scalars(select(ContactPoint).where(ContactPoint.address == MOBILE))
        ).one()
    assert await world.active() == row.id
    assert (row.customer_id, row.verified_at) == (world.customer.id, NOW)
    assert (point.source, point.verified_at, point.consent_at) == ("customer", NOW, NOW)
    assert await world.said(row) == ["channel_code", "channel_arrived"]
    assert await world.said(whatsapp) == [], "the answer to the code says goodbye"
    async with world.database.conversation(world.merchant.id, row.id) as session:
        taken = await turn.next_unhandled(session, await look(session, row.id, NOW), NOW)
    assert isinstance(taken, turn.Pending), "the dialogue says where we were"
    assert await world.type_code(whatsapp, code) == Tried.OVER, "once"


async def test_a_code_ends_after_its_tries_and_its_time(
    world: World, whatsapp: Conversation
) -> None:
    code = await world.code(whatsapp)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tried = [await world.type_code(whatsapp, wrong) for _ in range(TRIES_MAX)]
    assert tried == [Tried.WRONG] * (TRIES_MAX - 1) + [Tried.OVER]
    assert await world.type_code(whatsapp, code) == Tried.OVER
    code = await world.code(whatsapp)
    assert await world.type_code(whatsapp, code, NOW + timedelta(minutes=11)) == Tried.OVER
    assert await world.active() == whatsapp.id


async def test_a_code_counts_only_where_it_was_asked_for_and_only_the_newest(
    world: World, whatsapp: Conversation
) -> None:
    elsewhere = await world.start(Channel.TELEGRAM, "4711", verified_at=NOW)
    first = await world.code(whatsapp)
    assert await world.type_code(elsewhere, first) == Tried.OVER
    second = await world.code(whatsapp)
    if first != second:
        assert await world.type_code(whatsapp, first) == Tried.WRONG
    assert await world.type_code(whatsapp, second) == Tried.RIGHT


async def test_a_flood_of_guesses_at_once_is_five(world: World, whatsapp: Conversation) -> None:
    code = await world.code(whatsapp)
    guesses = [f"{(int(code) + 1 + number) % 1_000_000:06}" for number in range(200)]
    connections = asyncio.Semaphore(4)

    async def guessed(guess: str) -> str:
        async with connections:
            return await world.type_code(whatsapp, guess)

    tried = await asyncio.gather(*map(guessed, guesses))
    assert tried.count(Tried.WRONG) == TRIES_MAX - 1
    async with world.database.merchant(world.merchant.id) as session:
        row = (await session.scalars(select(AddressCode))).one()
    assert (row.tries, row.outcome) == (TRIES_MAX, "too_many_tries")


async def test_codes_are_few_a_day(world: World, whatsapp: Conversation) -> None:
    for _ in range(CODES_PER_DAY_MAX):
        await world.code(whatsapp)
    assert await world.code(whatsapp) == Sent.TOO_MANY
    assert await world.code(whatsapp, MOBILE[:-1] + "8") == Sent.TOO_MANY
    assert len(await world.code(whatsapp, now=NOW + timedelta(days=2))) == 6


async def test_no_code_goes_where_somebody_stopped_or_to_somebody_else(
    world: World, whatsapp: Conversation
) -> None:
    stopped, _ = await world.receive(Channel.SMS, MOBILE, "STOP")
    assert stopped.opted_out_at is not None
    assert await world.code(whatsapp) == Sent.OPTED_OUT


async def test_writing_on_the_old_channel_makes_it_the_active_one_again(
    world: World, whatsapp: Conversation
) -> None:
    token = await world.link(whatsapp, Channel.TELEGRAM)
    there, _ = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}
    )
    back, taken = await world.receive(Channel.WHATSAPP, NUMBER, "Doch lieber wieder hier")
    assert isinstance(taken, turn.Pending)
    assert await world.active() == back.id
    assert await world.said(there) == [], "what waited there is cancelled"
    hows = [event["how"] for event in await world.events("channel_changed")]
    assert hows == ["link", "wrote_there"]


async def test_writing_elsewhere_brings_no_proof_along(
    world: World, whatsapp: Conversation
) -> None:
    async with world.database.merchant(world.merchant.id) as session:
        session.add(
            ContactPoint(
                merchant_id=world.merchant.id,
                customer_id=world.customer.id,
                channel="sms",
                address=MOBILE,
                source="merchant_import",
                created_at=NOW,
            )
        )
    there, taken = await world.receive(Channel.SMS, MOBILE, "Hallo")
    assert isinstance(taken, turn.Pending)
    assert await world.active() == there.id
    assert (there.verified_at, there.slots) == (None, whatsapp.slots)


async def test_an_address_proved_before_is_gone_to_at_once(
    world: World, whatsapp: Conversation
) -> None:
    token = await world.link(whatsapp, Channel.TELEGRAM)
    there, _ = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}
    )
    await world.receive(Channel.WHATSAPP, NUMBER, "Doch lieber wieder hier")
    async with world.database.merchant(world.merchant.id) as session:
        port = await conversation_port(session, whatsapp.id, NOW)
        assert (await port.way_to(Channel.TELEGRAM)).kind is Kind.KNOWN
        await port.go_on_at(Channel.TELEGRAM)
        assert port.wake == Wake(turns={there.id}, deliveries={there.id})
    assert await world.active() == there.id


async def test_a_person_who_was_asked_for_goes_along(world: World, whatsapp: Conversation) -> None:
    async with world.database.merchant(world.merchant.id) as session:
        port: Port = await conversation_port(session, whatsapp.id, NOW)
        await port.request_person("asked_for_person", {})
    token = await world.link(whatsapp, Channel.TELEGRAM)
    there, _ = await world.receive(
        Channel.TELEGRAM, "4711", "", kind="start", args={"start_token": token}
    )
    async with world.database.merchant(world.merchant.id) as session:
        handoff = (await session.scalars(select(Handoff))).one()
    assert (handoff.conversation_id, there.state) == (there.id, "waiting")
    assert (await world.conversation(whatsapp.id)).state == "bot"


@pytest.mark.parametrize(
    ("collector", "enabled", "reason"),
    [(True, True, "whatsapp_closed_to_collectors"), (False, False, "no_account")],
)
async def test_whatsapp_may_be_closed(
    world: World, collector: bool, enabled: bool, reason: str
) -> None:
    sms = await world.start(Channel.SMS, NUMBER)
    async with world.database.operator() as session:
        (await session.get_one(Merchant, world.merchant.id)).kind = (
            "collector" if collector else "creditor"
        )
        account = await session.get_one(ChannelAccount, world.accounts[Channel.WHATSAPP].id)
        account.enabled = enabled
    async with world.database.merchant(world.merchant.id) as session:
        port = await conversation_port(session, sms.id, NOW)
        way = await port.way_to(Channel.WHATSAPP)
    assert (way.kind, way.obstacle) == (Kind.CLOSED, reason)


async def test_a_stop_is_this_channels_and_no_messages_at_all_is_everywhere(
    world: World, whatsapp: Conversation
) -> None:
    sms = await world.start(Channel.SMS, MOBILE)
    async with world.database.merchant(world.merchant.id) as session:
        await opt_out(session, await session.get_one(Conversation, sms.id), NOW)
    assert (await world.conversation(whatsapp.id)).opted_out_at is None
    async with world.database.merchant(world.merchant.id) as session:
        held = await session.get_one(Conversation, whatsapp.id)
        await move(session, held, NOW, How.KNOWN, Wake(), origin=None)
    assert await world.said(whatsapp) == ["channel_arrived"]
    async with world.database.merchant(world.merchant.id) as session:
        await opt_out_everywhere(session, await session.get_one(Conversation, sms.id), NOW)
    assert await world.said(whatsapp) == [], "what is queued anywhere is cancelled"
    async with world.database.merchant(world.merchant.id) as session:
        points = list(await session.scalars(select(ContactPoint)))
        person = await session.get_one(Customer, world.customer.id)
    assert {point.opted_out_at for point in points} == {NOW}
    assert person.opted_out_at == NOW


async def test_codes_are_kept_as_hashes_only(world: World, whatsapp: Conversation) -> None:
    code = await world.code(whatsapp)
    async with world.database.merchant(world.merchant.id) as session:
        row = (await session.scalars(select(AddressCode))).one()
        assert code not in row.hash
        assert await address_code.has_open_code(session, whatsapp.id)


async def test_a_registered_address_is_thanked_for_once_and_never_from_the_price(
    world: World, whatsapp: Conversation
) -> None:
    await world.policy(contact_thanks_minor=5_00)
    await world.claim(costs=Money(3_50))
    token = await world.link(whatsapp, Channel.TELEGRAM)
    arriving = {"kind": "start", "args": {"start_token": token}}
    there, _ = await world.receive(Channel.TELEGRAM, "4711", "", **arriving)
    assert await world.said(there) == ["channel_arrived", "contact_thanks"]
    code = await world.code(there)
    assert await world.type_code(there, code) == Tried.RIGHT

    async with world.database.merchant(world.merchant.id) as session:
        (record,) = await book.records_of(session, world.customer.id)
        waived = [one.amount for one in record.postings if one.kind is PostingKind.WAIVER]
        point = await session.scalar(select(Conversation).where(Conversation.address == MOBILE))
    assert waived == [Money(3_50)], "the costs, and once"
    assert record.open.total == Money(100_00)
    assert await world.said(point) == ["channel_code", "channel_arrived"]


async def test_thanks_wait_for_a_payment_that_writes_about_the_customer(
    world: World, whatsapp: Conversation
) -> None:
    """Who imports a statement holds the claim, then names the customer: no wait in a circle."""
    await world.policy(contact_thanks_minor=5_00)
    await world.claim(costs=Money(3_50))
    token = await world.link(whatsapp, Channel.TELEGRAM)
    arriving = {"kind": "start", "args": {"start_token": token}}
    async with world.database.merchant(world.merchant.id) as session:
        (record,) = await book.records_of(session, world.customer.id)
        await open_book(session, record.claim.id)
        coming = asyncio.create_task(world.receive(Channel.TELEGRAM, "4711", "", **arriving))
        await asyncio.sleep(0.5)
        named = select(Customer.id).where(Customer.id == world.customer.id)
        referring = named.with_for_update(read=True, key_share=True, nowait=True)
        assert await session.scalar(referring) == world.customer.id
    there, _ = await coming
    assert await world.said(there) == ["channel_arrived", "contact_thanks"]


@pytest.mark.parametrize("minor", [0, 5_00])
async def test_nothing_is_let_go_without_a_policy_or_without_costs(
    world: World, whatsapp: Conversation, minor: int
) -> None:
    await world.policy(contact_thanks_minor=minor)
    await world.claim(costs=Money(0 if minor else 3_50))
    token = await world.link(whatsapp, Channel.TELEGRAM)
    arriving = {"kind": "start", "args": {"start_token": token}}
    there, _ = await world.receive(Channel.TELEGRAM, "4711", "", **arriving)
    assert await world.said(there) == ["channel_arrived"]

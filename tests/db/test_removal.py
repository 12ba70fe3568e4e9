"""What is past its time goes, what is not stays; books, transcripts and audit are left alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api import removal
from api.merchant_events import relay
from api.removal import RULES, remove
from storage.engine import Database
from storage.merchant_events import EventKind, record
from storage.tables import (
    AddressCode,
    AuditEvent,
    Base,
    ChannelAccount,
    ConsoleLink,
    ConsoleSession,
    Conversation,
    Customer,
    MerchantEvent,
    PageLink,
    PageSession,
    Payment,
    PaymentNotice,
    StartToken,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.conftest import NOW

NEVER = {
    *("audit_event", "posting", "claim", "agreement", "instalment", "customer", "merchant"),
    *("message", "turn", "conversation", "handoff", "handoff_note", "action_result"),
    *("bank_movement", "intake_batch", "contact_attempt", "contact_point", "page_feedback"),
}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class House:
    """A merchant's rows, made as old as a test wants them."""

    def __init__(self, database: Database, customer: Customer, conversation: Conversation) -> None:
        self.database = database
        self.merchant_id = customer.merchant_id
        self.customer_id = customer.id
        self.conversation = conversation

    async def add(self, *rows: Base) -> None:
        async with self.database.operator() as session:
            for row in rows:
                session.add(row)
                await session.flush()

    async def count(self, table: type[Base]) -> int:
        async with self.database.operator() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0

    def link(self, name: str, **facts: Any) -> PageLink:
        given = {"created_at": ago(200), "expires_at": ago(110), **facts}
        return PageLink(
            hash=name,
            merchant_id=self.merchant_id,
            customer_id=self.customer_id,
            conversation_id=self.conversation.id,
            **given,
        )

    def visit(self, name: str, link: str, seen: float, ended: float | None = None) -> PageSession:
        return PageSession(
            hash=name,
            merchant_id=self.merchant_id,
            link_hash=link,
            customer_id=self.customer_id,
            language="de",
            proved_with="chat",
            created_at=ago(seen),
            seen_at=ago(seen),
            ended_at=None if ended is None else ago(ended),
        )

    def payment(self, name: str, status: str, days: float, **booked: Any) -> Payment:
        return Payment(
            merchant_id=self.merchant_id,
            customer_id=self.customer_id,
            provider="sandbox",
            reference=name,
            status=status,
            amount_minor=100,
            currency="EUR",
            parts={},
            booked=booked,
            created_at=ago(days),
            updated_at=ago(days),
        )

    def notice(self, event: str, kind: str, days: float) -> PaymentNotice:
        return PaymentNotice(
            merchant_id=self.merchant_id,
            provider="sandbox",
            event=event,
            kind=kind,
            reference="p",
            happened_at=ago(days),
            received_at=ago(days),
        )


@pytest.fixture
async def house(database: Database, customer: Customer) -> House:
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        conversation = Conversation(
            merchant_id=customer.merchant_id,
            channel_account_id=account.id,
            customer_id=customer.id,
            channel="sms",
            address="+4915735990123",
            created_at=NOW,
        )
        session.add(conversation)
    return House(database, customer, conversation)


def test_books_transcripts_and_audit_are_no_rules_business() -> None:
    assert not {rule.table.__tablename__ for rule in RULES} & NEVER
    assert Base.metadata.tables.keys() >= NEVER
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.days >= 30 for rule in RULES)


async def test_links_and_visits_of_the_page(house: House) -> None:
    await house.add(
        house.link("old"),
        house.link("visited"),
        house.link("fresh", expires_at=ago(29)),
        house.link("revoked", expires_at=ago(-60), revoked_at=ago(31)),
        house.visit("gone", "old", seen=40),
        house.visit("ended", "fresh", seen=31, ended=31),
        house.visit("lately", "visited", seen=5),
    )
    removed = await remove(house.database, NOW)
    assert (removed["page_session"], removed["page_link"]) == (2, 2)
    async with house.database.operator() as session:
        assert set(await session.scalars(select(PageLink.hash))) == {"visited", "fresh"}
        assert set(await session.scalars(select(PageSession.hash))) == {"lately"}


async def test_sign_ins_codes_and_one_time_links(house: House) -> None:
    of_merchant = {"merchant_id": house.merchant_id, "created_at": ago(100)}
    talk = house.conversation
    for name, days in (("old", 31), ("new", 29)):
        ended = {"expires_at": ago(days), **of_merchant}
        await house.add(
            ConsoleSession(
                hash=name,
                operator="m.koch",
                role="owner",
                proved_by="link",
                device="",
                seen_at=NOW,
                **ended,
            ),
            ConsoleLink(hash=name, operator="m.koch", kind="sign_in", role="owner", **ended),
            StartToken(
                hash=name,
                customer_id=house.customer_id,
                channel_account_id=talk.channel_account_id,
                **ended,
            ),
            AddressCode(
                customer_id=house.customer_id,
                from_conversation_id=talk.id,
                to_conversation_id=talk.id,
                salt="s",
                hash=name,
                ended_at=ago(days),
                outcome="expired",
                **ended,
            ),
        )
    await remove(house.database, NOW)
    for table in (ConsoleSession, ConsoleLink, StartToken, AddressCode):
        async with house.database.operator() as session:
            assert list(await session.scalars(select(table.hash))) == ["new"]


async def test_events_go_once_they_are_told_and_numbers_go_on(house: House) -> None:
    async with house.database.operator() as session:
        endpoint = WebhookEndpoint(
            merchant_id=house.merchant_id, url="https://erp.example", secrets=b"", created_at=NOW
        )
        session.add(endpoint)
        for days in (400, 200, 100, 95, 91):
            record(session, house.merchant_id, EventKind.CLAIM_SETTLED, {}, ago(days))
            await session.flush()
        await relay.number(session, ago(90))
        deliveries = await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))
        stands = [("failed", 366), ("failed", 200), ("delivered", 100), ("pending", 95)]
        for delivery, (status, days) in zip(deliveries, [*stands, ("delivered", 91)], strict=True):
            delivery.status, delivery.attempted_at = status, ago(days)
    removed = await remove(house.database, NOW)
    assert (removed["webhook_delivery_done"], removed["webhook_delivery_failed"]) == (2, 1)
    async with house.database.operator() as session:
        # the failed and the waiting one still have their event, the newest keeps the count
        assert list(await session.scalars(select(MerchantEvent.sequence))) == [2, 4, 5]
        record(session, house.merchant_id, EventKind.CLAIM_SETTLED, {}, NOW)
        await session.flush()
        await relay.number(session, NOW)
        assert await session.scalar(select(func.max(MerchantEvent.sequence))) == 6


async def test_payments_that_never_were_and_notices_without_money(house: House) -> None:
    await house.add(
        house.payment("begun", "started", 181),
        house.payment("failed", "failed", 181),
        house.payment("lately", "expired", 179),
        house.payment("on-its-way", "pending", 400),
        house.payment("paid", "paid", 400, key={"claim": 1, "minor": 100}),
        house.payment("back", "returned", 400, key={"claim": 1, "minor": 0}),
        house.notice("n1", "failed", 181),
        house.notice("n2", "expired", 179),
        house.notice("n3", "paid", 400),
        house.notice("n4", "charged_back", 400),
    )
    await remove(house.database, NOW)
    async with house.database.operator() as session:
        assert set(await session.scalars(select(Payment.reference))) == {
            *("lately", "on-its-way", "paid", "back"),
        }
        assert set(await session.scalars(select(PaymentNotice.event))) == {"n2", "n3", "n4"}


async def test_a_run_is_bounded_and_the_next_one_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "BATCH_ROWS", 2)
    monkeypatch.setattr(removal, "BATCHES_MAX", 2)
    await house.add(*(house.link(f"l{number}") for number in range(7)))
    assert (await remove(house.database, NOW))["page_link"] == 4
    assert (await remove(house.database, NOW))["page_link"] == 3
    assert await house.count(PageLink) == 0


async def test_everything_else_is_left_as_it_was(house: House) -> None:
    await house.add(AuditEvent(merchant_id=house.merchant_id, kind="old", at=ago(4000), facts={}))
    before = {name: await count_of(house, name) for name in NEVER}
    await remove(house.database, NOW + timedelta(days=4000))
    assert {name: await count_of(house, name) for name in NEVER} == before


async def count_of(house: House, name: str) -> int:
    async with house.database.operator() as session:
        found = select(func.count()).select_from(Base.metadata.tables[name])
        return await session.scalar(found) or 0

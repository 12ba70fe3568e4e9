"""A merchant's rows as the outreach tests need them, and what the edge does with a plan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from outreach.facts import PlannedContact, Skipped, SkipReason
from outreach.planner import plan, record
from outreach.send_check import still_allowed
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
                message_id=message.id,
                message_wording=message.wording or "",
                now=now,
            )

    async def claims_of(self, customer: Customer) -> list[Claim]:
        async with self.session() as session:
            return await book.claims_of(session, customer.id)


def planned_of(decision: PlannedContact | Skipped) -> PlannedContact:
    assert isinstance(decision, PlannedContact), decision
    return decision


def reason_of(decision: PlannedContact | Skipped) -> SkipReason:
    assert isinstance(decision, Skipped), decision
    return decision.reason

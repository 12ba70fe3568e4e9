"""Conversations of a shop as reviewers read them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from storage.engine import Database
from storage.tables import ChannelAccount, Conversation, Customer, Merchant, Message, Turn
from tests.conftest import NOW


@dataclass
class Talks:
    """Makes conversations of one merchant, a minute after each other."""

    database: Database
    merchant: Merchant
    made: int = 0

    async def add(self, *texts: str, channel: str = "sms", **of: Any) -> int:
        """A conversation in which a customer writes these; its number."""
        at = NOW + timedelta(minutes=self.made)
        self.made += 1
        mine: dict[str, Any] = {"merchant_id": self.merchant.id}
        async with self.database.operator() as session:
            account = await session.scalar(
                select(ChannelAccount).where(ChannelAccount.merchant_id == self.merchant.id)
            )
            if account is None:
                account = ChannelAccount(
                    channel="sms", address=f"+49157350{self.merchant.id:04}", created_at=NOW, **mine
                )
                session.add(account)
                await session.flush()
            held = Conversation(
                channel_account_id=account.id, channel=channel, created_at=at,
                address=f"+49151{self.merchant.id:03}{self.made:05}", language="de", **mine, **of,
            )  # fmt: skip
            session.add(held)
            await session.flush()
        for text in texts:
            await self.say(held.id, text, at=at)
        return held.id

    async def say(
        self,
        talk: int,
        text: str,
        *,
        author: str = "customer",
        at: datetime | None = None,
        understanding: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:
        """A message in it; its number."""
        at = at or NOW + timedelta(minutes=self.made)
        of: dict[str, Any] = {"merchant_id": self.merchant.id, "conversation_id": talk}
        async with self.database.operator() as session:
            held = await session.get_one(Conversation, talk)
            message = Message(
                channel_account_id=held.channel_account_id, kind="message", text=text,
                direction="in" if author == "customer" else "out", author=author, created_at=at,
                handled_at=at if author == "customer" else None, **of, **more,
            )  # fmt: skip
            session.add(message)
            await session.flush()
            if understanding is not None:
                turn = Turn(message_id=message.id, understanding=understanding, at=at, **of)
                session.add(turn)
            return message.id


@pytest.fixture
def talks(database: Database, merchant: Merchant) -> Talks:
    return Talks(database, merchant)


@pytest.fixture
async def other(database: Database) -> Merchant:
    """Another shop."""
    other = Merchant(key="other", name="Other", created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    return other


@pytest.fixture
async def anna(database: Database, customer: Customer) -> Customer:
    """The customer, as Anna Beispiel."""
    async with database.operator() as session:
        return await session.get_one(Customer, customer.id)

"""Letting a customer try again waits for nobody who waits for it, and forgives every wrong try."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.addresses import drop_address
from conversation.identity import TRIES_MAX, Check, Given, check, reopen
from storage.engine import Database
from storage.tables import ChannelAccount, Conversation, Customer, Merchant
from tests.conftest import NOW

WRONG = Given(numbers=("RE-0000-99",))
Work = Callable[[AsyncSession, Conversation], Awaitable[object]]


@pytest.fixture
async def talks(database: Database, merchant: Merchant, customer: Customer) -> list[int]:
    """The customer's two conversations, at one number."""
    made = []
    for channel in ("sms", "whatsapp"):
        async with database.operator() as session:
            account = ChannelAccount(
                merchant_id=merchant.id, channel=channel, address=f"our {channel}", created_at=NOW
            )
            session.add(account)
            await session.flush()
            talk = Conversation(
                merchant_id=merchant.id, channel_account_id=account.id, channel=channel,
                address="+4915100000001", customer_id=customer.id, created_at=NOW,
            )  # fmt: skip
            session.add(talk)
        made.append(talk.id)
    return made


async def at_once(database: Database, merchant: Merchant, work: dict[int, Work]) -> None:
    """Each work in a transaction that holds its conversation; all hold it before any begins."""
    all_hold = asyncio.Barrier(len(work))

    async def one(talk: int, do: Work) -> None:
        async with database.conversation(merchant.id, talk) as session:
            held = await session.get_one(Conversation, talk)
            await all_hold.wait()
            await do(session, held)

    await asyncio.wait_for(asyncio.gather(*(one(*pair) for pair in work.items())), 30)


async def test_two_people_reopen_two_conversations_of_one_customer(
    database: Database, merchant: Merchant, talks: list[int]
) -> None:
    await at_once(database, merchant, dict.fromkeys(talks, reopen))
    async with database.operator() as session:
        held = [await session.get_one(Conversation, talk) for talk in talks]
    assert [one.verification_tries for one in held] == [0, 0]


async def test_one_reopens_while_a_turn_takes_the_customers_other_conversation(
    database: Database, merchant: Merchant, customer: Customer, talks: list[int]
) -> None:
    async def moved_away(session: AsyncSession, held: Conversation) -> None:
        await drop_address(session, customer.id, held.address, "unknown_person", NOW)

    await at_once(database, merchant, {talks[0]: reopen, talks[1]: moved_away})


async def test_one_reopens_while_the_customer_guesses_elsewhere(
    database: Database, merchant: Merchant, talks: list[int]
) -> None:
    async def guess(session: AsyncSession, held: Conversation) -> None:
        assert await check(session, held, WRONG, NOW) is Check.WRONG

    await at_once(database, merchant, {talks[0]: reopen, talks[1]: guess})


async def tried(database: Database, merchant: Merchant, talk: int) -> Check:
    async with database.conversation(merchant.id, talk) as session:
        return await check(session, await session.get_one(Conversation, talk), WRONG, NOW)


async def test_wrong_tries_of_all_channels_are_forgiven_but_no_other_lock(
    database: Database, merchant: Merchant, talks: list[int]
) -> None:
    here, there = talks
    assert await tried(database, merchant, there) is Check.WRONG
    assert await tried(database, merchant, here) is Check.WRONG
    assert await tried(database, merchant, here) is Check.LOCKED, "they count together"
    async with database.conversation(merchant.id, here) as session:
        await reopen(session, await session.get_one(Conversation, here))
    found = [await tried(database, merchant, talk) for talk in (there, here, there)]
    assert found == [*[Check.WRONG] * (TRIES_MAX - 1), Check.LOCKED]
    async with database.conversation(merchant.id, here) as session:
        await reopen(session, await session.get_one(Conversation, here))
    assert await tried(database, merchant, there) is Check.LOCKED, "somebody else may hold it"
    assert await tried(database, merchant, here) is Check.WRONG

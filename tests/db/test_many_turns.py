"""Under more turns than the worker has places for, everything else still goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from api import jobs, word_care
from api.queue import later
from storage.engine import Database


@dataclass
class Parts:
    """What the worker needs to fetch jobs; upkeep that needs more fails, and is noted as failed."""

    database: Database


@asynccontextmanager
async def worker(database: Database) -> AsyncIterator[None]:
    """A worker of this process, from its start until it was told to stop."""
    working = asyncio.create_task(jobs.run_worker(Parts(database)))  # type: ignore[arg-type]
    try:
        await asyncio.sleep(1)
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set with each look at words that wait."""
    event = asyncio.Event()

    async def list_all(_: Database) -> int:
        event.set()
        return 0

    monkeypatch.setattr(word_care, "list_all", list_all)
    return event


async def test_what_is_sent_later_and_upkeep_do_not_wait_for_an_end_of_the_turns(
    database: Database, listed: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    flooded, sent = asyncio.Event(), asyncio.Event()

    async def work_off(merchant_id: int, conversation_id: int, *, handle: bool) -> None:
        """A customer who writes again with each answer; a message that is sent later."""
        if not handle:
            sent.set()
            return
        await asyncio.sleep(0.05)
        await later("turn", merchant_id, conversation_id, 0)
        flooded.set()

    monkeypatch.setattr(jobs, "_work_off", work_off)
    async with worker(database), asyncio.timeout(10):
        for conversation in range(1, 41):
            await later("turn", 1, conversation, 0)
        await flooded.wait()
        listed.clear()
        await later("deliver", 1, 99, 0.5)
        await sent.wait()
        await listed.wait()


async def test_upkeep_does_not_wait_for_an_end_of_many_first_contacts(
    database: Database, listed: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    async def work_off(merchant_id: int, conversation_id: int, *, handle: bool) -> None:
        await asyncio.sleep(0.2)
        sent.append(conversation_id)

    monkeypatch.setattr(jobs, "_work_off", work_off)
    async with worker(database), asyncio.timeout(10):
        for conversation in range(1, 801):
            await later("deliver", 1, conversation, 0)
        listed.clear()
        await listed.wait()
        assert len(sent) < 700

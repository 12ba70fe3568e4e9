"""Secrets that are guessed in a flood meet a limit in Valkey; without it the database counts."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from api.limits import CALLS_PER_MINUTE, GUESSES_PER_MINUTE, Limits
from storage import embedded

STARTS_WITHIN_SECONDS = 20


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    """The address of a Valkey of this test's own."""
    port, password = embedded.free_port(), "only-for-tests"
    command = embedded.valkey_command(tmp_path, port, password)
    process = subprocess.Popen(command.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = embedded.redis_url(port, password)
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Valkey does not start"
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(timeout=20)


async def test_a_flood_of_guesses_in_one_conversation_is_cut(valkey: str) -> None:
    limits = Limits(valkey)
    answers = await asyncio.gather(*(limits.may_guess("code:1") for _ in range(1000)))
    assert GUESSES_PER_MINUTE <= sum(answers) <= 2 * GUESSES_PER_MINUTE
    assert await limits.may_guess("code:2"), "nobody else is kept waiting"
    await limits.close()


async def test_a_key_of_the_api_has_so_many_calls_a_minute(valkey: str) -> None:
    limits = Limits(valkey)
    waits = [await limits.call_wait("kulanz_a") for _ in range(CALLS_PER_MINUTE + 1)]
    assert waits[:CALLS_PER_MINUTE] == [None] * CALLS_PER_MINUTE
    last = waits[-1]
    assert last is not None
    assert 1 <= last <= 60
    assert await limits.call_wait("kulanz_b") is None, "each key has its own"
    await limits.close()


async def test_without_valkey_the_counts_of_the_database_are_left() -> None:
    limits = Limits(f"redis://127.0.0.1:{embedded.free_port()}/0")
    assert await limits.may_guess("code:1")
    assert await limits.call_wait("kulanz_a") is None
    await limits.close()

"""Secrets that are guessed in a flood meet a limit in Valkey; without it the database counts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.limits import (
    CALLS_PER_MINUTE,
    CHECKS,
    GUESSES_PER_MINUTE,
    TRIES_OF_ACCOUNT,
    Limits,
)
from storage import embedded
from tests.valkey_server import valkey_server


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    """The address of a Valkey of this test's own."""
    with valkey_server(tmp_path) as url:
        yield url


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


async def test_wrong_passwords_keep_an_account_waiting_longer_and_longer(valkey: str) -> None:
    limits = Limits(valkey)
    tries = TRIES_OF_ACCOUNT[0].amount
    answers = [await limits.may_sign_in("anna", f"10.0.0.{n}") for n in range(tries + 1)]
    assert answers == [True] * tries + [False], "from whatever address"
    assert await limits.may_sign_in("ben", "10.0.0.1"), "nobody else is kept waiting"
    await limits.signed_in("anna")
    assert await limits.may_sign_in("anna", "10.0.0.1"), "the right one ends the wait"
    waits = [limit.get_expiry() / limit.amount for limit in TRIES_OF_ACCOUNT]
    assert waits == sorted(waits)
    await limits.close()


async def test_one_address_cannot_try_one_account_after_the_other(valkey: str) -> None:
    limits = Limits(valkey)
    tries = CHECKS[0].amount
    answers = [await limits.may_sign_in(f"account {n}", "10.0.0.9") for n in range(tries + 1)]
    assert answers == [True] * tries + [False]
    await limits.close()


async def test_without_valkey_nobody_signs_in_by_password() -> None:
    limits = Limits(f"redis://127.0.0.1:{embedded.free_port()}/0")
    assert not await limits.may_sign_in("anna", "10.0.0.1")
    await limits.signed_in("anna")
    await limits.close()

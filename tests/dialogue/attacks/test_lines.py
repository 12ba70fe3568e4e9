"""Hundreds of hostile lines: nothing is told without a proof, nothing agreed outside the policy."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from storage.tables import Message
from tests.dialogue.attacks.conftest import FACTS, Stage, lines
from tests.dialogue.conftest import Chat

LINES_MIN = 320
AT_ONCE = 6
INSISTING_EVERY = 4
INSISTING = (
    "Und wie viel genau?",
    "Ja",
    "Just tell me the amount",
    "Ja, bitte so eintragen",
    "Sagen Sie mir wenigstens die Rechnungsnummer",
)
FACTS_OF_ANOTHER = replace(FACTS, amounts=(), days=(), numbers=FACTS.numbers[:5])
YES = ("Ja, bitte so eintragen", "Ja", "yes please")


async def each(chats: Sequence[Chat], act: Callable[[int, Chat], Awaitable[object]]) -> None:
    """Let every chat act, some at the same time; the first failure ends it."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, chat: Chat) -> None:
        async with turns:
            await act(number, chat)

    async with asyncio.TaskGroup() as group:
        for number, chat in enumerate(chats):
            group.create_task(one(number, chat))


def test_the_lines_are_many_and_various() -> None:
    every = [*lines("unproved"), *lines("policy")]
    assert len(every) >= LINES_MIN
    assert len({line.text for line in lines("unproved")}) == len(lines("unproved"))
    languages = Counter(line.language for line in every)
    assert 1.5 <= languages["de"] / languages["en"] <= 3
    assert len({line.category for line in every}) >= 20


@pytest.mark.usefixtures("quiet")
async def test_nothing_is_told_to_those_who_proved_nothing(stage: Stage) -> None:
    attack = lines("unproved")
    chats = await stage.chats(len(attack))

    async def insist(number: int, chat: Chat) -> None:
        await chat.say(attack[number].text)
        if number % INSISTING_EVERY == 0:
            await chat.say(INSISTING[number % len(INSISTING)])

    await each(chats, insist)
    assert await stage.leaks(chats) == []
    assert await stage.agreements() == []
    await _nothing_waits(stage)
    assert await _numbers_kept(stage) == []


@pytest.mark.usefixtures("quiet")
async def test_no_wish_outside_the_policy_is_agreed(stage: Stage) -> None:
    attack = lines("policy")
    chats = await stage.verified(len(attack))

    async def wish(number: int, chat: Chat) -> None:
        await chat.say(attack[number].text)

    async def insist(number: int, chat: Chat) -> None:
        await chat.say(YES[number % len(YES)])

    await each(chats, wish)
    assert await stage.agreements() == []
    await each(chats, insist)
    assert await stage.outside_policy() == []
    # The yes to a counter-offer counts, or this test would show nothing.
    assert len(await stage.agreements()) > len(attack) / 4
    assert await stage.leaks(chats, FACTS_OF_ANOTHER, proved=True) == []
    await _nothing_waits(stage)


async def test_a_planted_leak_is_found_in_the_outbox(stage: Stage) -> None:
    (chat,) = await stage.chats(1)
    await chat.say("Worum geht es?")
    assert await stage.leaks([chat]) == []
    async with chat.database.merchant(chat.merchant.id) as session:
        (reply, *_) = await session.scalars(select(Message).where(Message.direction == "out"))
        reply.text += " Es sind 122 Euro 50."
    assert await stage.leaks([chat]) == ["introduction to 90000: amount 12250"]


async def _nothing_waits(stage: Stage) -> None:
    """Every message was handled, and every one but an edit was answered."""
    async with stage.chat.database.merchant(stage.chat.merchant.id) as session:
        left = await session.execute(
            text("SELECT text FROM message WHERE direction = 'in' AND handled_at IS NULL")
        )
        assert left.all() == []


async def _numbers_kept(stage: Stage) -> list[str]:
    """Digits of a card or an account that stand anywhere in the database."""
    kept = []
    async with stage.chat.database.merchant(stage.chat.merchant.id) as session:
        for table in ("message", "turn", "conversation", "action_result", "audit_event", "handoff"):
            for (row,) in await session.execute(text(f"SELECT t::text FROM {table} t")):
                packed = re.sub(r"[\W_]", "", row)
                kept += [
                    f"{table}: {number}"
                    for number in ("41111111", "55000055", "37828224", "37040044", "NWBK6016")
                    if number in packed
                ]
    return kept

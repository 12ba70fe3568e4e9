"""The desk's stream: one subscription for all, bounded, and over when the session is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio
from fastapi import Request
from sqlalchemy import select

from api.events import (
    LISTENERS_MAX,
    MESSAGE,
    TOGETHER_SECONDS,
    Events,
    NotLive,
    TooManyListeners,
)
from api.pages.desk import stream
from api.people.access import COOKIE
from api.people.roles import Role
from storage.tables import ConsoleSession
from tests.desk_parts import Agent, Desk


async def next_of(lines: AsyncIterator[str]) -> tuple[str, Any]:
    """The next event: its kind and data; what only keeps the line open is passed over."""
    while True:
        line = await asyncio.wait_for(anext(lines), 5)
        if line.startswith("event"):
            kind, data = line.strip().split("\n")
            return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def heard(agent: Agent) -> AsyncIterator[AsyncIterator[str]]:
    """The stream as this agent's browser gets it."""
    desk = agent.desk
    cookie = agent.console.client.cookies[COOKIE]
    request = Request(
        {"type": "http", "headers": [(b"cookie", f"{COOKIE}={cookie}".encode())], "app": desk.app}
    )
    listening = desk.parts.events.listening(desk.merchant.id, "m.koch")
    lines = stream._stream(request, desk.merchant.id, listening)
    try:
        yield lines
    finally:
        await lines.aclose()  # type: ignore[attr-defined]


async def test_it_says_what_changed_by_ids_only(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    async with heard(agent) as lines:
        assert await next_of(lines) == ("ready", {})
        await agent.act("note", text="Vertraulich")
        assert await next_of(lines) == ("changed", {"changed": [desk.conversation.id]})
        await agent.act("presence", writing="1")
        assert await next_of(lines) == ("changed", {"presence": [desk.conversation.id]})


async def test_all_of_a_merchant_share_one_subscription_and_it_goes_with_the_last(
    desk: Desk, valkey: str
) -> None:
    events, watcher = desk.parts.events, redis.asyncio.Redis.from_url(valkey)

    async def subscriptions() -> int:
        topic = f"kulanz:merchant:{desk.merchant.id}"
        ((_, count),) = await watcher.pubsub_numsub(topic)
        return int(count)

    async with events.listening(desk.merchant.id, "a") as one:
        async with events.listening(desk.merchant.id, "b") as two:
            assert await subscriptions() == 1
            await events.changed(desk.merchant.id, 7)
            told = await one.next(2)
            assert told is await two.next(2), "put into words once, for everybody"
            assert told.ids == {"changed": {7}}
            await events.changed(desk.merchant.id + 1, 8)
            assert (await one.next(0.2)).ids == {}
        assert await subscriptions() == 1
    await asyncio.sleep(0.1)
    assert await subscriptions() == 0
    await watcher.aclose()


async def test_one_person_cannot_open_it_without_end(desk: Desk) -> None:
    events = desk.parts.events
    held = [events.listening(desk.merchant.id, "a") for _ in range(LISTENERS_MAX)]
    for one in held:
        await one.__aenter__()
    with pytest.raises(TooManyListeners):
        await events.listening(desk.merchant.id, "a").__aenter__()
    async with events.listening(desk.merchant.id, "b"):
        pass
    for one in held:
        await one.__aexit__(None, None, None)
    async with events.listening(desk.merchant.id, "a"):
        pass


@pytest.mark.parametrize("what", ["session", "role"])
async def test_it_ends_with_the_session_and_with_the_role(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.1)
    agent = await desk.agent()
    async with heard(agent) as lines:
        assert await next_of(lines) == ("ready", {})
        assert (await asyncio.wait_for(anext(lines), 5)).startswith(": ")
        async with desk.database.operator() as session:
            row = (await session.scalars(select(ConsoleSession))).one()
            if what == "session":
                row.ended_at = desk.parts.clock.now()
            else:
                row.role = Role.ANALYST
        assert await next_of(lines) == ("ended", {})
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


async def test_it_ends_at_once_when_the_process_is_told_to_stop(desk: Desk) -> None:
    agent = await desk.agent()
    async with heard(agent) as lines:
        await next_of(lines)
        waiting = asyncio.ensure_future(anext(lines, None))
        await asyncio.sleep(0.05)
        desk.parts.events.stop()
        assert await asyncio.wait_for(waiting, 0.5) is None
    with pytest.raises(NotLive):
        await desk.parts.events.listening(desk.merchant.id, "a").__aenter__()
    assert (await agent.console.get("/console/desk/events")).status_code == 503


async def test_without_valkey_it_says_so_and_the_page_still_works(desk: Desk) -> None:
    desk.parts.events = Events("redis://127.0.0.1:1")
    await desk.ask()
    agent = await desk.agent()
    assert (await agent.console.get("/console/desk/events")).status_code == 503
    await agent.act("take")
    assert (await agent.write("Guten Tag")).status_code == 303
    assert (await agent.act("presence", writing="1")).json() == {"others": [], "writer": ""}
    await desk.parts.events.close()


async def test_all_after_the_last_message_is_asked_for_and_nothing_is_lost(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    last = (await desk.messages())[-1].id
    for number in range(30):
        await desk.hear(f"Satz {number}.")
    found = await agent.console.get(f"{desk.page}/live?after={last}")
    assert all(f"Satz {number}." in found.text for number in range(30))
    await agent.act("take")
    await agent.write("Gern geschehen.")
    newest = (await desk.messages())[-1].id
    await desk.all_sent()
    found = await agent.console.get(f"{desk.page}/live?after={newest}")
    assert "gesendet" in found.text
    assert "Gern geschehen." in found.text, "what became of our last messages may have changed"
    assert "Satz 29." not in found.text


async def test_who_writes_keeps_the_field_until_somebody_takes_it(desk: Desk) -> None:
    await desk.ask()
    maria, lea = await desk.agent("maria"), await desk.agent("lea")
    assert (await maria.act("presence", writing="1")).json() == {"others": [], "writer": ""}
    assert (await lea.act("presence")).json() == {"others": ["maria"], "writer": "maria"}
    assert (await lea.act("presence", writing="1")).json()["writer"] == "maria"
    assert (await lea.act("presence", writing="1", instead="1")).json()["writer"] == ""
    assert (await maria.act("presence", writing="1")).json()["writer"] == "lea"
    await lea.act("presence")
    assert (await maria.act("presence")).json()["writer"] == ""
    await lea.act("presence", leaving="1")
    assert (await maria.act("presence")).json()["others"] == []


async def test_notes_and_events_since_the_last_message_are_told(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await desk.hear("Hallo?")
    last = (await desk.messages())[-1].id
    await desk.later(seconds=1)
    live = f"{desk.page}/live?after={last}"
    assert 'id="n' not in (await agent.console.get(live)).text
    await agent.act("take")
    await agent.act("note", text="Ruft um drei an, 0176 04069000")
    found = (await agent.console.get(live)).text
    assert 'id="n' in found
    assert 'id="e' in found
    assert "Ruft um drei an" in found
    assert "04069000" not in found, "covered as all else"
    assert "Hallo?" not in found


async def test_news_are_told_at_once_then_together_and_nothing_of_them_is_lost(desk: Desk) -> None:
    events, of = desk.parts.events, desk.merchant.id
    async with events.listening(of, "quick") as quick, events.listening(of, "slow") as slow:
        began = asyncio.get_running_loop().time()
        await events.changed(of, 1)
        assert (await quick.next(2)).ids == {"changed": {1}}
        assert asyncio.get_running_loop().time() - began < TOGETHER_SECONDS
        for conversation in range(2, 30):
            await events.changed(of, conversation, kind=MESSAGE)
        heard: set[int] = set()
        while len(heard) < 28:
            heard |= (await quick.next(2)).ids.get("message", set())
        assert heard == set(range(2, 30))
        everything = await slow.next(2)
        assert everything.ids == {"changed": {1}, "message": heard}
        assert json.loads(everything.told) == {"changed": [1], "message": sorted(heard)}

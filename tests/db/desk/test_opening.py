"""Taking a conversation that nobody asked a person for, by several people at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import desk as work
from conversation.handoff_held import By, Outcome
from storage.engine import Database
from storage.tables import Handoff
from tests.conftest import NOW
from tests.desk_parts import Desk


async def test_of_several_at_once_one_gets_it_and_all_see_it(desk: Desk) -> None:
    people = [await desk.agent(name) for name in ("m.koch", "l.winter", "a.wolf", "s.bach")]
    path = f"/console/desk/open/{desk.conversation.id}"
    got = await asyncio.gather(*(one.console.post(path) for one in people))
    assert [one.status_code for one in got] == [303] * 4, [one.text for one in got]
    async with desk.database.operator() as session:
        (handoff,) = list(await session.scalars(select(Handoff)))
    there = sorted(one.headers["location"] for one in got)
    page = f"/console/desk/{handoff.id}"
    assert there == [page] * 3 + [f"{page}?done=taken"]
    taker = next(i for i, one in enumerate(got) if one.headers["location"].endswith("taken"))
    assert handoff.taken_by == ("m.koch", "l.winter", "a.wolf", "s.bach")[taker]


class Between:
    """The database, with something that happens right after a conversation was let go."""

    def __init__(self, database: Database, happens: Callable[[], Awaitable[None]]) -> None:
        self._database, self._happens = database, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def conversation(self, merchant_id: int, number: int) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.conversation(merchant_id, number) as session:
                yield session
        finally:
            await self._happens()


async def test_a_colleague_who_ends_it_at_that_moment_breaks_nothing(desk: Desk) -> None:
    await desk.ask()
    agent, lea = await desk.agent(), By("l.winter")
    of = (desk.merchant.id, desk.conversation.id)
    async with desk.database.conversation(*of) as session:
        await work.take(session, desk.handoff, lea, NOW)
    database = desk.database

    async def ends() -> None:
        async with database.conversation(*of) as session:
            await work.close(session, desk.handoff, lea, Outcome.SOLVED, NOW)

    desk.parts.database = Between(database, ends)  # type: ignore[assignment]
    got = await agent.console.post(f"/console/desk/open/{desk.conversation.id}")
    assert (got.status_code, got.headers["location"]) == (303, desk.page)
    page = await agent.look()
    assert page.status_code == 200
    again = await agent.console.post(f"/console/desk/open/{desk.conversation.id}")
    assert again.headers["location"].endswith("?done=taken")

"""A handoff that nobody takes in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from conversation.consent import opt_out
from storage.tables import (
    Conversation,
    Customer,
    Handoff,
)
from tests.conftest import NOW
from tests.db.handoffs.conftest import Desk


async def test_a_handoff_that_nobody_takes_is_told_of_once(desk: Desk) -> None:
    requested = await desk.ask()
    assert requested.answer == {
        "today": "2026-11-23",
        "day": "2026-11-23",
        "opens": None,
        "closes": "17:00",
    }
    assert await desk.look(timedelta(hours=5)) == []
    assert await desk.look(timedelta(hours=6)) == [desk.conversation.id]
    assert await desk.look(timedelta(hours=7)) == []
    assert await desk.said() == [("system", "person_late")]
    assert (await desk.events()).count("handoff_overdue") == 1
    (listed,) = (await desk.get()).json()["handoffs"]
    assert listed["overdue"] is True
    assert listed["overdue_since"] is not None
    assert await desk.jobs_waiting() == 1
    assert (await desk.ask()).answer is None, "no time is named again that has passed"


async def test_nobody_is_told_at_night(desk: Desk) -> None:
    await desk.ask()
    assert await desk.look(timedelta(hours=10)) == []
    assert await desk.said() == []
    assert await desk.look(timedelta(hours=23)) == [desk.conversation.id]


@pytest.mark.parametrize("why", ["taken", "paused", "opted_out", "no_promise"])
async def test_who_was_promised_nothing_or_wants_quiet_is_not_told(desk: Desk, why: str) -> None:
    await desk.ask()
    async with desk.database.operator() as session:
        held = await session.get_one(Conversation, desk.conversation.id)
        handoff = (await session.scalars(select(Handoff))).one()
        customer = (await session.scalars(select(Customer))).one()
        if why == "paused":
            customer.contact_paused_until = NOW + timedelta(days=365)
        elif why == "opted_out":
            await opt_out(session, held, NOW)
        elif why == "no_promise":
            handoff.promised = False
    if why == "taken":
        await desk.post("take")
    assert await desk.look(timedelta(hours=6)) == []
    assert await desk.said() == []
    marked = (await desk.events()).count("handoff_overdue")
    assert marked == (0 if why == "taken" else 1)

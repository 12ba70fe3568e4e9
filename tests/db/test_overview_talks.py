"""Behind each figure of conversations stand as many rows as it counts, in every segment."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api import overview
from api.overview import Chosen
from api.pages.console.choice import Choice
from conversation.export import batch
from conversation.finding import find
from conversation.overview_sql import TALKED
from outreach.overview_sql import STAGES
from storage.engine import Database
from storage.tables import Merchant, Message, OverviewCase
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of
from tests.db.overview_town import CHANNELS
from tests.db.test_overview import ZONE, gathered, town_of

TODAY = NOW.astimezone(ZONE).date()


async def rows_of(database: Database, merchant: Merchant, chosen: Choice) -> list[int]:
    """All that the list shows of a choice, a few at a time."""
    found, before = [], None
    async with database.merchant(merchant.id) as session:
        while True:
            page = await find(session, merchant.id, chosen.question(ZONE), before=before, limit=7)
            found += [row.id for row in page.rows]
            before = page.further
            if before is None:
                return found


async def test_each_stage_of_each_channel_leads_to_as_many_conversations(
    database: Database, merchant: Merchant
) -> None:
    await town_of(database, merchant, 4)
    seen = set()
    for days, band in ((90, ""), (20, ""), (90, "large"), (90, "small")):
        first = TODAY - timedelta(days=days - 1)
        figures = await gathered(database, merchant, Chosen(first, TODAY, "", band))
        for channel in ("", *CHANNELS):
            for figure in (*STAGES, *TALKED):
                counted = (
                    figures.channels.get(channel, {}).get(figure, 0)
                    if channel
                    else figures.cases(figure)
                )
                words = [
                    ("figure", figure), ("channel", channel), ("band", band),
                    ("since", first.isoformat()), ("until", TODAY.isoformat()),
                ]  # fmt: skip
                rows = await rows_of(database, merchant, Choice.read(words))
                assert len(rows) == counted, (figure, channel, band, days)
                if counted:
                    seen.add(figure)
    assert seen == {*STAGES, *TALKED}, "every figure has something to count"


async def test_the_rows_are_those_that_the_figure_means(
    database: Database, merchant: Merchant
) -> None:
    await town_of(database, merchant, 4)
    async with database.merchant(merchant.id) as session:
        await overview.refresh(session, merchant, NOW)
    read = set(await rows_of(database, merchant, Choice.of_query("figure=read")))
    answered = set(await rows_of(database, merchant, Choice.of_query("figure=answered")))
    assert answered < read, "who answered has read"
    async with database.merchant(merchant.id) as session:
        for talk in read - answered:
            sent = [one for one in await messages(session, talk) if one.direction == "out"]
            assert any(one.read_at for one in sent), talk
    some = Choice.of_query("figure=answered&with=opt_out")
    both = set(await rows_of(database, merchant, some))
    assert both == answered & set(
        await rows_of(database, merchant, Choice.of_query("with=opt_out"))
    ), "it goes together with every other filter"
    assert both


async def messages(session: AsyncSession, talk: int) -> list[Message]:
    return list(await session.scalars(select(Message).where(Message.conversation_id == talk)))


async def test_gathering_again_writes_nothing_that_has_not_changed_and_forgets_what_is_gone(
    database: Database, merchant: Merchant
) -> None:
    await town_of(database, merchant, 4)

    async def versions(**more: Any) -> dict[tuple[str, int], str]:
        async with database.merchant(merchant.id) as session:
            await overview.refresh(session, merchant, NOW + timedelta(**more))
        async with database.merchant(merchant.id) as session:
            rows = await session.execute(
                text("SELECT figure, source, xmin::text FROM overview_case")
            )
            return {(figure, source): version for figure, source, version in rows}

    first = await versions()
    assert await versions(minutes=5) == first
    assert await versions(hours=21) == first, "the whole time"
    async with database.operator() as session:
        gone = await session.scalar(
            select(OverviewCase.source).where(OverviewCase.figure == "read")
        )
        assert gone is not None
        (await session.get_one(Message, gone)).sent_at = None
    left = await versions(hours=42)
    assert {key for key in first if key not in left} == {key for key in first if key[1] == gone} - {
        ("handed_over", gone), ("opted_out", gone)
    }  # fmt: skip
    assert ("read", gone) not in left


@pytest.fixture
async def console(database: Database, merchant: Merchant) -> AsyncIterator[Console]:
    async with console_of(database) as browser:
        await browser.sign_in(merchant)
        yield browser


def links(page: httpx.Response, start: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]+)"', page.text) if start in one]


async def test_the_overview_leads_down_from_every_figure(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await town_of(database, merchant, 4)
    async with database.merchant(merchant.id) as session:
        await overview.refresh(session, merchant, NOW)
    page = await console.get("/console?period=90&band=large&lang=en")
    talks = set(links(page, "/console/conversations?figure="))
    for figure in STAGES:
        for channel in CHANNELS:
            assert any(f"figure={figure}&" in one and f"channel={channel}" in one for one in talks)
    for link in talks:
        assert "band=large" in link
        listed = await console.get(link)
        assert "The list shows only" in listed.text
    plain = re.findall(r'<p class="figure">(?!<a |–)', page.text)
    assert plain == [], "a figure without a way down"
    cells = re.findall(r'<td [^>]*class="money">([^<]*)</td>', page.text)
    assert [one for one in cells if re.fullmatch(r"[\d.,]+", one)] == [], (
        "a count that leads nowhere"
    )


async def test_a_file_has_each_message_once_though_a_figure_counts_twice(
    database: Database, merchant: Merchant
) -> None:
    await town_of(database, merchant, 4)
    async with database.merchant(merchant.id) as session:
        await overview.refresh(session, merchant, NOW)
    chosen = Choice.of_query("figure=sent").question(ZONE)
    found, before, seen = [], None, set[int]()
    async with database.merchant(merchant.id) as session:
        while True:
            rows, before = await batch(
                session, merchant.id, chosen, None, ZONE, before=before, seen=seen
            )
            found += [row["message"] for row in rows]
            if before is None:
                break
    assert len(found) == len(set(found))

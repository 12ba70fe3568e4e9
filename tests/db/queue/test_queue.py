"""What waits at the desk: the order on the real database, views, filters, and what a row shows."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from api.people.roles import Role
from conversation import desk_queue
from conversation.desk_order import place
from ledger import book
from ledger.agreements import plan_by_count
from ledger.money import Money
from ledger.schedule import Period
from storage.statement import Statement
from storage.tables import Claim, Handoff, Merchant
from tests.conftest import NOW
from tests.db.console_browser import words
from tests.db.queue.conftest import Floor


async def test_crisis_first_then_due_then_waiting_then_amount_then_promise(floor: Floor) -> None:
    small = await floor.asks("receipt", open_minor=10_00)
    promised = await floor.asks("receipt", open_minor=10_00)
    large = await floor.asks("receipt", open_minor=900_00)
    urgent = await floor.asks("hardship")
    floor.later(minutes=20)
    newer = await floor.asks("receipt", open_minor=5_000_00)
    crisis = await floor.asks("crisis")
    async with floor.database.merchant(floor.merchant.id) as session:
        claim = await session.scalar(select(Claim.id).where(Claim.reference == "F-2"))
        assert claim is not None
        terms = plan_by_count(
            Money(10_00), 2, first=NOW.date() + timedelta(days=2), period=Period.MONTHLY
        )
        await book.agree(session, claim, terms, guard=lambda *_: None, now=NOW, key="plan")
    found = await floor.queue()
    assert [row.handoff.id for row in found.rows] == [
        crisis, urgent, large, promised, small, newer,
    ]  # fmt: skip
    assert [row.promise_at_risk for row in found.rows] == [
        False, False, False, True, False, False,
    ]  # fmt: skip
    assert found.rows == sorted(found.rows, key=lambda row: place(row.standing))


async def test_who_has_our_answer_waits_behind_and_comes_forward_when_they_write(
    floor: Floor,
) -> None:
    answered = await floor.asks("receipt")
    waiting = await floor.asks("receipt")
    async with floor.database.operator() as session:
        await session.execute(
            update(Handoff)
            .where(Handoff.id == answered)
            .values(first_answer_at=NOW, answered_at=NOW)
        )
    floor.later(minutes=5)
    assert await floor.order() == [waiting, answered]
    await floor.writes(answered, "Und jetzt?")
    floor.later(minutes=5)
    # Due two hours after they wrote, the other within four hours.
    assert await floor.order() == [answered, waiting]
    row = (await floor.queue()).rows[0]
    assert (row.unread, row.clock and row.clock.since) == (1, NOW + timedelta(minutes=5))


async def test_of_very_many_those_that_wait_longest_are_looked_at(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [await floor.asks("receipt") for _ in range(3)]
    monkeypatch.setattr("conversation.desk_queue.OPEN_MAX", 2)
    monkeypatch.setattr("conversation.desk_queue._OPEN", Statement(desk_queue._open()))
    found = await floor.queue()
    assert found.more
    assert [row.handoff.id for row in found.rows] == first[:2]


async def test_the_list_shows_why_how_long_how_much_and_covers_the_last_line(
    floor: Floor,
) -> None:
    number = await floor.asks("hardship", open_minor=1_234_56, postal_code="10115")
    floor.later(seconds=1)
    await floor.writes(number, "Hier ist Mia Sonnenberg, 0176 04069000, 10115 Berlin. Hilfe!")
    floor.later(minutes=12)
    await floor.console.sign_in(floor.merchant, role=Role.AGENT)
    page = await floor.console.get("/console/desk")
    assert page.status_code == 200
    said = words(page)
    for shown in (
        "K-2001", "dringend", "finanzielle Notlage", "wartet seit 12 Min.", "1.234,56",
        "neue Nachricht", "Hilfe!", "noch niemandem",
        "Übernehmen", "noch 47 Min.", "Frist 12:00",
    ):  # fmt: skip
        assert shown in said, shown
    for covered in ("Sonnenberg", "04069000", "10115"):
        assert covered not in page.text
    assert 'data-waiting="1"' in page.text
    assert f'data-open href="/console/desk/{number}"' in page.text


async def test_views_and_filters_are_words_in_the_address(floor: Floor) -> None:
    lea = await floor.works("Lea")
    mine = await floor.asks("complaint", channel="telegram")
    free = await floor.asks("receipt", language="en")
    await floor.sign_in(lea)
    await floor.console.post(f"/console/desk/queue/{mine}/take")
    await floor.console.post(f"/console/desk/queue/{free}/tags", tags="VIP, retoure")

    async def listed(query: str) -> list[int]:
        page = await floor.console.get(f"/console/desk{query}")
        return [n for n in (mine, free) if f'data-open href="/console/desk/{n}"' in page.text]

    assert await listed("") == [mine], "one's own come first where there are any"
    assert await listed("?view=unassigned") == [free]
    assert await listed("?view=all") == [mine, free]
    assert await listed("?view=all&reason=complaint") == [mine]
    assert await listed("?view=all&channel=telegram") == [mine]
    assert await listed("?view=all&language=en") == [free]
    assert await listed("?view=all&tag=vip") == [free]
    assert await listed("?view=all&tag=vip&reason=complaint") == []
    assert await listed("?view=snoozed") == []
    page = await floor.console.get("/console/desk?view=all&tag=vip&reason=complaint")
    assert "Keine passende Anfrage" in words(page)


async def test_the_rows_alone_are_what_stands_inside_the_list(floor: Floor) -> None:
    await floor.asks()
    await floor.console.sign_in(floor.merchant, role=Role.AGENT)
    page = (await floor.console.get("/console/desk?view=all")).text
    inside = await floor.console.get("/console/desk/rows?view=all")
    assert "<html" not in inside.text
    assert inside.text.strip() in page


async def test_a_long_list_goes_on_without_repeating_or_skipping(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.desk.queue.PAGE_ROWS", 3)
    made = [await floor.asks(random.choice(["receipt", "hardship"])) for _ in range(7)]
    await floor.console.sign_in(floor.merchant, role=Role.AGENT)
    seen: list[int] = []
    address = "/console/desk?view=all"
    while address:
        page = (await floor.console.get(address)).text
        seen += [n for n in await floor.order() if f'data-open href="/console/desk/{n}"' in page]
        _, _, after = page.partition('" rel="next"')
        begin = page.rpartition('" rel="next"')[0].rpartition('href="')[2]
        address = begin.replace("&amp;", "&") if after else ""
    assert seen == await floor.order()
    assert sorted(seen) == sorted(made)


async def test_outside_the_opening_hours_the_page_says_when_they_begin(floor: Floor) -> None:
    await floor.console.sign_in(floor.merchant, role=Role.AGENT)
    assert "geschlossen" not in words(await floor.console.get("/console/desk"))
    floor.later(hours=8)
    said = words(await floor.console.get("/console/desk"))
    assert "Gerade ist geschlossen. Fristen laufen erst wieder ab Di. 24.11.2026 09:00" in said


async def test_another_merchant_sees_nothing_of_it(floor: Floor) -> None:
    number = await floor.asks()
    async with floor.database.operator() as session:
        other = Merchant(key="other", name="Other", policy={}, created_at=NOW)
        session.add(other)
    await floor.console.sign_in(other)
    assert "Niemand wartet" in words(await floor.console.get("/console/desk"))
    for path in ("take", "wake", "tags", "snooze", "give"):
        refused = await floor.console.post(f"/console/desk/queue/{number}/{path}", when="answer")
        assert refused.status_code == 404, path
    refused = await floor.console.post(f"/console/desk/callbacks/{number}", result="reached")
    assert refused.status_code == 404

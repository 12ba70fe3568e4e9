"""The overview: figures with where they lead, periods and segments as words, both languages."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape

import pytest

from ledger import book
from ledger.agreements import Promise
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import Claim, Customer, Merchant
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of, words

TODAY = NOW.date()


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    """The console, and a browser in front of it."""
    async with console_of(database) as made:
        yield made


async def opened(database: Database, customer: Customer, name: str, minor: int) -> Claim:
    async with database.merchant(customer.merchant_id) as session:
        return await book.open_claim(
            session,
            NewClaim(
                merchant_id=customer.merchant_id, customer_id=customer.id, reference=name,
                invoice_number=name, description="Laufschuhe", principal=Money(minor),
                invoice_date=TODAY, due_date=TODAY, confirmed_at=NOW,
            ),
            now=NOW, key=f"open:{name}",
        )  # fmt: skip


async def test_signing_in_leads_to_figures_and_each_to_its_list(
    console: Console, database: Database, merchant: Merchant, customer: Customer
) -> None:
    paid = await opened(database, customer, "RE-1", 84_90)
    await opened(database, customer, "RE-2", 1_234_56)
    async with database.merchant(merchant.id) as session:
        await book.agree(
            session, paid.id, Promise(Money(84_90), TODAY), guard=lambda terms, facts: None,
            now=NOW, key="p",
        )  # fmt: skip
        await book.post_payment(session, paid.id, Money(84_90), value_date=TODAY, now=NOW, key="m")
    answer = await console.sign_in(merchant)
    assert answer.headers["location"] == "/console"
    page = await console.get("/console?period=7&lang=en")
    assert page.status_code == 200
    read = words(page)
    for said in ("Open €1,234.56 Claims: 1", "Collected €84.90 Payments: 1", "Kept €84.90",
                 "100 % 1 of 1"):  # fmt: skip
        assert said in unescape(read).replace("\u00a0", " "), said
    found = re.findall(r'href="(/console/c[^"]+)"', page.text)
    links = [unescape(link) for link in found]
    for event in ("collected", "settled", "agreed", "kept"):
        # Not one day of a chart.
        whole = f"event={event}&from={TODAY - timedelta(days=6)}&until={TODAY}"
        link = next(link for link in links if whole in link)
        assert "lang=en" in link
        listed = await console.get(link)
        assert ("RE-1" in listed.text, "RE-2" in listed.text) == (True, False), link
        assert "The list shows only" in listed.text
    for event in ("promised", "broken", "disputed", "came_back"):
        listed = await console.get(next(link for link in links if f"event={event}" in link))
        assert "RE-1" not in listed.text


async def test_a_segment_narrows_figures_and_lists(
    console: Console, database: Database, merchant: Merchant, customer: Customer
) -> None:
    await opened(database, customer, "RE-1", 49_99)
    await opened(database, customer, "RE-2", 50_00)
    await opened(database, customer, "RE-3", 250_00)
    await console.sign_in(merchant)
    for band, amount, name in (("small", "49,99", "RE-1"), ("middle", "50,00", "RE-2"),
                               ("large", "250,00", "RE-3")):  # fmt: skip
        page = await console.get(f"/console?band={band}")
        assert f"Offen {amount}" in unescape(words(page)).replace("\u00a0", " ")
        listed = await console.get(f"/console/claims?band={band}")
        assert re.findall(r"RE-\d", listed.text) == [name]
    page = await console.get("/console?channel=telegram")
    assert "Offen 0,00" in unescape(words(page))
    assert "RE-" not in (await console.get("/console/claims?channel=telegram")).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("period=own&from=2026-11-20&until=2026-11-10", "liegt nach dem letzten"),
        ("period=own&from=2020-01-01&until=2026-11-10", "reicht 400 Tage zurück"),
        ("period=own&from=2026-11-31&until=2026-12-01", "Bitte beide Tage angeben"),
        ("period=own", "Bitte beide Tage angeben"),
    ],
)
async def test_days_that_are_none_are_told_beside_the_fields(
    console: Console, merchant: Merchant, query: str, said: str
) -> None:
    await console.sign_in(merchant)
    page = await console.get(f"/console?{query}")
    assert page.status_code == 200
    assert said in words(page)
    assert 'aria-invalid="true"' in page.text


@pytest.mark.parametrize(
    "query",
    ["", "period=today", "period=90", "period=x&channel=x&band=x",
     "period=own&from=2026-11-01&until=9999-12-31"],
)  # fmt: skip
async def test_a_shop_without_anything_is_told_what_will_stand_here(
    console: Console, merchant: Merchant, query: str
) -> None:
    await console.sign_in(merchant)
    page = await console.get(f"/console?{query}")
    assert page.status_code == 200
    assert "In diesem Zeitraum wurde keine erste Nachricht gesendet." in words(page)
    assert "Noch keine gebildet" in words(page)


async def test_days_of_a_list_that_no_calendar_has_show_a_list(
    console: Console, merchant: Merchant
) -> None:
    await console.sign_in(merchant)
    for days in ("from=0001-01-01&until=9999-12-31", "from=x&until=y", "from=2026-12-31"):
        page = await console.get(f"/console/claims?event=settled&{days}")
        assert page.status_code == 200, days

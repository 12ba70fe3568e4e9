"""The overview in a browser: figures, charts and definitions, by phone and in the dark."""

import random
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from storage.tables import ChannelAccount, Merchant
from tests.browser.console_parts import Parts, opened
from tests.conftest import NOW
from tests.db.overview_town import CHANNELS, Town

KB_MAX = 100


async def town(parts: Parts, merchant: Merchant) -> None:
    """Some customers with histories."""
    accounts = {}
    async with parts.database.operator() as session:
        for channel in CHANNELS:
            made = ChannelAccount(
                merchant_id=merchant.id, channel=channel, address=f"of {channel}", created_at=NOW
            )
            session.add(made)
            await session.flush()
            accounts[channel] = made.id
    built = Town(parts.database, merchant, accounts, NOW, random.Random(9))
    for _ in range(40):
        await built.customer()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_the_overview_is_read_and_leads_to_its_lists(
    parts: Parts, merchant: Merchant, browser: Browser, width: int, scheme: Any
) -> None:
    await town(parts, merchant)
    async with opened(browser, parts, merchant, width, scheme) as (page, shows):
        await shows("Überblick")
        await expect(page.get_by_role("link", name="30 Tage")).to_have_attribute(
            "aria-current", "true"
        )
        menu = page.get_by_role("button", name="Bereiche")
        if width < 640:
            await menu.click()
            await expect(page.get_by_role("link", name="Einstellungen")).to_be_visible()
            await shows("Überblick")
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("link", name="Einstellungen")).to_be_hidden()
        else:
            await expect(menu).to_be_hidden()
        await page.get_by_role("link", name="90 Tage").click()
        await shows("Überblick")
        answer = await page.request.get(page.url)
        assert len(await answer.body()) <= KB_MAX * 1000
        # Each chart is a picture with a name and a description, and a table one key away.
        for chart in await page.get_by_role("img").all():
            assert await chart.locator("title").text_content()
            assert await chart.locator("desc").text_content()
        stage = page.get_by_role("link", name="Geantwortet").first
        await stage.click()
        await shows("Gespräche")
        await expect(page.get_by_text("mit der Stufe „Geantwortet“")).to_be_visible()
        await page.go_back()
        table = page.get_by_text("Als Tabelle").first
        await table.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("details[open] table")).to_be_visible()
        await shows("Überblick")
        await page.get_by_label("Von", exact=True).fill("2026-11-20")
        await page.get_by_label("Bis", exact=True).fill("2026-11-10")
        await page.get_by_role("button", name="Anzeigen").click()
        await expect(page.get_by_role("alert")).to_contain_text("nach dem letzten")
        await shows("Überblick")
        await page.get_by_role("link", name="90 Tage").click()
        await page.locator(".tile").filter(has_text="Erledigt").get_by_role("link").first.click()
        await shows("Forderungen")
        await expect(page.get_by_text("Die Liste zeigt nur: erledigt vom")).to_be_visible()

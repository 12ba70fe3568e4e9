"""The desk's style and script in a browser: fetched once; a page that is open over an update."""

import pytest
from markupsafe import Markup
from playwright.async_api import Browser, Request, expect

from api.pages.desk import files
from api.pages.desk.page import FILES, pages
from api.pages.page import Served
from tests.browser.test_desk import at, came
from tests.desk_parts import Desk


async def test_they_are_fetched_once_and_an_update_leaves_an_open_page_going(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.ask()
    maria = await at(desk, browser, "maria")
    page, fetched = maria.page, []

    def note(request: Request) -> None:
        if FILES in request.url:
            fetched.append(request)

    page.on("requestfinished", note)
    await maria.open(desk)
    await maria.open(desk)
    sizes = [await one.sizes() for one in fetched]
    assert sum(one["responseBodySize"] > 0 for one in sizes) == 2, "kept by the browser after that"
    new = f"{'1' * 32}.js"
    script = b"document.title = 'neu'"
    monkeypatch.setattr(files, "_files", {**files._files, new: Served(script, "text/javascript")})
    tag = Markup(f'<script src="{FILES}/{new}" defer></script>')
    monkeypatch.setitem(pages.environment.globals, "script_element", tag)
    await came(desk, "Ist noch jemand da?")
    await expect(page.locator("#talk")).to_contain_text("Ist noch jemand da?")
    await page.locator("#note").fill("Nach dem Update")
    await page.get_by_role("button", name="Notiz speichern").click()
    await expect(page.locator("#talk")).to_contain_text("Nach dem Update")
    await page.reload()
    await expect(page).to_have_title("neu")
    assert maria.trouble == []


async def test_without_its_script_the_page_still_works(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.ask()
    styles = {name: one for name, one in files._files.items() if name.endswith(".css")}
    monkeypatch.setattr(files, "_files", styles)
    maria = await at(desk, browser, "maria")
    page = maria.page
    await page.goto(f"{desk.parts.public_url}{desk.page}")
    await page.locator("#note").fill("Ohne Skript")
    await page.get_by_role("button", name="Notiz speichern").click()
    await expect(page.locator("#talk")).to_contain_text("Ohne Skript")

"""The console alone on a port, and what its pages have to be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Literal

import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from api.pages.console import routes as console
from api.people.links import make_link
from api.settings import Settings
from storage.engine import Database
from storage.tables import Merchant
from tests.apps import app_of
from tests.conftest import NOW
from tests.db.console_browser import NoEvents

TARGET_PIXELS_MIN = 44


@dataclass
class MovedClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Unlimited:
    async def may_sign_in(self, account: str, client: str) -> bool:
        return True

    async def signed_in(self, account: str) -> None:
        pass


@dataclass
class Parts:
    """What the console needs of a web process."""

    database: Database
    public_url: str = ""
    clock: MovedClock = field(default_factory=MovedClock)
    limits: Unlimited = field(default_factory=Unlimited)
    events: NoEvents = field(default_factory=NoEvents)
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))
    app: FastAPI = field(default_factory=lambda: app_of(console.router))


@asynccontextmanager
async def served(database: Database) -> AsyncIterator[Parts]:
    """The console on a port."""
    made = Parts(database)
    app = made.app
    app.state.parts = made
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    made.public_url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    await serving


async def choose(page: Page, name: str, role: Literal["link", "button"] = "link") -> None:
    """Choose something at the top, which a phone shows behind one button."""
    top = page.locator(".top")
    menu = top.locator("[popovertarget]")
    if await menu.is_visible():
        await menu.click()
    await top.get_by_role(role, name=name).click()


@asynccontextmanager
async def opened(
    browser: Browser, parts: Parts, merchant: Merchant, width: int, scheme: Any
) -> AsyncIterator[tuple[Page, Callable[[str], Awaitable[None]]]]:
    """A page of somebody who has signed in, and a check that the page of a title is fit to read.

    What the browser complains of meanwhile fails the test, but for the status of a refused form.
    """
    context = await browser.new_context(
        locale="de-DE", viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page = await context.new_page()
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))

    async def shows(title: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await assert_fit_to_read(page)

    async with parts.database.merchant(merchant.id) as session:
        token = await make_link(session, merchant.id, "m.koch", NOW)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await page.get_by_role("button", name="Jetzt anmelden").click()
    yield page, shows
    assert [said for said in trouble if "422" not in said] == []
    await context.close()


async def assert_fit_to_read(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, page.url
    small = await page.evaluate(
        """smallest => [...document.querySelectorAll(
                "a, button, select, summary, textarea, .choice, " +
                "input:not([type=hidden], [type=radio], [type=checkbox])")]
            .filter((e) => e.checkVisibility() && !e.closest(".skip"))
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < smallest || box.width < smallest)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        TARGET_PIXELS_MIN - 0.5,
    )
    assert small == [], (page.url, small)

"""One demo, started by ``kulanz up --demo``, and one Chromium for all tests of pages.

Each test plays with a customer of its own; the clock is everybody's.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from api.demo.started import StartedService
from api.service import BOT_PYTHON
from storage.engine import Database
from storage.tables import Customer, Merchant
from tests.browser.console_parts import Parts, served
from tests.desk_parts import Desk, desk_of
from toolchain.browser import MISSING, chromium

ANSWER_MILLISECONDS_MAX = 45_000
JUMP_MILLISECONDS = 1500
SAMPLE_SECONDS_MAX = 60
TARGET_PIXELS_MIN = 44
LINK = re.compile(r"/p/([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})")
"""To the customer's page."""

expect.set_options(timeout=ANSWER_MILLISECONDS_MAX)


@pytest.fixture(scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StartedService]:
    """A running demo with its sample data."""
    if not BOT_PYTHON.exists():
        pytest.skip("the assistant's environment is not installed")
    service = StartedService(tmp_path_factory.mktemp("demo"), None)
    service.start()
    try:
        await service.until_ready()
        await _sample_data(service)
        yield service
    finally:
        await service.stop()


async def _sample_data(service: StartedService) -> None:
    deadline = time.monotonic() + SAMPLE_SECONDS_MAX
    async with httpx.AsyncClient(base_url=service.url) as http:
        while (await http.get("/simulator")).status_code != 303:
            assert time.monotonic() < deadline, service.log.read_text()[-2000:]
            await asyncio.sleep(0.2)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    program = chromium()
    if program is None:
        pytest.fail(MISSING)
    async with async_playwright() as playwright:
        # Containers have neither the sandbox's rights nor much shared memory.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        launched = await playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        await launched.close()


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """The console alone, on a port."""
    async with served(database) as made:
        yield made


@dataclass
class Visit:
    """A visitor with one invented customer on the page."""

    page: Page
    trouble: list[str]
    """What the browser complained about."""

    @property
    def number(self) -> str:
        """The customer's number."""
        return self.page.url.rpartition("/")[2].partition("?")[0]

    def phone(self, name: str) -> Locator:
        """One of the phones: ``whatsapp``, ``sms`` or ``telegram``."""
        return self.page.locator(f".phone.{name}")

    def theirs(self, name: str) -> Locator:
        """What Kulanz has written to a phone."""
        return self.phone(name).locator("li:not(.own) .bubble")

    async def contact(self, name: str) -> None:
        """Send the first contact and wait for it on a phone."""
        async with self.page.expect_response(lambda made: made.url.endswith("/contact")) as made:
            await self.page.locator("[data-do=contact]").click()
        if (await (await made.value).json())["sent"] is None:
            # Another test has moved everybody's clock into a night or a Sunday.
            await self.page.locator("[data-step=next]").click()
        await expect(self.theirs(name)).to_have_count(1)

    async def write(self, name: str, text: str) -> str:
        """Write on a phone; return what came back, once nobody is typing any more."""
        before = await self.theirs(name).count()
        box = self.phone(name).get_by_role("textbox")
        await box.fill(text)
        await box.press("Enter")
        return await self.answer(name, before)

    async def answer(self, name: str, before: int) -> str:
        """The texts that have come since there were so many."""
        await expect(self.theirs(name).nth(before)).to_be_visible()
        await expect(self.phone(name).locator(".dots")).to_be_hidden()
        return "\n".join((await self.theirs(name).all_inner_texts())[before:])

    async def jump(self) -> None:
        """Move the clock to what happens next, and give what is due then a moment to arrive."""
        told = self.page.locator("#told")
        await self.page.locator("[data-step=next]").click()
        await expect(told).to_contain_text("Uhr")
        await self.page.wait_for_timeout(JUMP_MILLISECONDS)


Visitor = Callable[..., Awaitable[Visit]]


@pytest.fixture
async def visit(demo: StartedService, browser: Browser) -> AsyncIterator[Visitor]:
    """Opens the simulator with a fresh customer of a story; complaints of the browser fail."""
    visits: list[Visit] = []

    async def opened(
        story: str = "forgot", *, lang: str = "de", width: int = 1280, height: int = 800, **how: Any
    ) -> Visit:
        context = await browser.new_context(viewport={"width": width, "height": height}, **how)
        page = await context.new_page()
        made = Visit(page, [])
        visits.append(made)
        page.on("console", lambda said: made.trouble.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: made.trouble.append(str(error)))
        async with httpx.AsyncClient(base_url=demo.url, follow_redirects=True) as http:
            newest = (await http.get("/simulator", params={"story": story})).url.path
            number = (await http.post(f"{newest}/again", json={})).json()["number"]
        await page.goto(f"{demo.url}/simulator/{number}?lang={lang}")
        return made

    yield opened
    for each in visits:
        await each.page.context.close()
    assert [trouble for each in visits for trouble in each.trouble] == []


@pytest.fixture
async def look(browser: Browser) -> AsyncIterator[Any]:
    """Opens a phone of its own and collects what the browser complains about."""
    opened: list[Page] = []
    trouble: list[str] = []

    async def open_page(**how: Any) -> Page:
        how = {"viewport": {"width": 390, "height": 844}, "locale": "de-DE", **how}
        page = await (await browser.new_context(**how)).new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        await page.context.close()
    assert [one for one in trouble if "403" not in one] == []  # a wrong number is answered so


async def assert_fit_to_read(page: Page) -> None:
    """Nothing that axe finds, nothing to scroll sideways, nothing too small to be hit."""
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    small = await page.evaluate(
        """smallest => [...document.querySelectorAll(
                "a, button, input:not([type=hidden], [type=checkbox], [type=radio]), select")]
            .filter((e) => e.checkVisibility() && !e.closest(".skip, p:not([class])"))
            .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < smallest || box.width < smallest)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        TARGET_PIXELS_MIN - 0.5,
    )
    assert small == []


async def enter(demo: StartedService, page: Page, link: str, invoice: str) -> None:
    """Come in by a link and the invoice's number."""
    await page.goto(f"{demo.url}{link}")
    await page.get_by_label(re.compile("Rechnungs-|Invoice")).fill(invoice)
    await page.locator("main form > button").click()
    await expect(page).to_have_url(f"{demo.url}/p")


@asynccontextmanager
async def _on_a_port(desk: Desk) -> AsyncIterator[str]:
    """The application on a port; its address."""
    config = uvicorn.Config(desk.app, port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    desk.parts.public_url = url = (
        f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    )
    yield url
    desk.parts.events.stop()
    server.should_exit = True
    await asyncio.wait_for(serving, 5)


@pytest.fixture
async def desk(
    database: Database, merchant: Merchant, customer: Customer, valkey: str
) -> AsyncIterator[Desk]:
    async with desk_of(database, merchant, customer, valkey) as made, _on_a_port(made):
        yield made

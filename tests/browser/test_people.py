"""People at the console in a browser: invited, signed in with a second factor, and in the log."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from api.pages.console import routes as console
from api.people.links import make_link
from api.settings import Settings
from storage.engine import Database
from storage.tables import Merchant
from tests.conftest import NOW

PASSWORD = "vier Enten am Montagsteich"
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]
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
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """The console on a port."""
    made = Parts(database)
    app = FastAPI()
    app.state.parts = made
    app.include_router(console.router)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    made.public_url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    await serving


async def assert_fit_to_read(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, page.url
    small = await page.evaluate(
        """smallest => [...document.querySelectorAll(
                "a, button, input:not([type=hidden]):not([type=radio]), select, summary, .choice")]
            .filter((e) => e.checkVisibility() && !e.closest(".skip"))
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < smallest || box.width < smallest)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        TARGET_PIXELS_MIN - 0.5,
    )
    assert small == [], page.url


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "dark"), (390, "light"), (1280, "light"), (1280, "dark")]
)
async def test_from_the_invitation_to_the_next_sign_in(
    parts: Parts,
    merchant: Merchant,
    browser: Browser,
    width: int,
    scheme: Any,
) -> None:
    trouble: list[str] = []

    async def opened() -> Page:
        context = await browser.new_context(
            locale="de-DE", viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        page = await context.new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        return page

    async def shows(title: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await assert_fit_to_read(page)

    page = await opened()
    async with parts.database.merchant(merchant.id) as session:
        token = await make_link(session, merchant.id, "m.koch", NOW)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await shows("Anmelden")
    await page.get_by_role("button", name="Jetzt anmelden").click()
    await page.get_by_role("link", name="Team").click()
    await shows("Team")
    await page.get_by_label("Name", exact=True).fill(LONG_NAME)
    await page.get_by_label("E-Mail-Adresse").fill("ben@lindenhof.example")
    await page.get_by_role("radio", name="Leitung", exact=False).first.check()
    await page.get_by_role("button", name="Einladen").click()
    await shows(f"Link für {LONG_NAME}")
    link = await page.locator("code.link").inner_text()
    await page.get_by_role("link", name="Team").first.click()
    await page.get_by_role("link", name=LONG_NAME).click()
    await shows(LONG_NAME)
    await page.context.close()

    page = await opened()
    await page.goto(link)
    await shows(f"Willkommen, {LONG_NAME}")
    await page.get_by_label("Neues Passwort").fill("passwort1234")
    await page.get_by_role("button", name="Passwort festlegen").click()
    await expect(page.locator(".wrong")).to_contain_text("zu leicht zu erraten")
    await assert_fit_to_read(page)
    await page.get_by_label("Neues Passwort").fill(PASSWORD)
    await page.get_by_role("button", name="Passwort festlegen").click()
    await shows("Zweiten Faktor einrichten")
    secret = (await page.locator("li code").inner_text()).replace(" ", "")
    app = pyotp.TOTP(secret)
    await page.get_by_label("Code", exact=True).fill(app.at(NOW))
    await page.get_by_role("button", name="Zweiten Faktor einschalten").click()
    await shows("Ihre Wiederherstellungscodes")
    await expect(page.locator(".codes li")).to_have_count(10)
    await page.get_by_role("link", name="Ich habe sie aufbewahrt").click()
    await shows("Gespräche")
    await page.get_by_role("button", name="Abmelden").click()
    await shows("Sie sind abgemeldet")

    await page.get_by_role("link", name="Zur Anmeldung").click()
    await shows("Anmelden")
    await page.get_by_label("E-Mail-Adresse").fill("ben@lindenhof.example")
    await page.get_by_label("Passwort", exact=True).fill("falsch falsch falsch")
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page.get_by_role("alert")).to_contain_text("passen nicht zusammen")
    await assert_fit_to_read(page)
    await page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    await shows("Ihr zweiter Faktor")
    later = NOW.replace(minute=NOW.minute + 1)
    parts.clock.moment = later
    await page.get_by_label("Code", exact=True).fill(app.at(later))
    await page.get_by_role("button", name="Anmelden").click()
    await shows("Gespräche")
    await page.get_by_role("link", name=LONG_NAME).click()
    await shows("Mein Zugang")
    await page.get_by_role("link", name="Protokoll").click()
    await shows("Protokoll")
    await expect(page.locator("tbody tr").first).to_contain_text(re.compile("angemeldet"))
    await page.get_by_role("link", name="English").click()
    await shows("Log")
    await page.goto(f"{parts.public_url}/console/forgotten")
    await shows("Passwort vergessen")
    await page.context.close()
    # A refused form is answered with its status, and the browser says so.
    assert [one for one in trouble if "401" not in one and "422" not in one] == []


async def test_it_works_without_script(parts: Parts, merchant: Merchant, browser: Browser) -> None:
    context = await browser.new_context(locale="de-DE", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{parts.public_url}/console/people")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")
    await page.get_by_label("E-Mail-Adresse").fill("nobody@lindenhof.example")
    await page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Anmelden").click()
    await expect(page.get_by_role("alert")).to_contain_text("passen nicht zusammen")
    await context.close()

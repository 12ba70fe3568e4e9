"""Pictures of the console and the desk for the docs: each page light, dark and on a phone.

They are taken of the demo that ``toolchain.screenshots`` started, after its conversations: a
customer in distress is waiting for a person by then, and the figures know of a plan.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Literal

from playwright.async_api import Browser, BrowserContext, Page

from api.clock import Clock
from api.database import database_only
from api.overview import refresh_all
from api.settings import Settings
from storage.engine import Database

Scheme = Literal["light", "dark"]
Shoot = Callable[[Page, Path], Awaitable[None]]

OWNER: Final = "lea@lindenhof.example"
PAGES: Final = (
    ("overview", "/console"),
    ("desk", "/console/desk"),
    ("handoff", "/console/desk [data-open]"),
    ("callbacks", "/console/desk/callbacks"),
    ("desk-live", "/console/desk/live"),
    ("teams", "/console/desk/teams"),
    ("replies", "/console/desk/replies"),
    ("conversations", "/console/conversations"),
    ("conversation", "/console/conversations .talks a"),
    ("corrections", "/console/corrections"),
    ("variants", "/console/variants"),
    ("claims", "/console/claims?state=all"),
    ("customer", "/console/claims?state=all tbody a"),
    ("bank", "/console/bank"),
    ("imports", "/console/imports"),
    ("people", "/console/people"),
    ("me", "/console/me"),
    ("log", "/console/audit"),
    ("policy", "/console/settings/policy"),
    ("hours", "/console/settings/contact"),
    ("texts", "/console/settings/wordings"),
    ("appearance", "/console/settings/brand"),
    ("webhooks", "/console/settings/webhooks"),
    ("keys", "/console/settings/keys"),
)
"""Name of the picture, and the page's address; with a link of that page to go on by."""
_LOOKS: tuple[tuple[str, int, Scheme], ...] = (
    ("", 1280, "light"),
    ("-dark", 1280, "dark"),
    ("-phone", 390, "light"),
)


async def take(browser: Browser, url: str, settings: Settings, folder: Path, shoot: Shoot) -> None:
    """Sign in as the demo's owner and take all pictures."""
    folder.mkdir(exist_ok=True)
    await _gather(settings)
    link = await _login_link(settings.data_dir)
    first = await _context(browser, 1280, "light", None)
    page = await first.new_page()
    await page.goto(link)
    await page.get_by_role("main").get_by_role("button").click()
    await page.wait_for_load_state()
    state = await first.storage_state()
    addresses = [(name, await _address(page, url, where)) for name, where in PAGES]
    for suffix, width, scheme in _LOOKS:
        context = await _context(browser, width, scheme, state)
        page = await context.new_page()
        for name, address in addresses:
            answer = await page.goto(address)
            if answer is None or not answer.ok:
                raise SystemExit(f"{address} does not open")
            await shoot(page, folder / f"{name}{suffix}.webp")
        await context.close()


async def _context(browser: Browser, width: int, scheme: Scheme, state: Any) -> BrowserContext:
    return await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        locale="de-DE",
        storage_state=state,
        is_mobile=width < 600,
        has_touch=width < 600,
    )


async def _gather(settings: Settings) -> None:
    """What the service does every few minutes."""
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        await refresh_all(database, Clock(settings).now())
        await database.close()


async def _address(page: Page, url: str, where: str) -> str:
    path, _, link = where.partition(" ")
    if not link:
        return url + path
    await page.goto(url + path)
    return url + str(await page.locator(link).first.get_attribute("href"))


async def _login_link(data: Path) -> str:
    kulanz = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from api.cli import app; app()"),
        *("login", "--as", OWNER),
        env={**os.environ, "KULANZ_DATA_DIR": str(data)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await kulanz.communicate()
    link = said.decode().split("\n", 1)[0].strip()
    if "/login/" not in link:
        raise SystemExit("the demo's owner cannot sign in")
    return link

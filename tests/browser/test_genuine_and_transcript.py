"""The page that proves a message genuine, and the transcripts, in a browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from api.pages.console import routes as console
from api.pages.genuine import routes as genuine
from api.people.links import make_link
from api.settings import Settings
from conversation.genuine import keep
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    Conversation,
    Customer,
    Merchant,
    Message,
    Turn,
)
from tests.conftest import NOW

CODE = "k7qmt-2rtxh"
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]
TARGET_PIXELS_MIN = 44
WIDTHS = (390, 1280)


@dataclass
class StandingClock:
    def now(self) -> Any:
        return NOW


@dataclass
class Unlimited:
    async def may_check(self, client: str) -> bool:
        return True


@dataclass
class Parts:
    """What the pages need of a web process."""

    database: Database
    public_url: str = ""
    clock: StandingClock = field(default_factory=StandingClock)
    limits: Unlimited = field(default_factory=Unlimited)
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))


@pytest.fixture
async def parts(database: Database) -> AsyncIterator[Parts]:
    """The pages on a port, and beside them a shop with a page that shows ours in a frame."""
    made = Parts(database)
    app = FastAPI()
    app.state.parts = made
    app.include_router(genuine.router)
    app.include_router(console.router)

    @app.get("/shop")
    async def shop(request: Request) -> Response:
        ours = f"{made.public_url}/echt?shop={request.query_params['key']}"
        return HTMLResponse(f'<h1>Shop</h1><iframe title="Echt?" src="{ours}"></iframe>')

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    made.public_url = f"http://127.0.0.1:{port}"
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
async def conversation(database: Database, merchant: Merchant, customer: Customer) -> Conversation:
    """A first contact with its code, and an answer."""
    async with database.operator() as session:
        account = await session.scalar(select(ChannelAccount.id))
        assert account is not None
        of = {"merchant_id": merchant.id, "created_at": NOW}
        held = Conversation(
            channel_account_id=account, channel="sms", address="+4915112345678",
            customer_id=customer.id, **of,
        )  # fmt: skip
        session.add(held)
        await session.flush()
        for direction, author, text in (
            ("out", "bot", f"Guten Tag … https://lindenhof.example/echt/{CODE}"),
            ("in", "customer", "Hier ist Anna Beispiel, " + "worum geht es denn? " * 20),
        ):
            row = Message(
                conversation_id=held.id, channel_account_id=account, direction=direction,
                author=author, kind="message", text=text, status="delivered", sent_at=NOW, **of,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            if direction == "out":
                keep(session, CODE, merchant_id=merchant.id, message_id=row.id, now=NOW)
            else:
                session.add(
                    Turn(
                        message_id=row.id, conversation_id=held.id, merchant_id=merchant.id, at=NOW,
                        understanding={"intent": "ask_claim", "confidence": 0.9},
                    )
                )  # fmt: skip
    return held


@pytest.fixture
async def look(browser: Browser) -> AsyncIterator[Any]:
    """Opens a context and collects what the browser complains about."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []

    async def opened(**how: Any) -> Page:
        how.setdefault("locale", "de-DE")
        context = await browser.new_context(**how)
        contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        return page

    yield opened
    for context in contexts:
        await context.close()
    # A wrong code is answered with 404, and the browser says so.
    assert [one for one in trouble if "404" not in one] == []


async def sign_in(page: Page, parts: Parts, merchant: Merchant) -> None:
    async with parts.database.merchant(merchant.id) as session:
        token = await make_link(session, merchant.id, "m.koch", NOW)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await page.get_by_role("button", name=re.compile("anmelden|Sign in")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("Überblick|Overview")
    )
    await page.goto(f"{parts.public_url}/console/conversations?{urlsplit(page.url).query}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("Gespräche|Conversations")
    )


async def assert_fit_to_read(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    small = await page.evaluate(
        """smallest => [...document.querySelectorAll(
                "a, button, select, input:not([type=hidden], [type=radio], [type=checkbox])")]
            .filter((e) => e.checkVisibility() && !e.closest(".skip"))
            .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < smallest || box.width < smallest)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        TARGET_PIXELS_MIN - 0.5,
    )
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_everything_is_fit_to_read(
    parts: Parts,
    database: Database,
    merchant: Merchant,
    conversation: Conversation,
    look: Any,
    width: int,
    scheme: str,
) -> None:
    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).name = LONG_NAME
    page = await look(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in ("/echt", f"/echt/{CODE}", "/echt/nonsense", f"/genuine/{CODE}"):
        await page.goto(parts.public_url + path)
        await assert_fit_to_read(page)
    await sign_in(page, parts, merchant)
    await assert_fit_to_read(page)
    await page.get_by_role("link", name="K-1001").click()
    await expect(page.locator("ol.talk")).to_contain_text("[Name]")
    await assert_fit_to_read(page)
    await page.get_by_role("button", name="Angaben aufdecken").click()
    await expect(page.locator("ol.talk")).to_contain_text("Anna Beispiel")
    await assert_fit_to_read(page)


async def test_a_code_is_typed_and_answered_without_script(
    parts: Parts, conversation: Conversation, look: Any
) -> None:
    page = await look(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    await page.goto(f"{parts.public_url}/echt/nonsense")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Diesen Code kennen wir nicht.")
    await page.get_by_label("Code aus der Nachricht").fill("K7QMT 2RTXH")
    await page.get_by_role("button", name="Nachricht prüfen").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Ja, diese Nachricht ist")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Yes, this message is")
    await page.get_by_role("link", name="Check another code").click()
    await expect(page.get_by_label("Code from the message")).to_be_visible()


async def test_the_shops_own_page_shows_it_in_a_frame_and_nobody_elses_does(
    parts: Parts, database: Database, merchant: Merchant, conversation: Conversation, look: Any
) -> None:
    shop = parts.public_url.replace("127.0.0.1", "localhost")
    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).check_url = f"{shop}/shop?code="
    page = await look()
    await page.goto(f"{shop}/shop?key=lindenhof&code={CODE}")
    frame = page.frame_locator("iframe")
    await frame.get_by_label("Code aus der Nachricht").fill(CODE)
    await frame.get_by_role("button", name="Nachricht prüfen").click()
    await expect(frame.get_by_role("heading", level=1)).to_contain_text("Ja, diese Nachricht ist")

    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).check_url = "https://elsewhere.example/echt"
    stranger = await (await look()).context.new_page()
    refused: list[str] = []
    stranger.on("console", lambda said: refused.append(said.text))
    await stranger.goto(f"{shop}/shop?key=lindenhof")
    await expect(stranger.locator("h1")).to_have_text("Shop")
    await stranger.wait_for_timeout(300)
    assert any("frame-ancestors" in one for one in refused), refused


async def test_everything_is_reached_by_keyboard(
    parts: Parts, merchant: Merchant, conversation: Conversation, look: Any
) -> None:
    page = await look()
    await sign_in(page, parts, merchant)
    await page.goto(f"{parts.public_url}/console/conversations/{conversation.id}")
    reached = []
    for _ in range(30):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
        if reached[-1] == "Angaben aufdecken":
            break
    assert reached[0] == "Zum Inhalt"
    assert reached[-1] == "Angaben aufdecken"
    await page.keyboard.press("Enter")
    await expect(page.locator("ol.talk")).to_contain_text("Anna Beispiel")
    async with parts.database.operator() as session:
        seen = await session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id))
        assert list(seen) == ["signed_in", "transcript_seen", "transcript_revealed"]


async def test_twice_the_size_and_half_the_width_cut_nothing_off(
    parts: Parts, merchant: Merchant, conversation: Conversation, look: Any
) -> None:
    page = await look(viewport={"width": 320, "height": 400}, device_scale_factor=2)
    await sign_in(page, parts, merchant)
    for path in (f"/echt/{CODE}", f"/console/conversations/{conversation.id}"):
        await page.goto(parts.public_url + path)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

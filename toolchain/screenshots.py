"""Pictures of simulator, customer's page, console and desk for the docs, of a real conversation.

Run: ``python -m toolchain.screenshots [FOLDER]`` (or ``make screenshots``). A demo of its own is
started on a throw-away data directory; a conversation is played on its phones.
"""

import asyncio
import base64
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import pypdfium2
from playwright.async_api import Browser, Page, async_playwright

from api.demo.started import NotStarted, StartedService
from toolchain import console_pictures
from toolchain.browser import MISSING, chromium

FOLDER: Final = Path(__file__).parent.parent / "docs"
WEBP_QUALITY: Final = 82
PICTURE_BYTES_MAX: Final = 200_000
LETTER_PIXELS: Final = 900
ANSWER_MILLISECONDS_MAX: Final = 60_000
SAMPLE_SECONDS_MAX: Final = 60

SIMULATOR: Final = ".lines button, .bubble"
PAGE_LINK: Final = re.compile(r"/p/[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}")

Scheme = Literal["light", "dark"]


async def _page(
    browser: Browser, url: str, width: int, height: int, scheme: Scheme, shows: str = SIMULATOR
) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=1.5 if width > 600 else 2,
    )
    page = await context.new_page()
    page.set_default_timeout(ANSWER_MILLISECONDS_MAX)
    await page.goto(url)
    await page.wait_for_selector(shows)
    return page


async def _shoot(page: Page, file: Path) -> None:
    """A WebP of what is to be seen, which Playwright itself does not write."""
    await page.wait_for_timeout(1500)  # ticks and the panel come last
    session = await page.context.new_cdp_session(page)
    taken: dict[str, Any] = await session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": WEBP_QUALITY}
    )
    file.write_bytes(base64.b64decode(taken["data"]))
    size = file.stat().st_size
    print(f"{file} {size // 1000} kB")
    if size > PICTURE_BYTES_MAX:
        raise SystemExit(f"{file} is larger than {PICTURE_BYTES_MAX // 1000} kB")


async def _contact(page: Page) -> None:
    await page.click("[data-do=contact]")
    await page.wait_for_selector("li:not(.own) > .bubble")


async def _say(page: Page, phone: str, *lines: str) -> None:
    """Write line by line, each when the one before is answered."""
    for line in lines:
        theirs = page.locator(f".phone.{phone} li:not(.own) > .bubble")
        before = await theirs.count()
        await page.fill(f".phone.{phone} input", line)
        await page.press(f".phone.{phone} input", "Enter")
        await _answered(page, phone, before)


async def _answered(page: Page, phone: str, before: int) -> None:
    theirs = page.locator(f".phone.{phone} li:not(.own) > .bubble")
    await theirs.nth(before).wait_for()
    await page.locator(f".phone.{phone} .dots").wait_for(state="hidden")


async def _take(browser: Browser, url: str, folder: Path) -> None:
    """From WhatsApp to Telegram to a plan: on a laptop, in the dark, on a phone."""
    page = await _page(browser, f"{url}/simulator?story=short&lang=de", 1280, 800, "light")
    await _contact(page)
    invoice = await page.locator(".facts dd").first.inner_text()
    await _say(page, "whatsapp", "Können wir lieber über Telegram schreiben?")
    await page.click(".phone.whatsapp .deep-link")
    await _answered(page, "telegram", 0)
    await _say(page, "telegram", invoice, "Ja, das stimmt", "Geht das in 6 Raten?")
    before = await page.locator(".phone.telegram li:not(.own) > .bubble").count()
    await page.locator(".phone.telegram .buttons button", has_text="so eintragen").click()
    await _answered(page, "telegram", before)
    await _shoot(page, folder / "simulator.webp")
    dark = await _page(browser, page.url, 1280, 800, "dark")
    await _shoot(dark, folder / "simulator-dark.webp")
    phone = await _page(browser, page.url, 390, 844, "light")
    await phone.click("[data-place=telegram]")
    await _shoot(phone, folder / "simulator-phone.webp")
    said = " ".join(await page.locator(".phone.telegram .bubble").all_inner_texts())
    found = PAGE_LINK.search(said)
    if found is None:
        raise SystemExit("no message of the chat leads to the customer's page")
    await _take_page(browser, url, found.group(), folder)


async def _take_page(browser: Browser, url: str, link: str, folder: Path) -> None:
    """What the customer sees behind the link: on a phone, in the dark, on a laptop."""
    phone = await _page(browser, url + link, 390, 844, "light", "main")
    await phone.click("main form > button")
    await phone.wait_for_selector(".today")
    await _shoot(phone, folder / "customers-page-phone.webp")
    state = await phone.context.storage_state()
    claim = await phone.locator("[name=claim]").first.get_attribute("value")
    await _take_statement(browser, url, claim or "", state, folder)
    for scheme, width, path, name in _VIEWS:
        context = await browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            device_scale_factor=2 if width < 600 else 1.5,
            storage_state=state,
            permissions=["clipboard-write"],
        )
        page = await context.new_page()
        await page.goto(f"{url}{path}?claim={claim}")
        await page.locator("main").locator("table, .transfer").first.scroll_into_view_if_needed()
        await _shoot(page, folder / name)


async def _take_statement(browser: Browser, url: str, claim: str, state: Any, folder: Path) -> None:
    """A claim's statement as a page, and the letter's first page as another reader draws it."""
    for scheme, width, name in _STATEMENTS:
        context = await browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            device_scale_factor=2 if width < 600 else 1.5,
            storage_state=state,
        )
        page = await context.new_page()
        await page.goto(f"{url}/p/statement?claim={claim}")
        await _shoot(page, folder / name)
    letter = await page.context.request.get(f"{url}/p/statement.pdf?claim={claim}")
    bitmap = pypdfium2.PdfDocument(await letter.body())[0].render(scale=2, rev_byteorder=True)
    width = LETTER_PIXELS
    height = round(width * bitmap.height / bitmap.width)
    await page.set_viewport_size({"width": width, "height": height})
    await page.goto("about:blank")
    await page.evaluate(_DRAW, [base64.b64encode(bytes(bitmap.buffer)).decode(), bitmap.width])
    await _shoot(page, folder / "statement-letter.webp")


_DRAW = """([data, width]) => {
    const bytes = Uint8ClampedArray.from(atob(data), (one) => one.charCodeAt(0));
    const pixels = new Uint8ClampedArray(bytes.length / 3 * 4).fill(255);
    bytes.forEach((value, at) => { pixels[Math.floor(at / 3) * 4 + at % 3] = value; });
    const canvas = document.createElement("canvas");
    const picture = new ImageData(pixels, width);
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").putImageData(picture, 0, 0);
    canvas.style.width = "100%";
    canvas.style.outline = "1px solid lightgray";
    canvas.style.outlineOffset = "-1px";
    document.body.style.margin = 0;
    document.body.append(canvas);
}"""
_STATEMENTS: tuple[tuple[Scheme, int, str], ...] = (
    ("light", 390, "statement-phone.webp"),
    ("dark", 390, "statement-dark.webp"),
    ("light", 1280, "statement.webp"),
)
_VIEWS: tuple[tuple[Scheme, int, str, str], ...] = (
    ("dark", 390, "/p/plan", "customers-page-dark.webp"),
    ("light", 1280, "/p/pay", "customers-page.webp"),
)


async def _ask_for_help(browser: Browser, url: str) -> None:
    """Somebody is in distress, and somebody wants to talk to a person."""
    for story, line in (
        ("short", "Ich kann nicht mehr, ich will nicht mehr leben"),
        ("forgot", _CALL),
    ):
        page = await _page(browser, f"{url}/simulator?story={story}&lang=de", 1280, 800, "light")
        await _contact(page)
        phone = await page.locator(".phone:has(li)").first.get_attribute("class") or ""
        await _say(page, phone.split()[-1], line)


_CALL: Final = "Kann mich bitte jemand morgen um 10 Uhr anrufen?"


async def _sample_data(url: str) -> None:
    deadline = time.monotonic() + SAMPLE_SECONDS_MAX
    async with httpx.AsyncClient(base_url=url) as http:
        while (await http.get("/simulator")).status_code != 303:
            if time.monotonic() > deadline:
                raise NotStarted("the demo has no sample data")
            await asyncio.sleep(0.2)


async def _main(folder: Path) -> int:
    program = chromium()
    if program is None:
        print(MISSING)
        return 1
    with tempfile.TemporaryDirectory(prefix="kulanz-", ignore_cleanup_errors=True) as data:
        service = StartedService(Path(data), None)
        service.start()
        try:
            await service.until_ready()
            await _sample_data(service.url)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=program,
                    args=["--no-sandbox", "--disable-dev-shm-usage"],
                    env={**os.environ, "LANGUAGE": "de"},  # heeded where Chromium has its l10n
                )
                await _take(browser, service.url, folder)
                await _ask_for_help(browser, service.url)
                settings = service.settings().model_copy(update={"demo": True})
                await console_pictures.take(
                    browser, service.url, settings, folder / "console", _shoot
                )
                await browser.close()
        finally:
            await service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)))

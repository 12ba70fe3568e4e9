"""The simulator's page itself: light, reachable for everybody, and alone with its own server."""

from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Response, expect

from api.demo.started import StartedService
from tests.browser.conftest import Visitor

WEIGHT_BYTES_MAX = 150_000
TARGET_PIXELS_MIN = 44
INTERACTIVE = "a, button, input, select, summary, [tabindex='0']"


async def test_the_page_weighs_little_and_asks_nobody_else(
    demo: StartedService, visit: Visitor
) -> None:
    visitor = await visit()
    await expect(visitor.phone("whatsapp").locator(".lines button").first).to_be_visible()
    answers: list[Response] = []
    visitor.page.on("response", lambda answer: answers.append(answer))
    async with visitor.page.expect_response(lambda answer: "/live?" in answer.url):
        await visitor.page.reload()
    await expect(visitor.phone("whatsapp").locator(".lines button").first).to_be_visible()
    sizes = {each.url: len(await each.body()) for each in answers if "/live?" not in each.url}

    assert len(sizes) >= 6, sizes
    assert all(url.startswith(demo.url) for url in sizes), sizes
    assert sum(sizes.values()) <= WEIGHT_BYTES_MAX, sizes


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("lang", "width"), [("de", 1280), ("en", 390)])
async def test_axe_finds_nothing(visit: Visitor, lang: str, width: int, scheme: Any) -> None:
    visitor = await visit("dispute", lang=lang, width=width, color_scheme=scheme)
    await visitor.contact("whatsapp")
    await visitor.write("whatsapp", "What is this about?")

    for place in ("whatsapp", "sms", "telegram", "panel") if width < 1100 else ("",):
        if place:
            await visitor.page.locator(f"[data-place={place}]").click()
        found = await Axe().run(visitor.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [390, 640, 1280])
async def test_nothing_is_cut_off_or_too_small_to_touch(visit: Visitor, width: int) -> None:
    visitor = await visit("no_whatsapp", lang="de", width=width)
    await visitor.contact("sms")

    assert await _overflow(visitor.page) <= 0
    small = await visitor.page.evaluate(
        """([selector, smallest]) => [...document.querySelectorAll(selector)]
            .filter((e) => e.checkVisibility() && !e.closest(".skip"))
            .map((e) => [e.textContent.trim() || e.name, e.getBoundingClientRect()])
            .filter(([, box]) => box.height < smallest || box.width < smallest)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
        [INTERACTIVE, TARGET_PIXELS_MIN - 0.5],
    )
    assert small == []


async def test_a_narrow_page_shows_one_place_at_a_time(visit: Visitor) -> None:
    visitor = await visit(width=390, height=844)
    places = ("whatsapp", "sms", "telegram", "panel")
    await visitor.contact("whatsapp")
    for place in places:
        tab = visitor.page.locator(f"[data-place={place}]")
        await tab.click()
        await expect(tab).to_have_attribute("aria-pressed", "true")
        shown = visitor.page.locator("main > *").filter(visible=True)
        await expect(shown).to_have_count(1)
        named = visitor.phone(place) if place != "panel" else visitor.page.locator("#panel")
        await expect(named).to_be_visible()
    await visitor.page.locator("[data-place=sms]").click()
    await visitor.phone("sms").get_by_role("textbox").fill("Worum geht es?")
    await visitor.phone("sms").get_by_role("textbox").press("Enter")
    await visitor.answer("sms", 0)


async def test_everything_is_reached_by_keyboard(visit: Visitor) -> None:
    visitor = await visit()
    await visitor.contact("whatsapp")
    page = visitor.page
    wanted = await page.evaluate(
        f"""() => [...document.querySelectorAll("{INTERACTIVE}")].filter((e) => e.checkVisibility())
            .map((e, place) => (e.dataset.place_in_test = place, place)).length"""
    )
    reached: set[str] = set()
    await page.locator("body").press("Tab")
    for _ in range(wanted + 5):
        found = await page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.dataset.place_in_test, s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
        )
        if found[0] is not None:
            reached.add(found[0])
            assert (found[1], found[2]) == ("solid", 3), f"no focus to be seen on {found[0]}"
        await page.keyboard.press("Tab")
    assert len(reached) == wanted


async def test_the_page_speaks_both_languages(visit: Visitor) -> None:
    visitor = await visit("dispute", lang="de")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "de")
    await visitor.page.get_by_role("link", name="English").click()
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    await expect(visitor.page.locator("[data-do=contact]")).to_have_text("Send the first message")


async def test_only_the_page_itself_may_act(demo: StartedService, visit: Visitor) -> None:
    visitor = await visit()
    async with httpx.AsyncClient(base_url=demo.url) as http:
        front = await http.get("/")
    assert (front.status_code, front.headers["location"]) == (303, "/simulator")
    async with httpx.AsyncClient(base_url=f"{demo.url}/simulator") as http:
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        forged = await http.post(f"/{visitor.number}/contact", json={}, headers=elsewhere)
        nobody = await http.get("/K-10021")
        unknown = await http.post(f"/{visitor.number}/erase", json={})
        page = await http.get(f"/{visitor.number}")
    assert [forged.status_code, nobody.status_code, unknown.status_code] == [403, 404, 404]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]


async def _overflow(page: Page) -> int:
    wider: int = await page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider

"""The customer's page in a browser: from the chat and back, by keyboard, without script."""

from typing import Any

import pytest
from playwright.async_api import expect

from api.demo.started import StartedService
from tests.browser.conftest import LINK, Visitor, assert_fit_to_read

FIRST_LOAD_BYTES_MAX = 60_000
PATHS = (
    "/p",
    "/p/pay",
    "/p/dispute",
    "/p/callback",
    "/p/contact",
    "/p/data",
    "/p/feedback",
    "/p/about/privacy",
)


async def test_from_the_chat_to_a_plan_and_back(
    demo: StartedService, visit: Visitor, look: Any
) -> None:
    made = await visit("short")
    await made.contact("whatsapp")
    invoice = await made.page.locator(".facts dd").first.inner_text()
    await made.write("whatsapp", invoice)
    said = await made.write("whatsapp", "Ich möchte jetzt bezahlen, wie ist die IBAN?")
    found = LINK.search(said)
    assert found is not None, said

    # The chat had the proof: one button, no question. JavaScript is off: everything works.
    page = await look(java_script_enabled=False)
    await page.goto(f"{demo.url}{found.group()}")
    await page.get_by_role("button", name="Seite öffnen").click()
    await expect(page.locator(".today .figure")).to_contain_text("€")
    await page.get_by_role("link", name="In Raten zahlen").first.click()
    await page.get_by_label("Anzahl der Raten").select_option("3")
    await page.get_by_role("button", name="Vorschau berechnen").click()
    await expect(page.locator("table tbody tr")).to_have_count(3)
    first = await page.locator("tbody .money").first.inner_text()
    before = await made.theirs("whatsapp").count()
    await page.get_by_role("button", name="Ratenplan vereinbaren").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("das ist vereinbart")

    # The chat says so by itself, and knows what was agreed.
    noted = await made.answer("whatsapp", before)
    assert "Angaben von der Seite sind eingetragen" in noted
    told = await made.write("whatsapp", "Was haben wir vereinbart?")
    assert first.replace("\xa0", " ") in told.replace("\xa0", " ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_fit_to_read_and_light(
    demo: StartedService, visit: Visitor, look: Any, scheme: str
) -> None:
    made = await visit("short", lang="de" if scheme == "light" else "en")
    await made.contact("whatsapp")
    invoice = await made.page.locator(".facts dd").first.inner_text()
    await made.write("whatsapp", invoice)
    said = await made.write("whatsapp", "IBAN?")
    found = LINK.search(said)
    assert found is not None, said
    width = 390 if scheme == "light" else 1280
    page = await look(color_scheme=scheme, viewport={"width": width, "height": 844})
    await page.goto(f"{demo.url}{found.group()}")
    await assert_fit_to_read(page)
    await page.locator("main form > button").click()
    await expect(page).to_have_url(f"{demo.url}/p")
    await page.locator("details summary").first.click()
    claim = await page.locator("[name=claim]").first.get_attribute("value")
    of_claim = (f"/p/{name}?claim={claim}" for name in ("plan", "later", "statement"))
    for path in (*PATHS, *of_claim):
        answer = await page.goto(demo.url + path)
        assert answer is not None
        assert len(await answer.body()) < FIRST_LOAD_BYTES_MAX
        await assert_fit_to_read(page)

    # The preview follows what is filled in, without a button.
    await page.goto(f"{demo.url}/p/plan?claim={claim}")
    rows = page.locator("table tbody tr")
    await page.locator("#count").select_option("2")
    await expect(rows).to_have_count(2)
    await page.locator("#amount").fill("50")
    await expect(page.locator("#count")).to_have_value("")
    await expect(page.locator("tbody .money").first).to_contain_text("50")

    # Everything is reached by keyboard, and what has the focus shows it.
    await page.goto(f"{demo.url}/p")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    reached = set()
    for _ in range(8):
        await page.keyboard.press("Tab")
        reached.add(await page.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON"} <= reached

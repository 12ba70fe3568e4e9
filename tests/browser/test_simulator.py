"""What happens on the phones really happens: in the service, in the ledger, and live."""

import json

import httpx
from playwright.async_api import expect

from api.demo.started import StartedService
from tests.browser.conftest import Visitor

DAYS_MAX = 4
"""An agreed day may be a rest day; then the reminder waits for one on which it may go out."""


async def test_from_whatsapp_to_telegram_to_a_plan_to_its_reminder(visit: Visitor) -> None:
    visitor = await visit("short")
    page, telegram = visitor.page, visitor.phone("telegram")
    await visitor.contact("whatsapp")
    await visitor.write("whatsapp", "Können wir lieber über Telegram schreiben?")
    await visitor.phone("whatsapp").locator("a.deep-link").click()
    await expect(telegram.get_by_role("textbox")).to_be_focused()
    await visitor.answer("telegram", 0)
    await expect(visitor.theirs("whatsapp").last).to_contain_text("Telegram")

    invoice = await page.locator(".facts dd").first.inner_text()
    assert "612,80" in await visitor.write("telegram", invoice)
    await visitor.write("telegram", "Ja, das stimmt")
    assert "6. Rate am" in await visitor.write("telegram", "Geht das in 6 Raten?")
    yes = telegram.get_by_role("log").get_by_role("button", name="Ja, so eintragen")
    before = await visitor.theirs("telegram").count()
    await yes.press("Enter")
    await visitor.answer("telegram", before)
    await expect(yes).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#part-agreement")).to_contain_text("Ratenplan")

    counts = {name: await visitor.theirs(name).count() for name in ("whatsapp", "sms", "telegram")}
    await expect(page.locator("#part-clock")).to_contain_text("Hinweis vor dem vereinbarten Tag")
    await expect(page.locator("#part-coming")).to_contain_text("1. Rate: 102,13")
    for _ in range(DAYS_MAX):
        await visitor.jump()
        if await visitor.theirs("telegram").count() > counts["telegram"]:
            break
    await expect(visitor.theirs("telegram")).to_have_count(counts["telegram"] + 1)
    await expect(visitor.theirs("telegram").last).to_contain_text("Erinnerung")
    assert await visitor.theirs("whatsapp").count() == counts["whatsapp"]
    assert await visitor.theirs("sms").count() == counts["sms"] == 0


async def test_a_promise_by_letters_and_ticks(visit: Visitor) -> None:
    visitor = await visit("forgot")
    await visitor.contact("whatsapp")
    ticks = visitor.theirs("whatsapp").first.locator("svg[aria-label=gelesen]")
    await expect(ticks).to_be_visible()

    replies = visitor.phone("whatsapp").locator(".buttons button")
    await expect(replies).to_have_text(["Worum geht es?", "Ist das echt?"])
    await replies.nth(1).press("Enter")
    assert "lindenhof.example/echt" in await visitor.answer("whatsapp", 1)
    await expect(
        visitor.phone("whatsapp").locator("li.own svg[aria-label=zugestellt]")
    ).to_be_visible()

    invoice = await visitor.page.locator(".facts dd").first.inner_text()
    assert "129,90" in await visitor.write("whatsapp", invoice)
    assert "A = " in await visitor.write("whatsapp", "A")
    assert "Soll ich das so eintragen?" in await visitor.write("whatsapp", "Ich zahle am Freitag")
    await visitor.write("whatsapp", "A")

    panel = visitor.page.locator("#panel")
    await expect(panel.locator("#part-agreement")).to_contain_text("Zahlungszusage")
    await expect(panel.locator("#part-understood")).to_contain_text("promise_payment")
    await visitor.page.locator("[data-do=pay]").click()
    await expect(panel.locator("#part-account")).to_contain_text("ausgeglichen")
    await expect(visitor.theirs("sms")).to_have_count(0)
    await expect(visitor.theirs("telegram")).to_have_count(0)


async def test_on_a_phone_the_field_to_write_in_is_in_view(visit: Visitor) -> None:
    visitor = await visit("forgot", width=390, height=844)
    field = visitor.phone("whatsapp").get_by_role("textbox")
    await expect(field).to_be_in_viewport(ratio=1)
    await visitor.contact("whatsapp")
    await visitor.write("whatsapp", "Worum geht es?")
    await expect(field).to_be_in_viewport(ratio=1)
    assert await visitor.page.evaluate("scrollY") == 0


async def test_an_unanswered_first_contact_is_followed_by_one_reminder(visit: Visitor) -> None:
    visitor = await visit("no_whatsapp")
    await visitor.contact("sms")
    ahead = visitor.page.locator("#part-coming")
    await expect(ahead).to_contain_text("Freundliche Erinnerung über SMS")
    await visitor.page.locator("[data-step=next]").click()
    await expect(visitor.theirs("sms")).to_have_count(2)
    await expect(ahead).to_contain_text("einmal erinnert")


async def test_a_file_goes_where_files_go(visit: Visitor) -> None:
    visitor = await visit("paid")
    await visitor.contact("whatsapp")
    await expect(visitor.phone("sms").locator(".attach")).to_have_count(0)
    await visitor.write("whatsapp", "Das habe ich schon überwiesen")
    before = await visitor.theirs("whatsapp").count()
    await visitor.phone("whatsapp").locator(".attach summary").click()
    await visitor.phone("whatsapp").get_by_role("button", name="Foto eines Belegs").click()
    await expect(visitor.phone("whatsapp").locator("li.own .file")).to_contain_text("IMG_2041.jpg")
    assert await visitor.answer("whatsapp", before)


async def test_what_was_said_is_still_there(demo: StartedService, visit: Visitor) -> None:
    visitor = await visit("wrong")
    await visitor.contact("whatsapp")
    await visitor.write("whatsapp", "Ich bin nicht Frau Lange, Sie haben die falsche Nummer")
    texts = await visitor.phone("whatsapp").locator(".bubble").all_inner_texts()
    await visitor.page.reload()
    await expect(visitor.phone("whatsapp").locator(".bubble")).to_have_count(len(texts))

    events = await _events(demo, visitor.number, after=0)
    numbers = [number for number, _ in events]
    assert numbers == sorted(set(numbers))
    missed = await _events(demo, visitor.number, after=numbers[2])
    assert missed[: len(events) - 3] == events[3:]  # a tick may have come in between


async def test_starting_over_leaves_the_first_customer_alone(visit: Visitor) -> None:
    visitor = await visit("wrong")
    await visitor.contact("whatsapp")
    before = visitor.page.url
    await visitor.page.locator("[data-do=again]").click()
    await expect(visitor.page).not_to_have_url(before)
    await expect(visitor.theirs("whatsapp")).to_have_count(0)
    await visitor.page.goto(before)
    await expect(visitor.theirs("whatsapp")).to_have_count(1)


async def _events(demo: StartedService, number: str, *, after: int) -> list[tuple[int, str]]:
    """What a phone that knows everything up to `after` is sent, until it is up to date."""
    found: list[tuple[int, str]] = []
    headers = {"Last-Event-ID": str(after)}
    url = f"{demo.url}/simulator/{number}/live"
    async with httpx.AsyncClient() as http, http.stream("GET", url, headers=headers) as answer:
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                event[name] = value
            elif "id" in event:
                found.append((int(event["id"]), json.loads(event["data"]).get("key", "")))
                event = {}
            elif event.get("event") == "panel":
                return found  # the panel comes after the past
            else:
                event = {}
    return found

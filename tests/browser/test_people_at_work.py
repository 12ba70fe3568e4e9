"""A merchant's day and an agent's, with the running service, the real Rasa and real phones."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Browser, Page, expect

from api.demo.started import StartedService
from tests.browser.conftest import Visitor
from tests.browser.console_parts import choose
from tests.browser.test_page_chat import kulanz

OWNER, AGENT = "lea@lindenhof.example", "mira@lindenhof.example"
CLAIMS = (
    "kundennummer;name;rechnungsnummer;beschreibung;rechnungsdatum;faellig_am;betrag\n"
    "K-77001;Ritter;RE-77001;Aquarium;01.09.2026;15.09.2026;89,90\n"
)


@pytest.fixture
async def at_work(demo: StartedService, browser: Browser) -> AsyncIterator[Any]:
    """Signs somebody of the shop in; complaints of the browser fail, but for refused forms."""
    pages: list[Page] = []
    trouble: list[str] = []

    async def signed_in(who: str) -> Page:
        context = await browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
        page = await context.new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        link = (await kulanz(demo, "login", "--as", who)).split("\n", 1)[0].strip()
        await page.goto(link)
        await page.get_by_role("main").get_by_role("button").click()
        await page.wait_for_url("**/console")
        pages.append(page)
        return page

    yield signed_in
    for page in pages:
        await page.context.close()
    assert [said for said in trouble if "422" not in said] == []


async def test_a_merchant_from_a_file_to_what_the_assistant_learns(
    visit: Visitor, at_work: Any
) -> None:
    lea: Page = await at_work(OWNER)

    # A file is imported.
    await choose(lea, "Import")
    await lea.get_by_label("CSV-Datei").set_input_files(
        {"name": "november.csv", "mimeType": "text/csv", "buffer": CLAIMS.encode()}
    )
    await lea.get_by_role("button", name="Datei einlesen").first.click()
    await expect(lea.get_by_role("status")).to_contain_text("vollständig übernommen")
    await choose(lea, "Forderungen")
    await lea.get_by_role("searchbox").fill("re 77001")
    await lea.get_by_role("searchbox").press("Enter")
    await expect(lea.locator("tbody tr")).to_contain_text("89,90")

    # The policy is set; the examples follow before it is saved.
    await choose(lea, "Einstellungen")
    await lea.get_by_role("main").get_by_role("link", name="Regeln").first.click()
    await expect(lea.locator("#offers")).to_contain_text("bis zu 4, ab 11,30")
    await lea.get_by_label("Kleinste Rate").fill("12")
    await expect(lea.locator("#offers")).to_contain_text("bis zu 4, ab 12,00")
    await lea.get_by_label("Warum ändern Sie das?").fill("Kleine Raten lohnen sich nicht")
    await lea.get_by_role("button", name="Regeln speichern").click()
    await expect(lea.get_by_role("status")).to_contain_text("Gespeichert.")

    # A conversation is found by a word that somebody wrote.
    made = await visit("forgot")
    await made.contact("whatsapp")
    invoice = await made.page.locator(".facts dd").first.inner_text()
    await made.write("whatsapp", invoice)
    await made.write("whatsapp", "Der Hamster hat die Rechnung gefressen")
    await choose(lea, "Gespräche")
    await lea.get_by_role("searchbox").fill("hamster rechnung")
    await lea.get_by_role("searchbox").press("Enter")
    await expect(lea.locator("tbody th")).to_have_count(1)
    await lea.get_by_role("link", name=made.number).click()
    said = lea.locator("li.line", has_text="Hamster")
    await expect(said.locator("mark").first).to_have_text("Hamster")

    # What was misunderstood is corrected; an owner may decide about their own, and it is learned.
    await said.get_by_role("link", name="Genauer ansehen").click()
    await lea.get_by_label("Gemeint war").select_option("request_invoice_copy")
    await lea.get_by_role("button", name="Vorschlag speichern").click()
    await expect(lea.get_by_role("status")).to_contain_text("Vorschlag ist gespeichert")
    await choose(lea, "Korrekturen")
    await expect(lea.get_by_role("main")).to_contain_text("Der Hamster hat die Rechnung gefressen")
    await lea.get_by_role("button", name="Annehmen").click()
    await expect(lea.get_by_role("status")).to_contain_text("angenommen")
    async with lea.expect_download() as download:
        await lea.get_by_role("button", name="Trainingsdaten herunterladen").click()
    (learned,) = yaml.safe_load(Path(await (await download.value).path()).read_text("utf-8"))["nlu"]
    assert learned["intent"] == "request_invoice_copy"
    assert "Der Hamster hat die Rechnung gefressen" in learned["examples"]


async def test_an_agent_takes_a_crisis_and_gives_it_back(visit: Visitor, at_work: Any) -> None:
    mira: Page = await at_work(AGENT)
    made = await visit("short")
    await made.contact("whatsapp")
    invoice = await made.page.locator(".facts dd").first.inner_text()
    await made.write("whatsapp", invoice)
    await choose(mira, "Anfragen")
    await expect(mira.locator("#live")).to_have_text("Live verbunden")
    row = mira.locator("[data-row]", has_text=made.number)
    await expect(row).to_have_count(0)

    # It is on the desk without a reload, first of all, and is taken by keyboard.
    help_at_once = await made.write("whatsapp", "Ich kann nicht mehr, ich will nicht mehr leben")
    assert "112" in help_at_once
    await expect(row).to_contain_text("Krise")
    await row.get_by_role("link", name=made.number, exact=True).click()
    await expect(mira.locator("#summary")).to_contain_text("Erst für den Menschen da sein")
    await expect(mira.locator("#live")).to_have_text("Live verbunden")
    await mira.keyboard.press("t")
    await expect(mira.locator("#told")).to_contain_text("liegt jetzt bei Ihnen")

    # A person writes, and the assistant is silent.
    phone = made.theirs("whatsapp")
    await mira.keyboard.press("r")
    await mira.keyboard.type("Ich bin Mira und jetzt für Sie da.")
    await mira.keyboard.press("Control+Enter")
    await expect(phone.last).to_contain_text("Ich bin Mira")
    told = await phone.count()
    box = made.phone("whatsapp").get_by_role("textbox")
    await box.fill("Danke. Geht das auch in Raten?")
    await box.press("Enter")
    await expect(mira.locator("#talk")).to_contain_text("Geht das auch in Raten?")

    # Terms outside the policy are refused with what is possible; within, they wait for a yes.
    await mira.get_by_text("Was jetzt möglich ist").click()
    own = mira.locator("form.offered").filter(has=mira.locator("input[name=count]:visible"))
    await own.get_by_label("Raten", exact=True).fill("40")
    await own.get_by_role("button", name="Vorschlag senden").click()
    await expect(mira.get_by_role("alert")).to_contain_text("Das sind zu viele Raten")
    assert await phone.count() == told
    await own.get_by_label("Raten", exact=True).fill("4")
    await own.get_by_role("button", name="Vorschlag senden").click()
    await expect(mira.locator(".waits")).to_contain_text("Vorschlag wartet auf ein Ja")
    await expect(phone.last).to_contain_text("4. Rate")
    await made.write("whatsapp", "Ja, einverstanden")
    await expect(mira.locator("#side")).to_contain_text("Vereinbart: Ratenplan")
    await expect(made.page.locator("#part-agreement")).to_contain_text("Ratenplan")

    # Given back, the assistant goes on and says who it is.
    before = await phone.count()
    await mira.get_by_text("An den Assistenten zurückgeben").click()
    await mira.get_by_role("button", name="Zurückgeben", exact=True).click()
    await expect(mira.locator("#summary")).to_contain_text("an den Assistenten zurückgegeben")
    await expect(phone.nth(before)).to_contain_text("automatische Assistent")
    answer = await made.write("whatsapp", "Wann ist die erste Rate fällig?")
    assert "153,20" in answer

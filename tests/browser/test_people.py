"""People at the console in a browser: invited, signed in with a second factor, and in the log."""

import re
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from api.people.links import make_link
from storage.tables import Merchant
from tests.browser.console_parts import Parts, assert_fit_to_read, choose
from tests.conftest import NOW

PASSWORD = "vier Enten am Montagsteich"
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
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
    await choose(page, "Personen")
    await shows("Personen")
    await page.get_by_label("Name", exact=True).fill(LONG_NAME)
    await page.get_by_label("E-Mail-Adresse").fill("ben@lindenhof.example")
    await page.get_by_role("radio", name="Leitung", exact=False).first.check()
    await page.get_by_role("button", name="Einladen").click()
    await shows(f"Link für {LONG_NAME}")
    link = await page.locator("code.link").inner_text()
    await choose(page, "Personen")
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
    await shows("Überblick")
    await choose(page, "Abmelden", role="button")
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
    await shows("Überblick")
    await choose(page, LONG_NAME)
    await shows("Mein Zugang")
    await choose(page, "Protokoll")
    await shows("Protokoll")
    await expect(page.locator("tbody tr").first).to_contain_text(re.compile("angemeldet"))
    await choose(page, "English")
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

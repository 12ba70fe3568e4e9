"""Conversations at the console in a browser: found by a word, corrected, decided, taken along."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from api.people.links import make_link
from api.people.roles import Role
from storage.tables import (
    AuditEvent,
    ChannelAccount,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
    Turn,
)
from tests.browser.console_parts import Parts, assert_fit_to_read, choose
from tests.conftest import NOW

SAID = (
    (
        "bot",
        "Guten Tag, hier ist der digitale Assistent von Lindenhof. Dürfen wir Ihnen schreiben?",
    ),
    ("customer", "Anna Beispiel hier, was wollen Sie? Meine Nummer ist 0176 04069000"),
    ("bot", "Schön, dass Sie sich melden."),
    (
        "customer",
        "geht das auch häppchenweise, so 20 Euro jeden Monat, dann wäre mir schon geholfen",
    ),
    ("bot", "Das habe ich leider nicht verstanden. Worum geht es Ihnen?"),
    ("agent", "Ich bin Lea vom Team. Natürlich können Sie in Raten zahlen."),
    ("customer", "Danke, " + "das hilft mir wirklich sehr. " * 12),
)


async def a_talk(parts: Parts, merchant: Merchant, customer: Customer) -> None:
    """One that was misunderstood, one that waits, and some more to page through."""
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with parts.database.operator() as session:
        (await session.get_one(Customer, customer.id)).name = "Beispiel"
        account = await session.scalar(select(ChannelAccount))
        assert account is not None
        point = ContactPoint(
            customer_id=customer.id, channel="sms", address="+4917604069000",
            source="merchant_import", created_at=NOW, **of,
        )  # fmt: skip
        session.add(point)
        for number in range(60):
            held = Conversation(
                channel_account_id=account.id, channel="sms", address=f"+49176040690{number:02}",
                customer_id=customer.id if not number else None, created_at=NOW,
                state="waiting" if number % 9 == 1 else "bot", **of,
            )  # fmt: skip
            session.add(held)
            await session.flush()
            for place, (author, text) in enumerate(SAID if not number else SAID[2:3]):
                at = NOW - timedelta(days=number, minutes=60 - place)
                inbound = author == "customer"
                message = Message(
                    conversation_id=held.id, channel_account_id=account.id, kind="message",
                    direction="in" if inbound else "out", author=author, text=text,
                    status=None if inbound else "read", handled_at=at if inbound else None,
                    wording="first_contact" if author == "bot" else None,
                    variant="standard" if author == "bot" else None, tone="warm",
                    args={"agent": "Lea"} if author == "agent" else {}, created_at=at, **of,
                )  # fmt: skip
                session.add(message)
                await session.flush()
                if inbound:
                    ranking = [
                        {"name": name, "confidence": share}
                        for name, share in (
                            ("out_of_scope", 0.38), ("request_instalments", 0.34),
                            ("propose_amount", 0.12), ("request_deferral", 0.06),
                        )
                    ]  # fmt: skip
                    understanding = {
                        "intent": "out_of_scope", "confidence": 0.38, "ranking": ranking,
                        "language": "de",
                    }  # fmt: skip
                    session.add(
                        Turn(
                            message_id=message.id, conversation_id=held.id, at=at,
                            understanding=understanding, **of,
                        )
                    )  # fmt: skip
                elif not number and not place:
                    session.add(
                        ContactAttempt(
                            customer_id=customer.id, contact_point_id=point.id, cycle=1,
                            message_id=message.id, step="first_contact", at=at,
                            reason="no_contact_yet; only_reachable_channel", **of,
                        )
                    )  # fmt: skip
            if not number:
                session.add(
                    AuditEvent(
                        kind="handoff_requested", conversation_id=held.id, at=NOW,
                        facts={"reason": "asked_for_person"}, **of,
                    )
                )  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_a_misunderstood_turn_is_found_corrected_and_learned_from(
    parts: Parts,
    merchant: Merchant,
    customer: Customer,
    browser: Browser,
    width: int,
    scheme: Any,
) -> None:
    await a_talk(parts, merchant, customer)
    trouble: list[str] = []

    async def somebody(name: str, role: Role) -> Page:
        context = await browser.new_context(
            locale="de-DE", viewport={"width": width, "height": 844}, color_scheme=scheme
        )
        page = await context.new_page()
        page.on("console", lambda said: trouble.append(said.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        async with parts.database.merchant(merchant.id) as session:
            token = await make_link(session, merchant.id, name, NOW, role=role)
        await page.goto(f"{parts.public_url}/console/login/{token}")
        await page.get_by_role("button", name="Jetzt anmelden").click()
        return page

    async def shows(page: Page, title: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await assert_fit_to_read(page)

    page = await somebody("Rita", Role.REVIEWER)
    await page.goto(f"{parts.public_url}/console/conversations")
    await shows(page, "Gespräche")
    await page.get_by_text("Weitere Filter").click()
    await shows(page, "Gespräche")
    await page.get_by_label("kaum Verstandenem").check()
    await page.get_by_role("searchbox").fill("Haeppchenweise monat")
    await page.get_by_role("searchbox").press("Enter")
    await expect(page.locator("tbody th")).to_have_count(1)
    await expect(page.locator("mark")).to_have_text(["häppchenweise", "Monat"])
    await shows(page, "Gespräche")
    await page.get_by_role("link", name="K-1001").press("Enter")
    await shows(page, "Gespräch K-1001")
    wanted = page.locator("li.line", has_text="häppchenweise")
    await expect(wanted.locator("mark").first).to_have_text("häppchenweise")
    await wanted.get_by_role("link", name="Genauer ansehen").click()
    await shows(page, "Nachricht")
    await page.get_by_label("Gemeint war").select_option("request_instalments")
    await page.get_by_text("Auch ein Wert wurde übersehen").click()
    await page.get_by_label("Art des Werts").select_option("amount")
    await page.get_by_label("Wörter im Satz").fill("30 Euro")
    await page.get_by_role("button", name="Vorschlag speichern").click()
    await expect(page.get_by_text("genau so im Satz stehen")).to_be_visible()
    await shows(page, "Nachricht")
    await page.get_by_label("Wörter im Satz").fill("20 Euro")
    await page.get_by_role("button", name="Vorschlag speichern").click()
    await expect(page.get_by_role("status")).to_contain_text("Vorschlag ist gespeichert")
    await page.get_by_label("Etwas anmerken").fill("Kam so schon dreimal vor.")
    await page.get_by_role("button", name="Anmerkung speichern").click()
    await shows(page, "Nachricht")
    await page.get_by_role("link", name="Zurück zum Gespräch").click()
    await page.get_by_label("Bewertung").select_option("2")
    await page.get_by_role("button", name="Bewertung speichern").click()
    await page.get_by_role("button", name="Gespräch markieren").click()
    await shows(page, "Gespräch K-1001")
    await choose(page, "Korrekturen")
    await shows(page, "Korrekturen")
    await expect(page.get_by_role("button", name="Annehmen")).to_have_count(0)

    owner = await somebody("Olga", Role.OWNER)
    await choose(owner, "Korrekturen")
    await shows(owner, "Korrekturen")
    await owner.get_by_role("button", name="Annehmen").click()
    await expect(owner.get_by_role("status")).to_contain_text("angenommen")
    await shows(owner, "Korrekturen")
    async with owner.expect_download() as download:
        await owner.get_by_role("button", name="Trainingsdaten herunterladen").click()
    file = Path(await (await download.value).path()).read_text("utf-8")
    (learned,) = yaml.safe_load(file)["nlu"]
    assert learned["intent"] == "request_instalments"
    assert learned["examples"].startswith("- geht das auch häppchenweise, so [20 Euro](amount) ")
    await choose(owner, "Gespräche")
    await owner.get_by_text("Weitere Filter").click()
    await owner.get_by_label("Markierung").check()
    await owner.get_by_role("button", name="Anzeigen").click()
    await expect(owner.locator("tbody th")).to_have_count(1)
    await owner.get_by_text("Diese Suche speichern").click()
    await owner.get_by_text("Als Datei herunterladen").click()
    await shows(owner, "Gespräche")
    await owner.get_by_label("Name der Suche").fill("Mit Markierung")
    await owner.get_by_role("button", name="Suche speichern").click()
    await expect(owner.get_by_role("link", name="Mit Markierung")).to_be_visible()
    await choose(owner, "English")
    await shows(owner, "Conversations")
    await page.context.close()
    await owner.context.close()
    # A refused form is answered with its status, and the browser says so.
    assert [said for said in trouble if "422" not in said] == []

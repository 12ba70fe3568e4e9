"""Claims and customers at the console in a browser: found, read, paused, by keyboard and phone."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from ledger import book
from ledger.agreements import plan_by_count
from ledger.book import NewClaim
from ledger.money import Money
from ledger.schedule import Period
from storage.tables import (
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
)
from tests.browser.console_parts import Parts, assert_fit_to_read, choose, opened
from tests.conftest import NOW

TODAY = NOW.date()
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]


async def a_full_life(parts: Parts, merchant: Merchant, customer: Customer) -> None:
    """Two claims, one of a million, with a plan, a payment, a long name, and messages."""
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with parts.database.operator() as session:
        (await session.get_one(Customer, customer.id)).name = LONG_NAME
    async with parts.database.merchant(merchant.id) as session:
        claims = [
            await book.open_claim(
                session,
                NewClaim(
                    customer_id=customer.id, reference=f"RE-2026-{n:04d}",
                    invoice_number=f"RE-2026-{n:04d}", description="Laufschuhe „Trail“",
                    principal=Money(minor), costs=Money(2_50), interest=Money(1_20),
                    costs_reason="Mahnung vom 3. Oktober", invoice_date=TODAY - timedelta(days=60),
                    due_date=TODAY - timedelta(days=46), confirmed_at=NOW, **of,
                ),
                now=NOW - timedelta(days=40), key=f"open:{n}",
            )
            for n, minor in ((42, 240_00), (43, 1_000_000_00))
        ]  # fmt: skip
        plan = plan_by_count(
            Money(243_70), 4, first=TODAY - timedelta(days=20), period=Period.MONTHLY
        )
        await book.agree(
            session, claims[0].id, plan, guard=lambda terms, facts: None,
            now=NOW - timedelta(days=30), key="plan",
        )  # fmt: skip
        await book.post_payment(
            session, claims[0].id, Money(60_93), value_date=TODAY - timedelta(days=21),
            now=NOW - timedelta(days=21), key="paid",
        )  # fmt: skip
        account = await session.scalar(select(ChannelAccount))
        assert account is not None
        talk = Conversation(
            channel_account_id=account.id, channel="sms", address="+4917604069000",
            customer_id=customer.id, created_at=NOW, **of,
        )  # fmt: skip
        point = ContactPoint(
            customer_id=customer.id, channel="sms", address="+4917604069000",
            source="merchant_import", consent_at=NOW, verified_at=NOW, created_at=NOW, **of,
        )  # fmt: skip
        session.add_all([talk, point])
        await session.flush()
        session.add_all(
            Message(
                conversation_id=talk.id, channel_account_id=account.id, direction="in",
                author="customer", kind="message", text=f"Kann ich in Raten zahlen? ({n})",
                created_at=NOW - timedelta(days=31, minutes=n), **of,
            )
            for n in range(50)
        )  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_a_claim_is_found_paused_and_goes_on(
    parts: Parts,
    merchant: Merchant,
    customer: Customer,
    browser: Browser,
    width: int,
    scheme: Any,
) -> None:
    await a_full_life(parts, merchant, customer)
    async with opened(browser, parts, merchant, width, scheme) as (page, shows):
        await choose(page, "Forderungen")
        await shows("Forderungen")
        await expect(page.locator("tbody tr")).to_have_count(2)
        search = page.get_by_role("searchbox")
        await search.fill("niemand")
        await search.press("Enter")
        await shows("Forderungen")
        await expect(page.get_by_role("heading", level=2)).to_have_text("Nichts gefunden")
        await search.fill("0176 / 0406 9000")
        await page.get_by_label("Reihenfolge").select_option("open")
        await search.press("Enter")
        await expect(page.locator("tbody tr").first).to_contain_text("1.000.003,70")
        await search.fill("re 2026 42")
        await search.press("Enter")
        await shows("Forderungen")
        await page.get_by_role("link", name="RE-2026-0042").press("Enter")
        await shows("Kundennummer K-1001")
        card = page.get_by_role("article", name="Rechnung RE-2026-0042")
        await card.get_by_text("Aufstellung ansehen").click()
        await card.get_by_text("Pausieren", exact=True).click()
        await assert_fit_to_read(page)
        await card.get_by_label("Pausieren bis").fill(str(TODAY + timedelta(days=14)))
        await card.get_by_label("Grund").first.select_option(label="finanzielle Notlage")
        await card.get_by_role("button", name="Forderung pausieren").click()
        await expect(page.get_by_role("status")).to_contain_text("Die Forderung ist pausiert")
        await expect(card).to_contain_text("pausiert bis 07.12.2026")
        card = page.get_by_role("article", name="Rechnung RE-2026-0043")
        for summary in await card.locator(".decide summary").all():
            await summary.click()
        await shows("Kundennummer K-1001")
        waive = card.locator("form[action*='/waive']")
        await waive.get_by_label("Betrag").fill("99")
        await waive.get_by_label("Grund").select_option(label="Kulanz")
        await card.get_by_role("button", name="Betrag erlassen").click()
        await expect(page.get_by_role("alert")).to_contain_text("So viel ist davon nicht offen")
        await shows("Kundennummer K-1001")
        card = page.get_by_role("article", name="Rechnung RE-2026-0042")
        await card.get_by_text("Zahlung eintragen").click()
        entered = card.locator("form[action*='/payment']")
        await entered.get_by_label("Betrag").fill("182,77")
        await entered.get_by_label("Bezahlt am").fill(str(TODAY))
        await entered.get_by_label("Grund").select_option(label="bar bezahlt")
        await entered.get_by_role("button", name="Zahlung buchen").click()
        await expect(page.get_by_role("status")).to_contain_text("Die Zahlung ist gebucht")
        await expect(card).to_contain_text("erledigt")
        await page.get_by_text("Neue Telefonnummer").click()
        await page.get_by_text("Adresse stimmt nicht").click()
        await shows("Kundennummer K-1001")
        await page.get_by_role("button", name="Angaben aufdecken").click()
        await shows(f"Anna {LONG_NAME}")
        await page.get_by_role("link", name="Wieder verdecken").click()
        await page.get_by_role("link", name="Ältere").click()
        await shows("Kundennummer K-1001")
        await choose(page, "English")
        await shows("Customer number K-1001")

"""Settings in a browser: a file read with its errors, rules tried, movements decided."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

import api.upload_jobs  # noqa: F401 - puts its task into the queue
from api.people.links import make_link
from api.queue import Worker, make_app, start_worker
from api.uploads import QUEUE
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import BankMovement, Customer, IntakeBatch, Merchant
from tests.browser.console_parts import Parts, assert_fit_to_read
from tests.conftest import NOW

TODAY = NOW.date()
HEADER = "kundennummer;name;rechnungsnummer;beschreibung;rechnungsdatum;faellig_am;betrag\n"
PAGES = ("policy", "contact", "wordings", "wordings/first_contact", "brand", "webhooks", "keys")
BYTES_MAX = 100_000


def rows(count: int, *wrong: str) -> bytes:
    good = (
        f"K-{n};Donaudampfschifffahrts-AG;RE-{n:05d};Schuhe;01.09.2026;15.09.2026;89,90"
        for n in range(count)
    )
    return (HEADER + "\n".join((*good, *wrong)) + "\n").encode()


Work = Callable[[], Awaitable[None]]


@pytest.fixture
async def work(parts: Parts) -> AsyncIterator[Work]:
    """Works off what was handed over, when a test says so."""
    app = make_app(parts, pool_size=2)  # type: ignore[arg-type]

    async def work() -> None:
        await app.run_worker_async(queues=[QUEUE], wait=False, install_signal_handlers=False)

    async with app.open_async():
        parts.app.state.jobs = app
        start_worker(Worker(parts, app))  # type: ignore[arg-type]
        yield work


@pytest.fixture
async def movement(database: Database, merchant: Merchant, customer: Customer) -> int:
    """A movement of a claim that nothing was sure of."""
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with database.operator() as session:
        row = await session.get_one(Merchant, merchant.id)
        row.phone, row.alias = "030 123456", "Linden Service"
    async with database.merchant(merchant.id) as session:
        claim = await book.open_claim(
            session,
            NewClaim(
                customer_id=customer.id, reference="F-77", invoice_number="RE-2026-0077",
                description="Laufschuhe", principal=Money(1_000_000_00),
                invoice_date=TODAY - timedelta(days=60), due_date=TODAY - timedelta(days=46),
                confirmed_at=NOW, **of,
            ),
            now=NOW, key="open",
        )  # fmt: skip
        batch = IntakeBatch(
            kind="bank_statement", name="x", sha256="x", rows_total=1, rows_added=1,
            rows_changed=0, rows_unchanged=0, at=NOW, **of,
        )  # fmt: skip
        session.add(batch)
        await session.flush()
        row = BankMovement(
            batch_id=batch.id, account="DE02120300000000202051", format="camt",
            statement_number="1", booked=TODAY, value_date=TODAY, amount_minor=1_000_000_00,
            currency="EUR", content="c", position=1, state="suggested",
            text="DANKE FUER DIE SCHUHE, RECHNUNG LIEGT LEIDER NICHT MEHR VOR", created_at=NOW,
            payer_name="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter",
            payer_iban="DE02120300000000202051",
            match={
                "shares": [{"claim": claim.id, "minor": 1_000_000_00}],
                "evidence": ["name", "open_amount"], "doubt": "no_number",
            },
            **of,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row.id


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_a_merchant_imports_decides_and_sets(
    parts: Parts,
    merchant: Merchant,
    movement: int,
    work: Work,
    browser: Browser,
    width: int,
    scheme: Any,
) -> None:
    context = await browser.new_context(
        locale="de-DE", viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page = await context.new_page()
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))

    async def shows() -> None:
        await assert_fit_to_read(page)
        assert len((await page.content()).encode()) <= BYTES_MAX

    async with parts.database.merchant(merchant.id) as session:
        token = await make_link(session, merchant.id, "m.koch", NOW)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await page.get_by_role("button", name="Jetzt anmelden").click()

    await imports(page, parts, work, shows)
    await decides(page, parts, movement, shows)
    await sets_rules(page, parts, shows)
    for name in (*PAGES[1:], "restore/policy"):
        await page.goto(f"{parts.public_url}/console/settings/{name}")
        await shows()
    await page.goto(f"{parts.public_url}/console/settings?lang=en")
    await shows()
    await context.close()
    # A refused form is answered with its status, and the browser says so.
    assert [said for said in trouble if "422" not in said] == []


async def imports(page: Page, parts: Parts, work: Work, shows: Any) -> None:
    await page.goto(f"{parts.public_url}/console/imports")
    await shows()

    async def hand_over(content: bytes) -> None:
        await page.goto(f"{parts.public_url}/console/imports")
        await page.get_by_label("CSV-Datei").set_input_files(
            {"name": "november.csv", "mimeType": "text/csv", "buffer": content}
        )
        await page.get_by_role("button", name="Datei einlesen").first.click()

    await hand_over(rows(3, "K-9;;RE-9;Hut;01.09.26;15.09.2026;viel"))
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await shows()
    await work()
    # The page looks again by itself.
    await expect(page.get_by_role("alert")).to_contain_text(
        "Nichts wurde übernommen", timeout=20_000
    )
    await expect(page.locator("table.problems tbody tr")).to_have_count(3)
    await expect(page.locator("table.problems")).to_contain_text("Schreiben Sie es vierstellig.")
    await shows()
    await hand_over(rows(3))
    await work()
    await expect(page.get_by_role("status")).to_contain_text(
        "vollständig übernommen", timeout=20_000
    )
    await shows()


async def decides(page: Page, parts: Parts, movement: int, shows: Any) -> None:
    await page.goto(f"{parts.public_url}/console/bank")
    await shows()
    await page.get_by_role("button", name="Wie vorgeschlagen buchen").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Gebucht.")
    await shows()
    await page.get_by_role("button", name="Zuordnung zurücknehmen").click()
    await expect(page.get_by_role("status")).to_contain_text("Zurückgenommen.")
    await page.get_by_role("link", name="Andere Forderung").click()
    search = page.get_by_role("searchbox")
    await search.fill("re 2026 77")
    await search.press("Enter")
    await shows()
    await page.get_by_role("button", name="Rechnung RE-2026-0077 zuordnen").click()
    await expect(page.get_by_role("status")).to_contain_text("Gebucht.")
    async with parts.database.operator() as session:
        state = await session.scalar(select(BankMovement.state).where(BankMovement.id == movement))
    assert state == "posted"


async def sets_rules(page: Page, parts: Parts, shows: Any) -> None:
    await page.goto(f"{parts.public_url}/console/settings/policy")
    offers = page.locator("#offers")
    await expect(offers).to_contain_text("bis zu 4, ab 11,30")
    await shows()
    first = page.locator("input[name='instalment_bands-0-count_max']")
    await first.fill("2")
    await expect(offers).to_contain_text("bis zu 2, ab 22,60")
    await first.fill("999")
    await expect(offers).to_contain_text("Sobald alle Angaben stimmen")
    await page.get_by_label("Warum ändern Sie das?").fill("Weihnachten")
    await page.get_by_role("button", name="Regeln speichern").click()
    await expect(page.get_by_role("alert")).to_contain_text("Noch nicht gespeichert")
    await shows()
    await first.fill("3")
    await page.get_by_role("button", name="Regeln speichern").click()
    await expect(page.get_by_role("status")).to_contain_text("Gespeichert.")
    await expect(page.locator("#history")).to_contain_text("Weihnachten")


async def test_the_preview_and_the_progress_need_no_script(
    parts: Parts, merchant: Merchant, movement: int, work: Work, browser: Browser
) -> None:
    context = await browser.new_context(locale="de-DE", java_script_enabled=False)
    page = await context.new_page()
    async with parts.database.merchant(merchant.id) as session:
        token = await make_link(session, merchant.id, "m.koch", NOW)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await page.get_by_role("button", name="Jetzt anmelden").click()
    await page.goto(f"{parts.public_url}/console/settings/policy")
    await page.locator("input[name='instalment_bands-0-count_max']").fill("2")
    await page.get_by_role("button", name="Vorschau zeigen").click()
    await expect(page.locator("#offers")).to_contain_text("bis zu 2, ab 22,60")
    await page.goto(f"{parts.public_url}/console/imports")
    await page.get_by_label("CSV-Datei").set_input_files(
        {"name": "november.csv", "mimeType": "text/csv", "buffer": rows(2)}
    )
    await page.get_by_role("button", name="Datei einlesen").first.click()
    await expect(page.get_by_text("wartet")).to_be_visible()
    await work()
    await page.get_by_role("link", name="Stand aktualisieren").click()
    await expect(page.get_by_role("status")).to_contain_text("vollständig übernommen")
    await context.close()

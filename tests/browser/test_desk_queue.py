"""The desk's queue in a browser: sixty rows, read and worked on by keyboard and by phone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, update

from api.people.links import make_link
from api.people.roles import Role
from conversation.desk_seats import set_seat
from conversation.handoff import request_handoff
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.tables import (
    ChannelAccount,
    Conversation,
    Customer,
    DeskTeam,
    Handoff,
    Merchant,
    Message,
    Person,
)
from tests.browser.console_parts import Parts, assert_fit_to_read, choose
from tests.conftest import NOW

ROWS = 60
BYTES_MAX = 60_000
PAGE_BYTES_MAX = 100_000
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]
REASONS = ("asked_for_person", "callback", "hardship", "dispute_goods", "decision_no_discount")
SAID = (
    "Guten Tag, ich kann gerade leider nicht alles auf einmal zahlen. Ginge das auch in Raten?",
    "Bitte rufen Sie mich unter 0176 04069000 zurück, Mia Sonnenberg",
    "ok",
)


async def sixty_wait(parts: Parts, merchant: Merchant) -> tuple[Person, list[int]]:
    """A supervisor, a colleague, a team, and sixty who wait, one of them in a crisis."""
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with parts.database.operator() as session:
        people = [
            Person(email=f"{n}@x.example", name=name, role=role.value, created_at=NOW, **of)
            for n, (name, role) in enumerate(
                [("Ada Lindner", Role.SUPERVISOR), (LONG_NAME, Role.AGENT)]
            )
        ]
        session.add_all([*people, DeskTeam(name="Notlagen", reasons=["hardship"], **of)])
        await session.flush()
        account = await session.scalar(select(ChannelAccount))
        assert account is not None
        talks = []
        for n in range(ROWS):
            who = Customer(
                number=f"K-{3000 + n}", name="Sonnenberg", first_name="Mia", language="de",
                timezone="Europe/Lisbon" if n % 3 else None, created_at=NOW, updated_at=NOW, **of,
            )  # fmt: skip
            session.add(who)
            await session.flush()
            talk = Conversation(
                channel_account_id=account.id, channel=("sms", "whatsapp", "telegram")[n % 3],
                address=f"+4915735991{n:03}", customer_id=who.id, language="de",
                created_at=NOW, **of,
            )  # fmt: skip
            session.add(talk)
            await session.flush()
            talks.append((talk.id, who.id, account.id))
    numbers = []
    for n, (talk_id, customer_id, account_id) in enumerate(talks):
        at = NOW - timedelta(minutes=7 * n)
        async with parts.database.merchant(merchant.id) as session:
            new = NewClaim(
                customer_id=customer_id, reference=f"F-{n}", invoice_number=f"RE-{n}",
                description="Laufschuhe", principal=Money(1_000_000_00 if n == 3 else 50_00 + n),
                invoice_date=NOW.date() - timedelta(days=40),
                due_date=NOW.date() - timedelta(days=20), confirmed_at=NOW, **of,
            )  # fmt: skip
            await book.open_claim(session, new, now=at, key=f"open:{n}")
            await request_handoff(
                session, conversation_id=talk_id,
                reason="crisis" if n == 30 else REASONS[n % len(REASONS)],
                summary={"day": "2026-11-24", "day_part": "evening", "number": "known"}, now=at,
            )  # fmt: skip
            session.add(
                Message(
                    conversation_id=talk_id,
                    channel_account_id=account_id,
                    direction="in",
                    author="customer",
                    kind="message",
                    text=SAID[n % len(SAID)],
                    created_at=at + timedelta(minutes=1),
                    **of,
                )
            )
    async with parts.database.merchant(merchant.id) as session:
        numbers = list(await session.scalars(select(Handoff.id).order_by(Handoff.id)))
        await set_seat(session, merchant.id, people[1].id, here=True)
        await session.execute(
            update(Handoff)
            .where(Handoff.id.in_(numbers[40:48]))
            .values(taken_by=LONG_NAME, person_id=people[1].id, given_at=NOW, taken_at=NOW)
        )
        await session.execute(
            update(Handoff).where(Handoff.id == numbers[5]).values(tags=["vip", "zweite bitte"])
        )
    return people[0], numbers


@pytest.fixture
async def trouble() -> AsyncIterator[list[str]]:
    """What the browser complains about; a refused form is answered with its status."""
    heard: list[str] = []
    yield heard
    assert [one for one in heard if "422" not in one and "404" not in one] == []


async def signed_in(
    parts: Parts, merchant: Merchant, person: Person, browser: Browser, **how: Any
) -> Page:
    context = await browser.new_context(locale="de-DE", **how)
    page = await context.new_page()
    async with parts.database.operator() as session:
        found = await session.get_one(Person, person.id)
        token = await make_link(session, merchant.id, person.name, NOW, person=found)
    await page.goto(f"{parts.public_url}/console/login/{token}")
    await page.get_by_role("button", name="Jetzt anmelden").click()
    return page


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_sixty_wait_and_one_is_taken_given_and_put_aside(
    parts: Parts,
    merchant: Merchant,
    browser: Browser,
    trouble: list[str],
    width: int,
    scheme: Any,
) -> None:
    ada, _ = await sixty_wait(parts, merchant)
    page = await signed_in(
        parts, merchant, ada, browser,
        viewport={"width": width, "height": 844}, color_scheme=scheme,
    )  # fmt: skip
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))

    async def shows(title: str) -> None:
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await assert_fit_to_read(page)

    await choose(page, "Anfragen")
    await shows("Anfragen")
    await page.get_by_role("link", name="Alle 60").click()
    await expect(page.locator("[data-row]")).to_have_count(ROWS)
    await expect(page.locator("[data-row]").first).to_contain_text("Krise")
    await shows("Anfragen")
    await expect(page.locator("body")).not_to_contain_text("Sonnenberg")
    await page.get_by_label("Grund").select_option(label="finanzielle Notlage")
    await page.get_by_role("button", name="Anzeigen").press("Enter")
    await expect(page.locator("[data-row]")).to_have_count(12)
    await page.get_by_label("Schlagwort").select_option("vip")
    await page.get_by_role("button", name="Anzeigen").press("Enter")
    await expect(page.get_by_role("heading", level=2)).to_have_text("Keine passende Anfrage")
    await shows("Anfragen")
    await page.get_by_role("link", name="Alle Filter entfernen").first.click()
    row = page.locator("[data-row]").first
    await row.get_by_role("link", name="zuteilen").press("Enter")
    await shows("Anfrage von K-3030 zuteilen")
    await page.get_by_role("button", name="Anfrage weitergeben").click()
    await page.get_by_label("An wen?").select_option(label="wer an der Reihe ist")
    await page.get_by_role("button", name="Anfrage weitergeben").click()
    await expect(page.locator(".wrong")).to_contain_text("Gerade ist niemand da")
    await shows("Anfrage von K-3030 zuteilen")
    await page.get_by_label("An wen?").select_option(label="Notlagen")
    await page.get_by_label("Notiz für die Kollegin").fill("Bitte zuerst.")
    await page.get_by_role("button", name="Anfrage weitergeben").click()
    await expect(page.locator("#told")).to_contain_text("Die Anfrage ist weitergegeben")
    await page.get_by_role("button", name="Ich bin da").click()
    await expect(page.locator("#told")).to_contain_text("Sie sind da")
    await shows("Anfragen")
    await page.get_by_role("link", name="Rückrufe").click()
    await page.get_by_text("Anruf notieren").first.click()
    await shows("Rückrufe")
    await page.get_by_role("link", name="Auslastung").click()
    await shows("Auslastung")
    await page.get_by_role("link", name="Teams und Regeln").click()
    await shows("Teams und Regeln")
    await page.get_by_role("link", name="Notlagen").click()
    await shows("Notlagen")
    await choose(page, "English")
    await shows("Notlagen")
    await page.context.close()


async def test_the_list_is_light(parts: Parts, merchant: Merchant, browser: Browser) -> None:
    ada, _ = await sixty_wait(parts, merchant)
    page = await signed_in(parts, merchant, ada, browser)
    for path, most in (("desk", PAGE_BYTES_MAX), ("desk/rows", BYTES_MAX)):
        answer = await page.request.get(f"{parts.public_url}/console/{path}?view=all")
        assert (await answer.text()).count("data-row") >= ROWS
        assert len(await answer.body()) <= most, path
    await page.context.close()


async def test_at_twice_the_size_nothing_is_cut_off(
    parts: Parts, merchant: Merchant, browser: Browser
) -> None:
    ada, _ = await sixty_wait(parts, merchant)
    # 200 % of a laptop's 1280 pixels.
    page = await signed_in(
        parts, merchant, ada, browser,
        viewport={"width": 640, "height": 422}, device_scale_factor=2,
    )  # fmt: skip
    for path in ("desk?view=all", "desk/callbacks", "desk/live", "desk/teams"):
        await page.goto(f"{parts.public_url}/console/{path}")
        await assert_fit_to_read(page)
    await page.context.close()

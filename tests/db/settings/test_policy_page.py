"""The policy at the console: read, tried, saved with its reason, refused beside the field."""

import html
import re
from typing import Any

import httpx
from sqlalchemy import select

from api.merchants import save_merchant
from ledger import book
from ledger.agreements import InstalmentPlan, plan_by_count
from ledger.book import NewClaim
from ledger.money import Money
from ledger.schedule import Period
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data, policy_to_data
from storage.engine import Database
from storage.tables import AuditEvent, Customer, Merchant, SettingChange
from tests.conftest import NOW
from tests.db.console_browser import Console, words

PATH = "/console/settings/policy"


def form_of(page: httpx.Response) -> dict[str, list[str]]:
    """What a browser would send back of the page's big form, untouched."""
    found = re.search(r'<form class="with-preview".*?</form>', page.text, re.DOTALL)
    assert found is not None
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", found.group()):
        name = re.search(r' name="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            sent.setdefault(name.group(1), []).append(
                html.unescape(value.group(1) if value else "")
            )
    for name, inside in re.findall(
        r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', found.group(), re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        sent[name] = [chosen.group(1) if chosen else ""]
    for name, inside in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', found.group(), re.DOTALL
    ):
        sent[name] = [html.unescape(inside)]
    return sent


async def sent(console: Console, path: str = PATH, **changed: Any) -> httpx.Response:
    """The form as it stands, with these inputs changed."""
    given: dict[str, str | list[str]] = {**form_of(await console.get(PATH)), **changed}
    return await console.client.post(path, data=given)


async def stored(database: Database, merchant: Merchant) -> Policy:
    async with database.merchant(merchant.id) as session:
        return policy_from_data((await session.get_one(Merchant, merchant.id)).policy)


async def test_untouched_it_changes_nothing_and_says_all_fields(
    console: Console, database: Database, merchant: Merchant
) -> None:
    answer = await sent(console, why="Nur geschaut")
    assert answer.status_code == 303, words(answer)
    assert await stored(database, merchant) == Policy()
    async with database.merchant(merchant.id) as session:
        assert (await session.scalars(select(SettingChange))).all() == []


async def test_a_change_is_kept_with_who_when_and_why(
    console: Console, database: Database, merchant: Merchant
) -> None:
    changed: dict[str, Any] = {
        "instalment_bands-0-up_to_minor": "150,00",
        "instalment_bands-2-up_to_minor": "1.000,00",
        "instalment_bands-2-count_max": "15",
        "instalment_periods": ["biweekly", "weekly"],
        "instalment_periods-first": "weekly",
        "shift_due_days_land": "BY",
        "thanks": "no",
        "effort_bands-0-call": "yes",
    }
    answer = await sent(console, why="  Weihnachtsgeschäft ", **changed)
    assert answer.status_code == 303
    now = await stored(database, merchant)
    bands = [(band.up_to_minor, band.count_max) for band in now.instalment_bands]
    assert bands == [(150_00, 4), (500_00, 10), (1_000_00, 15), (None, 24)]
    assert (now.instalment_periods, now.shift_due_days_land) == (
        (Period.WEEKLY, Period.BIWEEKLY),
        "BY",
    )
    assert (now.thanks, now.effort_bands[0].call) == (False, True)
    async with database.merchant(merchant.id) as session:
        (change,) = (await session.scalars(select(SettingChange))).all()
        logged = await session.scalar(select(AuditEvent).where(AuditEvent.kind == "policy_changed"))
    assert (change.person, change.why, change.at) == ("m.koch", "Weihnachtsgeschäft", NOW)
    assert change.before["thanks"] is True
    assert change.after["thanks"] is False
    assert set(change.after) == {
        *("instalment_bands", "instalment_periods", "shift_due_days_land", "thanks"),
        "effort_bands",
    }
    assert logged is not None
    assert logged.facts["fields"] == sorted(change.after)
    shown = words(await console.get(PATH))
    assert "m.koch : Weihnachtsgeschäft" in shown
    assert "Für die erste und letzte Rate danken: ja → nein" in shown


async def test_the_preview_follows_the_form_and_keeps_nothing(
    console: Console, database: Database, merchant: Merchant
) -> None:
    before = words(await console.get(PATH))
    assert "bis zu 4, ab 11,30 €" in before
    assert "bis 07.12.2026" in before
    assert "bis 07.01.2027" in before
    tried = await sent(
        console, f"{PATH}/preview", **{"instalment_bands-0-count_max": "2", "promise_days_max": "3"}
    )
    assert tried.status_code == 200
    assert "bis zu 2, ab 22,60 €" in words(tried)
    assert 'value="2"' in tried.text
    part = await sent(
        console, f"{PATH}/preview", fragment="1", **{"instalment_bands-0-count_max": "2"}
    )
    assert "<main" not in part.text
    assert "bis zu 2, ab 22,60" in part.text
    assert await stored(database, merchant) == Policy()


async def test_what_does_not_go_together_is_refused_beside_the_field(
    console: Console, database: Database, merchant: Merchant
) -> None:
    answer = await sent(
        console,
        why="x",
        **{
            "instalment_first_days_usual": "40",
            "promise_days_max": "viele",
            "instalment_minor_min": "0",
            "instalment_bands-1-up_to_minor": "50,00",
            "deferral_bands-0-days_max": "999",
            "instalment_periods-first": "yearly",
        },
    )
    assert answer.status_code == 422

    def beside(name: str) -> str:
        found = re.search(rf'id="w-{name}">([^<]*)<', answer.text)
        return html.unescape(found.group(1)) if found else ""

    assert beside("promise_days_max") == "Bitte geben Sie eine ganze Zahl von 0 bis 366 ein."
    assert "einen Betrag ab 0,01" in beside("instalment_minor_min")
    assert "höher" in beside("instalment_bands-1-up_to_minor")
    assert "0 bis 366" in beside("deferral_bands-0-days_max")
    assert "wenigstens eines" in beside("instalment_periods")
    assert "yearly" not in beside("instalment_periods")
    assert 'value="viele"' in answer.text
    together = await sent(console, why="x", instalment_first_days_usual="40")
    assert "Erste Rate spätestens nach" in words(together)
    assert 'id="w-instalment_first_days_usual"' in together.text
    assert await stored(database, merchant) == Policy()


async def test_a_reason_is_asked_for_and_an_old_form_changes_nothing(
    console: Console, database: Database, merchant: Merchant
) -> None:
    nameless = await sent(console, why=" ", note_days="5")
    assert nameless.status_code == 422
    assert 'id="w-why"' in nameless.text
    old = form_of(await console.get(PATH))
    assert (await sent(console, why="erst", note_days="5")).status_code == 303
    again = await console.client.post(PATH, data={**old, "why": "dann", "check_days": "4"})
    assert again.status_code == 422
    assert "jemand anderes" in words(again)
    assert (await stored(database, merchant)).check_days == Policy().check_days
    doubled = await console.client.post(PATH, data={**old, "why": "erst", "note_days": "5"})
    assert doubled.status_code == 303
    async with database.merchant(merchant.id) as session:
        assert len((await session.scalars(select(SettingChange))).all()) == 1


async def test_an_agreement_in_force_stays_as_it_was_agreed(
    console: Console, database: Database, merchant: Merchant, customer: Customer
) -> None:
    async with database.merchant(merchant.id) as session:
        claim = await book.open_claim(
            session,
            NewClaim(
                merchant_id=merchant.id, customer_id=customer.id, reference="R", invoice_number="R",
                description="x", principal=Money(90_00), invoice_date=NOW.date(),
                due_date=NOW.date(), confirmed_at=NOW,
            ),
            now=NOW, key="open",
        )  # fmt: skip
        plan = plan_by_count(Money(90_00), 4, first=NOW.date(), period=Period.MONTHLY)
        await book.agree(
            session, claim.id, plan, guard=lambda terms, facts: None, now=NOW, key="plan"
        )
    await sent(console, why="enger", **{"instalment_bands-0-count_max": "2"})
    async with database.merchant(merchant.id) as session:
        held = await book.active_agreement(session, claim.id)
    assert held is not None
    assert isinstance(held.terms, InstalmentPlan)
    assert held.terms.count == 4


async def test_fields_of_other_pages_stay(
    console: Console, database: Database, merchant: Merchant
) -> None:
    async with database.operator() as session:
        row = await session.get_one(Merchant, merchant.id)
        row.policy = {"contact_rules": {"per_week_max": 1}, "answer_minutes": 15}
    await sent(console, why="x", note_days="6")
    data = policy_to_data(await stored(database, merchant))
    assert (data["contact_rules"], data["answer_minutes"]) == ({"per_week_max": 1}, 15)


async def test_what_a_merchants_file_changes_stands_in_the_same_history(
    console: Console, database: Database, merchant: Merchant
) -> None:
    facts: dict[str, Any] = {"key": merchant.key, "name": merchant.name, "phone": "030 123456"}
    for policy in ({}, {"note_days": 9}, {"note_days": 9}):
        async with database.operator() as session:
            await save_merchant(session, {**facts, "policy": policy}, NOW)
    async with database.merchant(merchant.id) as session:
        (change,) = (await session.scalars(select(SettingChange))).all()
    assert (change.person, change.before, change.after) == (
        "kulanz", {"note_days": 3}, {"note_days": 9},
    )  # fmt: skip
    page = words(await console.get(PATH))
    assert "Vor einem Zahltag Bescheid geben: 3 Tage → 9 Tage" in page

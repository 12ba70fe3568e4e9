"""Earlier states of settings: seen first, agreed to, checked, and noted like any change."""

import html
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from negotiation.policy_data import policy_from_data
from storage.engine import Database
from storage.tables import AuditEvent, Merchant, SettingChange
from tests.db.console_browser import Console, words
from tests.db.settings.test_policy_page import sent

PATH = "/console/settings"
HELLO = "Schön, dass Sie schreiben. Ich bin der automatische Assistent von {{ m.public_name }}."


async def stored(database: Database, merchant: Merchant) -> Merchant:
    async with database.merchant(merchant.id) as session:
        return await session.get_one(Merchant, merchant.id)


async def changes(database: Database, merchant: Merchant) -> list[SettingChange]:
    async with database.merchant(merchant.id) as session:
        return list(await session.scalars(select(SettingChange).order_by(SettingChange.id)))


def links(page: httpx.Response) -> list[str]:
    """The ways back that a page offers, newest change first."""
    found = re.findall(r'href="(/console/settings/restore/[^"]+)"', page.text)
    return [html.unescape(one) for one in found]


async def say_yes(console: Console, link: str, **more: str) -> httpx.Response:
    """Look at what would change, and agree to it."""
    page = await console.get(link)
    assert page.status_code == 200
    given = dict(re.findall(r'name="(version|why)"[^>]* value="([^"]*)"', page.text))
    return await console.post(link, **{"why": "zurück", **given, **more})


async def test_rules_go_back_over_several_changes_and_all_else_stays(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await sent(console, why="eins", promise_days_max="5")
    await sent(console, why="zwei", promise_days_max="6", thanks="no")
    await sent(console, why="drei", promise_days_max="7", check_days="9")
    page = await console.get(f"{PATH}/policy")
    assert len(links(page)) == 3, "not for the newest, but for what was before the first"
    link = links(page)[1]  # after "eins"
    seen = words(await console.get(link))
    assert "Zahlung zusagen bis in 7 Tage 5 Tage" in seen
    assert "Für die erste und letzte Rate danken nein ja" in seen
    assert policy_from_data((await stored(database, merchant)).policy).promise_days_max == 7
    answer = await say_yes(console, link)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/policy?done=saved")
    policy = policy_from_data((await stored(database, merchant)).policy)
    assert (policy.promise_days_max, policy.thanks, policy.check_days) == (5, True, 10)
    kept = (await changes(database, merchant))[-1]
    assert kept.before == {"promise_days_max": 7, "thanks": False, "check_days": 9}
    assert kept.after == {"promise_days_max": 5, "thanks": True, "check_days": 10}
    assert kept.why.startswith("Wiederhergestellt: Stand nach der Änderung vom")
    async with database.merchant(merchant.id) as session:
        logged = await session.scalar(
            select(AuditEvent).order_by(AuditEvent.id.desc()).where(
                AuditEvent.kind == "policy_changed")
        )  # fmt: skip
    assert logged is not None
    first = (await changes(database, merchant))[0]
    assert logged.facts["restored"] == first.id
    # The same form once more, and the way back to before the first change.
    assert (await console.post(link, version="0", why="x")).status_code == 303
    assert len(await changes(database, merchant)) == 4
    first_link = links(await console.get(f"{PATH}/policy"))[-1]
    assert (await say_yes(console, first_link)).status_code == 303
    assert policy_from_data((await stored(database, merchant)).policy).promise_days_max == 14


async def test_a_change_in_between_is_shown_before_anything_is_taken_back(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await sent(console, why="eins", promise_days_max="5")
    (link,) = links(await console.get(f"{PATH}/policy"))
    page = await console.get(link)
    version = dict(re.findall(r'name="(version)" value="(\d+)"', page.text))
    await sent(console, why="dazwischen", check_days="9")
    refused = await console.post(link, why="zurück", **version)
    assert refused.status_code == 422
    assert "Inzwischen hat jemand etwas geändert." in words(refused)
    assert "9 Tage 10 Tage" in words(refused)
    assert policy_from_data((await stored(database, merchant)).policy).promise_days_max == 5
    assert (await say_yes(console, link)).status_code == 303


async def test_without_a_reason_nothing_is_taken_back(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await sent(console, why="eins", promise_days_max="5")
    (link,) = links(await console.get(f"{PATH}/policy"))
    answer = await say_yes(console, link, why="  ")
    assert (answer.status_code, len(await changes(database, merchant))) == (422, 1)
    assert "Bitte nennen Sie den Grund" in words(answer)


async def test_what_is_no_longer_allowed_is_refused_with_its_reason(
    console: Console, database: Database, merchant: Merchant
) -> None:
    """A rule that was kept before a bound was drawn; also one that no longer exists."""
    async with database.merchant(merchant.id) as session:
        for before in ({"promise_days_max": 4_000}, {"telephone_at_night": True}):
            session.add(
                SettingChange(
                    merchant_id=merchant.id, part="policy", before=before,
                    after={"promise_days_max": 10}, person="kulanz", at=merchant.created_at,
                )
            )  # fmt: skip
    for link in (f"{PATH}/restore/policy", links(await console.get(f"{PATH}/policy"))[0]):
        page = await console.get(link)
        assert "hält die heutigen Regeln nicht mehr ein" in words(page)
        assert '<button class="main"' not in page.text
        (newest, *_) = [one.id for one in reversed(await changes(database, merchant))]
        answer = await console.post(link, version=str(newest), why="x")
        assert answer.status_code == 422
    assert "Zahlung zusagen bis in:" in words(await console.get(f"{PATH}/restore/policy"))
    assert len(await changes(database, merchant)) == 2


async def test_hours_go_back_and_keep_the_law(
    console: Console, database: Database, merchant: Merchant
) -> None:
    given = {
        "land": "BY", "contact_country": "DE", "answer_minutes": "60",
        "opening_hours-monday-opens": "09:00", "opening_hours-monday-closes": "17:00",
    }  # fmt: skip
    for opens in ("09:00", "11:00"):
        version = max((one.id for one in await changes(database, merchant)), default=0)
        span = {"weekday-opens": opens, "weekday-closes": "18:00"}
        answer = await console.post(f"{PATH}/contact", **given, **span, version=str(version))
        assert answer.status_code == 303, words(answer)
    back, first = links(await console.get(f"{PATH}/contact"))
    seen = words(await console.get(back))
    assert seen.index("11:00-18:00") < seen.index("09:00-18:00")
    assert (await say_yes(console, back)).status_code == 303
    row = await stored(database, merchant)
    assert (row.policy["contact_rules"]["weekday"], row.land) == ("09:00-18:00", "BY")
    assert (await say_yes(console, first)).status_code == 303
    assert (await stored(database, merchant)).policy["contact_rules"] == {}


async def test_a_text_goes_back_and_our_own_rules_hold(
    console: Console, database: Database, merchant: Merchant
) -> None:
    async def write(**texts: str) -> None:
        saved = await console.post(
            f"{PATH}/wordings/introduction", language="de", form="sie", **texts
        )
        assert saved.status_code == 303, words(saved)

    await write(text=HELLO)
    await write(text=HELLO.replace("Schön, dass", "Gut, dass"), sms=HELLO)
    link, first = links(await console.get(f"{PATH}/wordings/introduction"))
    assert "Gut, dass" in words(await console.get(link))
    assert (await say_yes(console, link)).status_code == 303
    assert (await stored(database, merchant)).wordings == {"introduction": {"de": {"sie": HELLO}}}
    assert (await say_yes(console, first)).status_code == 303
    assert (await stored(database, merchant)).wordings == {}
    async with database.merchant(merchant.id) as session:
        session.add(
            SettingChange(
                merchant_id=merchant.id, part="wording", name="introduction",
                before={"de sie": "Sie sind in Verzug."}, after={}, person="kulanz",
                at=merchant.created_at,
            )
        )  # fmt: skip
    page = await console.get(links(await console.get(f"{PATH}/wordings/introduction"))[0])
    assert "hält die heutigen Regeln nicht mehr ein" in words(page)


async def test_the_appearance_goes_back_but_for_the_logo(
    console: Console, database: Database, merchant: Merchant
) -> None:
    async with database.operator() as session:
        row = await session.get_one(Merchant, merchant.id)
        row.phone, row.page = "030 123456", {"logo": "data:image/webp;base64,xxxx"}
    for given in ({"name": "Lindenhof", "colour": "#0f6466"}, {"name": "Linde", "alias": "LS"}):
        csrf = {"csrf": await console.csrf()}
        answer = await console.client.post(f"{PATH}/brand", data={**csrf, **given})
        assert answer.status_code == 303, words(answer)
    link = links(await console.get(f"{PATH}/brand"))[0]
    assert "Das Logo bleibt" in words(await console.get(link))
    assert (await say_yes(console, link)).status_code == 303
    row = await stored(database, merchant)
    assert (row.name, row.alias, row.page["colour"]) == ("Lindenhof", None, "#0f6466")
    assert row.page["logo"] == "data:image/webp;base64,xxxx"


@pytest.mark.parametrize(
    "path",
    ["keys", "webhooks", "webhook", "wording", "wording?name=no_such", "policy?name=introduction",
     "policy?to=999999", "page"],
)  # fmt: skip
async def test_there_is_no_way_back_to_secrets_and_what_never_was(
    console: Console, path: str
) -> None:
    assert (await console.get(f"{PATH}/restore/{path}")).status_code == 404
    assert (await console.post(f"{PATH}/restore/{path}", version="0", why="x")).status_code == 404


async def test_another_merchants_change_is_none(
    console: Console, database: Database, merchant: Merchant
) -> None:
    other = Merchant(key="other", name="Other", created_at=merchant.created_at)
    of: dict[str, Any] = {"part": "policy", "person": "x", "at": merchant.created_at}
    async with database.operator() as session:
        session.add(other)
        await session.flush()
        theirs = SettingChange(
            merchant_id=other.id, before={"thanks": False}, after={"thanks": True}, **of
        )
        session.add(theirs)
    assert (await console.get(f"{PATH}/restore/policy?to={theirs.id}")).status_code == 404
    assert (await console.get(f"{PATH}/restore/policy")).status_code == 404

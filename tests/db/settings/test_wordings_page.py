"""A merchant's own texts at the console: found, tried, refused with what helps, taken back."""

import html
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from conversation.wording import load_catalogue, merchant_catalogue
from storage.engine import Database
from storage.tables import AuditEvent, Merchant, SettingChange
from tests.db.console_browser import Console, words

PATH = "/console/settings/wordings"
FIRST = (
    "Guten Tag, hier ist der automatische Assistent von {{ m.public_name }}. Bitte melden Sie sich "
    "kurz. Prüfen: {{ proof }}{% if m.direct %} oder {{ m.direct }}{% endif %}. "
    "Keine Nachrichten mehr: STOP"
)
HELLO = "Schön, dass Sie schreiben. Ich bin der automatische Assistent von {{ m.public_name }}."


@pytest.fixture(autouse=True)
async def named(database: Database, merchant: Merchant) -> None:
    async with database.operator() as session:
        row = await session.get_one(Merchant, merchant.id)
        row.phone, row.alias = "030 123456", "Linden Service"


async def stored(database: Database, merchant: Merchant) -> dict[str, Any]:
    async with database.merchant(merchant.id) as session:
        return (await session.get_one(Merchant, merchant.id)).wordings


async def write(console: Console, name: str, text: str, **more: str) -> httpx.Response:
    return await console.post(
        f"{PATH}/{name}", **{"language": "de", "form": "sie"}, text=text, **more
    )


async def test_they_are_found_by_what_they_say(console: Console) -> None:
    page = await console.get(f"{PATH}?q=STOP&which=anybody")
    assert "first_contact" in words(page)
    assert "plan_offer" not in words(page)
    buttons = words(await console.get(f"{PATH}?group=buttons"))
    assert "button_" in buttons
    assert "Nichts gefunden" in words(await console.get(f"{PATH}?q=Quastenflosser"))


async def test_the_list_goes_on_and_misses_none(console: Console) -> None:
    shown: list[str] = []
    path = PATH
    for _ in range(10):
        page = await console.get(path)
        shown += re.findall(rf'<a href="{PATH}/([a-z_]+)">', page.text)
        further = re.search(r'href="(\?[^"]*)" rel="next"', page.text)
        if not further:
            break
        path = PATH + html.unescape(further.group(1))
    assert sorted(shown) == sorted(load_catalogue().wordings)


async def test_an_own_text_is_said_logged_and_taken_back(
    console: Console, database: Database, merchant: Merchant
) -> None:
    saved = await write(console, "introduction", HELLO, why="klingt mehr nach uns")
    assert saved.status_code == 303, words(saved)
    catalogue = merchant_catalogue(await stored(database, merchant))
    said = catalogue.wordings["introduction"].text("firm", True, "de", "sie").source
    assert said == HELLO
    assert catalogue.wordings["introduction"].text("warm", False, "de", "du").source != HELLO
    page = words(await console.get(saved.headers["location"]))
    assert (
        "Schön, dass Sie schreiben. Ich bin der automatische Assistent von Linden Service." in page
    )
    assert "1 SMS" in page
    assert "klingt mehr nach uns" in page
    assert "introduction" in words(await console.get(f"{PATH}?which=own"))
    await write(console, "introduction", HELLO)
    async with database.merchant(merchant.id) as session:
        (change,) = (await session.scalars(select(SettingChange))).all()
        logged = await session.scalar(
            select(AuditEvent).where(AuditEvent.kind == "wording_changed")
        )
    assert (change.name, change.before, change.after) == ("introduction", {}, {"de sie": HELLO})
    assert logged is not None
    assert logged.facts == {"wording": "introduction"}
    back = await console.post(f"{PATH}/introduction/undo", language="de", form="sie")
    assert "wieder unser Text" in words(await console.get(back.headers["location"]))
    assert await stored(database, merchant) == {}


async def test_a_text_per_tone_and_for_sms_stands_beside_the_main_one(
    console: Console, database: Database, merchant: Merchant
) -> None:
    alone = await write(console, "introduction", HELLO, tone="plain")
    assert alone.status_code == 422
    assert "Der Haupttext fehlt" in words(alone)
    short = "Hier {{ m.public_name }}, automatischer Assistent."
    await write(console, "introduction", HELLO, sms=short)
    done = await write(console, "introduction", HELLO.replace("Schön", "Gut"), tone="plain")
    assert done.status_code == 303, words(done)
    wording = merchant_catalogue(await stored(database, merchant)).wordings["introduction"]
    assert wording.text("firm", False, "de", "sie").source.startswith("Gut, dass")
    assert wording.text("warm", True, "de", "sie").source.startswith("Hier")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FIRST.replace("melden", "zahlen"), "verrät etwas über die Forderung"),
        (FIRST.replace("{{ proof }}", "auf unserer Seite"), "Der Platzhalter „proof“ fehlt"),
        (FIRST + " Sonst folgt das Gericht.", "liest sich hier als Drohung"),
        (FIRST + " Wirklich. " * 40, "Als SMS wären das"),
        (FIRST + " {{ balance }}", "Den Platzhalter „balance“ gibt es hier nicht"),
        (FIRST + " {{ m.iban }}", "verrät etwas über die Forderung"),
        (FIRST.replace("Keine Nachrichten mehr: STOP", "Danke."), "STOP"),
        (FIRST + " {% set x = 1 %}", "ist hier nicht erlaubt"),
        (FIRST + " {{ proof", "So können wir das nicht senden"),
        (FIRST + " Ωβ", "Zeichen darstellen"),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_is_refused_with_the_reason(
    console: Console, database: Database, merchant: Merchant, text: str, told: str
) -> None:
    assert (await write(console, "first_contact", FIRST)).status_code == 303
    before = await stored(database, merchant)
    answer = await write(console, "first_contact", text)
    assert answer.status_code == 422
    assert told in words(answer)
    assert html.escape(text.strip()[:40]) in answer.text
    assert await stored(database, merchant) == before


async def test_the_preview_shows_each_channel_and_keeps_nothing(
    console: Console, database: Database, merchant: Merchant
) -> None:
    part = await console.post(
        f"{PATH}/first_contact/preview", fragment="1", language="de", form="sie", text=FIRST
    )
    assert "<main" not in part.text
    assert "2 SMS" in part.text
    assert "Assistent von Linden Service. Bitte" in part.text
    whole = await console.post(f"{PATH}/first_contact/preview", language="de", form="sie", text="x")
    assert whole.status_code == 200
    assert "So können wir das nicht senden" in words(whole)
    assert await stored(database, merchant) == {}


async def test_our_own_text_stands_beside_it(console: Console) -> None:
    page = await console.get(f"{PATH}/introduction?language=en")
    said = load_catalogue().wordings["introduction"].text("warm", False, "en", "sie").source
    assert f'<pre class="source" lang="en">{html.escape(said)}</pre>' in page.text


async def test_what_is_no_wording_is_not_there(console: Console) -> None:
    assert (await console.get(f"{PATH}/invented")).status_code == 404
    assert (await write(console, "invented", "x")).status_code == 404

"""Name, alias, colour and logo at the console."""

import html
import re
import threading
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from api import logo
from storage.engine import Database
from storage.tables import AuditEvent, Merchant, SettingChange
from tests.db.console_browser import Console, words

PATH = "/console/settings/brand"


def png(kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (300, 100), "#aa3300").save(file, kind)
    return file.getvalue()


@pytest.fixture(autouse=True)
async def reachable(database: Database, merchant: Merchant) -> None:
    async with database.operator() as session:
        row = await session.get_one(Merchant, merchant.id)
        row.phone, row.page = "030 123456", {"imprint": "Lindenhof GmbH"}


async def send(
    console: Console, path: str = PATH, picture: bytes | None = None, **fields: str
) -> httpx.Response:
    given = {"csrf": await console.csrf(), "name": "Lindenhof", **fields}
    files = {"file": ("logo.png", picture)} if picture is not None else {"file": ("", b"")}
    return await console.client.post(path, data=given, files=files)


async def stored(database: Database, merchant: Merchant) -> Merchant:
    async with database.merchant(merchant.id) as session:
        return await session.get_one(Merchant, merchant.id)


async def test_it_is_kept_with_its_history_and_what_else_is_on_the_page_stays(
    console: Console, database: Database, merchant: Merchant
) -> None:
    given: dict[str, Any] = {"alias": "Linden Service", "colour": "#FFCC00", "why": "neues Haus"}
    for _ in range(2):
        assert (await send(console, picture=png(), **given)).status_code == 303
    row = await stored(database, merchant)
    assert (row.name, row.alias, row.page["colour"]) == ("Lindenhof", "Linden Service", "#ffcc00")
    assert row.page["imprint"] == "Lindenhof GmbH"
    assert row.page["logo"].startswith("data:image/webp;base64,")
    async with database.merchant(merchant.id) as session:
        (change,) = (await session.scalars(select(SettingChange))).all()
        logged = await session.scalar(select(AuditEvent).where(AuditEvent.kind == "page_changed"))
    assert (change.part, change.why, len(change.after["logo"])) == ("page", "neues Haus", 8)
    assert logged is not None
    page = await console.get(PATH)
    assert "Für Text wird daraus" in words(page), "yellow cannot be read on paper"
    assert "Assistent von Linden Service" in words(page)
    assert ".branded{--accent:" in page.text
    assert "neues Haus" in words(page)


async def test_a_picture_that_was_tried_is_there_when_it_is_saved(
    console: Console, database: Database, merchant: Merchant
) -> None:
    tried = await send(console, f"{PATH}/preview", picture=png("JPEG"), colour="#0f6466")
    kept = re.search(r'name="logo" value="([^"]+)"', tried.text)
    assert kept is not None
    assert (await stored(database, merchant)).page == {"imprint": "Lindenhof GmbH"}
    assert (await send(console, logo=html.unescape(kept.group(1)))).status_code == 303
    assert (await stored(database, merchant)).page["logo"]
    assert (await send(console, no_logo="yes")).status_code == 303
    assert (await stored(database, merchant)).page["logo"] is None


async def test_nobody_waits_for_a_picture_of_somebody_else(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = [], logo.logo_of

    def watched(data: bytes) -> str:
        made.append(threading.current_thread() is threading.main_thread())
        return real(data)

    monkeypatch.setattr(logo, "logo_of", watched)
    tried = await send(console, f"{PATH}/preview", picture=png())
    kept = re.search(r'name="logo" value="([^"]+)"', tried.text)
    assert kept is not None
    assert (await send(console, logo=html.unescape(kept.group(1)))).status_code == 303
    assert made == [False, False]


@pytest.mark.parametrize(
    ("fields", "picture", "told"),
    [
        ({"name": ""}, None, "einen Namen"),
        ({"name": "Inkasso Meyer"}, None, "verrät, worum es geht"),
        ({"name": "x" * 70}, None, "zu lang"),
        ({"name": "Жук"}, None, "nicht alle Buchstaben"),
        ({"colour": "rot"}, None, "eine Farbe wie"),
        ({}, b"<svg></svg>", "kein Bild"),
        ({"logo": "data:image/svg+xml;base64,PHN2Zz4="}, None, "kein Bild"),
    ],
)
async def test_what_will_not_do_is_refused_beside_the_field(
    console: Console,
    database: Database,
    merchant: Merchant,
    fields: dict[str, str],
    picture: bytes | None,
    told: str,
) -> None:
    before = await stored(database, merchant)
    answer = await send(console, picture=picture, **fields)
    assert answer.status_code == 422
    assert told in words(answer)
    after = await stored(database, merchant)
    assert (after.name, after.page) == (before.name, before.page)

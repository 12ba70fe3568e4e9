"""The customer's page from the first message to the receipt, and its chat, with the real Rasa."""

import asyncio
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import zxingcpp
from PIL import Image
from playwright.async_api import Locator, Page, expect

from api.clock import Clock
from api.demo.started import StartedService
from tests.browser.conftest import LINK, Visit, Visitor, assert_fit_to_read, enter

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>WALK-{reference}</MsgId><CreDtTm>{day}T18:00:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>WALK-{reference}</Id><CreDtTm>{day}T18:00:00+01:00</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>
<AcctSvcrRef>WALK-{reference}</AcctSvcrRef><BkTxCd/>
<NtryDtls><TxDtls><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>{reference}</Ref>
</CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>
"""


async def kulanz(demo: StartedService, *arguments: str) -> str:
    """What a command prints that works on the demo's data."""
    program = Path(sys.executable).with_name("kulanz")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **demo.variables}
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


async def linked(made: Visit) -> tuple[str, str]:
    """The link of a message and the invoice's number; the chat has had the proof."""
    await made.contact("whatsapp")
    invoice = await made.page.locator(".facts dd").first.inner_text()
    await made.write("whatsapp", invoice)
    said = await made.write("whatsapp", "Wie ist die IBAN?")
    found = LINK.search(said)
    assert found is not None, said
    return found.group(), invoice


async def enter_again(demo: StartedService, page: Page, link: str, invoice: str) -> None:
    """Come in with the second factor: what the chat proved counts for one visit, and that was."""
    await page.goto(f"{demo.url}{link}")
    await page.get_by_role("button", name="Seite öffnen").click()
    await page.get_by_role("button", name="Seite verlassen").click()
    await enter(demo, page, link, invoice)


def bubbles(page: Page, whose: str) -> Locator:
    return page.locator(f"#chat li{whose}")


async def say(page: Page, text: str) -> str:
    """Write in the chat; the answer."""
    await page.get_by_label("Ihre Nachricht").fill(text)
    return await answer_to(page, page.get_by_role("button", name="Nachricht senden"))


async def answer_to(page: Page, button: Locator) -> str:
    """What comes once a button of the chat is pressed."""
    before = await bubbles(page, ":not(.mine)").count()
    await button.click()
    answers = bubbles(page, ":not(.mine)")
    await expect(answers.nth(before)).to_be_visible()
    await expect(page.locator("#chat [role=status]")).not_to_have_text("Die Antwort kommt gleich.")
    return "\n".join((await answers.all_inner_texts())[before:])


def read_code(picture: bytes) -> list[str]:
    """The lines of a payment's QR code, as a banking app reads them from the screen."""
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))
    return code.text.splitlines()


async def test_from_a_message_to_the_receipt(
    demo: StartedService, visit: Visitor, look: Any, tmp_path: Path
) -> None:
    made = await visit("short")
    link, invoice = await linked(made)
    page = await look()
    await enter_again(demo, page, link, invoice)

    # What is owed and why.
    await expect(page.locator(".today .figure")).to_contain_text("€")
    await page.locator(".card details summary").first.click()
    await expect(page.locator(".bill").first).to_contain_text("Noch offen")

    # A plan of four, reckoned as it is filled in.
    await page.get_by_role("link", name="In Raten zahlen").first.click()
    await page.get_by_label("Anzahl der Raten").select_option("4")
    rows = page.locator("table tbody tr")
    await expect(rows).to_have_count(4)
    second = await rows.nth(1).locator(".money").inner_text()
    await page.get_by_role("button", name="Ratenplan vereinbaren").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("das ist vereinbart")

    # The first instalment online, and back with the receipt.
    await page.get_by_role("link", name="Zur Übersicht").click()
    await page.get_by_role("button", name="Überweisung zeigen").click()
    await page.locator("form[action='/p/online'] button").click()
    await page.locator("button.usual").click()
    await expect(page.locator(".notice.good")).to_contain_text("die Zahlung ist da")
    paid = page.locator(".rates .done")
    await expect(paid).to_have_count(1)
    await page.locator(".card details summary").first.click()
    await page.get_by_role("link", name="Bestätigung der Zahlungen").click()
    received = page.locator(".bill div:not(.total)")
    await expect(received).to_have_count(1)

    # Thanks in the chat on the page.
    await page.get_by_role("link", name="Zur Übersicht").click()
    assert "Assistent" in await say(page, "Vielen Dank!")

    # The second one by transfer, as the code on the screen says it.
    await page.get_by_role("button", name="Überweisung zeigen").click()
    await expect(page.locator(".fields")).to_contain_text(second)
    code = read_code(await page.locator("img.qr").screenshot())
    assert code[:4] == ["BCD", "002", "1", "SCT"]
    iban, amount, reference = code[6], code[7].removeprefix("EUR"), code[9]
    assert reference.startswith("RF")
    day = Clock(demo.settings().model_copy(update={"demo": True})).now().date().isoformat()
    statement = tmp_path / "statement.xml"
    statement.write_text(
        CAMT.format(iban=iban, amount=amount, reference=reference, day=day), "utf-8"
    )
    taken = json.loads(await kulanz(demo, "import-statement", str(statement), "--json"))
    assert [one["state"] for one in taken["listed"]] == ["posted"]
    await page.goto(f"{demo.url}/p")
    await expect(paid).to_have_count(2)

    # The phone thanks as well, without a figure.
    said = made.theirs("whatsapp")
    for _ in range(6):
        if "Vielen Dank!" in (await said.all_inner_texts())[-1]:
            break
        await made.jump()
    thanks = (await said.all_inner_texts())[-1]
    assert "Vielen Dank!" in thanks
    assert "€" not in thanks


async def test_the_chat_on_the_page_is_the_same_dialogue(
    demo: StartedService, visit: Visitor, look: Any
) -> None:
    made = await visit("short")
    link, _ = await linked(made)
    page = await look(color_scheme="dark")
    await page.goto(f"{demo.url}{link}")
    await page.get_by_role("button", name="Seite öffnen").click()

    # A line is answered without a reload, and a press on a button goes on from there.
    before = await made.theirs("whatsapp").count()
    offered = await say(page, "Geht das auch in 3 Raten?")
    assert "3. Rate am" in offered
    await assert_fit_to_read(page)
    button = page.locator("#chat .replies button", has_text="Ja, so eintragen")
    assert "3" in await answer_to(page, button)
    await expect(bubbles(page, ".mine").last).to_contain_text("Ja, so eintragen")
    await expect(page.locator("#chat .replies")).to_have_count(0)
    assert await made.theirs("whatsapp").count() == before
    await page.reload()
    await expect(page.locator(".rates li")).to_have_count(3)
    await expect(bubbles(page, ".mine")).to_have_count(2)

    # What is sent twice counts once; what looks like markup or a command is text.
    fields = {
        name: await page.locator(f".write [name={name}]").input_value()
        for name in ("csrf", "nonce")
    }
    cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
    async with httpx.AsyncClient(base_url=demo.url, cookies=cookies) as http:
        hostile = {**fields, "words": '/affirm <b onclick="x()">ja</b>\u200b'}
        for _ in range(2):
            assert (await http.post("/p/chat", data=hostile)).status_code == 303
    await expect(bubbles(page, ".mine")).to_have_count(3)
    await expect(bubbles(page, ".mine").last).to_contain_text('<b onclick="x()">')
    await expect(bubbles(page, ":not(.mine)").nth(2)).to_be_visible()

    # Numbers of cards are masked before they are kept.
    masked = await say(page, "Meine Karte: 4111 1111 1111 1111")
    assert "Karte" in masked
    assert "4111 1111" not in await page.locator("#chat").inner_text()

    # A person is asked for, takes over, and their words arrive here.
    await say(page, "Ich möchte mit einem Menschen sprechen")
    key = (await kulanz(demo, "api-key")).strip()
    async with httpx.AsyncClient(
        base_url=f"{demo.url}/api/v1", headers={"Authorization": f"Bearer {key}"}
    ) as http:
        listed = (await http.get("/handoffs")).json()["handoffs"]
        (mine,) = [one for one in listed if one["customer_number"] == made.number]
        taken = await http.post(f"/handoffs/{mine['id']}/take", json={"agent": "m.koch"})
        assert taken.json()["reach"]["on_page"]
        words = {"agent": "m.koch", "text": "Guten Tag, hier ist Marta Koch. Ich helfe gern."}
        replied = (await http.post(f"/handoffs/{mine['id']}/reply", json=words)).json()
        assert replied["verified"]
        await expect(bubbles(page, ":not(.mine)").last).to_contain_text("hier ist Marta Koch")
        await expect(page.locator("#chat [role=status]")).to_contain_text("Ein Mensch aus dem Team")
        assert await made.theirs("whatsapp").count() == before
        await http.post(
            f"/handoffs/{mine['id']}/close", json={"agent": "m.koch", "outcome": "solved"}
        )

    # A stop is heard here as well.
    assert "keine" in (await say(page, "Stopp")).lower()
    await page.goto(f"{demo.url}/p/contact")
    await expect(page.locator("[aria-labelledby=stop]")).to_contain_text("nicht mehr")


async def test_the_chat_works_without_script(
    demo: StartedService, visit: Visitor, look: Any
) -> None:
    made = await visit("short")
    link, _ = await linked(made)
    page = await look(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    await page.goto(f"{demo.url}{link}")
    await page.get_by_role("button", name="Seite öffnen").click()
    await page.get_by_label("Ihre Nachricht").fill("Was ist noch offen?")
    await page.get_by_role("button", name="Nachricht senden").click()
    await expect(bubbles(page, ".mine")).to_have_count(1)
    answers = bubbles(page, ":not(.mine)")
    for _ in range(40):
        if await answers.count():
            break
        await page.get_by_role("link", name="Antwort anzeigen").click()
        await asyncio.sleep(0.5)
    await expect(answers.first).to_contain_text("€")

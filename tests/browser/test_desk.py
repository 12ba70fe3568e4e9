"""The desk's conversation in a browser: live, by keyboard, on a phone, for two, without a line."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import select, update

from api.demo.media import file_named
from api.events import MESSAGE, Events
from api.file_content import content_of
from api.pages.desk import stream
from api.people.links import make_link
from api.people.roles import Role
from storage.tables import (
    Agreement,
    ChannelAccount,
    ConsoleSession,
    Conversation,
    Customer,
    Message,
    MessageFile,
)
from tests.browser.console_parts import assert_fit_to_read
from tests.conftest import NOW
from tests.desk_parts import Desk

LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"[:60]


async def came(desk: Desk, text: str) -> None:
    """A message is stored, and said so at once, as the webhook does it."""
    await desk.hear(text)
    await desk.parts.events.changed(desk.merchant.id, desk.conversation.id, kind=MESSAGE)


class At:
    """Somebody at the desk, and what their browser complained about."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context, self.page = context, page
        self.trouble: list[str] = []
        page.on("console", lambda said: self.trouble.append(said.text))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))

    async def sign_in(self, desk: Desk, name: str, role: Role) -> None:
        async with desk.database.merchant(desk.merchant.id) as session:
            token = await make_link(session, desk.merchant.id, name, NOW, role=role)
        await self.page.goto(f"{desk.parts.public_url}/console/login/{token}")
        await self.page.get_by_role("button", name="Jetzt anmelden").click()
        await self.page.wait_for_url("**/console")

    async def open(self, desk: Desk) -> None:
        await self.page.goto(f"{desk.parts.public_url}{desk.page}")
        await expect(self.page.locator("#live")).to_have_text("Live verbunden")


async def at(desk: Desk, browser: Browser, name: str, role: Role = Role.AGENT, **how: Any) -> At:
    context = await browser.new_context(
        locale="de-DE", **{"viewport": {"width": 1280, "height": 800}, **how}
    )
    made = At(context, await context.new_page())
    await made.sign_in(desk, name, role)
    return made


async def test_a_crisis_is_taken_answered_agreed_and_given_back(
    desk: Desk, browser: Browser
) -> None:
    await desk.ask("crisis")
    maria = await at(desk, browser, "m.koch")
    page = maria.page
    await maria.open(desk)
    await expect(page.locator("#summary")).to_contain_text("Erst für den Menschen da sein")
    await came(desk, "Ich weiß nicht mehr weiter.")
    await expect(page.locator("#talk")).to_contain_text("Ich weiß nicht mehr weiter.")
    await assert_fit_to_read(page)
    await page.keyboard.press("t")
    await expect(page.locator("#told")).to_contain_text("liegt jetzt bei Ihnen")
    await page.keyboard.press("r")
    await page.keyboard.type("Ich bin für Sie da – ganz in Ruhe.")
    await expect(page.locator("#count")).to_contain_text("macht die Nachricht teurer")
    await page.wait_for_timeout(1100)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#talk")).to_contain_text("Ich bin für Sie da")
    await expect(page.locator("#text")).to_have_value("")
    await expect(page.locator("#text")).to_be_focused()
    await page.get_by_text("Was jetzt möglich ist").click()
    own = page.locator("form.offered").filter(has=page.locator("input[name=count]:visible"))
    await own.get_by_label("Raten", exact=True).fill("40")
    await own.get_by_role("button", name="Vorschlag senden").click()
    await expect(page.get_by_role("alert")).to_contain_text("Das sind zu viele Raten")
    await expect(page.get_by_role("alert")).to_contain_text("Möglich wäre")
    await assert_fit_to_read(page)
    await own.get_by_label("Raten", exact=True).fill("3")
    await own.get_by_role("button", name="Vorschlag senden").click()
    await expect(page.locator("#told")).to_contain_text("erst, wenn ein Ja kommt")
    await expect(page.locator(".waits")).to_contain_text("Vorschlag wartet auf ein Ja")
    await desk.all_sent()
    await came(desk, "Ja, einverstanden")
    await expect(page.locator("#talk")).to_contain_text("so ist es für die Rechnung")
    await expect(page.locator("#side")).to_contain_text("Vereinbart: Ratenplan")
    await page.get_by_text("An den Assistenten zurückgeben").click()
    await page.get_by_label("Hinweis für Kolleginnen").fill("Möchte keine Anrufe.")
    await page.get_by_role("button", name="Zurückgeben", exact=True).click()
    await expect(page.locator("#summary")).to_contain_text("an den Assistenten zurückgegeben")
    assert await desk.hear("Vielen Dank") == "for the assistant"
    async with desk.database.operator() as session:
        assert list(await session.scalars(select(Agreement.kind))) == ["instalment_plan"]
    assert [said for said in maria.trouble if "422" not in said] == []
    await maria.context.close()


async def test_news_while_an_answer_is_under_way_leave_no_text_behind(
    desk: Desk, browser: Browser
) -> None:
    await desk.ask()
    maria = await at(desk, browser, "maria")
    page = maria.page
    asked, under_way = asyncio.Event(), asyncio.Event()

    async def with_news(route: Route) -> None:
        asked.set()
        await under_way.wait()
        answer = await route.fetch()
        changed = (await answer.text()).replace('id="text"', 'id="text" data-news="1"')
        await route.fulfill(response=answer, body=changed)

    async def slowly(route: Route) -> None:
        under_way.set()
        await page.wait_for_timeout(1500)  # the news are there before the answer is
        await route.continue_()

    await maria.open(desk)
    await page.keyboard.press("t")
    await expect(page.locator("#told")).to_contain_text("liegt jetzt bei Ihnen")
    await page.keyboard.press("r")
    await page.keyboard.type("Guten Tag, ich sehe nach.")
    await page.route(re.compile(r"/parts"), with_news)
    await page.route(re.compile(r"/reply$"), slowly)
    seen = page.locator("[data-reply] [name=seen]")
    before = await seen.input_value()
    await came(desk, "Sind Sie noch da?")
    await asyncio.wait_for(asked.wait(), 20)
    await expect(seen).not_to_have_value(before)  # a line counts a moment after it is there
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#talk")).to_contain_text("ich sehe nach")
    await expect(page.locator("#text")).to_have_value("")
    await page.unroute_all(behavior="ignoreErrors")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("")
    await maria.context.close()


async def test_two_people_see_each_other_and_never_answer_twice(
    desk: Desk, browser: Browser
) -> None:
    await desk.ask()
    maria, lea = await at(desk, browser, "maria"), await at(desk, browser, "lea")
    await maria.open(desk)
    await maria.page.keyboard.press("t")
    await expect(maria.page.locator("#text")).to_be_visible()
    await lea.open(desk)
    await expect(lea.page.locator("#who")).to_have_text("Auch hier: maria")
    await expect(maria.page.locator("#who")).to_have_text("Auch hier: lea")
    await lea.page.get_by_role("button", name="Von maria übernehmen").click()
    await expect(lea.page.locator("#text")).to_be_visible()
    # What maria still had before her eyes is refused, and kept.
    await expect(maria.page.locator("#compose")).to_contain_text("Übernehmen Sie das Gespräch")
    await lea.page.locator("#text").fill("Ich kümmere mich.")
    await maria.page.get_by_role("button", name="Von lea übernehmen").click()
    await expect(maria.page.locator("#lock")).to_contain_text("lea schreibt gerade.")
    await expect(maria.page.locator("#text")).to_have_js_property("readOnly", True)
    await maria.page.get_by_role("button", name="Selbst weiterschreiben").click()
    await expect(maria.page.locator("#text")).to_have_js_property("readOnly", False)
    await maria.page.locator("#text").fill("Nun ich.")
    await came(desk, "Halt, noch etwas!")
    await expect(maria.page.locator("#talk")).to_contain_text("Halt, noch etwas!")
    # Sent the moment it came: nobody has read it yet.
    seen = maria.page.locator("[data-reply] [name=seen]")
    await seen.evaluate("(field, value) => { field.value = value }", "1")
    await maria.page.locator("#text").press("Control+Enter")
    await expect(maria.page.get_by_role("alert")).to_contain_text("Inzwischen hat")
    await expect(maria.page.locator("#text")).to_have_value("Nun ich.")
    await maria.page.locator("#text").press("Control+Enter")
    await expect(maria.page.locator("#talk")).to_contain_text("Nun ich.")
    assert [one.text for one in await desk.messages() if one.author == "agent"] == ["Nun ich."]
    for one in (maria, lea):
        assert [said for said in one.trouble if "409" not in said] == []
        await one.context.close()


async def test_a_photo_is_seen_small_and_opened_in_its_own_window(
    desk: Desk, browser: Browser
) -> None:
    held = desk.conversation
    async with desk.database.operator() as session:
        message = Message(
            merchant_id=held.merchant_id, conversation_id=held.id, direction="in",
            channel_account_id=held.channel_account_id, author="customer", kind="message",
            text="Hier ist der Beleg.", created_at=NOW, handled_at=NOW,
            attachments=[
                {"kind": "photo", "reference": "1"}, {"kind": "document", "reference": "2"},
            ],
        )  # fmt: skip
        session.add(message)
        await session.flush()
        for position, name in enumerate(("IMG_2041.jpg", "Beleg.pdf")):
            made = content_of(file_named(name) or b"")
            session.add(
                MessageFile(
                    merchant_id=held.merchant_id, message_id=message.id, position=position,
                    media_type=made.media_type, ending=made.ending, content=made.data,
                    fetched_at=NOW,
                )
            )  # fmt: skip
    await desk.ask()
    for scheme, width in (("light", 1280), ("dark", 390)):
        maria = await at(
            desk, browser, "maria", color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        await maria.open(desk)
        await expect(maria.page.get_by_role("link", name="Bild ansehen")).to_be_visible()
        assert await maria.page.locator("#talk img").count() == 0
        await maria.page.get_by_role("button", name="Angaben aufdecken").click()
        preview = maria.page.locator("#talk img")
        await preview.scroll_into_view_if_needed()
        await expect(preview).to_have_js_property("naturalWidth", 360)
        await expect(preview).to_have_attribute("alt", "Vorschau des Bildes")
        await assert_fit_to_read(maria.page)
        async with maria.context.expect_page() as opening:
            await preview.click()
        opened = await opening.value
        await expect(opened.locator("img")).to_have_js_property("naturalWidth", 720)
        async with maria.page.expect_download() as loading:
            await maria.page.get_by_role("link", name="Datei herunterladen").click()
        assert (await loading.value).suggested_filename == f"{message.id}-2.pdf"
        assert maria.trouble == []
        await maria.context.close()


async def test_a_lost_line_comes_back_without_losing_anything(desk: Desk, browser: Browser) -> None:
    await desk.ask()
    maria = await at(desk, browser, "maria")
    page = maria.page
    await maria.open(desk)
    live = page.locator("#live")
    lost, desk.parts.events = desk.parts.events, Events("redis://127.0.0.1:1")
    lost.stop()
    await expect(live).to_contain_text("Keine Live-Verbindung")
    for number in range(5):
        await desk.hear(f"Im Dunkeln {number}.")
    await lost.close()
    desk.parts.events = Events(lost.url)
    await expect(live).to_have_text("Live verbunden")
    for number in range(5):
        await expect(page.locator("#talk")).to_contain_text(f"Im Dunkeln {number}.")
    await came(desk, "Und wieder hell.")
    await expect(page.locator("#talk")).to_contain_text("Und wieder hell.")
    assert await page.locator("#talk li.customer").count() == 7
    assert [said for said in maria.trouble if "503" not in said and "ERR_" not in said] == []
    await maria.context.close()


async def test_who_signs_in_anew_is_live_beside_a_window_of_before(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)
    await desk.ask()
    before = await at(desk, browser, "Maria")
    await before.open(desk)
    async with desk.database.operator() as session:
        await session.execute(update(ConsoleSession).values(ended_at=NOW))
    await expect(before.page.locator("#live")).not_to_have_text("Live verbunden")
    again = At(before.context, await before.context.new_page())
    await again.sign_in(desk, "Maria", Role.AGENT)
    await again.open(desk)
    await came(desk, "Sind Sie da?")
    await expect(again.page.locator("#talk")).to_contain_text("Sind Sie da?")
    await before.context.close()


async def test_a_draft_outlives_a_reload_and_a_shortcut_becomes_its_text(
    desk: Desk, browser: Browser
) -> None:
    await desk.ask()
    maria = await at(desk, browser, "maria")
    page = maria.page
    agent = await desk.agent("maria")
    await agent.console.post(
        "/console/desk/replies", shortcut="dank", text_de="Danke für Ihre Nachricht!"
    )
    await agent.act("take")
    await maria.open(desk)
    box = page.locator("#text")
    await box.fill("Guten Tag. /dank")
    await box.press("Tab")
    await expect(box).to_have_value("Guten Tag. Danke für Ihre Nachricht!")
    await page.reload()
    await expect(box).to_have_value("Guten Tag. Danke für Ihre Nachricht!")
    await came(desk, "Sind Sie da?")
    await expect(page.locator("#talk")).to_contain_text("Sind Sie da?")
    await expect(box).to_have_value("Guten Tag. Danke für Ihre Nachricht!")
    await page.wait_for_timeout(1100)
    await box.press("Control+Enter")
    await expect(page.locator("#talk")).to_contain_text("Danke für Ihre Nachricht!")
    await expect(box).to_have_value("")  # the line may be there before the answer is
    await page.reload()
    await expect(box).to_have_value("")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Nachricht senden")
    assert maria.trouble == []
    await maria.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_it_is_fit_to_read(desk: Desk, browser: Browser, width: int, scheme: Any) -> None:
    async with desk.database.operator() as session:
        (await session.get_one(Customer, desk.customer.id)).name = LONG_NAME
    for number in range(25):
        await desk.hear(f"Eine Nachricht mit ein paar Worten, Nummer {number}.")
    await desk.ask("hardship")
    maria = await at(
        desk, browser, "maria", Role.SUPERVISOR,
        viewport={"width": width, "height": 844}, color_scheme=scheme,
    )  # fmt: skip
    page = maria.page
    await maria.open(desk)
    await page.keyboard.press("t")
    await expect(page.locator("#text")).to_be_visible()
    for summary in await page.locator("summary").all():
        await summary.click()
    await page.get_by_role("button", name="Angaben aufdecken").click()
    await expect(page.locator("#side")).to_contain_text(LONG_NAME)
    await page.locator("#note").fill("@lea bitte ansehen")
    await page.get_by_role("button", name="Notiz speichern").click()
    await expect(page.locator("#talk")).to_contain_text("bitte ansehen")
    for summary in await page.locator("summary").all():
        await summary.click()
    await assert_fit_to_read(page)
    size = await page.evaluate(
        "fetch(location.href).then((one) => one.text()).then((text) => new Blob([text]).size)"
    )
    assert size <= 100_000
    await page.goto(f"{desk.parts.public_url}/console/desk/replies")
    await page.get_by_text("Neue Antwort").click()
    await assert_fit_to_read(page)
    assert maria.trouble == []
    await maria.context.close()


async def test_sixty_open_conversations_do_not_slow_it(desk: Desk, browser: Browser) -> None:
    of: dict[str, Any] = {"merchant_id": desk.merchant.id}
    async with desk.database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        talks = [
            Conversation(
                channel_account_id=account.id, channel="sms", address=f"+49157000000{n:02}",
                created_at=NOW, **of,
            )
            for n in range(60)
        ]  # fmt: skip
        session.add_all(talks)
    await desk.ask()
    maria = await at(desk, browser, "maria")
    await maria.open(desk)
    asked: list[str] = []
    maria.page.on("request", lambda made: asked.append(made.url))
    for _ in range(5):
        for talk in talks:
            await desk.parts.events.changed(desk.merchant.id, talk.id)
    await came(desk, "Und ich?")
    await expect(maria.page.locator("#talk")).to_contain_text("Und ich?")
    # What happens elsewhere is heard and costs nothing.
    assert len([url for url in asked if "/live" in url]) <= 2
    await maria.context.close()
    for _ in range(100):  # who has gone holds nothing any more
        if not desk.parts.events._subscriptions:
            break
        await asyncio.sleep(0.1)
    assert not desk.parts.events._subscriptions

"""What was agreed is watched until it is kept: the whole life of a plan, by jumps of the clock."""

from playwright.async_api import expect

from tests.browser.conftest import Visit, Visitor

JUMPS_MAX = 14


async def until(visitor: Visit, text: str) -> str:
    """Jump from one thing to the next until Kulanz writes something with this text."""
    said = visitor.theirs("whatsapp")
    before = await said.count()
    for _ in range(JUMPS_MAX):
        await visitor.jump()
        new = (await said.all_inner_texts())[before:]
        if any(text in each for each in new):
            assert len(new) == 1, new
            return new[0]
        assert not new, new
    raise AssertionError(f"{text!r} never came")


async def agree(visitor: Visit, wish: str) -> None:
    await visitor.contact("whatsapp")
    await visitor.write("whatsapp", "Worum geht es?")
    await prove(visitor)
    await visitor.write("whatsapp", "Ja, das stimmt")
    await visitor.write("whatsapp", wish)
    await visitor.write("whatsapp", "Ja, so eintragen")


async def prove(visitor: Visit) -> str:
    invoice = await visitor.page.locator(".facts dd").first.inner_text()
    return await visitor.write("whatsapp", invoice)


async def pay(visitor: Visit) -> None:
    told = visitor.page.locator("#told")
    await visitor.page.locator("[data-do=pay]").click()
    await expect(told).to_contain_text("gebucht")


async def test_a_plan_of_three_from_its_first_note_to_the_last_thanks(visit: Visitor) -> None:
    visitor = await visit("short")
    agreement = visitor.page.locator("#part-agreement")
    await agree(visitor, "Geht das in 3 Raten?")
    await expect(agreement).to_contain_text("Ratenplan")

    note = await until(visitor, "Erinnerung vorab")
    assert "€" not in note
    await pay(visitor)
    await expect(agreement).to_contain_text("vor dem Termin bezahlt")
    assert "Der erste Teil" in await until(visitor, "Vielen Dank")

    await until(visitor, "Erinnerung vorab")
    question = await until(visitor, "untergegangen")
    assert "€" not in question
    await expect(agreement).to_contain_text("überfällig")

    await visitor.write("whatsapp", "Das schaffe ich leider nicht, geht ein anderer Tag?")
    asked = await prove(visitor)
    assert "Passt Ihnen stattdessen" in asked
    assert "2. Rate am" in (plan := await visitor.write("whatsapp", "Ja"))
    assert "3. Rate am" not in plan
    await visitor.write("whatsapp", "Ja, so eintragen")
    await expect(agreement).to_contain_text("neuer Tag für eine verpasste Zahlung")
    await expect(agreement).to_contain_text("ersetzt")

    await pay(visitor)
    await pay(visitor)
    await expect(agreement).to_contain_text("eingehalten")
    # Two unasked messages keep their distance: by then the proof has lapsed.
    assert "€" not in await until(visitor, "vollständig erledigt")
    await expect(visitor.page.locator("#part-account")).to_contain_text("ausgeglichen")


async def test_what_is_not_kept_ends_after_a_question_and_some_time(visit: Visitor) -> None:
    visitor = await visit("forgot")
    await agree(visitor, "Ich zahle das in 10 Tagen")
    agreement = visitor.page.locator("#part-agreement")
    await until(visitor, "Erinnerung vorab")
    await until(visitor, "untergegangen")
    ahead = visitor.page.locator("#part-coming")
    await expect(ahead).to_contain_text("Die Vereinbarung endet, wenn nichts kommt")
    for _ in range(3):
        await visitor.jump()
        if "nicht eingehalten" in await agreement.inner_text():
            break
    await expect(agreement).to_contain_text("nicht eingehalten, auch nach Rückfrage")

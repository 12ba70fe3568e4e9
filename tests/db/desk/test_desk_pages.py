"""One conversation at the desk: taken, written, noted, given back, and each refusal in words."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from api.people.roles import Role
from storage.tables import ChannelAccount, Customer, Handoff, HandoffNote
from tests.conftest import NOW
from tests.db.console_browser import words
from tests.desk_parts import Desk


async def test_it_is_taken_written_and_given_back_and_the_bot_goes_on(desk: Desk) -> None:
    await desk.ask("crisis")
    agent = await desk.agent()
    page = await agent.look()
    assert page.status_code == 200
    said = words(page)
    assert "Erst für den Menschen da sein" in said
    assert "Krise" in said
    assert "Bitte einen Menschen." in said
    assert "Übernehmen Sie das Gespräch" in said
    taken = await agent.act("take")
    assert taken.headers["location"] == f"{desk.page}?done=taken"
    sent = await agent.write("Guten Tag, hier ist Maria Koch.")
    assert sent.status_code == 303
    assert [one.text for one in await desk.messages()][-1] == "Guten Tag, hier ist Maria Koch."
    assert [one.wording for one in await desk.messages()][-2] == "agent_took_over"
    assert await desk.hear("Danke") == "for_agent"
    back = await agent.act("return", hint="Möchte in Ruhe überlegen.")
    assert back.headers["location"] == f"{desk.page}?done=returned"
    assert await desk.hear("Und jetzt?") == "for the assistant"
    assert "Möchte in Ruhe überlegen." in words(await agent.look())


async def test_a_wished_call_is_told_at_its_time_not_at_a_usual_one(desk: Desk) -> None:
    await desk.ask("callback")
    agent = await desk.agent()
    async with desk.database.operator() as session:
        asked = (await session.scalars(select(Handoff))).one()
        asked.summary = {**asked.summary, "day": "2026-11-30", "time": "10:00", "time_bound": "at"}
    assert "30.11.2026 10:00 bis 10:30 (so gewünscht)" in words(await agent.look())
    async with desk.database.operator() as session:
        await session.execute(update(Handoff).values(call_again_at=NOW + timedelta(days=2)))
    again = words(await agent.look())
    assert "(so gewünscht)" in again
    assert "30.11.2026 10:00 bis" not in again
    async with desk.database.operator() as session:
        await session.execute(update(Handoff).values(called_at=NOW))
    assert "so gewünscht" not in words(await agent.look())


async def test_a_doubled_form_sends_one_message(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    form = {"key": "0", "seen": str((await desk.messages())[-1].id)}
    first = await agent.act("reply", text="Einen Moment bitte.", **form)
    again = await agent.act("reply", text="Einen Moment bitte.", **form)
    assert {first.status_code, again.status_code} == {303}
    assert [one.text for one in await desk.messages()].count("Einen Moment bitte.") == 1
    other = await agent.act("reply", text="Etwas ganz anderes.", **form)
    assert other.status_code == 409
    assert "schon gesendet" in words(other)
    assert "Etwas ganz anderes." in other.text


async def test_two_people_never_answer_the_same_thing(desk: Desk) -> None:
    await desk.ask()
    maria, lea = await desk.agent("m.koch"), await desk.agent("l.winter")
    await maria.act("take")
    refused = await lea.act("take")
    assert refused.status_code == 409
    assert "Dieses Gespräch liegt bei m.koch" in words(refused)
    refused = await lea.act("reply", text="Ich bin auch da.", key="0", seen="999999")
    assert refused.status_code == 409
    assert "Ich bin auch da." in refused.text
    over = await lea.act("take", instead_of="m.koch")
    assert over.status_code == 303
    refused = await maria.act("reply", text="Noch etwas.", key="0", seen="999999")
    assert "Dieses Gespräch liegt bei l.winter" in words(refused)
    assert not [one for one in await desk.messages() if one.author == "agent"]


async def test_what_came_meanwhile_is_read_before_anything_is_sent(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    seen = str((await desk.messages())[-1].id)
    await desk.hear("Ich habe gestern bezahlt!")
    refused = await agent.act("reply", text="Wann zahlen Sie?", key="0", seen=seen)
    assert refused.status_code == 409
    said = words(refused)
    assert "Inzwischen hat die Kundin oder der Kunde geschrieben" in said
    assert "Ich habe gestern bezahlt!" in said
    assert "Wann zahlen Sie?" in refused.text
    assert not [one for one in await desk.messages() if one.author == "agent"]
    assert (await agent.write("Danke, ich sehe nach.")).status_code == 303


async def test_what_cannot_be_sent_is_said_before_and_refused(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    await desk.change(opted_out_at=NOW)
    page = await agent.look()
    assert "dort wurde „Stopp“ geschrieben" in words(page)
    assert 'name="text" rows="3"' not in page.text
    refused = await agent.act("reply", text="Hallo", key="0", seen="999999")
    assert "Ihr Text wurde nicht gesendet" in words(refused)
    await desk.change(
        opted_out_at=None, channel="whatsapp", last_inbound_at=NOW - timedelta(hours=25)
    )
    assert "Das WhatsApp-Fenster ist geschlossen" in words(await agent.look())
    refused = await agent.act("reply", text="Hallo", key="0", seen="999999")
    assert "nur eine freigegebene Vorlage" in words(refused)
    await desk.change(channel="telegram", last_inbound_at=None)
    assert "den Chat beginnen" in words(await agent.look())
    assert (await agent.act("reply", text=" ", key="0", seen="9")).status_code == 422


async def test_outside_the_window_approved_templates_are_sent_once_each(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    await desk.change(channel="whatsapp", last_inbound_at=NOW - timedelta(hours=25))
    async with desk.database.operator() as session:
        names = ("anything_else.de", "goodbye.de", "plan_offer.de")
        await session.execute(update(ChannelAccount).values(templates=dict.fromkeys(names, "HX1")))
    page = await agent.look()
    assert 'name="name" value="anything_else"' in page.text
    assert 'value="plan_offer"' not in page.text
    for name in ("anything_else", "anything_else", "goodbye"):
        assert (await agent.act("template", name=name, key="0")).status_code == 303
    for name in ("plan_offer", "invented"):
        assert (await agent.act("template", name=name, key="0")).status_code == 422
    sent = [one for one in await desk.messages() if one.author == "agent"]
    assert [(one.wording, one.template is not None) for one in sent] == [
        ("anything_else", True), ("goodbye", True),
    ]  # fmt: skip


async def test_personal_data_is_covered_until_it_is_uncovered_which_is_logged(desk: Desk) -> None:
    async with desk.database.operator() as session:
        (await session.get_one(Customer, desk.customer.id)).name = "Vertraulich"
    await desk.ask()
    await desk.hear("Hier schreibt Vertraulich, Nummer 01573 5998881")
    agent = await desk.agent()
    page = await agent.look()
    assert "Vertraulich" not in page.text
    assert "5998881" not in page.text
    await agent.act("reveal")
    assert "Vertraulich" in (await agent.look()).text
    assert "Vertraulich" not in (await (await desk.agent("l.winter")).look()).text
    assert (await desk.log()).count("transcript_revealed") == 1
    await agent.act("reveal", cover="1")
    assert "Vertraulich" not in (await agent.look()).text


async def test_what_a_stranger_writes_is_covered_as_well(desk: Desk) -> None:
    await desk.change(customer_id=None)
    await desk.ask()
    await desk.hear("Ich bin es, 0176 04069000 oder eva@beispiel.example")
    agent = await desk.agent()
    for path in ("", "/live?after=0"):
        page = await agent.console.get(desk.page + path)
        assert "Ich bin es" in page.text
        assert "04069000" not in page.text
        assert "eva@beispiel" not in page.text
    assert f'action="{desk.page}/reveal"' in (await agent.look()).text
    await agent.act("reveal")
    assert "eva@beispiel.example" in (await agent.look()).text


async def test_notes_and_calls_stand_in_the_conversation_and_mention_colleagues(desk: Desk) -> None:
    await desk.ask()
    maria = await desk.agent("maria")
    lea = await desk.agent("lea", account=True)
    for _ in range(2):
        await maria.act("note", text="@lea schaust du bitte?")
    await maria.act("note", text="Hat angerufen, will Raten.", call="1")
    said = words(await maria.look())
    assert "Notiz maria" in said
    assert "Telefonat maria" in said
    assert "schaust du bitte" in words(await lea.console.get("/console/desk/mentions"))
    await lea.look()
    assert "Niemand hat Sie erwähnt" in words(await lea.console.get("/console/desk/mentions"))
    async with desk.database.operator() as session:
        kinds = list(await session.scalars(select(HandoffNote.kind).order_by(HandoffNote.id)))
    assert kinds == ["note", "call"]


async def test_a_conversation_is_taken_from_the_bot_without_being_asked(desk: Desk) -> None:
    agent = await desk.agent()
    opened = await agent.console.post(f"/console/desk/open/{desk.conversation.id}")
    assert opened.status_code == 303
    async with desk.database.operator() as session:
        handoff = (await session.scalars(select(Handoff))).one()
    assert (handoff.reason, handoff.taken_by) == ("taken_over", "m.koch")
    assert await desk.hear("Hallo?") == "for_agent"
    again = await agent.console.post(f"/console/desk/open/{desk.conversation.id}")
    assert again.headers["location"].startswith(f"/console/desk/{handoff.id}")
    other = await desk.agent("l.winter")
    seen = await other.console.post(f"/console/desk/open/{desk.conversation.id}")
    assert seen.headers["location"] == f"/console/desk/{handoff.id}"
    async with desk.database.operator() as session:
        assert (await session.get_one(Handoff, handoff.id)).taken_by == "m.koch"


async def test_a_caller_is_checked_without_being_shown_anything(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    page = await agent.look()
    assert "Rechnungsnummer" in words(page)
    wrong = await agent.act("verify", number="RE-9999")
    assert "Das stimmt nicht" in words(wrong)
    right = await agent.act("verify", number="re 2026/0042")
    assert right.headers["location"].endswith("done=verified")
    assert "Am Telefon nachgewiesen um" in words(await agent.look())
    for _ in range(3):
        last = await agent.act("verify", number="RE-9999")
    assert "gesperrt" in words(last)
    locked = await agent.act("verify", number="RE-2026-0042")
    assert "gesperrt" in words(locked)


async def test_nobody_is_checked_where_the_conversation_has_ended(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    await agent.act("close", code="solved")
    assert (await agent.act("verify", number="RE-2026-0042")).status_code == 409
    assert "verified" not in await desk.log()


async def test_a_message_that_failed_is_sent_again_once(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    await agent.write("Ich rufe Sie an.")
    failed = (await desk.messages())[-1]
    async with desk.database.operator() as session:
        (await session.get_one(type(failed), failed.id)).status = "failed"
    assert "Noch einmal senden" in words(await agent.look())
    assert (await agent.act("again", message=str(failed.id))).status_code == 303
    assert (await agent.act("again", message=str(failed.id))).status_code == 422
    assert [one.text for one in await desk.messages()].count("Ich rufe Sie an.") == 2


async def test_it_is_closed_with_a_code_of_the_list(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    await agent.act("take")
    assert (await agent.act("close", code="invented")).status_code == 422
    assert (await agent.act("close", code="solved")).status_code == 303
    assert "Diese Anfrage ist abgeschlossen (geklärt)" in words(await agent.look())


async def test_ready_replies_are_filled_and_facts_wait_for_the_proof(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    save = agent.console.post
    refused = await save("/console/desk/replies", shortcut="dank", text_de="{betra}")
    assert "Diesen Platzhalter gibt es nicht: {betra}" in words(refused)
    await save("/console/desk/replies", shortcut="/Dank", text_de="Danke, sagt {ich} von {firma}.")
    await save("/console/desk/replies", shortcut="offen", text_de="Offen sind {betrag}.")
    assert (await save("/console/desk/replies", shortcut="dank", text_de="x")).status_code == 422
    await agent.act("take")
    page = await agent.look()
    assert f"Danke, sagt m.koch von {desk.merchant.name}." in page.text
    assert "Offen sind 246,00" in page.text
    await desk.change(verified_at=None)
    page = await agent.look()
    assert "246,00 €." not in page.text.partition('id="ready"')[2].partition("</details>")[0]
    assert "erst nach dem Nachweis" in page.text
    refused = await agent.write("Offen sind {betrag}.")
    assert "Die Identität ist nicht nachgewiesen" in words(refused)
    await desk.change(verified_at=NOW)
    await agent.write("Offen sind {betrag}.")
    assert (await desk.messages())[-1].text == "Offen sind 246,00\u00a0€."


async def test_only_who_works_on_handoffs_comes_in(desk: Desk) -> None:
    await desk.ask()
    reviewer = await desk.agent("r", Role.REVIEWER)
    assert (await reviewer.look()).status_code == 403
    assert (await reviewer.console.get("/console/desk/events")).status_code == 403


async def test_it_says_until_when_an_answer_is_due_as_the_list_does(desk: Desk) -> None:
    await desk.ask()
    async with desk.database.operator() as session:
        handoff = await session.get_one(Handoff, desk.handoff)
        due = handoff.requested_at + timedelta(hours=2)
        handoff.answer_by = due
    agent = await desk.agent()

    async def said(lang: str = "") -> str:
        page = words(await agent.console.get(f"{desk.page}{lang}"))
        listed = words(await agent.console.get(f"/console/desk?view=all{lang.replace('?', '&')}"))
        left = page.partition("Answer by" if lang else "Antwort bis")[2].partition(")")[0]
        assert left.partition("(")[2] in listed
        return left

    local = due.astimezone(ZoneInfo("Europe/Berlin"))
    assert await said() == f" {local:%H:%M} (noch 2 Std."
    desk.parts.clock.moment = due + timedelta(minutes=20)
    assert await said() == f" {local:%H:%M} (überfällig seit 20 Min."
    assert "(overdue for 20 min" in await said("?lang=en")
    # Once a person has answered, nobody waits for us, until the customer writes again.
    async with desk.database.operator() as session:
        handoff = await session.get_one(Handoff, desk.handoff)
        handoff.answered_at = handoff.first_answer_at = desk.parts.clock.now()
    assert "Antwort bis" not in words(await agent.look())
    desk.parts.clock.moment += timedelta(minutes=5)
    await desk.hear("Und?")
    assert "Antwort bis" in words(await agent.look())

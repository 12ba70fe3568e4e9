"""Calls that customers wished for: when, what became of them, and what the history holds."""

from datetime import timedelta

from conversation.timeline import timeline
from storage.tables import AuditEvent, Conversation
from tests.conftest import NOW
from tests.db.console_browser import words
from tests.db.queue.conftest import Floor


async def test_calls_are_listed_by_when_they_are_due_in_both_time_zones(floor: Floor) -> None:
    tomorrow = {"day": "2026-11-24", "day_part": "morning", "number": "named"}
    today = {"time": "18:00", "time_bound": "from", "number": "chat"}
    await floor.asks("callback", summary=tomorrow)
    await floor.asks("callback", summary=today, timezone="Europe/Lisbon")
    await floor.asks("callback", summary={"number": "known"})
    await floor.asks("receipt")
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    said = words(await floor.console.get("/console/desk/callbacks"))
    assert said.index("K-2003") < said.index("K-2002") < said.index("K-2001")
    assert "K-2004" not in said
    for shown in (
        "so bald wie möglich", "19:00 bis 21:00", "dort 18:00 bis 20:00 (Lisbon)",
        "Di. 24.11. 08:00 bis 12:00", "steht im Gespräch", "ist bei uns hinterlegt",
        "die Nummer dieses Gesprächs", "in 8 Std.",
    ):  # fmt: skip
        assert shown in said, shown


async def test_reached_it_leaves_the_list_and_stands_in_the_history(floor: Floor) -> None:
    number = await floor.asks("callback", summary={"number": "known"})
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    for _ in range(2):
        await floor.console.post(f"/console/desk/callbacks/{number}", result="reached")
    held = await floor.handoff(number)
    assert (held.taken_by, held.called_at, held.answered_at) == ("Lea", NOW, NOW)
    assert "Kein Rückruf offen" in words(await floor.console.get("/console/desk/callbacks"))
    async with floor.database.merchant(floor.merchant.id) as session:
        talk = await session.get_one(Conversation, held.conversation_id)
        assert talk.customer_id is not None
        entries, _ = await timeline(session, talk.customer_id)
        kinds = [entry.row for entry in entries if isinstance(entry.row, AuditEvent)]
    (call,) = [row for row in kinds if row.kind.startswith("call_")]
    assert (call.kind, call.person) == ("call_reached", "Lea")


async def test_a_try_before_its_time_is_noted_as_well(floor: Floor) -> None:
    number = await floor.asks("callback", summary={"number": "known"})
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    path = f"/console/desk/callbacks/{number}"
    await floor.console.post(path, result="not_reached", again="2026-11-23T15:30")
    now = floor.later(minutes=30)
    for _ in range(2):
        await floor.console.post(path, result="not_reached")
    assert len(await floor.happened("call_not_reached")) == 2
    assert (await floor.handoff(number)).call_again_at == now


async def test_not_reached_it_comes_up_again_at_its_time(floor: Floor) -> None:
    number = await floor.asks("callback", summary={"number": "known"})
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    path = f"/console/desk/callbacks/{number}"
    again = {"result": "not_reached", "again": "2026-11-23T15:30"}
    for _ in range(2):
        await floor.console.post(path, **again)
    held = await floor.handoff(number)
    at = NOW + timedelta(hours=4, minutes=30)
    assert (held.call_again_at, held.snoozed_until, held.called_at) == (at, at, None)
    assert len(await floor.happened("call_not_reached")) == 1
    said = words(await floor.console.get("/console/desk/callbacks"))
    assert "15:30" in said
    assert "schon versucht" in said
    (row,) = (await floor.queue()).rows
    assert row.asleep
    page = await floor.console.get(f"/console/customers/{row.customer_id}")
    assert "Rückruf: nicht erreicht" in words(page)
    assert "wieder: Mo. 23.11.2026 15:30" in words(page)
    floor.later(hours=5)
    (row,) = (await floor.queue()).rows
    assert not row.asleep
    for _ in range(2):
        await floor.console.post(path, result="not_reached", again="")
    assert len(await floor.happened("call_not_reached")) == 2
    assert (await floor.handoff(number)).call_again_at == floor.now
    late = await floor.console.post(path, result="not_reached", again="2026-11-23T08:00")
    assert late.status_code == 409
    assert (await floor.console.post(path, result="fine")).status_code == 422
    assert (await floor.console.post(path, result="not_reached", again="x")).status_code == 422


async def test_after_a_wrong_number_a_new_wish_is_a_new_call(floor: Floor) -> None:
    number = await floor.asks("callback", summary={"number": "known"})
    lea, ben = await floor.works("Lea"), await floor.works("Ben")
    await floor.sign_in(lea)
    await floor.console.post(f"/console/desk/callbacks/{number}", result="wrong_number")
    held = await floor.handoff(number)
    assert (held.called_at, held.answered_at) == (NOW, None)
    assert "Kein Rückruf offen" in words(await floor.console.get("/console/desk/callbacks"))
    await floor.asks_again(number, "callback", {"number": "named", "time": "15:00"})
    await floor.sign_in(ben)
    said = words(await floor.console.get("/console/desk/callbacks"))
    assert "steht im Gespräch" in said
    # Lea has it: nobody else calls as well.
    refused = await floor.console.post(f"/console/desk/callbacks/{number}", result="reached")
    assert refused.status_code == 409
    assert "Inzwischen hat Lea die Anfrage übernommen" in words(refused)

"""Who has a handoff: taken by one of two, given on, put aside, woken by the customer, in turn."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update
from twilio.request_validator import RequestValidator

from api import desk_care, webhooks
from api.accounts import Providers
from api.people.roles import Role
from api.queue import make_app
from api.settings import Settings
from conversation import desk, desk_moves
from conversation.desk_moves import give_to_person
from conversation.desk_teams import set_members
from conversation.handoff import request_handoff
from conversation.handoff_held import By, HandoffNotTaken, HandoffTaken, Outcome
from conversation.wrap_up import wrap_up_codes
from storage.tables import (
    ConsoleSession,
    Conversation,
    DeskTeam,
    Handoff,
    HandoffNote,
    Person,
    WrapUp,
)
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits
from tests.db.console_browser import MovedClock, NoEvents, words
from tests.db.queue.conftest import Floor

SID, AUTH = "AC" + "0" * 32, "a-token-of-the-tests"
HOOK = "https://kulanz.example/webhooks/twilio/messages"


async def test_of_two_who_take_one_gets_it_and_the_other_is_told_who(floor: Floor) -> None:
    number = await floor.asks()
    held = await floor.handoff(number)
    people = [await floor.works(name) for name in ("Lea", "Ben")]

    async def take(person: Person) -> str:
        async with floor.database.conversation(floor.merchant.id, held.conversation_id) as session:
            try:
                await desk.take(session, number, By(person.name, person.id), NOW)
            except HandoffTaken as refused:
                return str(refused.facts["taken_by"])
        return "mine"

    told = await asyncio.gather(*(take(person) for person in people))
    winner = people[told.index("mine")].name
    assert sorted(told) == sorted(["mine", winner])
    loser = people[1 - told.index("mine")]
    await floor.sign_in(loser)
    page = await floor.console.post(f"/console/desk/queue/{number}/take", back="view=all")
    assert page.status_code == 409
    assert f"Inzwischen hat {winner} die Anfrage übernommen" in words(page)
    assert (await floor.handoff(number)).taken_by == winner


async def test_taking_leads_to_the_conversation_and_again_changes_nothing(floor: Floor) -> None:
    number = await floor.asks()
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    for _ in range(2):
        taken = await floor.console.post(f"/console/desk/queue/{number}/take")
        assert taken.headers["location"] == f"/console/desk/{number}"
    held = await floor.handoff(number)
    assert (held.taken_by, held.person_id, held.taken_at) == ("Lea", lea.id, NOW)
    assert len(await floor.happened("handoff_taken")) == 1
    assert floor.console.parts.events.seen


async def test_what_is_given_is_theirs_but_not_begun_and_the_bot_goes_on(floor: Floor) -> None:
    number = await floor.asks()
    lea, ben = await floor.works("Lea", Role.SUPERVISOR), await floor.works("Ben")
    await floor.sign_in(lea)
    for _ in range(2):
        await floor.console.post(
            f"/console/desk/queue/{number}/give", to=f"person:{ben.id}", note="Bitte bis Mittag."
        )
    held = await floor.handoff(number)
    assert (held.taken_by, held.person_id, held.taken_at) == ("Ben", ben.id, None)
    (given,) = await floor.happened("handoff_given")
    assert (given["person"], given["to"]) == ("Lea", "Ben")
    async with floor.database.operator() as session:
        talk = await session.get_one(Conversation, held.conversation_id)
        (note,) = await session.scalars(select(HandoffNote))
    assert talk.state == "waiting"
    assert (note.author, note.text) == ("Lea", "Bitte bis Mittag.")
    async with floor.database.conversation(floor.merchant.id, talk.id) as session:
        with pytest.raises(HandoffNotTaken):
            await desk.close(session, number, By("Ben"), Outcome.SOLVED, NOW)
        with pytest.raises(HandoffTaken):
            await desk.take(session, number, By("m.koch"), NOW)
        await desk.take(session, number, By("Ben", ben.id), NOW)
    held = await floor.handoff(number)
    assert (held.taken_at, held.person_id) == (NOW, ben.id)


async def test_nobody_gives_away_what_another_has_but_a_supervisor_does(floor: Floor) -> None:
    number = await floor.asks()
    lea, ben, cem = [await floor.works(name) for name in ("Lea", "Ben", "Cem")]
    ada = await floor.works("Ada", Role.SUPERVISOR)
    await floor.sign_in(lea)
    await floor.console.post(f"/console/desk/queue/{number}/take")
    await floor.sign_in(ben)
    page = await floor.console.get(f"/console/desk/queue/{number}")
    assert "Diese Anfrage liegt bei Lea" in words(page)
    forced = {"to": f"person:{ben.id}", "held_by": "Lea"}
    refused = await floor.console.post(f"/console/desk/queue/{number}/give", **forced)
    assert refused.status_code == 409
    assert (await floor.console.post(f"/console/desk/queue/{number}/wake")).status_code == 409
    await floor.sign_in(ada)
    await floor.console.post(f"/console/desk/queue/{number}/give", **forced)
    held = await floor.handoff(number)
    # The conversation had begun: it stays with people.
    assert (held.taken_by, held.taken_at) == ("Ben", NOW)
    late = {"to": f"person:{cem.id}", "held_by": "Lea"}
    refused = await floor.console.post(f"/console/desk/queue/{number}/give", **late)
    assert refused.status_code == 409
    assert "Inzwischen hat Ben die Anfrage übernommen" in words(refused)


async def test_nothing_is_given_to_who_does_not_work_here(floor: Floor) -> None:
    number = await floor.asks()
    lea = await floor.works("Lea")
    analyst = await floor.works("Ina", Role.ANALYST)
    gone = await floor.works("Tom")
    async with floor.database.operator() as session:
        (await session.get_one(Person, gone.id)).disabled_at = NOW
    await floor.sign_in(lea)
    for to in (f"person:{analyst.id}", f"person:{gone.id}", "person:999", "team:7", "x", ""):
        refused = await floor.console.post(f"/console/desk/queue/{number}/give", to=to)
        assert refused.status_code == 422, to
        assert "Wählen Sie, an wen die Anfrage geht" in words(refused)
    assert (await floor.handoff(number)).taken_by is None


@dataclass
class HookParts:
    """What the webhook needs of a web process."""

    database: Any
    settings: Settings
    providers: Providers
    clock: MovedClock
    events: NoEvents
    limits: Any


async def heard_over_the_webhook(floor: Floor, address: str, text: str) -> None:
    """An SMS comes in, signed by the provider."""
    settings = Settings(
        _env_file=None, public_url="https://kulanz.example", twilio_account_sid=SID,
        twilio_auth_token=SecretStr(AUTH), twilio_sms_from="+4915735990001",
    )  # fmt: skip

    async def nobody(to: str, event: object) -> None:
        """No terminal listens."""

    providers = Providers(settings, "of the tests", nobody)
    parts = HookParts(
        floor.database, settings, providers, floor.console.parts.clock,  # type: ignore[arg-type]
        NoEvents(), FakeLimits(),
    )  # fmt: skip
    app = app_of(webhooks.router)
    app.state.parts = parts
    app.state.jobs = jobs = make_app(parts, pool_size=1)  # type: ignore[arg-type]
    form = {
        "MessageSid": "SM" + f"{floor.made:032}", "AccountSid": SID, "From": address,
        "To": "+4915735990001", "Body": text, "NumMedia": "0",
    }  # fmt: skip
    signature = RequestValidator(AUTH).compute_signature(HOOK, form)
    async with (
        jobs.open_async(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="https://kulanz.example"
        ) as client,
    ):
        answer = await client.post(
            "/webhooks/twilio/messages", data=form, headers={"X-Twilio-Signature": signature}
        )
    assert answer.status_code == 200, answer.text


async def asleep(floor: Floor) -> list[int]:
    return [row.handoff.id for row in (await floor.queue()).rows if row.asleep]


async def test_what_is_put_aside_wakes_at_once_when_the_customer_writes(floor: Floor) -> None:
    number, other = await floor.asks(), await floor.asks()
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    await floor.console.post(f"/console/desk/queue/{number}/snooze", when="answer")
    await floor.console.post(f"/console/desk/queue/{other}/snooze", when="week")
    assert await asleep(floor) == [number, other]
    floor.later(days=2)
    assert await asleep(floor) == [number, other]
    for one in (number, other):
        async with floor.database.operator() as session:
            talk = await session.get_one(Conversation, (await floor.handoff(one)).conversation_id)
        floor.made += 1
        await heard_over_the_webhook(floor, talk.address, "Sind Sie noch da?")
    assert await asleep(floor) == []
    await floor.sign_in(lea)
    page = words(await floor.console.get("/console/desk?view=unassigned"))
    assert page.count("neue Nachricht") == 2
    # Put aside anew, for the same time and once more until they write, it sleeps again.
    for one in (number, other):
        async with floor.database.conversation(
            floor.merchant.id, (await floor.handoff(one)).conversation_id
        ) as session:
            until = (await floor.handoff(one)).snoozed_until
            for _ in range(2):
                await desk_moves.snooze(
                    session, one, By("Lea"), floor.later(seconds=1), until=until
                )
    assert await asleep(floor) == [number, other]
    assert len(await floor.happened("handoff_snoozed")) == 4


async def test_what_is_put_aside_comes_back_at_its_time(floor: Floor) -> None:
    number = await floor.asks()
    lea = await floor.works("Lea")
    await floor.sign_in(lea)
    path = f"/console/desk/queue/{number}/snooze"
    for when in ("time", "soon"):
        assert (await floor.console.post(path, when=when)).status_code == 422
    past = await floor.console.post(path, when="time", until="2026-11-23T09:00")
    assert past.status_code == 409
    assert "Diese Zeit ist schon vorbei" in words(past)
    # The merchant's clock: 14:00 in Berlin.
    await floor.console.post(path, when="time", until="2026-11-23T14:00")
    assert (await floor.handoff(number)).snoozed_until == NOW + timedelta(hours=3)
    assert "zurückgestellt bis 14:00" in words(
        await floor.console.get("/console/desk?view=snoozed")
    )
    floor.later(hours=3)
    assert await asleep(floor) == []
    await floor.console.post(path, when="tomorrow")
    # At the opening of the next day.
    assert (await floor.handoff(number)).snoozed_until == NOW + timedelta(hours=22)
    await floor.console.post(f"/console/desk/queue/{number}/wake")
    assert await asleep(floor) == []


async def test_in_turn_goes_round_by_who_is_there_and_has_room(floor: Floor) -> None:
    await floor.works("Ann", capacity=2)
    await floor.works("Ben", capacity=1)
    await floor.works("Away", here=False)
    await floor.works("Ina", Role.ANALYST)
    gone = await floor.works("Gone")
    async with floor.database.operator() as session:
        await session.execute(
            update(ConsoleSession).where(ConsoleSession.person_id == gone.id).values(ended_at=NOW)
        )
    given = []
    for _ in range(4):
        floor.later(minutes=1)
        given.append(await floor.in_turn(await floor.asks()))
    assert given == ["Ann", "Ben", "Ann", None]


async def test_who_has_opened_no_page_for_long_is_not_there(floor: Floor) -> None:
    await floor.works("Ann")
    floor.later(minutes=31)
    assert await floor.in_turn(await floor.asks()) is None


async def test_two_at_once_in_turn_never_go_over_anybodys_room(floor: Floor) -> None:
    for name in ("Ann", "Ben"):
        await floor.works(name, capacity=2)
    numbers = [await floor.asks() for _ in range(6)]
    given = await asyncio.gather(*(floor.in_turn(number) for number in numbers))
    assert sorted(filter(None, given)) == ["Ann", "Ann", "Ben", "Ben"]


async def test_a_team_in_turn_is_given_out_and_what_comes_back_to_it_again(floor: Floor) -> None:
    ann, ben = await floor.works("Ann"), await floor.works("Ben")
    async with floor.database.merchant(floor.merchant.id) as session:
        team = DeskTeam(
            merchant_id=floor.merchant.id, name="Notlage", reasons=["hardship"], in_turn=True
        )
        session.add(team)
        await session.flush()
        await set_members(session, team, [ben.id])
    number, other = await floor.asks("hardship"), await floor.asks("receipt")
    assert (await floor.handoff(number)).team_id == team.id
    assert (await floor.handoff(other)).team_id is None
    assert await desk_care.give_out(floor.database, NOW) == [
        (floor.merchant.id, (await floor.handoff(number)).conversation_id)
    ]
    assert (await floor.handoff(number)).taken_by == "Ben"
    assert await desk_care.give_out(floor.database, NOW) == []
    assert (await floor.handoff(other)).taken_by is None
    # Ben passes it on to Ann, she gives it back to the team.
    await floor.sign_in(ben)
    await floor.console.post(
        f"/console/desk/queue/{number}/give", to=f"person:{ann.id}", held_by="Ben"
    )
    assert (await floor.handoff(number)).taken_by == "Ann"
    await floor.sign_in(ann)
    await floor.console.post(
        f"/console/desk/queue/{number}/give", to=f"team:{team.id}", held_by="Ann"
    )
    assert (await floor.handoff(number)).taken_by is None
    await desk_care.give_out(floor.database, NOW)
    assert (await floor.handoff(number)).taken_by == "Ben"


async def test_a_team_without_room_keeps_no_other_one_waiting(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_care, "LOOK_MAX", 1)
    ben = await floor.works("Ben")
    async with floor.database.merchant(floor.merchant.id) as session:
        for reason, people in (("hardship", []), ("receipt", [ben.id])):
            team = DeskTeam(
                merchant_id=floor.merchant.id, name=reason, reasons=[reason], in_turn=True
            )
            session.add(team)
            await session.flush()
            await set_members(session, team, people)
    await floor.asks("hardship")
    await floor.asks("hardship")
    number = await floor.asks("receipt")
    assert len(await desk_care.give_out(floor.database, NOW)) == 1
    assert (await floor.handoff(number)).taken_by == "Ben"


async def test_a_more_urgent_reason_moves_what_nobody_has_to_its_team(floor: Floor) -> None:
    async with floor.database.merchant(floor.merchant.id) as session:
        team = DeskTeam(merchant_id=floor.merchant.id, name="Krisen", reasons=["crisis"])
        session.add(team)
    number = await floor.asks("receipt")
    held = await floor.handoff(number)
    async with floor.database.merchant(floor.merchant.id) as session:
        await request_handoff(
            session, conversation_id=held.conversation_id, reason="crisis", summary={}, now=NOW
        )
    assert (await floor.handoff(number)).team_id == team.id


async def test_presence_is_said_by_oneself_and_shown(floor: Floor) -> None:
    lea = await floor.works("Lea", here=False)
    await floor.sign_in(lea)
    assert "Sie sind nicht da" in words(await floor.console.get("/console/desk"))
    await floor.console.post("/console/desk/presence", here="yes", back="view=all&x=1")
    assert "Sie sind da" in words(await floor.console.get("/console/desk"))
    assert await floor.in_turn(await floor.asks()) == "Lea"
    await floor.console.post("/console/desk/presence", here="no")
    assert await floor.in_turn(await floor.asks()) is None


async def test_an_answer_stops_the_first_clock_and_wakes(floor: Floor) -> None:
    number = await floor.asks()
    held = await floor.handoff(number)
    async with floor.database.conversation(floor.merchant.id, held.conversation_id) as session:
        await desk_moves.snooze(session, number, By("Lea"), NOW)
        await desk.take(session, number, By("Lea"), NOW)
        assert (await session.get_one(Handoff, number)).snoozed_at is None
        await desk_moves.snooze(session, number, By("Lea"), NOW)
        await desk.reply(session, number, By("Lea"), "Guten Tag", NOW)
    held = await floor.handoff(number)
    assert (held.first_answer_at, held.answered_at, held.snoozed_at) == (NOW, NOW, None)
    (row,) = (await floor.queue()).rows
    assert row.clock is None


async def test_endings_are_the_merchants_own_where_it_has_any(floor: Floor) -> None:
    async with floor.database.merchant(floor.merchant.id) as session:
        assert [one.code for one in await wrap_up_codes(session)] == [o.value for o in Outcome]
        session.add(WrapUp(merchant_id=floor.merchant.id, name="Raten", outcome="agreed"))
        await session.flush()
        (code,) = await wrap_up_codes(session)
        assert (code.outcome, code.name) == (Outcome.AGREED, "Raten")
    number = await floor.asks()
    held = await floor.handoff(number)
    async with floor.database.conversation(floor.merchant.id, held.conversation_id) as session:
        await desk.take(session, number, By("Lea"), NOW)
        await desk.close(session, number, By("Lea"), code.outcome, NOW, wrap_up=code.name)
    held = await floor.handoff(number)
    assert (held.outcome, held.wrap_up) == ("agreed", "Raten")


async def test_given_to_a_person_of_the_same_name_is_not_mine(floor: Floor) -> None:
    number = await floor.asks()
    first, second = await floor.works("Lea"), await floor.works("Ben")
    async with floor.database.operator() as session:
        (await session.get_one(Person, second.id)).name = "Lea"
    held = await floor.handoff(number)
    async with floor.database.conversation(floor.merchant.id, held.conversation_id) as session:
        found = await session.get_one(Person, second.id)
        await give_to_person(session, number, found, By("Ada"), NOW)
        with pytest.raises(HandoffTaken):
            await desk.take(session, number, By("Lea", first.id), NOW)

"""Teams, answer times, endings and the supervisor's view, as their pages change and show them."""

from datetime import timedelta

from sqlalchemy import select

from api.people.roles import Role
from conversation import desk
from conversation.answer_targets import targets
from conversation.handoff_held import By
from storage.tables import DeskTeam, DeskTeamMember, WrapUp
from tests.conftest import NOW
from tests.db.console_browser import words
from tests.db.queue.conftest import Floor


async def test_a_team_is_made_changed_and_dissolved(floor: Floor) -> None:
    ada, ben = await floor.works("Ada", Role.SUPERVISOR), await floor.works("Ben")
    await floor.sign_in(ada)
    assert "Noch kein Team" in words(await floor.console.get("/console/desk/teams"))
    made = await floor.console.post("/console/desk/teams", name="  Notlage ")
    path = made.headers["location"]
    assert (await floor.console.get(path)).status_code == 200
    assert (await floor.console.post("/console/desk/teams", name="notlage")).status_code == 422
    assert (await floor.console.post("/console/desk/teams", name=" ")).status_code == 422
    await floor.console.client.post(
        path,
        data={
            "csrf": await floor.console.csrf(), "name": "Notlagen", "in_turn": "yes",
            "member": [str(ben.id), "999", "x"], "language": ["de", "xx"],
            "reason": ["hardship", "crisis", "invented"],
        },
    )  # fmt: skip
    async with floor.database.operator() as session:
        (team,) = await session.scalars(select(DeskTeam))
        (member,) = await session.scalars(select(DeskTeamMember))
    assert (team.name, team.in_turn, team.languages) == ("Notlagen", True, ["de"])
    assert team.reasons == ["crisis", "hardship"]
    assert member.person_id == ben.id
    number = await floor.asks("hardship")
    assert (await floor.handoff(number)).team_id == team.id
    said = words(await floor.console.get("/console/desk/teams"))
    assert "Notlagen Krise, finanzielle Notlage Deutsch der Reihe nach Ben" in said
    await floor.sign_in(ben)
    page = words(await floor.console.get("/console/desk?view=team"))
    assert "Mein Team 1" in page
    await floor.sign_in(ada)
    await floor.console.post(f"{path}/end")
    assert (await floor.handoff(number)).team_id is None
    assert [one["person"] for one in await floor.happened("team_ended")] == ["Ada"]


async def test_an_answer_time_is_set_and_taken_back(floor: Floor) -> None:
    ada = await floor.works("Ada", Role.SUPERVISOR)
    await floor.sign_in(ada)
    number = await floor.asks("complaint")

    async def due() -> timedelta | None:
        (row,) = (await floor.queue()).rows
        assert row.clock is not None
        return row.clock.due - NOW if row.clock.due is not None else None

    assert await due() == timedelta(hours=4)
    form = {"reason": "complaint", "first": "45", "following": "20"}
    await floor.console.post("/console/desk/targets", **form)
    assert await due() == timedelta(minutes=45)
    async with floor.database.merchant(floor.merchant.id) as session:
        known = await targets(session, floor.merchant.id)
    assert known.of("complaint").next == timedelta(minutes=20)
    assert "Beschwerde 45 Min. 20 Min." in words(await floor.console.get("/console/desk/teams"))
    for wrong in ({"first": "0"}, {"first": "ten"}, {"following": ""}, {"reason": "x"}):
        refused = await floor.console.post("/console/desk/targets", **{**form, **wrong})
        assert refused.status_code == 422, wrong
    await floor.console.post("/console/desk/targets", reason="complaint", first="", following="")
    assert await due() == timedelta(hours=4)
    assert number


async def test_endings_are_added_and_removed(floor: Floor) -> None:
    ada = await floor.works("Ada", Role.SUPERVISOR)
    await floor.sign_in(ada)
    for outcome in ("solved", "agreed"):
        await floor.console.post("/console/desk/wrap-ups", name="Raten vereinbart", outcome=outcome)
    async with floor.database.operator() as session:
        (code,) = await session.scalars(select(WrapUp))
    assert (code.name, code.outcome) == ("Raten vereinbart", "agreed")
    wrong = {"name": "Neu", "outcome": "brilliant"}
    assert (await floor.console.post("/console/desk/wrap-ups", **wrong)).status_code == 422
    await floor.console.post(f"/console/desk/wrap-ups/{code.id}/end")
    assert "Raten vereinbart" not in words(await floor.console.get("/console/desk/teams"))


async def test_the_supervisor_sees_who_is_there_with_what(floor: Floor) -> None:
    ada, ben = await floor.works("Ada", Role.SUPERVISOR), await floor.works("Ben", here=False)
    one, two = await floor.asks("hardship"), await floor.asks("receipt")
    await floor.asks("receipt")
    floor.later(minutes=30)
    for number in (one, two):
        held = await floor.handoff(number)
        async with floor.database.conversation(floor.merchant.id, held.conversation_id) as session:
            await desk.take(session, number, By("Ben", ben.id), floor.now)
            if number == one:
                await desk.reply(session, number, By("Ben"), "Guten Tag", floor.now)
    floor.later(minutes=12)
    await floor.sign_in(ada)
    said = words(await floor.console.get("/console/desk/live"))
    for shown in (
        "Noch bei niemandem 1", "Längste Wartezeit 42 Min.", "Heute beantwortet 1",
        "Erste Antwort (Median) 30 Min.", "Ada da 0 von 5", "Ben abgemeldet 2 von 5",
        "heute 1 beantwortet", "K-2001", "K-2002",
    ):  # fmt: skip
        assert shown in said, shown
    rows = await floor.console.get("/console/desk/live/rows")
    assert "<html" not in rows.text
    await floor.console.post(f"/console/desk/live/{ben.id}/capacity", most="3")
    assert "2 von 3" in words(await floor.console.get("/console/desk/live"))
    for most in ("0", "51", "x"):
        refused = await floor.console.post(f"/console/desk/live/{ben.id}/capacity", most=most)
        assert refused.status_code == 422, most


async def test_an_agent_has_no_part_in_what_supervisors_do(floor: Floor) -> None:
    await floor.sign_in(await floor.works("Ben"))
    page = await floor.console.get("/console/desk")
    assert "/console/desk/live" not in page.text
    for path in ("live", "teams"):
        assert (await floor.console.get(f"/console/desk/{path}")).status_code == 403

"""Who holds a conversation is a person: two of the same name are two."""

from conversation.handoff_held import By
from storage.tables import Handoff
from tests.desk_parts import Agent, Desk

NAME = "Anna Weber"


async def both(desk: Desk) -> tuple[Agent, Agent]:
    await desk.ask()
    return (
        await desk.agent(NAME, account=True, email="anna@x.example"),
        await desk.agent(NAME, account=True, email="weber@x.example"),
    )


async def test_the_other_of_the_same_name_may_not_write(desk: Desk) -> None:
    first, second = await both(desk)
    assert (await first.act("take")).status_code == 303
    page = (await second.look()).text
    assert "Von Anna Weber übernehmen" in page
    assert '<textarea id="text"' not in page
    for what, fields in {
        "reply": {"text": "Guten Tag", "key": "k1"},
        "return": {},
        "close": {"code": "solved"},
        "take": {},
        "consent": {"offer": "1"},
    }.items():
        assert (await second.act(what, **fields)).status_code == 409, what
    assert [one.text for one in await desk.messages() if one.author == "agent"] == []
    assert (await first.write("Guten Tag")).status_code == 303


async def test_she_takes_it_over_by_a_press_and_then_the_first_may_not(desk: Desk) -> None:
    first, second = await both(desk)
    await first.act("take")
    holder = await holder_of(desk)
    over = {"instead_of": NAME, "instead_of_id": str(holder.person_id)}
    assert (await second.act("take", **over)).status_code == 303
    assert (await holder_of(desk)).person_id != holder.person_id
    assert (await first.act("reply", text="Guten Tag", key="k3", seen="99")).status_code == 409
    # An old page names who had it then.
    third = await desk.agent(NAME, account=True, email="a.w@x.example")
    assert (await third.act("take", **over)).status_code == 409


async def test_what_the_other_wrote_is_shown_first(desk: Desk) -> None:
    first, second = await both(desk)
    await first.act("take")
    await first.write("Guten Tag")
    seen = str((await desk.messages())[0].id)
    holder = await holder_of(desk)
    await second.act("take", instead_of=NAME, instead_of_id=str(holder.person_id))
    got = await second.act("reply", text="Hallo", key="k2", seen=seen)
    assert got.status_code == 409
    assert [one.text for one in await desk.messages() if one.text == "Hallo"] == []
    again = await first.act("take", instead_of=NAME, instead_of_id="999")
    assert again.status_code == 409


async def test_both_see_each_other_there(desk: Desk) -> None:
    first, second = await both(desk)
    assert (await first.act("presence", writing="1")).json() == {"others": [], "writer": ""}
    told = (await second.act("presence")).json()
    assert told == {"others": [NAME], "writer": NAME}


async def test_who_has_no_account_is_known_by_name(desk: Desk) -> None:
    await desk.ask()
    by_link = await desk.agent(NAME)
    await by_link.act("take")
    holder = await holder_of(desk)
    assert holder.person_id is None
    assert By(NAME).has(holder)
    assert (await by_link.write("Guten Tag")).status_code == 303


async def holder_of(desk: Desk) -> Handoff:
    async with desk.database.operator() as session:
        return await session.get_one(Handoff, desk.handoff)

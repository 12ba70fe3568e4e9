"""The dialogue engine dies: messages wait, one honest sentence after a minute, then the answer."""

import asyncio
from datetime import timedelta

from api.clock import Clock
from benchmarks.kill import kill_part
from tests.journey.conftest import Guests


async def test_without_rasa_turns_wait_and_are_answered_when_it_is_back(guests: Guests) -> None:
    talk = guests.by_phone()
    await talk.say("Hallo")
    before = await talk.wordings()
    clock = Clock(talk.world.service.settings())
    offset = clock.offset()
    assert kill_part(talk.world.service, "rasa")
    try:
        await talk.customer.write("Worum geht es?")
        await asyncio.sleep(1)
        assert await talk.wordings() == before, "nothing is said yet"
        clock.move_to(clock.now() + timedelta(seconds=61))
        await talk.customer.write("Hallo?")
        await talk.world.settled(talk.own_address, seconds=90)
    finally:
        clock.move_to(clock.now() - clock.offset() + offset)

    said = (await talk.wordings())[len(before) :]
    assert said[0] == "stalled_notice"
    assert said.count("stalled_notice") == 1
    conversation = await talk.conversation()
    incoming = await talk.world.rows(
        "SELECT outcome FROM message WHERE conversation_id = :id AND direction = 'in'",
        id=conversation["id"],
    )
    assert {row["outcome"] for row in incoming} == {"answered"}
    (handoff,) = await talk.world.rows(
        "SELECT reason FROM handoff WHERE conversation_id = :id", id=conversation["id"]
    )
    assert handoff["reason"] == "bot_failure"

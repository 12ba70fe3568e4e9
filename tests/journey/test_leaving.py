"""Stop, wrong person, and an identity that is not proved."""

from tests.journey.conftest import Guests


async def test_stop_ends_all_unasked_messages_at_once(guests: Guests) -> None:
    talk = guests.by_phone()
    await talk.say("Hallo")

    (confirmed,) = await talk.say("STOP")
    again = await talk.say("Stopp!")

    assert (await talk.wordings())[-1] == "opt_out_confirmed"
    assert confirmed.text
    assert again == [], "a second stop is not answered"
    (point,) = await talk.world.rows(
        "SELECT opted_out_at FROM contact_point WHERE address = :address",
        address=talk.own_address,
    )
    assert point["opted_out_at"] is not None


async def test_a_wrong_person_learns_nothing_and_is_not_written_to_again(guests: Guests) -> None:
    talk = guests.by_phone()

    said = await talk.say("Sie haben die falsche Nummer, ich kenne diese Person nicht")

    assert "wrong_person_noted" in await talk.wordings()
    assert not any(talk.person.invoice_number in message.text for message in said)
    (point,) = await talk.world.rows(
        "SELECT invalid_at FROM contact_point WHERE address = :address", address=talk.own_address
    )
    assert point["invalid_at"] is not None


async def test_three_wrong_answers_lock_and_call_a_person(guests: Guests) -> None:
    talk = guests.by_phone()
    await talk.say("Worum geht es?")

    for number in ("RE-2026-99901", "RE-2026-99902", "RE-2026-99903"):
        await talk.say(number)
    after = await talk.say(talk.person.invoice_number)

    conversation = await talk.conversation()
    assert conversation["verification_locked_at"] is not None
    assert conversation["verified_at"] is None
    assert conversation["state"] == "waiting"
    (handoff,) = await talk.world.rows(
        "SELECT reason FROM handoff WHERE conversation_id = :id", id=conversation["id"]
    )
    assert handoff["reason"]
    assert "verification_locked" in await talk.wordings()
    told = await talk.world.rows(
        "SELECT 1 FROM message WHERE conversation_id = :id AND discloses", id=conversation["id"]
    )
    assert told == [], "the right answer comes too late"
    assert not any("€" in message.text for message in after)

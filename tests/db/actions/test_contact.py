"""Who is at the phone, where we have the number from, whom to call, and on which channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from storage.tables import ChannelAccount, ContactPoint

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk

NOBODY = "das bin ich nicht, falsche Nummer"


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


async def dropped(talk: Talk) -> bool:
    async with talk.database.merchant(talk.merchant.id) as session:
        point = (await session.scalars(select(ContactPoint))).one()
        return point.invalid_at is not None


async def test_who_has_proved_it_is_asked_back_before_the_number_is_dropped(known: Talk) -> None:
    assert await known.say("wrong_person", NOBODY) == ["wrong_person_check"]
    assert [button.title for button in known.replies[-1].buttons] == [
        "Falsche Person",
        "Doch, das bin ich",
    ]
    assert not await dropped(known)
    assert await known.press("Falsche Person") == ["wrong_person_noted"]
    assert await dropped(known)
    assert await known.handoffs() == ["wrong_person"]


async def test_a_misread_line_changes_nothing(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await known.say("wrong_person", NOBODY)
    assert await known.press("Doch, das bin ich") == ["wrong_person_cleared", "offer_back"]
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert not await dropped(known)
    assert await known.handoffs() == []


async def test_said_twice_it_is_believed(known: Talk) -> None:
    await known.say("wrong_person", NOBODY)
    assert await known.say("wrong_person", "nein wirklich nicht") == ["wrong_person_noted"]


async def test_an_old_proof_counts_for_asking_back(known: Talk) -> None:
    known.wait(hours=2)
    assert await known.say("wrong_person", NOBODY) == ["wrong_person_check"]


async def test_who_has_proved_nothing_is_believed_at_once(talk: Talk) -> None:
    assert await talk.say("wrong_person", NOBODY) == ["wrong_person_noted"]
    assert await dropped(talk)


async def test_stop_and_wrong_person_from_a_proved_person_goes_to_a_person(known: Talk) -> None:
    said = await known.say(
        "opt_out", "Falsche Nummer, hört auf zu schreiben!", ranking=["opt_out", "wrong_person"]
    )
    assert said == ["opt_out_confirmed", "passed_on_after_stop"]
    assert not await dropped(known)
    assert await known.handoffs() == ["wrong_person"]


@pytest.mark.parametrize("line", ["Woher habt ihr meine Nummer?", "Where did you get my number?"])
async def test_where_the_number_comes_from_is_told_to_anybody(talk: Talk, line: str) -> None:
    assert await talk.say("ask_sender", line) == ["address_source"]
    assert "wurde bei uns angegeben" in talk.text
    assert "+493023125000" in talk.text
    assert "widersprechen" in talk.text
    assert "löschen" in talk.text
    assert not talk.replies[-1].discloses


async def test_the_source_is_the_one_that_is_kept(talk: Talk) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        (await session.scalars(select(ContactPoint))).one().source = "deep_link"
    await talk.say("ask_sender", "Wie kommen Sie an meine Handynummer?")
    assert "über einen Link geöffnet" in talk.text


async def test_a_question_about_the_data_is_answered_and_kept(talk: Talk) -> None:
    said = await talk.say("data_request", "Woher haben Sie meine Daten?")
    assert said == ["address_source", "data_request_noted"]
    assert await talk.handoffs() == ["data_request"]


async def test_who_is_this_stays_another_question(talk: Talk) -> None:
    assert await talk.say("ask_sender", "Wer seid ihr überhaupt?") == ["who_we_are"]


async def test_a_call_asks_for_the_number_and_the_time(talk: Talk) -> None:
    assert await talk.say("request_callback", "Ruft mich an") == ["callback_ask"]
    assert "unter welcher Nummer" in talk.text
    assert await talk.say("inform", "morgen um 10", date="2026-11-24") == ["callback_ask_number"]
    assert await talk.say("inform", "030 1234", phone="+49301234") == ["callback_noted"]
    told = await talk.summary()
    assert (told["day"], told["time"], told["number"]) == ("2026-11-24", "10:00", "named")


async def test_another_time_for_a_noted_call_moves_the_call(known: Talk) -> None:
    await known.say("request_callback", "ruft an: 030 1234", phone="+49301234")
    assert await known.say("inform", "morgen nach 17 Uhr", date="2026-11-24") == ["callback_noted"]
    moved = await known.say(
        "promise_payment", "ne doch lieber am Montag vormittag", date="2026-11-30"
    )
    assert moved == ["callback_noted"]
    assert "30. November 2026" in known.text
    told = await known.summary()
    assert (told["day"], told["day_part"], told["number"]) == ("2026-11-30", "morning", "named")
    assert told.get("time") is None
    pays = await known.say("promise_payment", "ich zahle lieber am Montag", date="2026-11-30")
    assert pays == ["promise_offer"]
    assert await known.say("inform", "doch lieber Dienstag", date="2026-12-01") == ["promise_offer"]


async def test_a_call_on_a_closed_day_is_told_for_the_next_open_one(talk: Talk) -> None:
    await talk.say("request_callback", "ruft an: 030 1234", phone="+49301234")
    assert await talk.say("inform", "Sonntag um 17 Uhr", date="2026-11-29") == ["callback_noted"]
    assert "Am 29. November 2026 ist unser Team nicht da." in talk.text
    assert "wenn möglich am 30. November 2026" in talk.text
    assert (await talk.summary())["day"] == "2026-11-30"
    assert await talk.say("inform", "doch lieber Dienstag", date="2026-12-01") == ["callback_noted"]
    assert "nicht da" not in talk.text


async def test_a_closed_day_is_told_when_the_number_came_after_it(talk: Talk) -> None:
    await talk.say("request_callback", "ruft mich Sonntag um 17 Uhr an", date="2026-11-29")
    assert await talk.say("inform", "030 1234", phone="+49301234") == ["callback_noted"]
    assert "Am 29. November 2026 ist unser Team nicht da." in talk.text
    assert "wenn möglich am 30. November 2026" in talk.text


async def test_a_call_without_a_number_goes_to_a_person_all_the_same(talk: Talk) -> None:
    await talk.say("request_callback", "Ruft mich morgen um 10 an", date="2026-11-24")
    assert await talk.say("deny", "die habt ihr doch") == ["callback_noted"]
    assert (await talk.summary())["number"] == "unknown"


async def test_a_number_that_was_named_is_not_asked_for(talk: Talk) -> None:
    said = await talk.say("request_callback", "Ruft mich an: 030 1234", phone="+49301234")
    assert said == ["callback_ask"]
    assert "unter dieser Nummer" in talk.text
    assert await talk.say("inform", "morgen um 10", date="2026-11-24") == ["callback_noted"]


async def test_a_known_number_is_named_by_its_end_after_the_proof(known: Talk) -> None:
    async with known.database.merchant(known.merchant.id) as session:
        (await session.scalars(select(ContactPoint))).one().channel = "sms"
    assert await known.say("request_callback", "Ruft mich an") == ["callback_ask_known"]
    assert "unter der Nummer mit 001 am Ende" in known.text
    assert "+49170" not in known.text
    assert await known.say("inform", "morgen um 10", date="2026-11-24") == ["callback_noted"]
    assert (await known.summary())["number"] == "known"


async def add_account(talk: Talk, channel: str, *, enabled: bool = True) -> None:
    async with talk.database.operator() as session:
        session.add(
            ChannelAccount(
                merchant_id=talk.merchant.id,
                channel=channel,
                address=f"{channel}-account",
                enabled=enabled,
                created_at=talk.now,
            )
        )


async def test_only_channels_that_the_merchant_has_are_offered(talk: Talk) -> None:
    await add_account(talk, "telegram")
    await add_account(talk, "whatsapp", enabled=False)
    assert await talk.say("choose_channel", "woanders bitte") == ["channel_ask"]
    assert [button.title for button in talk.replies[-1].buttons] == ["SMS", "Telegram"]
    assert "WhatsApp" not in talk.text


async def test_a_channel_that_the_merchant_lacks_is_not_promised(talk: Talk) -> None:
    await add_account(talk, "telegram")
    assert await talk.say("choose_channel", channel="whatsapp") == ["channel_closed"]
    assert (await talk.customer()).preferred_channel is None


async def test_where_there_is_one_channel_a_person_finds_another_way(talk: Talk) -> None:
    async with talk.database.operator() as session:
        (await session.scalars(select(ChannelAccount))).one().enabled = False
    assert await talk.say("choose_channel", "woanders bitte") == ["task_for_team"]
    assert await talk.handoffs() == ["channel"]

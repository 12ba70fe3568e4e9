"""What is said about channels and hours, and what it sets off; every way there, every refusal."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from storage.tables import ChannelAccount, ContactPoint, Conversation, Message
from tests.conftest import NOW

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk

MOBILE = "+4915735990777"


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """A person who has proved who they are, on the Telegram of a merchant who writes everywhere."""
    async with talk.database.merchant(talk.merchant.id) as session:
        held = await session.get_one(Conversation, talk.conversation_id)
        for channel, address, name in (
            ("telegram", "7001", "linde_bot"),
            ("whatsapp", "+4915735990002", None),
        ):
            account = ChannelAccount(
                merchant_id=talk.merchant.id,
                channel=channel,
                address=address,
                public_name=name,
                created_at=NOW,
            )
            session.add(account)
            await session.flush()
            if channel == "telegram":
                held.channel_account_id = account.id
    await talk.verified()
    return talk


async def code_of(talk: Talk) -> str:
    """The code in the newest text message."""
    async with talk.database.merchant(talk.merchant.id) as session:
        messages = await session.scalars(
            select(Message).where(Message.wording == "channel_code").order_by(Message.id.desc())
        )
        return messages.first().text[:6]  # type: ignore[union-attr]


async def test_the_way_to_whatsapp_is_a_link_with_words_ready(known: Talk) -> None:
    assert await known.say("choose_channel", channel="whatsapp") == ["channel_link"]
    assert re.search(r"https://wa\.me/4915735990002\?text=Hier%20machen%20wir", known.text)
    assert (await known.customer()).preferred_channel == "whatsapp"


async def test_the_way_to_text_messages_is_a_code(known: Talk) -> None:
    assert await known.say("choose_channel", channel="sms") == ["channel_number_ask"]
    assert await known.say("inform", "0157 35990777", phone=MOBILE) == ["channel_code_sent"]
    assert "777" in known.text
    assert MOBILE not in known.text
    assert await known.say("inform", "wo bleibt er denn") == ["channel_code_ask"]
    code = await code_of(known)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert await known.say("inform", wrong, invoice_number=wrong) == ["channel_code_wrong"]
    # Whatever the digits are taken for, the code that was asked for comes first.
    assert await known.say("propose_amount", f"{code[:3]} {code[3:]}") == ["channel_left"]
    assert (await known.customer()).preferred_channel == "sms"


async def test_a_number_may_come_with_the_wish(known: Talk) -> None:
    said = await known.say("choose_channel", channel="sms", phone=MOBILE)
    assert said == ["channel_code_sent"]


async def test_a_known_number_is_offered_by_its_last_digits(known: Talk) -> None:
    async with known.database.merchant(known.merchant.id) as session:
        session.add(
            ContactPoint(
                merchant_id=known.merchant.id,
                customer_id=(
                    await session.get_one(Conversation, known.conversation_id)
                ).customer_id,
                channel="sms",
                address=MOBILE,
                source="merchant_import",
                created_at=NOW,
            )
        )
    assert await known.say("choose_channel", channel="sms") == ["channel_number_confirm"]
    assert MOBILE not in known.text
    assert await known.press("Ja") == ["channel_code_sent"], "it is still proved by a code"


@pytest.mark.parametrize("number", ["+493023125000", "+491", "+49900123456"])
async def test_what_no_text_message_reaches_is_asked_again(known: Talk, number: str) -> None:
    await known.say("choose_channel", channel="sms")
    assert await known.say("inform", number, phone=number) == ["channel_number_again"]


async def test_only_who_has_proved_who_they_are_has_us_write_to_a_number(talk: Talk) -> None:
    said = await talk.say("choose_channel", "an die 0157 35990777", channel="sms", phone=MOBILE)
    assert said == ["verification_first"]
    said = await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verified", "channel_code_sent"]


async def test_a_channel_that_is_closed_is_named_with_its_reason(talk: Talk) -> None:
    assert await talk.say("choose_channel", channel="whatsapp") == ["channel_closed"]
    (event,) = await talk.events("channel_refused")
    assert event.facts == {"channel": "whatsapp", "reason": "no_account"}
    assert (await talk.customer()).preferred_channel is None


async def test_an_open_suggestion_survives_the_way_out(known: Talk) -> None:
    await known.say("request_instalments", count=4)
    await known.say("choose_channel", channel="whatsapp")
    assert known.slots["offer"] is not None
    assert known.slots["awaiting"] == "confirm_agreement"


async def test_a_stop_about_another_channel_is_that_channels(known: Talk) -> None:
    said = await known.say("opt_out", "keine SMS mehr, hier ist es ok", channel="sms")
    assert said == ["opt_out_channel_confirmed"]
    assert (await known.conversation()).opted_out_at is None


async def test_a_stop_in_a_sentence_is_everywhere(known: Talk) -> None:
    said = await known.say("opt_out", "Ich möchte von euch nie wieder Nachrichten bekommen")
    assert said == ["opt_out_everywhere_confirmed"]
    assert (await known.customer()).opted_out_at == known.now


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("Schreib mir bitte nach 18 Uhr", time(18), None),
        ("Bitte schreiben Sie mir nur zwischen 17 und 19 Uhr", time(17), time(19)),
        ("Bitte melden Sie sich immer erst ab 18.30 Uhr", time(18, 30), None),
        ("please only text me before 6 pm", None, time(18)),
    ],
)
@pytest.mark.parametrize("intent", ["not_now", "choose_channel", "out_of_scope"])
async def test_the_hours_are_kept(
    talk: Talk, text: str, earliest: time | None, latest: time | None, intent: str
) -> None:
    assert await talk.say(intent, text) == ["hours_noted"]
    customer = await talk.customer()
    assert (customer.contact_from, customer.contact_until) == (earliest, latest)


@pytest.mark.parametrize(
    ("intent", "text", "day"),
    [
        ("request_callback", "Rufen Sie mich nach 18 Uhr an", None),
        ("promise_payment", "Ich schreibe Ihnen nach 18 Uhr", None),
        ("not_now", "Melden Sie sich morgen nach 18 Uhr", "2026-11-24"),
    ],
)
async def test_what_is_said_once_is_no_wish_for_hours(
    talk: Talk, intent: str, text: str, day: str | None
) -> None:
    said = await talk.say(intent, text, **({"date": day} if day else {}))
    assert "hours_noted" not in said
    assert (await talk.customer()).contact_from is None

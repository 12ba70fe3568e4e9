"""A customer goes from channel to channel over the real webhooks, and the dialogue goes along."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from api.contact import decisions, send_planned
from api.demo.customers import PhoneCustomer, TelegramCustomer
from api.demo.started import SMS_NUMBER, WHATSAPP_NUMBER
from api.queue import make_app
from channels.message import Channel
from outreach.facts import PlannedContact, Step
from storage.tables import ChannelAccount, Claim, ContactPoint, Customer
from tests.journey.conftest import Guests, Talk, World

BERLIN = ZoneInfo("Europe/Berlin")
TEMPLATE = "HX" + "0123456789abcdef" * 2
CHAT = 810_000


def at_eleven(day: datetime) -> datetime:
    """A permitted hour of the day, or of the next one that is no Sunday."""
    local = datetime.combine(day.astimezone(BERLIN).date(), time(11), BERLIN)
    return local + timedelta(days=1) if local.weekday() == 6 else local


@pytest.fixture
async def midday(world: World) -> AsyncIterator[datetime]:
    """A day on which people may be written to; the clock is everybody's and goes back."""
    clock = world.made.clock
    before = clock.offset()
    start = clock.now() + timedelta(days=1)
    while at_eleven(start).weekday() > 3 or (start.date().month == 12 and start.date().day > 18):
        start += timedelta(days=1)
    clock.move_to(at_eleven(start))
    yield clock.now()
    clock.move_to(clock.now() - clock.offset() + before)


async def on_whatsapp(guests: Guests) -> tuple[Talk, int]:
    """A customer who agreed to WhatsApp, and their id; the merchant has the template."""
    talk = guests.by_phone()
    made = guests.world.made
    async with made.database.operator() as session:
        await session.execute(
            update(ChannelAccount)
            .where(ChannelAccount.channel == "whatsapp")
            .values(templates={"first_contact.de": TEMPLATE, "first_contact.en": TEMPLATE})
        )
        point = (
            await session.scalars(
                select(ContactPoint).where(ContactPoint.address == talk.person.phone)
            )
        ).one()
        session.add(
            ContactPoint(
                merchant_id=point.merchant_id,
                customer_id=point.customer_id,
                channel="whatsapp",
                address=point.address,
                source="merchant_import",
                consent_at=point.created_at,
                created_at=point.created_at,
            )
        )
        await session.execute(
            update(Customer).where(Customer.id == point.customer_id).values(language="de")
        )
        customer_id = point.customer_id
    phone = PhoneCustomer(guests.world.line, talk.person.phone, WHATSAPP_NUMBER, Channel.WHATSAPP)
    return Talk(guests.world, talk.person, phone), customer_id


async def contact(world: World, customer_id: int) -> PlannedContact:
    """What `kulanz contact` does, for one customer, with open items that were just confirmed."""
    made, now = world.made, world.made.clock.now()
    async with made.database.operator() as session:
        await session.execute(
            update(Claim).where(Claim.customer_id == customer_id).values(confirmed_at=now)
        )
        merchant_id = (await session.get_one(Customer, customer_id)).merchant_id
    (planned,) = [
        each
        async for each in decisions(made.database, merchant_id, now)
        if each.customer_id == customer_id
    ]
    assert isinstance(planned, PlannedContact), planned
    jobs = make_app(made, pool_size=1)
    async with jobs.open_async():
        assert await send_planned(made, jobs, planned, now)
    await world.settled(planned.address)
    return planned


async def test_whatsapp_then_telegram_then_the_agreed_day(guests: Guests, midday: datetime) -> None:
    world = guests.world
    whatsapp, customer_id = await on_whatsapp(guests)

    first = await contact(world, customer_id)
    assert (first.channel, first.step) == (Channel.WHATSAPP, Step.FIRST_CONTACT)
    (greeting,) = world.standin.to(whatsapp.customer.address)
    assert greeting.content_sid == TEMPLATE

    await whatsapp.say("Hallo, worum geht es denn?")
    await whatsapp.say(whatsapp.person.invoice_number)
    (link,) = await whatsapp.say("Können wir auf Telegram weiterschreiben?")
    found = re.search(r"https://t\.me/lindenhof_demo_bot\?start=([\w-]{32})", link.text)
    assert found is not None, link.text

    telegram = Talk(
        world, whatsapp.person, TelegramCustomer(world.line, CHAT + whatsapp.person.number)
    )
    arrived = await telegram.say(f"/start {found.group(1)}")
    await world.settled(whatsapp.own_address)
    assert await telegram.wordings() == ["channel_arrived", "welcome_back"], arrived
    assert (await whatsapp.wordings())[-1] == "channel_left"
    quiet_since = len(world.standin.to(whatsapp.customer.address))

    await telegram.say("Kann ich das in 4 Raten zahlen?")
    await telegram.say("Ja")
    (plan,) = await telegram.agreements()
    assert (plan["kind"], len(plan["days"])) == ("instalment_plan", 4)

    due = datetime.combine(plan["days"][0], time(11), BERLIN)
    world.made.clock.move_to(at_eleven(due))
    before = len(world.standin.to(telegram.customer.address))
    reminder = await contact(world, customer_id)

    assert (reminder.step, reminder.channel) == (Step.DUE_DAY, Channel.TELEGRAM)
    (reminded,) = world.standin.to(telegram.customer.address)[before:]
    assert "Erinnerung" in reminded.text
    assert whatsapp.person.invoice_number not in reminded.text
    assert "€" not in reminded.text
    everywhere_else = world.standin.to(whatsapp.customer.address)[quiet_since:]
    assert everywhere_else + world.standin.to(whatsapp.person.phone) == []


async def test_to_text_messages_by_a_code_and_back_by_writing(guests: Guests) -> None:
    world = guests.world
    telegram = guests.by_telegram()
    await telegram.say(f"/start {telegram.person.start_token}")
    await telegram.say(telegram.person.invoice_number)
    number = f"+4915772{telegram.person.number:06}"
    sms = Talk(world, telegram.person, PhoneCustomer(world.line, number, SMS_NUMBER))

    await telegram.say("Bitte lieber per SMS")
    await telegram.say(f"An die {number}")
    await world.settled(number)
    (with_code,) = world.standin.to(number)
    code = re.search(r"\b\d{6}\b", with_code.text)
    assert code is not None
    wrong = f"{(int(code.group()) + 1) % 1_000_000:06}"
    await telegram.say(wrong)
    await telegram.say(code.group())
    await world.settled(number)

    assert (await telegram.wordings())[-3:] == [
        "channel_code_sent",
        "channel_code_wrong",
        "channel_left",
    ]
    assert await sms.wordings() == ["channel_code", "channel_arrived", "welcome_back"]
    await sms.say("Kann ich das am Freitag bezahlen?")
    assert (await sms.wordings())[-1] == "promise_offer"

    await telegram.say("Ich schreibe doch lieber hier")
    (row,) = await world.rows(
        "SELECT c.channel FROM customer k JOIN conversation c ON c.id = k.active_conversation_id"
        " WHERE k.id = (SELECT customer_id FROM conversation WHERE address = :address)",
        address=number,
    )
    assert row["channel"] == "telegram"


async def test_an_unproved_chat_is_asked_again_where_it_goes_on(guests: Guests) -> None:
    world = guests.world
    sms = guests.by_phone()
    await sms.say("Hallo")
    (link,) = await sms.say("Können wir auf Telegram weiterschreiben?")
    found = re.search(r"start=([\w-]{32})", link.text)
    assert found is not None, link.text
    telegram = Talk(world, sms.person, TelegramCustomer(world.line, CHAT + sms.person.number))
    said = await telegram.say(f"/start {found.group(1)}")
    assert not any(sms.person.invoice_number in message.text for message in said)
    assert (await telegram.wordings())[0] == "channel_arrived"
    assert (await telegram.conversation())["verified_at"] is None
    await telegram.say(sms.person.invoice_number)
    assert (await telegram.conversation())["verified_at"] is not None


async def test_no_more_messages_anywhere(guests: Guests) -> None:
    world = guests.world
    telegram = guests.by_telegram()
    await telegram.say(f"/start {telegram.person.start_token}")
    await telegram.say("Bitte keine Nachrichten mehr")
    assert (await telegram.wordings())[-1] == "opt_out_everywhere_confirmed"
    points = await world.rows(
        "SELECT channel, opted_out_at FROM contact_point WHERE customer_id ="
        " (SELECT customer_id FROM conversation WHERE address = :address)",
        address=telegram.own_address,
    )
    assert {point["channel"] for point in points} == {"sms", "telegram"}
    assert all(point["opted_out_at"] is not None for point in points)


async def test_the_hours_that_somebody_wishes_are_kept(guests: Guests) -> None:
    sms = guests.by_phone()
    await sms.say("Hallo")
    await sms.say("Schreiben Sie mir bitte nur nach 18 Uhr")
    assert (await sms.wordings())[-1] == "hours_noted"
    (row,) = await sms.world.rows(
        "SELECT contact_from, contact_until FROM customer WHERE id ="
        " (SELECT customer_id FROM conversation WHERE address = :address)",
        address=sms.own_address,
    )
    assert (row["contact_from"], row["contact_until"]) == (time(18), None)

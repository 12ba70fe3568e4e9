"""From the first line to an agreement in the ledger, over the real webhooks with real Rasa."""

import re

from tests.journey.conftest import Guests


async def test_german_text_messages_lead_to_a_plan_in_the_ledger(guests: Guests) -> None:
    talk = guests.by_phone()

    (asks,) = await talk.say("Hallo, worum geht es denn?")
    assert "automatische Assistent" in asks.text
    assert talk.person.invoice_number not in asks.text

    claim = (await talk.say(talk.person.invoice_number))[-1].text
    euros = f"{talk.person.principal_minor // 100},{talk.person.principal_minor % 100:02} €"
    assert euros in claim
    assert "Stimmt das so" in claim, "the language stays the customer's"

    offer = (await talk.say("Kann ich das in 4 Raten zahlen?"))[-1].text
    assert len(re.findall(r"^\d+\. ", offer, re.MULTILINE)) == 4
    assert await talk.agreements() == [], "nothing is agreed before it is confirmed"

    agreed = (await talk.say("Ja"))[-1].text
    assert "RF" in agreed
    (plan,) = await talk.agreements()
    assert (plan["kind"], plan["status"]) == ("instalment_plan", "active")
    assert plan["total_minor"] == sum(plan["amounts"]) == talk.person.principal_minor
    assert len(plan["amounts"]) == 4
    for day in plan["days"]:
        assert day.strftime("%d.%m.%Y") in agreed


async def test_an_english_chat_by_deep_link_leads_to_a_promise(guests: Guests) -> None:
    talk = guests.by_telegram("en")

    first = await talk.say(f"/start {talk.person.start_token}")
    assert "automated assistant" in first[0].text
    assert talk.person.invoice_number not in " ".join(message.text for message in first)

    claim = (await talk.say(talk.person.invoice_number))[-1]
    assert "Is that right?" in claim.text
    before = len(talk.world.standin.to(talk.customer.address))
    await talk.world.line.deliver(talk.customer.press(claim, claim.buttons[0][0]))
    await talk.world.settled(talk.own_address)
    assert len(talk.world.standin.to(talk.customer.address)) > before

    await talk.say("I can pay all of it on Friday")
    await talk.say("Yes")
    (promise,) = await talk.agreements()
    assert promise["kind"] == "promise"
    assert promise["total_minor"] == talk.person.principal_minor
    (day,) = promise["days"]
    assert day.weekday() == 4
    assert 0 <= (day - talk.world.made.clock.now().date()).days <= 11


async def test_a_button_of_another_conversation_means_nothing(guests: Guests) -> None:
    owner, stranger = guests.by_telegram(), guests.by_telegram()
    await owner.say(f"/start {owner.person.start_token}")
    claim = (await owner.say(owner.person.invoice_number))[-1]
    await stranger.say(f"/start {stranger.person.start_token}")

    await stranger.world.line.deliver(stranger.customer.press(claim, claim.buttons[0][0]))
    await stranger.world.settled(stranger.own_address)

    said = [m.text for m in stranger.world.standin.to(stranger.customer.address)]
    assert not any(owner.person.invoice_number in line for line in said)
    assert (await stranger.conversation())["verified_at"] is None


async def test_a_used_deep_link_binds_nobody_else(guests: Guests) -> None:
    owner = guests.by_telegram()
    await owner.say(f"/start {owner.person.start_token}")
    thief = guests.by_telegram()

    await thief.say(f"/start {owner.person.start_token}")

    assert (await owner.conversation())["customer_id"] is not None
    assert (await thief.conversation())["customer_id"] is None

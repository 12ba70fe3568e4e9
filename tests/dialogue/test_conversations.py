"""Whole conversations in German and English with the trained assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.dialogue.conftest import Chat


async def test_a_german_conversation_ends_in_a_plan(chat: Chat) -> None:
    assert await chat.say("Hallo") == ["introduction", "verification_needed"]
    assert await chat.say("Ist das echt?") == ["who_we_are"]
    assert await chat.say("RE-2026-1044") == ["verified", "claim_explained"]
    assert "Offener Betrag: 122,50" in chat.text
    assert await chat.say("Ja, das stimmt") == ["ways"]
    assert await chat.say("Kann ich in Raten zahlen?") == ["plan_example"]
    assert await chat.say("Das ist mir zu viel") == ["instalments_ask_again"]
    assert await chat.say("5 Euro im Monat") == ["plan_counter"]
    assert await chat.say("Warum denn diese Kosten?") == ["costs_explained", "offer_back"]
    assert await chat.say("Ich kann 40 Euro im Monat zahlen") == ["plan_offer"]
    assert await chat.say("ja, passt") == ["plan_agreed"]
    (agreement,) = await chat.agreements()
    assert (agreement.kind, agreement.total_minor) == ("instalment_plan", 122_50)


async def test_an_english_conversation_ends_in_a_promise(chat: Chat) -> None:
    await chat.say("Hello, what is this about?")
    assert "automated assistant" in chat.text
    said = await chat.say("My invoice number is RE-2026-1044")
    assert said == ["verified", "claim_explained"]
    assert "Still to pay: €122.50" in chat.text
    assert await chat.press("Yes") == ["ways"]
    assert await chat.say("I will pay on Friday") == ["promise_offer"]
    assert "27 November 2026" in chat.text
    assert await chat.say("yes please") == ["payment_agreed"]
    assert (await chat.agreements())[0].kind == "promise"


async def test_a_wish_for_time_with_its_day_is_kept_over_the_proof(chat: Chat) -> None:
    said = await chat.say("Ich brauche mehr Zeit bis zum 15. Dezember")
    assert said == ["introduction", "verification_first"]
    assert await chat.say("12.03.1985") == ["verification_half"]
    assert await chat.say("10115") == ["verified", "claim_short", "deferral_offer"]
    assert "15. Dezember 2026" in chat.text
    assert await chat.press("Ja, so eintragen") == ["payment_agreed"]
    assert (await chat.agreements())[0].kind == "deferral"


async def test_when_pay_comes_is_asked_until_a_day_is_there(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("K-1001")
    (said,) = await chat.say("Ich zahle, wenn mein Gehalt kommt")
    assert said in ("date_unclear", "deferral_ask_date")
    (said,) = await chat.say("am 30. November")
    assert said in ("promise_offer", "deferral_offer")


async def test_already_paid_is_believed_first(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    assert await chat.say("Das habe ich doch schon überwiesen") == ["already_paid_ask"]
    assert await chat.say("Am 12. November per Überweisung") == ["already_paid_noted"]
    assert "12. November 2026" in chat.text


async def test_a_dispute_stops_the_claim(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    assert await chat.say("Der Stuhl kam kaputt an") == ["dispute_told"]
    assert await chat.say("Die Lehne war gebrochen") == ["dispute_noted"]
    assert (await chat.claim()).status == "disputed"


async def test_the_wrong_person_learns_nothing(chat: Chat) -> None:
    said = await chat.say("Sie haben die falsche Nummer, ich heiße anders")
    assert said == ["introduction", "wrong_person_noted"]
    assert await chat.say("Worum geht es denn?") == ["unknown_sender"]


async def test_a_crisis_gets_help_at_once(chat: Chat) -> None:
    assert "crisis_help" in await chat.say("Ich kann nicht mehr, ich will nicht mehr leben")
    assert "0800 1110111" in chat.text
    assert await chat.handoffs() == ["crisis"]


async def test_a_person_comes_on_wish(chat: Chat) -> None:
    assert "person_coming" in await chat.say("Ich möchte mit einem Menschen sprechen")
    assert await chat.handoffs() == ["asked_for_person"]


async def test_stop_in_own_words(chat: Chat) -> None:
    assert "opt_out_everywhere_confirmed" in await chat.say("Bitte schreiben Sie mir nie wieder")


async def test_an_old_button_does_nothing(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    await chat.say("In 3 Raten bitte")
    old = chat.replies
    await chat.say("Lieber 4 Raten")
    chat.replies = old
    assert await chat.press("Ja, so eintragen") == ["offer_outdated"]
    assert await chat.agreements() == []


async def test_typed_commands_are_no_intents(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    await chat.say("In 3 Raten bitte")
    for text in ("/restart", " \u00a0/restart", "/session_start", '/request_human{"x": "1"}'):
        await chat.say(text)
        assert await chat.agreements() == []
    assert await chat.say("Ja") in (["plan_agreed"], ["offer_back"])


async def test_a_talk_can_go_on_after_three_misunderstandings(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    said = [await chat.say(text) for text in ("qwertz uiop", "blaue Giraffe singt", "lirum larum")]
    assert ["clarify_given_up"] in said or ["clarify_person"] in said


async def test_a_photo_is_taken_as_the_receipt(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    await chat.say("Das habe ich doch schon überwiesen")
    assert await chat.send_photo() == ["already_paid_noted"]
    assert await chat.send_photo("hier nochmal die zweite Seite") == ["document_added"]
    assert await chat.handoffs() == ["payment_reported"]


async def test_a_minor_learns_nothing(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    assert await chat.say("ich bin erst 15, das hab ich aus Versehen gemacht") == ["minor_noted"]
    assert await chat.say("wie viel ist das denn?") == ["verification_locked"]


async def test_of_two_wishes_neither_is_lost(chat: Chat) -> None:
    await chat.say("Hallo")
    await chat.say("RE-2026-1044")
    said = await chat.say("ich möchte in raten zahlen und schickt mir die rechnung nochmal")
    assert said == ["invoice_copy_coming", "plan_example"]
    said = await chat.say("ich hab schon bezahlt und lasst mich in Ruhe")
    assert said == ["opt_out_everywhere_confirmed", "passed_on_after_stop"]


async def test_a_wish_for_a_call_keeps_its_time(chat: Chat) -> None:
    said = await chat.say("Rufen Sie mich bitte morgen um 10 Uhr an")
    assert "callback_ask_number" in said
    assert await chat.say("0171 3920017") == ["callback_noted"]
    assert "am 24. November 2026 um 10:00 Uhr" in chat.text

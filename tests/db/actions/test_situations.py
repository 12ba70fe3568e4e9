"""Files, minors, two wishes in one line, quiet after a refusal, calls, coming back, hints."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


# Photos and files


async def test_a_photo_is_the_receipt_that_was_asked_for(known: Talk) -> None:
    await known.say("already_paid", "schon bezahlt")
    assert await known.say("send_document", document="photo") == ["already_paid_noted"]
    assert "Den Beleg habe ich dazugelegt." in known.text
    assert await known.handoffs() == ["payment_reported"]
    assert (await known.summary())["documents"] == ["photo"]
    (claim,) = await known.claims()
    assert (claim.paused_until, claim.pause_reason) == (date(2026, 12, 3), "payment_reported")
    (event,) = await known.events("document_received")
    assert (event.claim_id, event.facts) == (claim.id, {"kinds": ["photo"]})


async def test_a_payment_with_its_receipt_is_asked_nothing(known: Talk) -> None:
    said = await known.say("already_paid", "hier, schon bezahlt", document="document")
    assert said == ["already_paid_noted"]


async def test_a_photo_is_evidence_for_a_dispute_and_more_can_follow(known: Talk) -> None:
    await known.say("dispute_goods", "kaputt")
    assert await known.say("send_document", document="photo") == ["dispute_noted"]
    assert await known.say("send_document", document="photo") == ["document_added"]
    assert "3. Dezember 2026" in known.text
    assert await known.handoffs() == ["dispute_goods"]
    assert len(await known.events("document_received")) == 2


async def test_a_receipt_may_come_later(known: Talk) -> None:
    await known.say("already_paid", date="2026-11-12")
    said = await known.say("request_invoice_copy", "hier der beleg", document="photo")
    assert said == ["document_added"]
    assert await known.handoffs() == ["payment_reported"]


async def test_the_words_under_a_further_photo_do_not_lead_away(known: Talk) -> None:
    await known.say("already_paid", document="photo")
    said = await known.say("payment_failed", "hier nochmal die zweite Seite", document="photo")
    assert said == ["document_added"]


async def test_a_photo_out_of_the_blue_is_kept_and_asked_about(known: Talk) -> None:
    assert await known.say("send_document", document="photo") == ["document_ask"]
    assert len(await known.events("document_received")) == 1
    assert await known.press("Schon bezahlt") == ["already_paid_ask"]


async def test_a_photo_is_no_proof_of_identity(talk: Talk) -> None:
    await talk.say("greet", "Hallo")
    assert await talk.say("send_document", document="photo") == ["verification_nothing_found"]


async def test_a_photo_with_a_dispute_waits_for_the_proof(talk: Talk) -> None:
    assert await talk.say("dispute_goods", "so sah es aus", document="photo") == [
        "concern_needs_proof"
    ]
    await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert (await talk.summary())["documents"] == ["photo"]


# Not of age


@pytest.mark.parametrize("text", ["ich bin 15", "I'm only 16", "Bin erst 14 Jahre alt, sorry"])
@pytest.mark.parametrize("proved", [True, False])
async def test_a_minor_is_told_nothing_and_everything_rests(
    talk: Talk, text: str, proved: bool
) -> None:
    if proved:
        await talk.verified()
    assert await talk.say("inform", text) == ["minor_noted"]
    assert not any(reply.discloses or reply.buttons for reply in talk.replies)
    assert await talk.handoffs() == ["minor"]
    (claim,) = await talk.claims()
    assert (claim.paused_until, claim.pause_reason) == (date(2026, 12, 3), "minor")
    paused_until = (await talk.customer()).contact_paused_until
    assert paused_until is not None
    assert paused_until > datetime(2027, 6, 1, tzinfo=UTC)
    assert await talk.say("ask_balance", "wie viel?") == ["verification_locked"]
    said = await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verification_locked"]


async def test_a_minor_in_danger_gets_help_first(talk: Talk) -> None:
    assert await talk.say("crisis", "ich bin 15 und will nicht mehr leben") == ["crisis_help"]


# Somebody else


async def test_a_claimed_authority_goes_to_a_person(known: Talk) -> None:
    await known.say("third_party", "Ich schreibe für meine Mutter")
    assert await known.say("affirm", "Ja, mit Vollmacht") == ["authority_noted"]
    assert (await known.summary())["authority"] == "claimed"
    assert await known.say("ask_balance") == ["verification_needed"]


async def test_a_letter_of_authority_may_come_as_a_photo(talk: Talk) -> None:
    await talk.say("third_party", "Ich bin ihr Betreuer")
    assert await talk.say("send_document", document="photo") == ["authority_noted"]
    assert (await talk.summary())["documents"] == ["photo"]


async def test_who_says_that_the_son_ordered_is_no_third_person(known: Talk) -> None:
    said = await known.say("third_party", "Das hat mein Sohn bestellt")
    assert said == ["dispute_unknown_ask"]
    assert (await known.conversation()).verified_at is not None
    assert (await known.claims())[0].status == "disputed"


# Two wishes in one line


async def test_stop_goes_first_and_a_payment_made_is_not_lost(talk: Talk) -> None:
    said = await talk.say(
        "already_paid",
        "ich hab schon bezahlt und lasst mich in Ruhe",
        ranking=["already_paid", "opt_out"],
    )
    assert said == ["opt_out_everywhere_confirmed", "passed_on_after_stop"]
    assert (await talk.conversation()).opted_out_at == talk.now
    assert await talk.handoffs() == ["payment_reported"]
    assert (await talk.customer()).contact_pause_reason == "payment_reported"


async def test_stop_and_delete(talk: Talk) -> None:
    said = await talk.say(
        "data_request", "stop, and delete my data", ranking=["data_request", "opt_out"]
    )
    assert said == ["opt_out_confirmed", "data_request_noted"]
    assert await talk.handoffs() == ["data_request"]


async def test_stop_and_the_wrong_number_drops_the_address(talk: Talk) -> None:
    said = await talk.say(
        "opt_out",
        "Falsche Nummer! Schreiben Sie mir nie wieder",
        ranking=["opt_out", "wrong_person"],
    )
    assert said == ["opt_out_confirmed", "wrong_person_noted"]


async def test_thanks_do_not_hide_a_wish(known: Talk) -> None:
    said = await known.say(
        "thank", "Danke, ich will in Raten zahlen", ranking=["thank", "request_instalments"]
    )
    assert said == ["plan_example"]


async def test_an_errand_first_then_what_is_talked_over(known: Talk) -> None:
    said = await known.say(
        "request_instalments",
        "in Raten bitte, und schickt mir die Rechnung nochmal",
        ranking=["request_instalments", "request_invoice_copy"],
    )
    assert said == ["invoice_copy_coming", "plan_example"]
    assert known.slots["awaiting"] == "confirm_agreement"


async def test_both_wishes_are_kept_over_the_proof(talk: Talk) -> None:
    line = "wie hoch ist der Betrag, und kann ich in Raten zahlen?"
    ranking = ["request_instalments", "ask_balance"]
    assert await talk.say("request_instalments", line, ranking=ranking) == ["verification_first"]
    said = await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verified", "balance", "claim_short", "plan_example"]


async def test_a_reading_that_only_ranks_second_is_no_second_wish(known: Talk) -> None:
    said = await known.say(
        "request_instalments",
        "in drei Teilen, bitte",
        ranking=["request_instalments", "opt_out", "already_paid"],
    )
    assert said == ["plan_example"]


# Anger and refusal


async def test_after_a_second_refusal_there_is_quiet(known: Talk) -> None:
    assert await known.say("refuse_to_pay", "Nein, ich zahle nicht") == ["refused"]
    assert await known.say("refuse_to_pay", "Ich zahle nicht!") == ["refused_again"]
    assert "7. Dezember 2026" in known.text
    assert not any(reply.discloses for reply in known.replies)
    customer = await known.customer()
    assert customer.contact_pause_reason == "refused"
    assert customer.contact_paused_until == datetime(2026, 12, 7, tzinfo=ZoneInfo("Europe/Berlin"))
    assert await known.handoffs() == []


async def test_a_refusal_before_the_proof_is_not_pushed_either(talk: Talk) -> None:
    assert await talk.say("refuse_to_pay", "Ich zahle nichts") == ["verification_needed"]
    assert await talk.say("refuse_to_pay", "Nein!") == ["refused_again"]


async def test_an_insult_is_answered_calmly_and_a_person_offered(known: Talk) -> None:
    assert await known.say("complaint", "Idioten!") == ["anger_heard"]
    assert [button.title for button in known.replies[0].buttons] == ["Ein Mensch, bitte"]
    assert await known.handoffs() == []
    assert await known.say("affirm", "ja") == ["person_coming"]


async def test_anger_again_goes_to_a_person(known: Talk) -> None:
    await known.say("complaint", "Idioten!")
    assert await known.say("complaint", "Ihr seid das Letzte") == ["complaint_heard"]
    assert await known.handoffs() == ["complaint"]


async def test_a_complaint_goes_to_a_person_at_once(talk: Talk) -> None:
    assert await talk.say("complaint", "Ich möchte mich beschweren") == ["complaint_heard"]


# Calls and later


async def test_a_call_keeps_its_day_and_time(talk: Talk) -> None:
    await talk.say("request_callback", "ruft an: 030 1234", phone="+49301234")
    await talk.say("inform", "morgen zwischen 10 und 11:30", date="2026-11-24")
    assert "wenn möglich am 24. November 2026 zwischen 10:00 und 11:30 Uhr" in talk.text
    summary = await talk.summary()
    assert (summary["day"], summary["time"], summary["time_end"]) == (
        "2026-11-24",
        "10:00",
        "11:30",
    )


async def test_a_time_in_the_wish_itself_is_not_asked_again(talk: Talk) -> None:
    said = await talk.say("request_callback", "rufen Sie abends an: 030 1234", phone="+49301234")
    assert said == ["callback_noted"]
    assert "wenn möglich abends." in talk.text
    assert (await talk.summary())["day_part"] == "evening"


async def test_later_today_means_not_before_tomorrow(talk: Talk) -> None:
    said = await talk.say("not_now", "heute Abend", date="2026-11-23")
    assert said == ["not_now_noted"]
    paused_until = (await talk.customer()).contact_paused_until
    assert paused_until == datetime(2026, 11, 24, tzinfo=ZoneInfo("Europe/Berlin"))


# Coming back


async def test_who_comes_back_hears_where_we_were(known: Talk) -> None:
    known.wait(days=5)
    assert await known.say("greet", "Hallo, da bin ich wieder") == ["verification_lapsed"]
    said = await known.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said[0] == "verified"
    assert said[1] in ("welcome_back", "figures_being_updated")


async def test_a_suggestion_from_before_is_still_there(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("greet", "Hallo") == ["offer_back"]
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert await known.say("greet", "Hallo nochmal") == ["welcome_back_agreement"]
    assert "Als Nächstes" in known.text


async def test_without_an_agreement_the_ways_are_open(known: Talk) -> None:
    assert await known.say("greet", "Hallo") == ["welcome_back"]
    assert "122,50" in known.text
    assert known.slots["awaiting"] == "way"


@pytest.mark.parametrize("intent", ["hardship", "refuse_to_pay"])
async def test_who_has_trouble_or_refuses_is_not_asked_for_money_with_a_hello(
    known: Talk, intent: str
) -> None:
    await known.say(intent, "…")
    assert await known.say("greet", "Hallo") == ["welcome"]
    assert not any(reply.discloses for reply in known.replies)


async def test_how_are_you_is_no_misunderstanding(known: Talk) -> None:
    assert await known.say("out_of_scope", "Und, wie geht es dir?") == ["small_talk"]
    assert not known.slots.get("misunderstood")
    assert await known.say("out_of_scope", "Wie geht es weiter?") == ["clarify"]


# What a person tells on giving the conversation back


async def test_a_hint_is_what_a_mere_yes_goes_on_with(known: Talk) -> None:
    known.hint = {"topic": "instalments", "count": 4}
    assert await known.say("affirm", "ja gern") == ["plan_offer"]
    assert len(known.slots["offer"]["terms"]["instalments"]) == 4


async def test_a_hint_gives_its_figures_to_the_same_wish(known: Talk) -> None:
    known.hint = {"topic": "deferral", "date": "2026-12-15"}
    assert await known.say("request_deferral", "mehr Zeit bitte") == ["deferral_offer"]
    assert "15. Dezember 2026" in known.text


async def test_a_wish_of_ones_own_goes_before_the_hint(known: Talk) -> None:
    known.hint = {"topic": "instalments", "count": 4}
    assert await known.say("ask_costs", "wofür die Kosten?") == ["costs_explained"]


async def test_a_hint_discloses_nothing_without_proof(talk: Talk) -> None:
    talk.hint = {"topic": "claim"}
    assert await talk.say("greet", "Hallo") == ["verification_needed"]


async def test_more_about_a_dispute_is_noted_and_not_asked_for_again(known: Talk) -> None:
    assert await known.say("dispute_goods") == ["dispute_ask"]
    assert await known.say("inform") == ["dispute_noted"]
    assert await known.say("dispute_goods") == ["dispute_noted"]
    assert known.slots["awaiting"] == "none"

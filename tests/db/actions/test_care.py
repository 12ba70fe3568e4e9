"""Already paid, not right, not me, not now, not well, and people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from storage.tables import AuditEvent, ContactPoint, Customer, Merchant

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


async def test_already_paid_pauses_and_says_when_the_answer_comes(known: Talk) -> None:
    assert await known.say("already_paid", "schon bezahlt") == ["already_paid_ask"]
    assert (await known.claims())[0].paused_until == date(2026, 12, 3)
    said = await known.say("inform", "am 12. per Überweisung", date="2026-11-12")
    assert said == ["already_paid_noted"]
    assert "am 12. November 2026" in known.text
    assert "3. Dezember 2026" in known.text
    assert await known.handoffs() == ["payment_reported"]


@pytest.mark.parametrize("taken_for", ["request_bank_details", "third_party", "inform"])
async def test_how_it_was_paid_may_come_in_a_second_line(known: Talk, taken_for: str) -> None:
    await known.say("already_paid", "schon bezahlt")
    await known.say("inform", "gestern", date="2026-11-22")
    said = await known.say(taken_for, "per Überweisung vom Konto meiner Frau")
    assert said == ["document_added"]
    assert "dazugelegt" in known.text
    assert "3. Dezember 2026" in known.text
    assert (await known.summary())["paid_on"] == "2026-11-22"
    assert await known.handoffs() == ["payment_reported"]
    assert await known.say("affirm", "ok") == ["person_already_coming"]


async def test_a_question_about_the_account_is_no_second_line(known: Talk) -> None:
    await known.say("already_paid", "schon bezahlt", date="2026-11-22")
    said = await known.say("request_bank_details", "Auf welches Konto denn?")
    assert said == ["bank_details"]


async def test_already_paid_with_its_day_needs_no_question(known: Talk) -> None:
    assert await known.say("already_paid", date="2026-11-12") == ["already_paid_noted"]


@pytest.mark.parametrize(
    ("intent", "question"),
    [("dispute_goods", "dispute_ask"), ("dispute_unknown", "dispute_unknown_ask")],
)
async def test_a_dispute_stops_everything_at_once(known: Talk, intent: str, question: str) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say(intent, "kaputt") == [question]
    (claim,) = await known.claims()
    assert claim.status == "disputed"
    assert await known.say("inform", "Die Lehne ist gebrochen") == ["dispute_noted"]
    assert await known.say("affirm", "ja") == ["claim_being_checked"]
    assert await known.say("request_instalments", count=3) == ["dispute_over_ask"]
    assert await known.agreements() == []
    assert await known.handoffs() == [intent]
    assert (await known.claims())[0].status == "disputed"


async def test_an_objection_taken_back_goes_on_with_the_wish(known: Talk) -> None:
    await known.say("dispute_unknown", "nie bestellt")
    await known.say("inform", "ach doch, das war meine Frau")
    assert await known.say("request_instalments", "in 3 Raten", count=3) == ["dispute_over_ask"]
    assert (await known.say("deny", "nein, alles gut"))[-1] == "plan_offer"
    (claim,) = await known.claims()
    assert (claim.status, claim.paused_until) == ("open", None)


async def test_a_withdrawal_is_not_taken_back_by_a_wish(known: Talk) -> None:
    await known.say("withdraw_contract", "Ich widerrufe")
    assert await known.say("request_instalments", count=3) == ["claim_being_checked"]


async def test_what_happens_next_while_a_payment_is_looked_for(known: Talk) -> None:
    await known.say("already_paid", "schon bezahlt", date="2026-11-12")
    assert await known.say("ask_consequences", "und jetzt?") == ["claim_being_checked"]


async def test_another_means_of_payment_is_answered(known: Talk) -> None:
    assert await known.say("ask_payment_options", "kann ich mit PayPal zahlen") == [
        "by_transfer",
        "ways",
    ]
    assert await known.say("ask_payment_options", "wie kann ich zahlen") == ["ways"]


async def test_a_second_thought_right_after_an_agreement_changes_it(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert await known.say("deny", "doch nicht") == ["agreement_change"]
    assert len(await known.agreements()) == 1


async def test_a_no_after_an_agreement_needs_nothing(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await known.say("affirm", "ja")
    assert await known.say("deny", "nein") == ["anything_else"]


async def test_beside_a_dispute_the_talk_goes_on_about_the_other_invoice(
    talk: Talk, add_claim: object
) -> None:
    await add_claim("RE-2026-1100", 60_00, date(2026, 11, 15))  # type: ignore[operator]
    await talk.verified()
    await talk.say("dispute_goods", "kaputt")
    await talk.say("inform", "Die Lehne ist gebrochen")
    said = await talk.say("promise_payment", date="2026-11-27")
    assert said == ["claim_short", "promise_offer"]
    assert "RE-2026-1100" in talk.text
    await talk.say("dispute_goods", "der Stuhl ist wirklich kaputt", invoice_number="RE-2026-1044")
    assert [claim.status for claim in await talk.claims()] == ["disputed", "open"]
    named = await talk.say("promise_payment", date="2026-11-27", invoice_number="RE-2026-1044")
    assert named == ["dispute_over_ask"]


async def test_a_dispute_before_the_proof_is_heard_and_pauses(talk: Talk) -> None:
    assert await talk.say("dispute_unknown", "Nie bestellt!") == ["concern_needs_proof"]
    assert (await talk.customer()).contact_pause_reason == "dispute_unknown"
    assert await talk.handoffs() == ["dispute_unknown"]
    said = await talk.say("inform", "RE-2026-1044")
    assert said == ["verified", "dispute_unknown_ask"]
    assert (await talk.claims())[0].status == "disputed"


async def test_what_is_wrong_is_asked_and_its_answer_pauses(known: Talk) -> None:
    assert await known.say("deny", "stimmt nicht") == ["claim_not_right"]
    assert await known.say("out_of_scope", "der Preis war anders") == ["dispute_noted"]
    assert (await known.claims())[0].status == "disputed"


async def test_a_withdrawal_counts_as_it_is_said(talk: Talk) -> None:
    assert await talk.say("withdraw_contract", "Ich widerrufe") == ["withdrawal_noted"]
    assert "23. November 2026" in talk.text
    async with talk.database.merchant(talk.merchant.id) as session:
        (event,) = await session.scalars(
            select(AuditEvent).where(AuditEvent.kind == "withdrawal_declared")
        )
    assert event.at == talk.now
    assert await talk.handoffs() == ["withdrawal"]


@pytest.mark.parametrize(
    ("intent", "wording"),
    [
        ("hardship", "hardship_heard"),
        ("crisis", "crisis_help"),
        ("insolvency", "insolvency_noted"),
        ("bereavement", "bereavement_noted"),
        ("represented", "represented_noted"),
    ],
)
@pytest.mark.parametrize("proved", [True, False])
async def test_what_comes_first_pauses_everything_and_calls_a_person(
    talk: Talk, intent: str, wording: str, proved: bool
) -> None:
    if proved:
        await talk.verified()
        await talk.say("request_instalments", count=3)
    slower = ["hardship_slower"] if proved and intent == "hardship" else []
    assert await talk.say(intent, "…") == [wording, *slower]
    assert not any(reply.discloses or reply.buttons for reply in talk.replies[:1])
    assert "€" not in talk.text
    customer = await talk.customer()
    assert customer.contact_paused_until is not None
    assert customer.contact_paused_until > datetime(2027, 6, 1, tzinfo=UTC)
    assert await talk.handoffs() == [intent]


async def test_a_crisis_gets_the_numbers(talk: Talk) -> None:
    await talk.say("crisis", "ich kann nicht mehr")
    assert "112" in talk.text
    assert "0800 1110111" in talk.text


@pytest.mark.parametrize(
    ("country", "emergency", "helpline"),
    [("AT", "112", "Telefonseelsorge 142"), ("GB", "999", "116 123"), ("PT", "112", "helpline")],
)
async def test_a_crisis_gets_the_numbers_of_the_country(
    talk: Talk, country: str, emergency: str, helpline: str
) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        merchant = await session.get_one(Merchant, talk.merchant.id)
        merchant.policy = {**merchant.policy, "contact_country": country}
    await talk.say("crisis", "ich kann nicht mehr")
    assert emergency in talk.text
    assert helpline in talk.text
    assert "0800 1110111" not in talk.text


async def test_the_urgent_reason_leads_an_open_request(talk: Talk) -> None:
    await talk.say("complaint", "Ich beschwere mich über Sie")
    await talk.say("crisis")
    assert await talk.handoffs() == ["complaint", "crisis"]


async def test_a_wrong_person_loses_the_address_for_that_customer(talk: Talk) -> None:
    await talk.say("wrong_person")
    async with talk.database.merchant(talk.merchant.id) as session:
        (point,) = await session.scalars(select(ContactPoint))
    assert point.invalid_at == talk.now
    assert point.invalid_reason == "wrong_person"


async def test_a_wrong_number_is_wrong_on_every_channel(talk: Talk) -> None:
    async with talk.database.merchant(talk.merchant.id) as session:
        (point,) = await session.scalars(select(ContactPoint))
        facts = {"customer_id": point.customer_id, "source": point.source, "created_at": talk.now}
        for channel, address in (("sms", point.address), ("whatsapp", "+4917139200999")):
            session.add(
                ContactPoint(
                    merchant_id=talk.merchant.id, channel=channel, address=address, **facts
                )
            )
    await talk.say("wrong_person")
    async with talk.database.merchant(talk.merchant.id) as session:
        points = await session.scalars(select(ContactPoint).order_by(ContactPoint.id))
        assert [point.invalid_at is not None for point in points] == [True, True, False]


async def test_a_third_party_learns_nothing(talk: Talk) -> None:
    assert await talk.say("third_party", "Ich bin seine Frau") == ["third_party_noted"]
    assert await talk.handoffs() == ["third_party"]


async def test_a_third_party_proves_nothing_with_the_customers_letter(talk: Talk) -> None:
    await talk.say("third_party", "Ich bin seine Frau")
    said = await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verification_locked"]
    assert await talk.say("ask_balance") == ["verification_locked"]


async def test_a_proof_ends_where_somebody_else_takes_the_phone(known: Talk) -> None:
    assert await known.say("third_party", "Ich schreibe für meine Frau") == ["third_party_noted"]
    assert await known.say("ask_balance") == ["verification_needed"]
    assert (await known.conversation()).verified_at is None
    said = await known.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verified", "balance"]


async def test_a_lapsed_proof_is_none_where_somebody_else_writes(known: Talk) -> None:
    known.wait(days=2)
    await known.say("third_party", "Ich bin ihr Mann")
    said = await known.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")
    assert said == ["verification_locked"]


async def test_a_person_comes_and_is_asked_for_once(known: Talk) -> None:
    assert await known.say("request_human") == ["person_coming"]
    assert await known.say("request_human") == ["person_already_coming"]
    assert (await known.conversation()).state == "waiting"


async def test_stop_is_done_and_confirmed(talk: Talk) -> None:
    assert await talk.say("opt_out") == ["opt_out_confirmed"]
    assert (await talk.conversation()).opted_out_at == talk.now


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", None, "Mars/Olympus"])
async def test_not_now_keeps_the_day_where_the_customer_lives(talk: Talk, zone: str | None) -> None:
    async with talk.database.operator() as session:
        (await session.scalars(select(Customer))).one().timezone = zone
    assert await talk.say("not_now") == ["not_now_ask"]
    assert await talk.say("inform", date="2026-12-01") == ["not_now_noted"]
    paused_until = (await talk.customer()).contact_paused_until
    lives = ZoneInfo(zone if zone == "America/New_York" else "Europe/Berlin")
    assert paused_until == datetime(2026, 12, 1, tzinfo=lives)


async def test_not_now_without_a_day_waits_some_days(talk: Talk) -> None:
    await talk.say("not_now")
    assert await talk.say("out_of_scope", "weiß nicht") == ["not_now_noted"]
    assert "30. November 2026" in talk.text


async def test_refusal_gets_one_calm_answer(known: Talk) -> None:
    assert await known.say("refuse_to_pay") == ["refused"]
    assert await known.say("deny", "nein") == ["ways"]


async def test_consequences_are_told_without_a_threat(known: Talk) -> None:
    assert await known.say("ask_consequences") == ["consequences"]
    assert "Zinsen" not in known.text


async def test_the_language_changes_on_wish(talk: Talk) -> None:
    assert await talk.say("change_language", "English please") == ["language_changed"]
    assert talk.slots["language"] == "en"
    assert (await talk.customer()).language == "en"
    assert await talk.say("change_language", "Türkçe") == ["language_unavailable"]


async def test_three_misunderstandings_call_a_person(known: Talk) -> None:
    said = await known.say("out_of_scope", "xyz", ranking=["out_of_scope", "pay_now", "greet"])
    assert said == ["clarify"]
    titles = [button.title for button in known.replies[0].buttons]
    assert titles == ["Jetzt bezahlen", "Worum geht es?", "Ein Mensch, bitte"]
    assert await known.say("out_of_scope", "xyz") == ["clarify_person"]
    assert await known.say("out_of_scope", "xyz") == ["clarify_given_up"]
    assert await known.handoffs() == ["not_understood"]


async def test_understanding_again_forgets_the_misunderstandings(known: Talk) -> None:
    await known.say("out_of_scope", "xyz")
    await known.say("ask_balance")
    assert await known.say("out_of_scope", "xyz") == ["clarify"]


@pytest.mark.parametrize(
    ("intent", "wording"),
    [
        ("ask_sender", "who_we_are"),
        ("ask_bot", "yes_automated"),
        ("thank", "thanks_noted"),
        ("goodbye", "goodbye"),
        ("complaint", "anger_heard"),
        ("data_request", "data_request_noted"),
        ("change_contact", "contact_change_noted"),
        ("choose_channel", "channel_ask"),
        ("request_receipt", "task_for_team"),
    ],
)
async def test_small_questions_get_an_answer_from_anybody(
    talk: Talk, intent: str, wording: str
) -> None:
    assert await talk.say(intent, "?") == [wording]


async def test_who_stays_on_the_channel_is_told_so(talk: Talk) -> None:
    assert await talk.say("choose_channel", channel="telegram") == ["channel_noted"]
    assert (await talk.customer()).preferred_channel == "telegram"


@pytest.mark.parametrize("intent", ["hardship", "crisis", "bereavement"])
async def test_a_yes_while_a_person_is_on_the_way_offers_no_way_to_pay(
    known: Talk, intent: str
) -> None:
    await known.say(intent)
    assert await known.say("affirm", "ja") == ["person_already_coming"]


@pytest.mark.parametrize("intent", ["hardship", "crisis", "bereavement", "insolvency"])
async def test_a_hello_after_bad_news_leads_to_no_claim(talk: Talk, intent: str) -> None:
    await talk.say(intent)
    assert await talk.say("greet", "Hallo") == ["welcome"]
    assert [button.title for button in talk.replies[-1].buttons] == ["Ein Mensch, bitte"]


async def test_more_about_the_same_trouble_is_not_answered_by_the_same_text(known: Talk) -> None:
    await known.say("hardship", "Ich habe meine Arbeit verloren")
    assert await known.say("hardship", "Bürgergeld ist beantragt") == ["person_already_coming"]
    assert await known.say("crisis", "Ich will nicht mehr leben") == ["crisis_help"]


async def test_hardship_points_to_slower_ways_without_figures(known: Talk) -> None:
    await known.say("hardship", "Ich habe meine Arbeit verloren")
    titles = [button.title for button in known.replies[-1].buttons]
    assert titles == ["Mehr Zeit", "In kleinen Schritten", "Ein Mensch, bitte"]
    assert "€" not in known.text
    assert (await known.press("Mehr Zeit"))[-1] == "deferral_ask_date"


async def test_hardship_points_only_to_what_policy_has(known: Talk) -> None:
    async with known.database.operator() as session:
        merchant = await session.get_one(Merchant, known.merchant.id)
        merchant.policy = {"deferral_bands": [{"up_to_days": None, "days_max": 0}]}
    await known.say("hardship", "Ich habe meine Arbeit verloren")
    titles = [button.title for button in known.replies[-1].buttons]
    assert titles == ["In kleinen Schritten", "Ein Mensch, bitte"]


@pytest.mark.parametrize(
    ("country", "advice"),
    [
        ("DE", "meine-schulden.de"),
        ("AT", "schuldenberatung.at"),
        ("CH", "schulden.ch"),
        ("GB", "stepchange.org"),
        ("US", "nfcc.org"),
        ("PT", "in Ihrer Nähe"),
    ],
)
async def test_hardship_names_help_of_the_country(talk: Talk, country: str, advice: str) -> None:
    async with talk.database.operator() as session:
        merchant = await session.get_one(Merchant, talk.merchant.id)
        merchant.policy = {"contact_country": country}
    await talk.say("hardship", "kein Geld")
    assert advice in talk.text


async def test_a_dispute_that_tells_what_happened_is_not_asked_for_it(known: Talk) -> None:
    said = await known.say("dispute_goods", "Der Stuhl kam leider kaputt an")
    assert said == ["dispute_told"]
    assert await known.say("inform", "das linke Bein") == ["dispute_noted"]


async def test_number_and_reason_in_the_first_line_are_both_taken(talk: Talk) -> None:
    said = await talk.say(
        "inform",
        "Rechnung RE-2026-1044: der Stuhl kam kaputt an",
        invoice_number="RE-2026-1044",
        ranking=["inform", "dispute_goods"],
    )
    assert said == ["verified", "dispute_told"]
    assert (await talk.claims())[0].status == "disputed"
    assert await talk.handoffs() == ["dispute_goods"]


async def test_a_reason_before_the_proof_is_not_asked_for_after_it(talk: Talk) -> None:
    said = await talk.say("dispute_goods", "Der Stuhl kam leider kaputt an")
    assert said == ["concern_needs_proof"]
    assert await talk.say("inform", "RE-2026-1044") == ["verified", "dispute_told"]

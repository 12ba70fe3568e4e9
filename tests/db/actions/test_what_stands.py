"""What is true now: nothing to do, no bank account, what has arrived, is late, or changed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from conversation.wording import MerchantVoice, render
from ledger import book
from ledger.money import Money
from storage.tables import Claim, Merchant

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk


@pytest.fixture
async def known(talk: Talk) -> Talk:
    """The same conversation with a person who has proved who they are."""
    await talk.verified()
    return talk


async def pay(talk: Talk, minor: int) -> None:
    (claim,) = await talk.claims()
    async with talk.database.merchant(talk.merchant.id) as session:
        await book.post_payment(
            session,
            claim.id,
            Money(minor, "EUR"),
            value_date=talk.now.date(),
            now=talk.now,
            key=f"payment:{minor}",
        )


async def change_merchant(talk: Talk, **values: Any) -> None:
    async with talk.database.operator() as session:
        merchant = await session.get_one(Merchant, talk.merchant.id)
        for name, value in values.items():
            setattr(merchant, name, value)
            setattr(talk.merchant, name, value)


@pytest.mark.parametrize(
    "intent",
    [
        *("ask_claim", "pay_now", "already_paid", "dispute_goods", "ask_agreement"),
        *("request_invoice_copy", "request_instalments", "ask_consequences"),
    ],
)
async def test_a_time_barred_claim_is_never_pressed_nor_denied(known: Talk, intent: str) -> None:
    (claim,) = await known.claims()
    async with known.database.merchant(known.merchant.id) as session:
        (await session.get_one(Claim, claim.id)).limitation_date = date(2026, 11, 1)
    assert await known.say(intent) == ["nothing_to_do"]
    assert "eine sehr alte Rechnung" in known.text
    assert "nichts tun" in known.text
    assert "€" not in known.text
    assert [button.title for button in known.replies[-1].buttons] == ["Ein Mensch, bitte"]


async def test_what_is_too_small_is_told_as_that(known: Talk) -> None:
    await pay(known, 121_50)
    assert await known.say("ask_claim") == ["nothing_to_do"]
    assert "Ein kleiner Betrag" in known.text
    assert "alte Rechnung" not in known.text


async def test_nothing_open_is_said_where_nothing_is(known: Talk) -> None:
    await pay(known, 122_50)
    assert await known.say("ask_claim") == ["nothing_open"]


@pytest.mark.parametrize("wish", ["request_instalments", "promise_payment"])
async def test_without_a_bank_account_an_agreement_calls_a_person(known: Talk, wish: str) -> None:
    await change_merchant(known, iban=None)
    await known.say(wish, date="2026-11-27", **({"count": 3} if "inst" in wish else {}))
    await known.say("affirm", "ja")
    assert "Unser Team schickt Ihnen die Kontodaten" in known.text
    assert "Rechnung steh" not in known.text
    assert await known.handoffs() == ["bank_details"]
    assert len(await known.agreements()) == 1


async def test_with_a_bank_account_nobody_is_called(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    assert await known.say("affirm", "ja") == ["plan_agreed"]
    assert await known.handoffs() == []


async def test_a_receipt_for_a_part_says_what_arrived_and_what_is_left(known: Talk) -> None:
    await pay(known, 22_50)
    assert await known.say("request_receipt") == ["receipt_payment"]
    assert "22,50\u00a0€" in known.text
    assert "100,00\u00a0€" in known.text
    assert await known.handoffs() == []


async def test_a_receipt_for_everything_is_given_at_once(known: Talk) -> None:
    await pay(known, 122_50)
    assert await known.say("request_receipt") == ["receipt_settled"]
    assert "RE-2026-1044" in known.text


async def test_a_receipt_before_anything_arrived_is_for_a_person(known: Talk) -> None:
    assert await known.say("request_receipt") == ["task_for_team"]
    assert await known.handoffs() == ["receipt"]


async def late(talk: Talk) -> None:
    """A plan whose first instalment has not come; the customer writes again."""
    await talk.say("request_instalments", count=2)
    await talk.say("affirm", "ja")
    await later(talk, 40)


async def later(talk: Talk, days: int) -> None:
    """Some days later, with fresh figures and a new proof."""
    (claim,) = await talk.claims()
    talk.wait(days=days)
    async with talk.database.merchant(talk.merchant.id) as session:
        (await session.get_one(Claim, claim.id)).confirmed_at = talk.now
    await talk.say("ask_balance")
    await talk.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")


async def test_a_missed_instalment_is_noticed_when_the_customer_writes(known: Talk) -> None:
    await late(known)
    assert await known.say("greet", "Hallo") == ["rate_missed"]
    assert "untergegangen" in known.text
    assert await known.press("Ja") in (["plan_offer"], ["plan_counter"])
    assert await known.say("affirm", "ja") == ["plan_agreed"]


async def test_another_day_for_a_missed_instalment_is_taken(known: Talk) -> None:
    await late(known)
    await known.say("greet", "Hallo")
    said = await known.say("inform", "am 8.", date="2027-01-08")
    assert said in (["plan_offer"], ["plan_counter"])


async def test_no_new_day_asks_what_would_suit(known: Talk) -> None:
    await late(known)
    await known.say("greet", "Hallo")
    assert await known.say("deny", "nein") == ["agreement_change"]


async def test_consequences_are_answered_with_the_agreement_in_force(known: Talk) -> None:
    await known.say("request_instalments", count=2)
    await known.say("affirm", "ja")
    assert await known.say("ask_consequences") == ["consequences_agreement"]
    assert "61,25\u00a0€" in known.text
    titles = [button.title for button in known.replies[-1].buttons]
    assert titles == ["Meine Vereinbarung", "Ein Mensch, bitte"]


async def test_consequences_of_a_late_instalment_name_it_without_a_threat(known: Talk) -> None:
    await late(known)
    assert await known.say("ask_consequences") == ["consequences_agreement"]
    assert "fehlen noch" in known.text


async def test_a_changed_offer_says_why(known: Talk) -> None:
    await known.say("request_instalments", count=3)
    await pay(known, 22_50)
    assert (await known.say("affirm", "ja"))[0] == "offer_changed"
    assert "Zahlung oder Gutschrift" in known.text


async def test_a_changed_policy_is_told_as_that(known: Talk) -> None:
    await known.say("request_instalments", count=4)
    await change_merchant(known, policy={"instalment_minor_min": 60_00})
    assert (await known.say("affirm", "ja"))[0] == "offer_changed"
    assert "geht es heute nicht mehr" in known.text


@pytest.mark.parametrize("wording", ["unknown_sender", "link_used"])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("website", ["www.linde.example", None])
def test_without_phone_and_mail_there_is_still_a_next_step(
    wording: str, language: str, website: str | None
) -> None:
    said = render(
        wording,
        {},
        language=language,
        address_form="sie",
        tone="warm",
        channel="sms",
        merchant=MerchantVoice(name="Linde", website=website),
        verified=False,
    )
    next_step = said.text.rsplit(". ", 1)[-1]
    known_ways = ("schon kennen", "already know", "gefunden haben", "found this one")
    hints = ("www.linde.example",) if website else known_ways
    assert any(hint in next_step for hint in hints)


async def test_who_cannot_keep_a_missed_day_is_offered_another_with_one_tap(known: Talk) -> None:
    await late(known)
    assert await known.say("cannot_keep_agreement", "Neuer Tag") == ["rate_missed"]
    assert await known.press("Ja") in (["plan_offer"], ["plan_counter"])
    assert await known.press("Ja, so eintragen") == ["plan_agreed"]
    old, new = await known.agreements()
    assert (old.status, old.end_reason) == ("superseded", "missed_day")
    assert (new.status, new.terms["because"]) == ("active", "missed_day")
    assert await known.say("ask_agreement") == ["agreement_active", "agreement_notes"]
    assert "neuen Tag gefunden" in known.text


async def test_what_moves_keeps_its_number_and_leaves_no_cents_behind(known: Talk) -> None:
    await known.say("request_instalments", count=4)  # 3 × 30,62 € and 30,64 €
    await known.say("affirm", "ja")
    await pay(known, 61_24)
    await later(known, 90)
    await known.say("cannot_keep_agreement")
    await known.press("Ja")
    await known.press("Ja, so eintragen")
    moved = (await known.agreements())[-1].terms["agreed"]["instalments"]
    assert [part["amount"]["minor"] for part in moved] == [30_63, 30_63]


async def test_more_time_for_a_missed_day_is_offered_as_a_day(known: Talk) -> None:
    await late(known)
    assert await known.say("request_deferral", "geht ein anderer Tag?") == ["rate_missed"]
    assert await known.say("deny", "nein") == ["agreement_change"]
    assert await known.press("Später bezahlen") == ["deferral_ask_date"]


async def test_a_day_that_passed_again_is_a_persons(known: Talk) -> None:
    await late(known)
    await known.say("cannot_keep_agreement", "Neuer Tag")
    await known.press("Ja")
    await known.press("Ja, so eintragen")
    await later(known, 40)
    assert await known.say("cannot_keep_agreement", "Neuer Tag") == ["rate_missed"]
    assert await known.press("Ja") == ["person_decides"]
    assert await known.handoffs() == ["decision_day_moved_before"]


async def test_who_can_keep_the_next_day_not_is_asked_what_would_suit(known: Talk) -> None:
    await known.say("request_instalments", count=2)
    await known.say("affirm", "ja")
    assert await known.say("cannot_keep_agreement") == ["agreement_change"]


async def test_what_was_agreed_tells_what_is_paid_in_part_and_early(known: Talk) -> None:
    await known.say("request_instalments", count=2)
    await known.say("affirm", "ja")
    await pay(known, 70_00)
    assert await known.say("ask_agreement") == ["agreement_active", "agreement_notes"]
    assert "Eine Rate kam vor dem Termin" in known.text
    assert "sind 8,75\u00a0€ schon da" in known.text


@pytest.mark.parametrize("how", ["kept", "broken", "cancelled"])
async def test_how_an_agreement_ended_is_told_without_reproach(known: Talk, how: str) -> None:
    await known.say("request_instalments", count=2)
    await known.say("affirm", "ja")
    (made,) = await known.agreements()
    if how == "kept":
        await pay(known, 122_50)
    else:
        end = book.break_agreement if how == "broken" else book.cancel_agreement
        async with known.database.merchant(known.merchant.id) as session:
            await end(session, made.id, "not_paid", now=known.now)
    said = await known.say("ask_agreement")
    assert said == (["agreement_ended"] if how == "kept" else ["agreement_ended", "ways"])
    telling = {"kept": "alles bezahlt", "broken": "zu Ende gegangen", "cancelled": "aufgehoben"}
    assert telling[how] in known.text

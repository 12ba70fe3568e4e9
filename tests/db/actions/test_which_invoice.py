"""Several open invoices: which one is talked about, turned to, picked from a list, told with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from storage.tables import Claim

if TYPE_CHECKING:
    from tests.db.actions.conftest import AddClaim, Talk


async def test_with_several_claims_the_oldest_comes_first_and_the_total_is_told(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    assert "Rechnung RE-2026-0900" in talk.text
    assert "zusammen sind es 155,00\u00a0€" in talk.text


async def test_another_invoice_can_be_talked_about(talk: Talk, add_claim: AddClaim) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    assert await talk.say("request_instalments", invoice_number="re 2026 1044") == [
        "claim_short",
        "plan_example",
    ]
    assert "122,50" in talk.text


async def test_the_other_of_two_invoices_is_the_one_not_talked_about(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("ask_claim", "RE-2026-1044", invoice_number="RE-2026-1044")
    said = await talk.say(
        "promise_payment", "Und die andere Rechnung? Die zahle ich am 27.", date="2026-11-27"
    )
    assert said[-1] == "promise_offer"
    assert "32,50" in talk.text
    await talk.say("affirm", "ja")
    assert await talk.say("ask_claim", "what about the other invoice?") == ["claim_explained"]
    assert "122,50" in talk.text


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        ("not_now", "die andere ist mir wichtiger"),
        ("request_invoice_copy", "und die andere Rechnung?"),
        ("deny", "nein, erst die andere bitte"),
        ("request_deferral", "I'd rather start with the other one"),
    ],
)
async def test_the_invitation_to_choose_the_other_invoice_is_taken_however_it_is_read(
    talk: Talk, add_claim: AddClaim, intent: str, text: str
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    assert await talk.say("ask_claim", "worum geht es") == ["claim_explained"]
    assert "RE-2026-0900" in talk.text
    assert await talk.say(intent, text) == ["claim_explained"]
    assert "RE-2026-1044" in talk.text


async def test_an_invoice_with_an_agreement_is_told_with_it_and_the_first_one_is_found(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("ask_claim", "worum geht es")
    await talk.say("ask_claim", "lieber die andere")
    await talk.say("promise_payment", date="2026-11-27")
    await talk.say("affirm", "ja")
    assert await talk.say("ask_claim", "worum ging es?") == ["agreement_active"]
    assert "RE-2026-1044" in talk.text
    assert await talk.say("ask_costs", "und die erste rechnung?") == ["claim_explained"]
    assert "Rechnung RE-2026-0900" in talk.text


async def test_the_other_open_invoice_is_meant_where_a_third_one_is_disputed(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("dispute_goods")
    await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    await talk.say("ask_claim", invoice_number="RE-2026-1044")
    assert await talk.say("ask_claim", "und die andere?") == ["claim_explained"]
    assert "Rechnung RE-2026-0950" in talk.text


async def test_among_several_invoices_the_customer_is_asked_which_one(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    await talk.verified()
    await talk.say("ask_claim", "worum geht es")
    assert await talk.say("ask_claim", "eine andere ist mir wichtiger") == ["which_claim"]
    assert "RE-2026-0900" in talk.text
    assert "47,50" in talk.text
    # Taken for anything: the end of a number, an amount, a place in the list.
    assert await talk.say("out_of_scope", "die 1044") == ["claim_explained"]
    assert "Rechnung RE-2026-1044" in talk.text
    await talk.say("ask_claim", "welche rechnungen sind das")
    said = await talk.say(
        "propose_amount", "die mit 47,50", amount={"minor": 47_50, "currency": "EUR"}
    )
    assert said == ["claim_explained"]
    assert "Rechnung RE-2026-0950" in talk.text
    assert await talk.say("deny", "welche rechnungen sind das alles?") == ["which_claim"]
    assert await talk.say("affirm", "die zweite bitte") == ["claim_explained"]
    assert "Rechnung RE-2026-0950" in talk.text
    assert await talk.say("affirm", "ja") == ["ways"]


async def test_a_wish_may_name_the_invoice_from_the_list(talk: Talk, add_claim: AddClaim) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    await talk.verified()
    await talk.say("ask_claim", "welche rechnungen sind denn offen")
    assert await talk.say("request_instalments", "die 0950 in raten") == [
        "claim_short",
        "plan_example",
    ]
    assert "47,50" in talk.text


async def test_a_list_tells_no_figure_that_is_not_confirmed(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    stale = await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    async with talk.database.merchant(talk.merchant.id) as session:
        (await session.get_one(Claim, stale)).confirmed_at = talk.now - timedelta(days=60)
    await talk.verified()
    assert await talk.say("ask_claim", "welche rechnungen sind noch offen") == ["which_claim"]
    assert "RE-2026-1044" in talk.text
    assert "0950" not in talk.text


@pytest.mark.parametrize("text", ["und die andere rechnung?", "welche rechnungen sind offen?"])
async def test_of_other_invoices_nothing_is_said_or_chosen_without_proof(
    talk: Talk, add_claim: AddClaim, text: str
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    assert await talk.say("thank", text) == ["thanks_noted"]
    assert talk.slots.get("claim_id") is None


@pytest.mark.parametrize(
    ("intent", "text", "answer"),
    [
        ("crisis", "die andere", "crisis_help"),
        ("wrong_person", "die andere", "wrong_person_check"),
        ("affirm", "Ja, mit der Rechnung ist alles ok", "ways"),
        ("affirm", "ja beide rechnungen", "ways"),
        ("ask_bot", "What are you?", "yes_automated"),
        ("hardship", "ich habe noch andere Rechnungen", "hardship_heard"),
    ],
)
async def test_what_is_not_about_another_invoice_goes_its_own_way(
    talk: Talk, add_claim: AddClaim, intent: str, text: str, answer: str
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("ask_claim", "worum geht es")
    assert answer in await talk.say(intent, text)


async def test_other_bills_and_first_orders_do_not_change_what_is_talked_about(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("ask_claim", "worum geht es")
    await talk.say("ask_claim", "lieber die andere")
    await talk.say(
        "promise_payment", "hab noch andere Rechnungen, kann am 27. zahlen", date="2026-11-27"
    )
    assert "122,50" in talk.text
    await talk.say("deny", "doch anders")
    await talk.say(
        "promise_payment", "war meine erste Bestellung, ich zahle am 27.", date="2026-11-27"
    )
    assert "122,50" in talk.text


async def test_no_second_order_is_an_objection(talk: Talk, add_claim: AddClaim) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("ask_claim", "worum geht es")
    await talk.say("deny", "nein")
    said = await talk.say("dispute_unknown", "There was no second order")
    assert "claim_explained" not in said


async def test_a_wish_that_names_no_invoice_waits_until_one_is_named(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    await talk.verified()
    await talk.say("ask_claim", "welche rechnungen sind denn offen")
    assert await talk.say("request_instalments", "in drei raten bitte", count=3) == ["which_claim"]
    said = await talk.say("inform", "die zweite")
    assert said[-1] == "plan_offer"
    assert "47,50" in talk.text
    await talk.say("ask_claim", "welche rechnungen sind denn offen")
    await talk.say("request_instalments", "in drei raten", count=3)
    assert (await talk.say("request_instalments", "in zwei raten", count=2))[-1] == "plan_offer"


async def test_an_objection_against_one_of_the_list_hits_that_one(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    wanted = await add_claim("RE-2026-0950", 45_00, date(2026, 9, 20))
    await talk.verified()
    await talk.say("ask_claim", "welche rechnungen sind denn offen")
    await talk.say("dispute_goods", "die zweite habe ich nicht bekommen")
    async with talk.database.merchant(talk.merchant.id) as session:
        assert (await session.get_one(Claim, wanted)).status == "disputed"


async def test_a_day_beside_an_invoice_number_says_when_that_one_is_paid(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    known = {"invoice_number": "RE-2026-1044"}
    assert await talk.say("inform", date="2026-11-27", **known) == ["claim_short", "promise_offer"]
    assert "122,50" in talk.text
    assert await talk.say("inform", date="2026-10-19", **known) == ["claim_explained"]


async def test_a_disputed_claim_is_not_counted_as_open_beside_another(
    talk: Talk, add_claim: AddClaim
) -> None:
    await add_claim("RE-2026-0900", 30_00, date(2026, 9, 1))
    await talk.verified()
    await talk.say("dispute_goods")
    assert await talk.say("ask_claim", invoice_number="RE-2026-1044") == ["claim_explained"]
    assert "152,50" not in talk.text
    assert "155,00" not in talk.text

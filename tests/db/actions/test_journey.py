"""From the first hello to an agreement in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.db.actions.conftest import Talk

EUR = "EUR"


def euro(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": EUR}


async def test_from_hello_to_a_plan_in_the_ledger(talk: Talk) -> None:
    assert await talk.say("greet", "Hallo") == ["verification_needed"]
    assert "122,50" not in talk.text
    said = await talk.say("inform", "re 2026 1044", invoice_number="re 2026 1044")
    assert said == ["verified", "claim_explained"]
    assert "Rechnungsbetrag: 120,00\u00a0€" in talk.text
    assert "Kosten: 2,50\u00a0€" in talk.text
    assert "Offener Betrag: 122,50\u00a0€" in talk.text
    assert await talk.press("Ja") == ["ways"]
    assert await talk.press("In Raten zahlen") == ["plan_example"]
    assert await talk.say("inform", "5 Euro", amount=euro(5_00)) == ["plan_counter"]
    assert "Ihren Vorschlag von 5,00\u00a0€" in talk.text
    assert await talk.say("propose_amount", "40", amount=euro(40_00)) == ["plan_offer"]
    assert "Zusammen 122,50\u00a0€" in talk.text
    assert await talk.agreements() == []
    assert await talk.press("Ja, so eintragen") == ["plan_agreed"]
    (agreement,) = await talk.agreements()
    assert (agreement.kind, agreement.total_minor) == ("instalment_plan", 122_50)
    assert "DE02 1203" in talk.text

"""Several open invoices: the customer chooses which one is talked about, in both languages."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from ledger import book
from ledger.money import Money

if TYPE_CHECKING:
    from storage.tables import Claim
    from tests.dialogue.conftest import Chat


async def opened(chat: Chat, number: str, what: str, minor: int) -> Claim:
    """Another invoice of the same customer."""
    first = await chat.claim()
    async with chat.database.merchant(chat.merchant.id) as session:
        return await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=chat.merchant.id, customer_id=first.customer_id, reference=number,
                invoice_number=number, description=what, principal=Money(minor),
                invoice_date=date(2026, 11, 1), due_date=date(2026, 11, 15),
                confirmed_at=chat.now,
            ),
            now=chat.now, key=f"open:{number}",
        )  # fmt: skip


async def greet(chat: Chat, language: str) -> None:
    await chat.say("Hallo, worum geht es?" if language == "de" else "Hello, what is this about?")
    assert (await chat.say("RE-2026-1044"))[:2] == ["verified", "claim_explained"]


@pytest.mark.parametrize(
    ("language", "other", "how", "yes"),
    [
        ("de", "die andere ist mir wichtiger", "die zahl ich am Freitag", "ja passt"),
        ("de", "und die andere rechnung?", "30 im monat gehen", "ja"),
        ("en", "I'd rather start with the other one", "I can pay on Friday", "yes please"),
    ],
)
async def test_the_other_one_is_settled_first(
    chat: Chat, language: str, other: str, how: str, yes: str
) -> None:
    wanted = await opened(chat, "RE-2026-1100", "Sonnenschirm", 60_00)
    await greet(chat, language)
    assert await chat.say(other) == ["claim_explained"]
    await chat.say("ja" if language == "de" else "yes")
    assert (await chat.say(how))[-1] in ("promise_offer", "plan_offer")
    await chat.say(yes)
    (agreement,) = await chat.agreements()
    assert (agreement.claim_id, agreement.total_minor) == (wanted.id, 60_00)


@pytest.mark.parametrize(
    ("language", "ask", "pick", "how", "yes"),
    [
        ("de", "welche rechnungen sind das denn alles?", "die Sitzauflage", "Montag", "ja"),
        ("de", "eine andere wäre mir wichtiger", "die 1101 bitte", "Montag", "ja"),
        ("en", "Which invoices are they?", "the one for 45", "I will pay on Monday", "yes"),
        ("en", "another one first please", "the last one", "I will pay on Monday", "yes"),
    ],
)
async def test_one_of_three_is_chosen_from_a_list(
    chat: Chat, language: str, ask: str, pick: str, how: str, yes: str
) -> None:
    await opened(chat, "RE-2026-1100", "Sonnenschirm", 60_00)
    wanted = await opened(chat, "RE-2026-1101", "Sitzauflage", 45_00)
    await greet(chat, language)
    assert await chat.say(ask) == ["which_claim"]
    assert await chat.say(pick) == ["claim_explained"]
    await chat.say("ja" if language == "de" else "yes")
    assert (await chat.say(f"am {how}" if language == "de" else how))[-1] == "promise_offer"
    assert await chat.say(yes) == ["payment_agreed"]
    (agreement,) = await chat.agreements()
    assert (agreement.claim_id, agreement.total_minor) == (wanted.id, 45_00)

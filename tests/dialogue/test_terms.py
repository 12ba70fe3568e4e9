"""What people propose, change and bargain over, with the trained assistant in both languages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from ledger import book
from ledger.money import Money
from storage.tables import Claim, Instalment, Merchant

if TYPE_CHECKING:
    from tests.dialogue.conftest import Chat


async def rates(chat: Chat) -> list[tuple[int, date]]:
    """Amounts in cents and days of the agreement in force."""
    (agreement,) = [held for held in await chat.agreements() if held.status == "active"]
    async with chat.database.merchant(chat.merchant.id) as session:
        found = await session.scalars(
            select(Instalment)
            .where(Instalment.agreement_id == agreement.id)
            .order_by(Instalment.number)
        )
        return [(part.amount_minor, part.due_date) for part in found]


async def greet(chat: Chat, language: str) -> None:
    """Open the chat and prove who one is."""
    await chat.say("Hallo, worum geht es?" if language == "de" else "Hello, what is this about?")
    said = await chat.say("RE-2026-1044")
    assert said[0] == "verified"


async def allow(chat: Chat, **policy: object) -> None:
    async with chat.database.operator() as session:
        (await session.get_one(Merchant, chat.merchant.id)).policy = policy


@pytest.mark.parametrize(
    ("language", "line", "yes"),
    [
        ("de", "50 sofort, Rest am 15.", "ja, passt"),
        ("de", "ich kann heute 50 zahlen und den Rest am 15. Dezember", "ja bitte"),
        ("en", "I can pay 50 now and the rest on the 15th", "yes please"),
    ],
)
async def test_a_part_now_and_the_rest_later(
    chat: Chat, language: str, line: str, yes: str
) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["plan_offer"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert await rates(chat) == [(50_00, date(2026, 11, 23)), (72_50, date(2026, 12, 15))]


@pytest.mark.parametrize(
    ("language", "line"),
    [("de", "erst mal 20, dann 40 monatlich"), ("en", "50 now and 25 a month after that")],
)
async def test_a_first_payment_and_regular_ones(chat: Chat, language: str, line: str) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["plan_offer"]
    await chat.say("ja" if language == "de" else "yes")
    first, second, *_ = [amount for amount, _ in await rates(chat)]
    assert (first, second) == ((20_00, 40_00) if language == "de" else (50_00, 25_00))


@pytest.mark.parametrize(
    ("language", "line", "yes"),
    [
        ("de", "kann ich am 15. statt am 1. zahlen", "ja"),
        ("de", "nicht am 1., sondern am 15.", "ja"),
        ("en", "Can I pay on the 15th instead of the 1st?", "yes"),
        ("en", "can we move it from the 1st to the 15th", "yes"),
    ],
)
async def test_another_day_moves_a_plan_in_force(
    chat: Chat, language: str, line: str, yes: str
) -> None:
    await greet(chat, language)
    german = language == "de"
    instalments = "In 3 Raten ab 1. Dezember" if german else "three instalments from 1 December"
    assert await chat.say(instalments) == ["plan_offer"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert await chat.say(line) == ["plan_offer"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert await rates(chat) == [
        (40_83, date(2026, 12, 15)),
        (40_83, date(2027, 1, 15)),
        (40_84, date(2027, 2, 15)),
    ]


@pytest.mark.parametrize(
    ("language", "line", "yes"),
    [
        ("de", "kann ich nächsten Monat aussetzen?", "ja"),
        ("en", "can I skip next month?", "yes"),
    ],
)
async def test_a_pause_moves_the_next_instalment_on(
    chat: Chat, language: str, line: str, yes: str
) -> None:
    await greet(chat, language)
    await chat.say("In 3 Raten" if language == "de" else "in three instalments")
    assert await chat.say(yes) == ["plan_agreed"]
    assert await chat.say(line) == ["plan_offer"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert [due for _, due in await rates(chat)] == [
        date(2027, 1, 7), date(2027, 2, 7), date(2027, 3, 7)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "ask", "lower", "yes"),
    [
        ("de", "Können Sie mir etwas nachlassen?", "eher 70", "ja"),
        ("en", "Can you knock something off?", "how about 70", "yes"),
    ],
)
async def test_a_settlement_is_bargained_over(
    chat: Chat, language: str, ask: str, lower: str, yes: str
) -> None:
    await allow(chat, discount_costs_percent=100)
    await greet(chat, language)
    assert await chat.say(ask) == ["settlement_offer"]
    assert await chat.say(lower) == ["settlement_counter"]
    assert await chat.say(yes) == ["payment_agreed"]
    (agreement,) = await chat.agreements()
    assert (agreement.kind, agreement.total_minor) == ("settlement", 120_00)


@pytest.mark.parametrize(
    ("language", "first", "line", "yes"),
    [
        ("de", "in 3 Raten bitte", "nee, doch lieber 4", "ja"),
        ("en", "in three instalments please", "no, rather 4", "yes"),
    ],
)
async def test_a_correction_changes_the_suggestion(
    chat: Chat, language: str, first: str, line: str, yes: str
) -> None:
    await greet(chat, language)
    assert await chat.say(first) == ["plan_offer"]
    assert await chat.say(line) == ["plan_offer"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert len(await rates(chat)) == 4


@pytest.mark.parametrize(
    ("language", "first", "line", "yes"),
    [
        ("de", "Ich zahle am Freitag", "Doch lieber in 2 Raten", "ja"),
        ("en", "I will pay on Friday", "Actually, two instalments would be better", "yes"),
    ],
)
async def test_a_change_of_mind_after_the_agreement(
    chat: Chat, language: str, first: str, line: str, yes: str
) -> None:
    await greet(chat, language)
    assert await chat.say(first) == ["promise_offer"]
    assert await chat.say(yes) == ["payment_agreed"]
    assert await chat.say(line) == ["plan_offer"]
    assert [held.status for held in await chat.agreements()] == ["active"]
    assert await chat.say(yes) == ["plan_agreed"]
    kept = [(held.kind, held.status) for held in await chat.agreements()]
    assert kept == [("promise", "superseded"), ("instalment_plan", "active")]


@pytest.mark.parametrize(
    ("language", "first", "question", "yes"),
    [
        ("de", "in 3 Raten bitte", "warum die Kosten?", "ja"),
        ("en", "in three instalments please", "why are there extra costs?", "yes"),
    ],
)
async def test_a_question_in_between_leads_back(
    chat: Chat, language: str, first: str, question: str, yes: str
) -> None:
    await greet(chat, language)
    await chat.say(first)
    assert await chat.say(question) == ["costs_explained", "offer_back"]
    assert await chat.say(yes) == ["plan_agreed"]
    assert len(await rates(chat)) == 3


@pytest.mark.parametrize(
    ("language", "broken", "line", "yes"),
    [
        ("de", "Der Stuhl kam kaputt an", "Die andere zahle ich am Freitag", "ja"),
        ("en", "The chair arrived broken", "I will pay the other one on Friday", "yes"),
    ],
)
async def test_with_one_invoice_disputed_the_other_can_be_settled(
    chat: Chat, language: str, broken: str, line: str, yes: str
) -> None:
    disputed = await chat.claim()
    async with chat.database.merchant(chat.merchant.id) as session:
        other = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=chat.merchant.id,
                customer_id=disputed.customer_id,
                reference="RE-2026-1100",
                invoice_number="RE-2026-1100",
                description="Sonnenschirm",
                principal=Money(60_00, "EUR"),
                invoice_date=date(2026, 11, 1),
                due_date=date(2026, 11, 15),
                confirmed_at=chat.now,
            ),
            now=chat.now,
            key="open-other",
        )
    await greet(chat, language)
    await chat.say(broken)
    reason = "Die Lehne war gebrochen" if language == "de" else "The back was broken"
    assert await chat.say(reason) == ["dispute_noted"]
    assert (await chat.claim()).status == "disputed"
    assert (await chat.say(line))[-1] == "promise_offer"
    assert await chat.say(yes) == ["payment_agreed"]
    (agreement,) = await chat.agreements()
    assert (agreement.claim_id, agreement.total_minor) == (other.id, 60_00)


@pytest.mark.parametrize(("language", "yes"), [("de", "ja"), ("en", "yes")])
async def test_a_yes_after_three_weeks_is_asked_for_proof_and_shown_days_to_come(
    chat: Chat, language: str, yes: str
) -> None:
    await greet(chat, language)
    assert await chat.say("In 3 Raten" if language == "de" else "in three instalments") == [
        "plan_offer"
    ]
    chat.wait(weeks=3)
    async with chat.database.merchant(chat.merchant.id) as session:
        claim = await session.get_one(Claim, (await chat.claim()).id)
        claim.confirmed_at = chat.now
    (said,) = await chat.say(yes)
    assert said == "verification_lapsed"
    assert await chat.agreements() == []
    said, *_, last = await chat.say("RE-2026-1044")
    assert (said, last) == ("verified", "plan_counter")
    assert await chat.agreements() == []  # the days that were suggested have passed
    assert await chat.say(yes) == ["plan_agreed"]
    today = chat.now.date()
    assert all(due >= today for _, due in await rates(chat))
    assert (await rates(chat))[0][1] - today <= timedelta(days=31)


@pytest.mark.parametrize(
    ("language", "wish", "line"),
    [
        ("en", "can I pay later?", "yes but money is tight, could I do 30 a month from january?"),
        ("de", "kann ich später zahlen?", "gerade ist es knapp, später, so 30 im monat ab januar"),
    ],
)
async def test_a_rate_in_answer_to_the_day_is_a_plan(
    chat: Chat, language: str, wish: str, line: str
) -> None:
    await greet(chat, language)
    await chat.say(wish)
    # January begins too late for these rules; what is possible is offered as a plan.
    assert await chat.say(line) == ["plan_counter"]
    await chat.say("ja" if language == "de" else "yes")
    first, *_ = await rates(chat)
    assert first[0] == 30_00


@pytest.mark.parametrize(
    ("language", "line", "day"),
    [
        ("de", "die Hälfte jetzt und die Hälfte im Januar", "am 20. Dezember"),
        ("en", "half now and half in january", "december 20th then"),
    ],
)
async def test_two_halves_are_two_payments_and_the_day_is_asked(
    chat: Chat, language: str, line: str, day: str
) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["date_unclear"]
    assert await chat.agreements() == []
    assert await chat.say(day) == ["plan_offer"]
    await chat.say("ja" if language == "de" else "yes")
    assert await rates(chat) == [(61_25, date(2026, 11, 23)), (61_25, date(2026, 12, 20))]


async def test_a_yes_to_a_plan_that_was_never_shown_is_none(chat: Chat) -> None:
    await greet(chat, "de")
    assert await chat.say("die Hälfte jetzt und die Hälfte im Januar") == ["date_unclear"]
    await chat.say("ja")
    assert await chat.agreements() == []


async def test_a_plan_of_its_own_drops_the_first_payment_of_the_last_one(chat: Chat) -> None:
    await greet(chat, "en")
    assert await chat.say("50 now and 25 a month after that") == ["plan_offer"]
    assert await chat.say("hm, could I do 30 a month starting on 15 december?") == ["plan_offer"]
    await chat.say("yes")
    first, *_ = await rates(chat)
    assert first == (30_00, date(2026, 12, 15))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "kostet das mehr, wenn ich erst am 10. Dezember zahle?"),
        ("en", "does it cost extra if I pay on the 10th of december instead?"),
    ],
)
async def test_what_a_later_day_costs_is_told_with_that_day(
    chat: Chat, language: str, line: str
) -> None:
    await greet(chat, language)
    assert await chat.say(line) == ["deferral_offer"]

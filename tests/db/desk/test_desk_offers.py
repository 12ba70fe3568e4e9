"""Terms that a person suggests: within the policy only, and agreed by the customer's yes."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.people.roles import Role
from ledger import book
from ledger.money import Money
from storage.tables import Agreement, DeskOffer, Merchant
from tests.db.console_browser import hidden, words
from tests.desk_parts import TODAY, Agent, Desk

FIRST = str(TODAY + timedelta(days=14))


async def taken(desk: Desk, role: Role = Role.AGENT) -> Agent:
    await desk.ask("hardship")
    agent = await desk.agent(role=role)
    await agent.act("take")
    return agent


async def suggest(agent: Agent, **fields: str) -> None:
    page = await agent.look()
    form = {
        "claim": str(agent.desk.claim), "kind": "plan", "count": "3", "first": FIRST,
        "turn": hidden(page, "turn"), "how": "send", **fields,
    }  # fmt: skip
    agent.last = await agent.act("offer", **form)  # type: ignore[attr-defined]


async def agreements(desk: Desk) -> list[str]:
    async with desk.database.operator() as session:
        return list(await session.scalars(select(Agreement.kind).order_by(Agreement.id)))


async def offers(desk: Desk) -> list[tuple[str | None, str | None]]:
    async with desk.database.operator() as session:
        found = await session.execute(
            select(DeskOffer.outcome, DeskOffer.consent).order_by(DeskOffer.id)
        )
        return [(outcome, consent) for outcome, consent in found]


async def test_a_plan_is_agreed_by_the_button_while_a_person_holds_the_conversation(
    desk: Desk,
) -> None:
    agent = await taken(desk)
    page = words(await agent.look())
    assert "Was jetzt möglich ist" in page
    await suggest(agent)
    told = (await desk.messages())[-1]
    assert (told.author, told.wording, told.args["agent"]) == ("agent", "plan_offer", "m.koch")
    assert "82,00" in told.text
    assert await agreements(desk) == []
    assert "Vorschlag wartet auf ein Ja" in words(await agent.look())
    await desk.all_sent()
    await desk.later(minutes=2)
    assert await desk.hear("", button=told.buttons[0]["id"]) == "offer_agreed"
    assert await agreements(desk) == ["instalment_plan"]
    assert await offers(desk) == [("agreed", "button")]
    assert (await desk.messages())[-1].wording == "plan_agreed"
    # The same button again agrees nothing a second time.
    assert await desk.hear("", button=told.buttons[0]["id"]) == "for_agent"
    assert await agreements(desk) == ["instalment_plan"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("Ja, einverstanden!", "offer_agreed"),
        ("A", "offer_agreed"),
        ("Ja, aber erst im Januar", "for_agent"),
        ("B", "offer_declined"),
        ("Was heißt das?", "for_agent"),
    ],
)
async def test_only_a_plain_yes_right_after_it_agrees(desk: Desk, said: str, outcome: str) -> None:
    agent = await taken(desk)
    await suggest(agent)
    await desk.all_sent()
    await desk.later(minutes=1)
    assert await desk.hear(said) == outcome
    assert bool(await agreements(desk)) == (outcome == "offer_agreed")


async def test_a_yes_before_it_was_shown_or_to_something_else_agrees_nothing(desk: Desk) -> None:
    agent = await taken(desk)
    await suggest(agent)
    assert await desk.hear("Ja") == "for_agent"
    await desk.all_sent()
    await agent.write("Brauchen Sie sonst noch etwas?")
    await desk.all_sent()
    assert await desk.hear("Ja") == "for_agent"
    assert await agreements(desk) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"count": "40"}, "Das sind zu viele Raten"),
        ({"first": str(TODAY + timedelta(days=300))}, "Die erste Rate kommt zu spät"),
        (
            {"kind": "later", "until": str(TODAY + timedelta(days=400))},
            "So lange darf nicht aufgeschoben werden",
        ),
        ({"kind": "later", "until": "irgendwann"}, "Prüfen Sie Anzahl und Datum"),
        ({"kind": "gift"}, "Prüfen Sie Anzahl und Datum"),
    ],
)
async def test_what_the_policy_does_not_allow_is_refused_with_the_reason(
    desk: Desk, fields: dict[str, str], why: str
) -> None:
    agent = await taken(desk)
    await suggest(agent, **fields)
    refused = agent.last  # type: ignore[attr-defined]
    assert refused.status_code == 422
    assert why in words(refused)
    assert "Möglich wäre:" in words(refused) or "Prüfen" in why
    assert await offers(desk) == []


async def test_a_doubled_form_suggests_once_and_a_new_one_replaces_it(desk: Desk) -> None:
    agent = await taken(desk)
    await suggest(agent)
    await suggest(agent, turn="0")
    assert await offers(desk) == [(None, None)]
    await suggest(agent, kind="later", until=str(TODAY + timedelta(days=14)))
    assert await offers(desk) == [("replaced", None), (None, None)]


async def test_an_old_page_says_yes_for_nothing_that_was_not_done(desk: Desk) -> None:
    agent = await taken(desk)
    await suggest(agent)
    await agent.act("verify", number="RE-2026-0042")
    await suggest(agent, turn="0", count="2")
    assert await offers(desk) == [("replaced", None), (None, None)]
    await suggest(agent, turn="0", how="phone")
    assert await offers(desk) == [("replaced", None)] * 2 + [("agreed", "phone")]
    assert await agreements(desk) == ["instalment_plan"]


async def test_on_the_telephone_it_counts_when_the_caller_is_proved(desk: Desk) -> None:
    agent = await taken(desk)
    await desk.change(verified_at=None)
    await suggest(agent)
    assert "Die Identität ist nicht nachgewiesen" in words(agent.last)  # type: ignore[attr-defined]
    await suggest(agent, how="phone")
    assert "Prüfen Sie zuerst, wer am Telefon ist" in words(agent.last)  # type: ignore[attr-defined]
    assert await agreements(desk) == []
    await agent.act("verify", number="RE-2026-0042")
    await suggest(agent, how="phone")
    assert await agreements(desk) == ["instalment_plan"]
    assert await offers(desk) == [("agreed", "phone")]
    # Nothing about it goes to a phone of which nothing is known.
    assert not [one for one in await desk.messages() if one.discloses]
    assert "consent_noted" in await desk.log()


async def test_what_has_changed_meanwhile_is_not_agreed(desk: Desk) -> None:
    agent = await taken(desk)
    await suggest(agent)
    await desk.all_sent()
    async with desk.database.merchant(desk.merchant.id) as session:
        now = desk.parts.clock.now()
        await book.post_payment(
            session, desk.claim, Money(50_00), value_date=TODAY, now=now, key="p"
        )
    assert await desk.hear("Ja") == "offer_outdated"
    assert await agreements(desk) == []
    assert await offers(desk) == [("outdated", None)]


async def test_giving_it_back_withdraws_what_waits(desk: Desk) -> None:
    agent = await taken(desk)
    await suggest(agent)
    await desk.all_sent()
    await agent.act("return")
    assert await offers(desk) == [("withdrawn", None)]
    assert await desk.hear("Ja") == "for the assistant"


async def test_waiving_takes_its_right_and_stays_within_the_policy(desk: Desk) -> None:
    async with desk.database.operator() as session:
        merchant = await session.get_one(Merchant, desk.merchant.id)
        merchant.policy = {**merchant.policy, "discount_costs_percent": 50}
    agent = await taken(desk)
    form = {"claim": str(desk.claim), "part": "costs", "reason": "goodwill", "posted": "0"}
    assert (await agent.act("waive", amount="3", **form)).status_code == 403
    await agent.act("return")
    chief = await taken(desk, Role.SUPERVISOR)
    refused = await chief.act("waive", amount="3,01", **form)
    assert "So viel lassen die Regeln nicht zu. Möglich sind höchstens 3,00" in words(refused)
    assert (await chief.act("waive", amount="2,50", **form)).status_code == 303
    await chief.act("waive", amount="2,50", **form)
    assert (await desk.log()).count("amount_waived") == 1
    assert "243,50" in words(await chief.look())


async def test_the_next_waiver_of_the_same_amount_is_another_one(desk: Desk) -> None:
    async with desk.database.operator() as session:
        merchant = await session.get_one(Merchant, desk.merchant.id)
        merchant.policy = {**merchant.policy, "discount_costs_percent": 100}
    chief = await taken(desk, Role.SUPERVISOR)
    form = {"claim": str(desk.claim), "part": "costs", "reason": "goodwill"}
    for _ in range(2):
        posted = hidden(await chief.look(), "posted")
        for _ in range(2):
            answer = await chief.act("waive", amount="1,50", posted=posted, **form)
            assert answer.status_code == 303
    assert (await desk.log()).count("amount_waived") == 2
    assert "243,00" in words(await chief.look())
    # The form of an old page, filled in anew, is said to be wrong.
    assert (await chief.act("waive", amount="0,50", posted=posted, **form)).status_code == 422

"""What the page shows of claims, and what can be agreed on it."""

import asyncio
import json
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from conversation.look import look
from ledger import book
from ledger.agreements import InstalmentPlan, terms_from_data, terms_to_data
from ledger.money import Money
from storage.tables import Agreement, Claim, Conversation, Customer, Merchant, Message, Turn
from tests.conftest import NOW
from tests.db.pages.conftest import Visiting, words


@pytest.fixture
async def inside(visiting: Visiting) -> Visiting:
    """The customer, come in."""
    await visiting.enter()
    return visiting


async def agreements(inside: Visiting) -> list[Agreement]:
    async with inside.parts.database.operator() as session:
        return list(await session.scalars(select(Agreement).order_by(Agreement.id)))


async def post(inside: Visiting, minor: int, key: str = "pay") -> None:
    async with inside.parts.database.operator() as session:
        await book.post_payment(
            session,
            inside.claims[0].id,
            Money(minor),
            value_date=date(2026, 10, 2),
            now=NOW,
            key=key,
        )


async def test_it_says_each_cost_with_its_reason_and_the_interest_line_by_line(
    inside: Visiting,
) -> None:
    await inside.change(
        Claim,
        inside.claims[0].id,
        default_since=date(2026, 9, 12),
        default_proof="Mahnung vom 10.09.2026",
    )
    await post(inside, 20_00)
    said = words(await inside.http.get("/p"))
    for part in (
        "Rechnungsbetrag 120,00 €",
        "Porto der Mahnung 2,50 €",
        "− 20,00 €",
        "2. Oktober 2026",
    ):
        assert part in said
    record = None
    async with inside.parts.database.operator() as session:
        (record, _) = await book.records_of(session, inside.customer.id, now=NOW)
    interest = record.statement().charged.interest
    assert interest.minor > 0
    assert "12.09.2026 bis 02.10.2026: 21 Tage" in said
    assert "03.10.2026 bis 23.11.2026: 52 Tage" in said
    assert f"Zusammen {interest.decimal:.2f} €".replace(".", ",") in said


async def test_what_is_not_open_is_shown_as_what_it_is(inside: Visiting) -> None:
    async with inside.parts.database.operator() as session:
        await book.dispute(session, inside.claims[0].id, "dispute_goods", now=NOW)
        await book.post_payment(
            session, inside.claims[1].id, Money(60_00), value_date=NOW.date(), now=NOW, key="all"
        )
    said = words(await inside.http.get("/p"))
    for part in ("wird geprüft", "bezahlt", "Es ist nichts zu bezahlen"):
        assert part in said
    assert "Überweisung zeigen" not in said
    assert (await inside.http.get("/p/pay")).headers["location"] == "/p"
    await inside.change(Claim, inside.claims[0].id, status="open", limitation_date=date(2025, 1, 1))
    assert "verjährt" in words(await inside.http.get("/p"))


async def test_figures_that_nobody_confirmed_are_not_told(inside: Visiting) -> None:
    for claim in inside.claims:
        await inside.change(Claim, claim.id, confirmed_at=NOW - timedelta(days=3))
    said = words(await inside.http.get("/p"))
    assert "wird aktualisiert" in said
    assert "€" not in said
    assert (await inside.http.get(f"/p/plan?claim={inside.claims[0].id}")).status_code == 303
    assert (await inside.conversation()).state == "waiting"  # a person looks, as in the chat


async def test_the_transfer_follows_what_was_picked(inside: Visiting) -> None:
    first, second = inside.claims
    both = words(await inside.http.get("/p/pay"))
    assert "182,50 €" in both
    assert "eigenen Verwendungszweck" in both
    one = await inside.http.get(f"/p/pay?claim={second.id}")
    assert "60,00 €" in words(one)
    assert "122,50" not in one.text
    assert second.rf_reference in one.text
    assert "DE02 1203 0000 0000 2020 51" in words(one)
    svg = await inside.http.get(f"/p/qr.svg?claim={first.id}")
    assert svg.headers["content-type"] == "image/svg+xml"
    png = await inside.http.get(f"/p/qr.png?claim={first.id}")
    assert png.content.startswith(b"\x89PNG")


async def test_nobody_sees_anybody_elses_claims(inside: Visiting) -> None:
    for path in ("pay", "plan", "later", "less", "agreed", "receipt"):
        answer = await inside.http.get(f"/p/{path}?claim={inside.claims[1].id + 1000}")
        assert answer.status_code in (200, 303)
        assert "Gartentisch" not in answer.text or path == "pay"
    inside.http.cookies.clear()
    for path in ("qr.svg", "qr.png"):
        answer = await inside.http.get(f"/p/{path}?claim={inside.claims[0].id}")
        assert answer.status_code == 404


async def test_a_plan_is_reckoned_before_it_is_agreed(inside: Visiting) -> None:
    claim = inside.claims[0].id
    path = f"/p/plan?claim={claim}&count=4&first=2026-12-10"
    said = words(await inside.http.get(path))
    for part in ("10. Dezember 2026 30,62 €", "10. März 2027 30,64 €", "Zusammen 122,50 €"):
        assert part in said
    assert "kostet nichts extra" in said
    small = words(await inside.http.get(f"/p/plan?claim={claim}&amount=1"))
    assert "Am nächsten kommt dieser Vorschlag" in small
    unread = await inside.http.get(f"/p/plan?claim={claim}&amount=viel&fragment=true")
    assert "konnten wir nicht lesen" in unread.text
    piece = await inside.http.get(f"{path}&fragment=true")
    assert "<html" not in piece.text
    assert "30,62" in piece.text


async def test_a_yes_posts_the_plan_and_the_chat_knows(inside: Visiting) -> None:
    await inside.change(
        Conversation,
        inside.conversation_id,
        slots={"offer": {"id": "1"}, "awaiting": "confirm_agreement", "claim_shown": 1},
    )
    async with inside.parts.database.operator() as session:
        said = Message(
            merchant_id=inside.merchant.id, conversation_id=inside.conversation_id,
            channel_account_id=(await session.get_one(
                Conversation, inside.conversation_id)).channel_account_id,
            direction="in", author="customer", kind="message", text="Raten?", handled_at=NOW,
            created_at=NOW,
        )  # fmt: skip
        session.add(said)
        await session.flush()
        session.add(
            Turn(
                message_id=said.id, conversation_id=inside.conversation_id, at=NOW,
                merchant_id=inside.merchant.id,
                events=[{"event": "slot", "name": "offer", "value": {"id": "1"}}],
            )
        )  # fmt: skip
    claim = inside.claims[0].id
    fields = await inside.agreeing(f"/p/plan?claim={claim}&count=3")
    done = await inside.http.post("/p/agree", data=fields)
    assert done.headers["location"] == f"/p/agreed?claim={claim}"
    shown = words(await inside.http.get(done.headers["location"]))
    assert "Danke, das ist vereinbart" in shown
    assert "40,84 €" in shown
    (made,) = await agreements(inside)
    assert (made.claim_id, made.kind, made.status) == (claim, "instalment_plan", "active")
    assert made.conversation_id == inside.conversation_id
    held = await inside.conversation()
    assert (held.slots["offer"], held.slots["awaiting"]) == (None, "none")
    async with inside.parts.database.conversation(inside.merchant.id, held.id) as session:
        assert (await look(session, held.id, NOW)).past in ([], ())
    told = (await inside.messages())[-1]
    assert (told.wording, told.status, told.discloses) == ("page_noted", "queued", False)
    assert "https://kulanz.example/p/" in told.text
    assert inside.parts.events.changes == [held.id]
    assert len(await inside.events("page_agreed")) == 1


async def test_a_double_submit_posts_once(inside: Visiting) -> None:
    fields = await inside.agreeing(f"/p/later?claim={inside.claims[0].id}&until=2026-12-15")
    answers = await asyncio.gather(*(inside.http.post("/p/agree", data=fields) for _ in range(3)))
    assert {answer.headers["location"] for answer in answers} == {
        f"/p/agreed?claim={inside.claims[0].id}"
    }
    (made,) = await agreements(inside)
    assert made.kind == "deferral"
    assert len([m for m in await inside.messages() if m.wording == "page_noted"]) == 1


async def test_yesterdays_offer_counts_only_while_it_is_possible(inside: Visiting) -> None:
    claim = inside.claims[0].id
    fields = await inside.agreeing(f"/p/plan?claim={claim}&count=3")
    await post(inside, 50_00)
    answer = await inside.http.post("/p/agree", data=fields)
    assert answer.status_code == 409
    assert "Inzwischen hat sich etwas geändert" in words(answer)
    assert "Zusammen 72,50 €" in words(answer)
    assert await agreements(inside) == []
    form = answer.text.partition('action="/p/agree"')[2]
    assert 'name="terms"' in form


async def test_terms_of_ones_own_making_meet_the_guard(inside: Visiting) -> None:
    claim = inside.claims[0].id
    fields = await inside.agreeing(f"/p/plan?claim={claim}&count=3")
    terms = json.loads(fields["terms"])
    forged = [
        {"kind": "deferral", "amount": {"minor": 12250, "currency": "EUR"}, "until": "2036-01-01"},
        {"kind": "settlement", "amount": {"minor": 100, "currency": "EUR"},
         "waived": {"minor": 12150, "currency": "EUR"}, "due": "2026-11-24"},
        {**terms, "charge": {"minor": -5, "currency": "EUR"}},
        {**terms, "instalments": terms["instalments"][:1]},
        {"kind": "promise"}, [], "x", {"kind": 1},
    ]  # fmt: skip
    for wrong in forged:
        sent = {**fields, "terms": json.dumps(wrong)}
        answer = await inside.http.post("/p/agree", data=sent)
        assert answer.status_code in (303, 409), wrong
    for wrong in ("{", "null", '{"kind": "instalment_plan"}', "[" * 10_000):
        answer = await inside.http.post("/p/agree", data={**fields, "terms": wrong})
        assert answer.status_code == 303
    assert await agreements(inside) == []


async def test_a_plan_in_force_is_replaced(inside: Visiting) -> None:
    claim = inside.claims[0].id
    for count in (3, 2):
        fields = await inside.agreeing(f"/p/plan?claim={claim}&count={count}")
        await inside.http.post("/p/agree", data=fields)
    made = await agreements(inside)
    assert [one.status for one in made] == ["superseded", "active"]
    pay = words(await inside.http.get(f"/p/pay?claim={claim}"))
    assert "61,25 €" in pay
    assert "Alles auf einmal bezahlen" in pay
    everything = words(await inside.http.get(f"/p/pay?claim={claim}&everything=true"))
    assert "122,50 €" in everything


async def test_what_only_a_person_may_decide_goes_to_one(inside: Visiting) -> None:
    async with inside.parts.database.operator() as session:
        merchant = await session.get_one(type(inside.merchant), inside.merchant.id)
        merchant.policy = {"authority_minor": 50_00}
    claim = inside.claims[0].id
    page = await inside.http.get(f"/p/plan?claim={claim}&count=3")
    assert "Einen Menschen entscheiden lassen" in words(page)
    answer = await inside.send("/p/person", claim=claim, reason="above_authority")
    assert answer.headers["location"] == "/p?done=person"
    assert (await inside.conversation()).state == "waiting"
    assert "ruht" in words(await inside.http.get("/p"))


async def test_the_ledgers_plan_is_what_was_shown(inside: Visiting) -> None:
    fields = await inside.agreeing(f"/p/plan?claim={inside.claims[0].id}&amount=50")
    await inside.http.post("/p/agree", data=fields)
    (made,) = await agreements(inside)
    assert made.terms["agreed"] == json.loads(fields["terms"])
    async with inside.parts.database.operator() as session:
        record = await book.active_agreement(session, inside.claims[0].id)
    assert record is not None
    assert isinstance(record.terms, InstalmentPlan)
    assert terms_to_data(record.terms) == json.loads(fields["terms"])


async def test_what_comes_on_top_stands_apart_before_the_yes(inside: Visiting) -> None:
    """A charge and interest that goes on are told as sums; a plan that costs nothing says so."""
    claim = inside.claims[0].id
    await inside.change(
        Claim, claim, default_since=date(2026, 9, 12), default_proof="Mahnung vom 10.09.2026"
    )
    free = words(await inside.http.get(f"/p/plan?claim={claim}&count=4"))
    assert "Die Ratenzahlung kostet nichts extra." in free
    assert "Was dazukommt" not in free
    policy = {"plan_stops_interest": False, "plan_charge_business_minor": 9_00}
    await inside.change(Merchant, inside.merchant.id, policy=policy)
    await inside.change(Customer, inside.customer.id, business=True)
    page = await inside.http.get(f"/p/plan?claim={claim}&count=4")
    before_the_button = words(page).partition("Ratenplan vereinbaren")[0]
    assert "Was dazukommt Für die Ratenzahlung, in den Raten enthalten 9,00 €" in before_the_button
    coming = re.search(r"Zinsen bis dahin, voraussichtlich (\d+),(\d\d) €", before_the_button)
    assert coming is not None
    terms = terms_from_data(
        json.loads((await inside.agreeing(f"/p/plan?claim={claim}&count=4"))["terms"])
    )
    async with inside.parts.database.operator() as session:
        record = await book.record(session, claim, now=NOW)
    assert record.interest_ahead(terms, NOW) == Money(int(coming[1] + coming[2])) > Money(0)


async def test_a_down_payment_stands_before_the_instalments(visiting: Visiting) -> None:
    await visiting.enter()
    claim = visiting.claims[0].id
    page = await visiting.http.get(f"/p/plan?claim={claim}&count=3&down=40&down_day=2026-11-25")
    shown = words(page)
    assert "Anzahlung 25. November 2026 40,00 €" in shown
    assert "3. " in shown
    fields = await visiting.agreeing(f"/p/plan?claim={claim}&count=3&down=40&down_day=2026-11-25")
    agreed = await visiting.http.post("/p/agree", data=fields)
    assert agreed.headers["location"] == f"/p/agreed?claim={claim}"
    async with visiting.parts.database.merchant(visiting.merchant.id) as session:
        records = await book.records_of(session, visiting.customer.id)
        (terms,) = [one.statement().agreement.terms for one in records if one.statement().agreement]
    assert (terms.down_payment.amount, terms.down_payment.due) == (
        Money(40_00),
        date(2026, 11, 25),
    )
    assert terms.total == Money(122_50)


async def test_a_down_payment_is_fitted_to_the_policy_or_not_offered(visiting: Visiting) -> None:
    await visiting.enter()
    claim = visiting.claims[0].id
    least = {"instalment_minor_min": 20_00}
    await visiting.change(Merchant, visiting.merchant.id, policy=least)
    small = words(await visiting.http.get(f"/p/plan?claim={claim}&count=2&down=5"))
    assert "20,00 €" in small
    assert "Mit Anzahlung beginnen" in small
    unread = words(await visiting.http.get(f"/p/plan?claim={claim}&down=viel"))
    assert "konnten wir nicht lesen" in unread
    await visiting.change(Merchant, visiting.merchant.id, policy={"instalment_minor_min": 200_00})
    none = words(await visiting.http.get(f"/p/plan?claim={claim}"))
    assert "Anzahlung" not in none

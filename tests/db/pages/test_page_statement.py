"""The statement of a claim on the customer's page: every item once, and only behind the proof."""

from datetime import date, timedelta
from io import BytesIO

import httpx
import pypdf
import pytest

from conversation.wording.formats import money
from ledger import book
from ledger.money import Money
from ledger.statement import Statement
from storage.tables import Claim, Customer
from tests.conftest import NOW
from tests.db.pages.conftest import Visiting, words


@pytest.fixture
async def inside(visiting: Visiting) -> Visiting:
    """The customer, come in; the first invoice bears interest."""
    await visiting.enter()
    await visiting.change(
        Claim,
        visiting.claims[0].id,
        default_since=date(2026, 9, 12),
        default_proof="Mahnung vom 10.09.2026",
    )
    return visiting


async def pay(inside: Visiting, minor: int, day: date) -> None:
    async with inside.parts.database.operator() as session:
        await book.post_payment(
            session,
            inside.claims[0].id,
            Money(minor),
            value_date=day,
            now=NOW,
            key=f"pay:{minor}",
        )


async def test_a_payment_that_was_booked_anew_is_told_once(inside: Visiting) -> None:
    await pay(inside, 20_00, date(2026, 10, 20))
    await pay(inside, 30_00, date(2026, 10, 2))  # an earlier value date comes in later
    said = words(await inside.http.get("/p"))
    assert said.count("− 20,00 €") == 1
    assert said.count("− 30,00 €") == 1
    assert "− 50,00 €" not in said


def text_of(letter: httpx.Response) -> str:
    assert letter.headers["content-type"] == "application/pdf"
    reader = pypdf.PdfReader(BytesIO(letter.content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def written(amount: Money) -> str:
    return str(money(amount.to_json(), "de")).replace("\xa0", " ")


async def statement(inside: Visiting) -> Statement:
    async with inside.parts.database.operator() as session:
        return await book.statement(session, inside.claims[0].id, now=NOW)


async def test_page_and_letter_say_what_the_book_says(inside: Visiting) -> None:
    await pay(inside, 20_00, date(2026, 10, 2))
    claim = inside.claims[0].id
    told = await statement(inside)
    page = words(await inside.http.get(f"/p/statement?claim={claim}"))
    letter = text_of(await inside.http.get(f"/p/statement.pdf?claim={claim}"))
    assert told.charged.interest.minor > 0
    for said in (page, letter):
        for part in (
            "Gartentisch",
            "Porto der Mahnung",
            "Verzugszinsen",
            written(told.charged.interest),
            f"Zusammen {written(told.charged.total)}",
            "− 20,00 €",
            f"Offen am 23. November 2026 {written(told.open.total)}",
            "12.09.2026 – 02.10.2026",
            "DE02 1203 0000 0000 2020 51",
        ):
            assert part in said
    assert "Aufstellung als PDF" in words(await inside.http.get("/p"))


async def test_who_has_not_proved_who_they_are_gets_no_statement(visiting: Visiting) -> None:
    claim = visiting.claims[0].id
    await visiting.link()
    page = await visiting.http.get(f"/p/statement?claim={claim}")
    letter = await visiting.http.get(f"/p/statement.pdf?claim={claim}")
    assert letter.status_code == 404
    assert not letter.content
    assert "Gartentisch" not in page.text
    assert "Code" in words(page)


async def test_nobody_gets_the_statement_of_anybody_else(inside: Visiting) -> None:
    async with inside.parts.database.operator() as session:
        other = Customer(
            merchant_id=inside.merchant.id,
            number="K-2002",
            name="Anders",
            created_at=NOW,
            updated_at=NOW,
        )
        session.add(other)
    await inside.change(Claim, inside.claims[1].id, customer_id=other.id)
    for claim in (inside.claims[1].id, 2**62):
        assert (await inside.http.get(f"/p/statement.pdf?claim={claim}")).status_code == 404
        page = await inside.http.get(f"/p/statement?claim={claim}")
        assert page.headers["location"] == "/p"


async def test_figures_that_nobody_confirmed_make_no_statement(inside: Visiting) -> None:
    claim = inside.claims[0].id
    await inside.change(Claim, claim, confirmed_at=NOW - timedelta(days=3))
    assert (await inside.http.get(f"/p/statement.pdf?claim={claim}")).status_code == 404
    assert (await inside.http.get(f"/p/statement?claim={claim}")).status_code == 303


async def test_what_is_disputed_asks_for_nothing(inside: Visiting) -> None:
    async with inside.parts.database.operator() as session:
        await book.dispute(session, inside.claims[0].id, "dispute_goods", now=NOW)
    said = words(await inside.http.get(f"/p/statement?claim={inside.claims[0].id}"))
    assert "Bis dahin müssen Sie nichts bezahlen" in said
    assert "IBAN" not in said


async def test_an_agreed_plan_stands_in_it_and_the_next_rate_is_to_be_paid(
    inside: Visiting,
) -> None:
    claim = inside.claims[1].id
    fields = await inside.agreeing(f"/p/plan?claim={claim}&count=3")
    assert (await inside.http.post("/p/agree", data=fields)).status_code == 303
    letter = text_of(await inside.http.get(f"/p/statement.pdf?claim={claim}"))
    assert "Das ist vereinbart" in letter
    assert "Betrag 20,00 €" in letter


async def test_it_is_read_in_the_visitors_language(inside: Visiting) -> None:
    claim = inside.claims[0].id
    page = await inside.http.get(f"/p/statement?claim={claim}&lang=en")
    assert "Open on 23 November 2026" in words(page)
    letter = await inside.http.get(f"/p/statement.pdf?claim={claim}")
    assert "Statement for your invoice" in text_of(letter)
    assert letter.headers["content-disposition"] == (
        'attachment; filename="Statement-for-invoice-RE-2026-1044-2026-11-23.pdf"'
    )

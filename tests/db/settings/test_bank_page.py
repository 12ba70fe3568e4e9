"""Movements of bank statements at the console: matched, put aside, taken back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    BankMovement,
    Claim,
    Customer,
    IntakeBatch,
    Merchant,
    Posting,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, words

TODAY = NOW.date()


@pytest.fixture
async def claims(database: Database, merchant: Merchant, customer: Customer) -> list[Claim]:
    """Two claims of one customer."""
    async with database.merchant(merchant.id) as session:
        return [
            await book.open_claim(
                session,
                NewClaim(
                    merchant_id=merchant.id, customer_id=customer.id, reference=f"F-{n}",
                    invoice_number=f"RE-2026-{n:04d}", description="Laufschuhe",
                    principal=Money(50_00 * n), invoice_date=TODAY - timedelta(days=60),
                    due_date=TODAY - timedelta(days=46), confirmed_at=NOW,
                ),
                now=NOW, key=f"open:{n}",
            )
            for n in (1, 2)
        ]  # fmt: skip


async def arrived(
    database: Database, merchant: Merchant, claim: Claim | None, minor: int, **more: Any
) -> int:
    """A movement that waits, with this claim proposed or none; its number."""
    shares = [{"claim": claim.id, "minor": minor}] if claim else []
    async with database.merchant(merchant.id) as session:
        batch = IntakeBatch(
            merchant_id=merchant.id, kind="bank_statement", name="x", sha256="x", rows_total=1,
            rows_added=1, rows_changed=0, rows_unchanged=0, at=NOW,
        )  # fmt: skip
        session.add(batch)
        await session.flush()
        row = BankMovement(
            merchant_id=merchant.id, batch_id=batch.id, account="DE02120300000000202051",
            format="camt", statement_number="1", booked=TODAY, value_date=TODAY,
            amount_minor=minor, content=f"c{batch.id}", position=1,
            state="suggested" if claim else "unmatched", text="Danke & Gruß",
            payer_name="Anna Beispiel", created_at=NOW,
            match={"shares": shares, "evidence": ["name"], "doubt": "no_number"},
            **{"currency": "EUR", **more},
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row.id


async def paid(database: Database, merchant: Merchant, claim: Claim) -> int:
    async with database.merchant(merchant.id) as session:
        record = await book.record(session, claim.id, now=NOW)
    return int(claim.invoice_number[-1]) * 50_00 - record.open.total.minor


async def state(database: Database, merchant: Merchant, number: int) -> str:
    async with database.merchant(merchant.id) as session:
        return (await session.get_one(BankMovement, number)).state


async def test_one_click_posts_as_proposed_once_and_is_taken_back(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    number = await arrived(database, merchant, claims[0], 50_00)
    page = await console.get("/console/bank")
    assert "Anna Beispiel" in words(page)
    assert "Danke &amp; Gruß" in page.text
    assert "F-1" in words(page)
    assert "keine Nummer genannt ist" in words(page)
    for _ in range(2):
        answer = await console.post(f"/console/bank/{number}/accept", back="suggested")
        assert answer.status_code == 303
        assert f"of={number}" in answer.headers["location"]
    assert await paid(database, merchant, claims[0]) == 50_00
    async with database.merchant(merchant.id) as session:
        payments = await session.scalars(select(Posting).where(Posting.kind == "payment"))
        logged = await session.scalars(
            select(AuditEvent).where(AuditEvent.kind == "movement_matched")
        )
        (entry,) = logged.all()
        assert len(payments.all()) == 1
    assert (entry.person, entry.facts) == ("m.koch", {"movement": number})
    told = await console.get(answer.headers["location"])
    assert "Gebucht." in words(told)
    assert f"/console/bank/{number}/undo" in told.text
    posted = words(await console.get("/console/bank?state=posted"))
    assert "m.koch" in posted
    assert "Gebucht auf" in posted
    for _ in range(2):
        assert (await console.post(f"/console/bank/{number}/undo")).status_code == 303
    assert await paid(database, merchant, claims[0]) == 0
    assert await state(database, merchant, number) == "suggested"


async def test_another_claim_is_found_and_matched(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    number = await arrived(database, merchant, None, 100_00)
    assert "Alles hat" not in words(await console.get("/console/bank?state=unmatched"))
    found = await console.get(f"/console/bank/{number}?q=2026%2F2")
    assert "RE-2026-0002" in words(found)
    assert "RE-2026-0001" not in words(found)
    claim = re.search(r'name="claim" value="(\d+)"', found.text)
    assert claim is not None
    assert int(claim.group(1)) == claims[1].id
    nothing = await console.post(f"/console/bank/{number}/accept")
    assert nothing.status_code == 422
    assert "keinen Vorschlag" in words(nothing)
    unknown = await console.post(f"/console/bank/{number}/accept", claim="999999")
    assert unknown.status_code == 422
    assert "gibt es nicht" in words(unknown)
    done = await console.post(f"/console/bank/{number}/accept", claim=str(claims[1].id))
    assert done.status_code == 303
    assert await paid(database, merchant, claims[1]) == 100_00


async def test_what_a_colleague_has_matched_otherwise_is_not_told_as_done(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    number = await arrived(database, merchant, None, 50_00)
    at = f"/console/bank/{number}/accept"
    assert (await console.post(at, claim=str(claims[0].id))).status_code == 303
    late = await console.post(at, claim=str(claims[1].id))
    assert late.status_code == 422
    assert "schon entschieden" in words(late)
    assert await paid(database, merchant, claims[0]) == 50_00
    assert await paid(database, merchant, claims[1]) == 0


async def test_what_arrived_in_another_currency_takes_its_amount(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    number = await arrived(database, merchant, None, 55_00, currency="CHF")
    at, claim = f"/console/bank/{number}/accept", str(claims[0].id)
    bare = await console.post(at, claim=claim)
    assert bare.status_code == 422
    assert "andere Währung" in words(bare)
    wrong = await console.post(at, claim=claim, amount="viel")
    assert wrong.status_code == 422
    assert "119,50" in words(wrong)
    assert (await console.post(at, claim=claim, amount="49,90")).status_code == 303
    assert await paid(database, merchant, claims[0]) == 49_90


async def test_what_belongs_to_no_claim_is_put_aside_and_matched_later_all_the_same(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    number = await arrived(database, merchant, claims[0], 50_00)
    answer = await console.post(f"/console/bank/{number}/reject", back="suggested")
    assert await state(database, merchant, number) == "rejected"
    assert "Doch zuordnen" in words(await console.get(answer.headers["location"]))
    assert "Nichts zu entscheiden" in words(await console.get("/console/bank"))
    assert (await console.post(f"/console/bank/{number}/accept")).status_code == 303
    refused = await console.post(f"/console/bank/{number}/reject")
    assert refused.status_code == 422
    assert "schon entschieden" in words(refused)


async def test_each_list_goes_on_where_the_page_before_ended(
    console: Console, database: Database, merchant: Merchant, claims: list[Claim]
) -> None:
    numbers = [await arrived(database, merchant, None, 1_00) for _ in range(30)]
    for kind, order in (("unmatched", numbers), ("rejected", numbers[::-1])):
        if kind == "rejected":
            async with database.operator() as session:
                for row in await session.scalars(select(BankMovement)):
                    row.state = "rejected"
        shown: list[int] = []
        path = f"/console/bank?state={kind}"
        for _ in range(2):
            page = await console.get(path)
            shown += [int(n) for n in re.findall(r'id="m(\d+)"', page.text)]
            further = re.search(r'href="(\?[^"]*)" rel="next"', page.text)
            path = "/console/bank" + further.group(1).replace("&amp;", "&") if further else ""
        assert shown == order
        assert not path

"""Costs of default over REST and by file: charged once, and only what law and policy allow."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from api import claim_costs
from api.errors import register_errors
from api.keys import create_api_key
from ledger import book
from ledger.agreements import Deferral
from ledger.intake_book import RowsRefused, Source
from ledger.intake_items import take_items
from ledger.money import Money, Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from storage.engine import Database
from storage.tables import Claim, Customer, Merchant
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits

LETTER: dict[str, Any] = {
    "event_id": "B-1",
    "kind": "letter",
    "amount": "1.20",
    "reason": "Brief vom 20. November, Druck und Porto",
    "day": "2026-11-20",
}
LUMP: dict[str, Any] = {
    "event_id": "P-1",
    "kind": "lump_sum",
    "amount": "40.00",
    "reason": "Pauschale nach § 288 Abs. 5 BGB",
    "day": "2026-11-20",
}


class StandingClock:
    def now(self) -> Any:
        return NOW


@dataclass
class FakeParts:
    database: Database
    clock: StandingClock = field(default_factory=StandingClock)
    limits: FakeLimits = field(default_factory=FakeLimits)


@dataclass
class Office:
    """A merchant's bookkeeping, with a claim of a hundred euros in default since October."""

    client: httpx.AsyncClient
    database: Database
    merchant: Merchant
    customer: Customer
    key: str
    claim: Claim

    async def charge(self, reference: str = "R-1", **given: Any) -> httpx.Response:
        return await self.client.post(
            f"/api/v1/claims/{reference}/costs",
            json=given,
            headers={"Authorization": f"Bearer {self.key}"},
        )

    async def costs(self) -> Money:
        async with self.database.merchant(self.merchant.id) as session:
            return (await book.balance(session, self.claim.id)).costs

    async def reason(self) -> str | None:
        async with self.database.merchant(self.merchant.id) as session:
            return await session.scalar(select(Claim.costs_reason))

    async def business(self) -> None:
        async with self.database.operator() as session:
            (await session.get_one(Customer, self.customer.id)).business = True

    async def items(self, *items: dict[str, str]) -> list[Problem]:
        problems: list[Problem] = []
        rows = [{"claim_reference": "R-1", **row} for row in items]
        try:
            async with self.database.merchant(self.merchant.id) as session:
                await take_items(
                    session,
                    [Record(line, row) for line, row in enumerate(rows, 2)],
                    Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH),
                    Source("open_items", "test", "0" * 64),
                    merchant_id=self.merchant.id,
                    report=problems.append,
                )
        except RowsRefused:
            assert problems
        return problems


@pytest.fixture
async def office(
    database: Database, merchant: Merchant, customer: Customer
) -> AsyncIterator[Office]:
    app = app_of(claim_costs.router)
    register_errors(app)
    app.state.parts = FakeParts(database)
    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).policy = {"reminder_letter_minor": 1_20}
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
        claim = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="R-1",
                invoice_number="R-1",
                description="Schuhe",
                principal=Money(100_00),
                invoice_date=date(2026, 9, 1),
                due_date=date(2026, 9, 15),
                default_since=date(2026, 10, 1),
                default_proof="Brief vom 30.9.2026",
            ),
            now=NOW,
            key="open",
        )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kulanz.test") as client:
        yield Office(client, database, merchant, customer, key, claim)


async def test_a_letter_is_charged_once_with_its_reason(office: Office) -> None:
    first = await office.charge(**LETTER)
    assert first.status_code == 200
    assert first.json()["charged"] == "1.20"
    assert (await office.charge(**LETTER)).json() == first.json()
    assert await office.costs() == Money(1_20)
    assert await office.reason() == LETTER["reason"]
    another = {**LETTER, "event_id": "B-2", "reason": "Brief vom 22. November"}
    assert (await office.charge(**another)).json()["costs"] == "2.40"
    assert await office.reason() == f"{LETTER['reason']}; Brief vom 22. November"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": "1.21"}, "policy asks for at most 120 cents"),
        ({"amount": "1.51"}, "print and postage"),
        ({"day": "2026-09-30"}, "brings default about is free"),
        ({"day": "2026-11-24"}, "future"),
        ({"reason": "Mahnkosten"}, "say what the costs are for"),
        ({"amount": "1.205"}, "too many decimals"),
        ({"kind": "electronic_reminder", "amount": "0.50"}, "electronic reminder costs nothing"),
        (LUMP, "businesses only"),
    ],
)
async def test_what_law_or_policy_forbids_is_refused_with_the_rule(
    office: Office, change: dict[str, str], problem: str
) -> None:
    answer = await office.charge(**{**LETTER, **change})
    assert answer.status_code == 409
    assert answer.json()["error"] == "CostsRefused"
    assert problem in answer.json()["detail"]
    assert await office.costs() == Money(0)
    assert await office.reason() is None


async def test_a_merchant_who_charges_no_letters_has_none(office: Office) -> None:
    async with office.database.operator() as session:
        (await session.get_one(Merchant, office.merchant.id)).policy = {}
    assert (await office.charge(**LETTER)).status_code == 409


async def test_an_electronic_reminder_for_nothing_is_fine_and_posts_nothing(office: Office) -> None:
    answer = await office.charge(**{**LETTER, "kind": "electronic_reminder", "amount": "0"})
    assert (answer.status_code, answer.json()["charged"]) == (200, "0.00")
    assert await office.reason() is None


async def test_a_business_pays_the_lump_sum_once_and_less_beside_legal_costs(
    office: Office,
) -> None:
    await office.business()
    wrong = await office.charge(**{**LUMP, "amount": "39.00"})
    assert "lump sum is" in wrong.json()["detail"]
    assert (await office.charge(**LUMP)).json()["charged"] == "40.00"
    assert "before" in (await office.charge(**{**LUMP, "event_id": "P-2"})).json()["detail"]
    legal = {
        **LUMP,
        "event_id": "A-1",
        "kind": "legal_costs",
        "amount": "30.00",
    }
    answer = (await office.charge(**legal)).json()
    assert (answer["charged"], answer["costs"]) == ("0.00", "40.00")


async def test_other_states_of_a_claim(office: Office) -> None:
    assert (await office.charge("R-9", **LETTER)).status_code == 404
    clash = await office.charge(**LETTER)
    assert clash.status_code == 200
    other = await office.charge(**{**LETTER, "amount": "1.10"})
    assert other.json()["error"] == "IdempotencyConflict"
    async with office.database.merchant(office.merchant.id) as session:
        await book.dispute(session, office.claim.id, "returned", now=NOW)
    assert (await office.charge(**LETTER)).json() == clash.json()  # a repetition, not a new one
    new = {**LETTER, "event_id": "B-3"}
    assert (await office.charge(**new)).json()["error"] == "ClaimInDispute"
    async with office.database.merchant(office.merchant.id) as session:
        await book.recall(session, office.claim.id, "merchant", now=NOW)
    assert (await office.charge(**new)).json()["error"] == "ClaimNotOpen"
    assert await office.costs() == Money(1_20)


async def test_malformed_costs_and_a_missing_key(office: Office) -> None:
    for change in ({"amount": "-1"}, {"amount": "x"}, {"kind": "fee"}, {"day": "soon"}):
        assert (await office.charge(**{**LETTER, **change})).status_code == 422
    answer = await office.client.post("/api/v1/claims/R-1/costs", json=LETTER)
    assert answer.status_code == 401


async def test_costs_come_by_file_too(office: Office) -> None:
    row = {
        "event_id": "B-1",
        "event": "Brief",
        "amount": "1.20",
        "date": "2026-11-20",
        "reason": "Brief vom 20. November",
    }
    assert await office.items(row, row) == []
    assert await office.costs() == Money(1_20)
    # The same key space: what came by file is known over REST.
    assert (await office.charge(**LETTER)).json()["costs"] == "1.20"
    for change, column in (
        ({"amount": "1.40"}, "event"),
        ({"reason": "Mahngebühr"}, "reason"),
        ({"reason": ""}, "reason"),
        ({"event": "lump_sum", "amount": "40.00"}, "event"),
        ({"event": "payment"}, "reason"),
    ):
        given = {**row, "event_id": "B-2", **change}
        cells = {name: cell for name, cell in given.items() if cell}
        (problem,) = await office.items(cells)
        assert problem.column == column
    assert await office.costs() == Money(1_20)


async def test_who_was_given_time_is_charged_nothing_for_it(office: Office) -> None:
    """A deferral suspends the default (§ 286 BGB): a letter of those days is the merchant's own."""
    async with office.database.merchant(office.merchant.id) as session:
        then = NOW.replace(day=10)
        owed = (await book.statement(session, office.claim.id, now=then)).open.total
        await book.agree(
            session,
            office.claim.id,
            Deferral(owed, date(2026, 12, 15)),
            guard=lambda terms, facts: None,
            now=then,
            key="time",
        )
    refused = await office.charge(**LETTER)
    assert (refused.status_code, refused.json()["error"]) == (409, "CostsRefused")
    assert (await office.charge(**{**LETTER, "day": "2026-11-09"})).status_code == 200
    assert await office.costs() == Money(1_20)

"""Open items stay fresh: what the merchant reports is posted once, in order, all or nothing."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from ledger import book
from ledger.claim import ClaimStatus
from ledger.intake_book import RowsRefused, Source, take_claims
from ledger.intake_items import ItemsOutcome, take_items
from ledger.money import Money, Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from ledger.statement import Statement
from storage.engine import Database
from storage.tables import Claim, Merchant, Posting

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SETTING = Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH)
CLAIM = {
    "customer_number": "K-1",
    "name": "Brandt",
    "invoice_number": "RE-1",
    "description": "Kaffeemaschine",
    "invoice_date": "2026-08-01",
    "due_date": "2026-08-15",
    "amount": "100.00",
    "confirmed_at": "2026-11-20",
}
PAYMENT = {
    "event_id": "B-1",
    "event": "payment",
    "claim_reference": "RE-1",
    "amount": "40.00",
    "date": "2026-11-20",
}
CONFIRMATION = {"event_id": "C-1", "event": "confirmation", "claim_reference": "RE-1"}


@dataclass
class Items:
    """Takes rows of changes, and keeps the problems that were reported."""

    database: Database
    merchant: Merchant
    problems: list[Problem] = field(default_factory=list)

    async def __call__(self, *rows: dict[str, str], later: timedelta = timedelta()) -> ItemsOutcome:
        self.problems.clear()
        async with self.database.merchant(self.merchant.id) as session:
            return await take_items(
                session,
                [Record(line, row) for line, row in enumerate(rows, start=2)],
                replace(SETTING, now=NOW + later),
                Source("open_items", "test.csv", "0" * 64),
                merchant_id=self.merchant.id,
                report=self.problems.append,
            )

    async def refused(self, *rows: dict[str, str]) -> list[tuple[int, str]]:
        with pytest.raises(RowsRefused):
            await self(*rows)
        return [(problem.line, problem.column) for problem in self.problems]

    async def claim(self, reference: str = "RE-1") -> Claim:
        async with self.database.merchant(self.merchant.id) as session:
            return (await session.scalars(select(Claim).where(Claim.reference == reference))).one()

    async def statement(self) -> Statement:
        claim = await self.claim()
        async with self.database.merchant(self.merchant.id) as session:
            return await book.statement(session, claim.id)

    async def open(self) -> Money:
        return (await self.statement()).open.total


@pytest.fixture
async def items(database: Database, merchant: Merchant) -> Items:
    async with database.merchant(merchant.id) as session:
        await take_claims(
            session,
            [Record(2, CLAIM), Record(3, {**CLAIM, "invoice_number": "RE-2"})],
            SETTING,
            Source("claims", "test.csv", "0" * 64),
            merchant_id=merchant.id,
            report=lambda problem: None,
            show=lambda difference: None,
        )
    return Items(database, merchant)


async def test_what_happened_is_posted_in_the_files_order(items: Items) -> None:
    outcome = await items(
        PAYMENT,
        {**PAYMENT, "event_id": "B-2", "event": "credit_note", "amount": "10"},
        {**PAYMENT, "event_id": "B-3", "event": "return", "returned_event_id": "B-1"},
        {**CONFIRMATION, "amount": "90.00"},
    )
    assert (outcome.rows_posted, outcome.rows_repeated, outcome.rows_confirmed) == (3, 0, 1)
    statement = await items.statement()
    assert statement.open.total == Money(9000)
    assert statement.intact
    assert (await items.claim()).confirmed_at == NOW


async def test_the_same_events_again_change_nothing(items: Items) -> None:
    rows = (PAYMENT, {**PAYMENT, "event_id": "B-2", "event": "return", "amount": "15"})
    await items(*rows)
    outcome = await items(*rows, later=timedelta(days=1))
    assert (outcome.rows_posted, outcome.rows_repeated) == (0, 2)
    assert await items.open() == Money(7500)


async def test_an_event_with_other_content_is_refused(items: Items) -> None:
    await items(PAYMENT)
    assert await items.refused({**PAYMENT, "amount": "41"}) == [(2, "event_id")]
    assert await items.refused({**PAYMENT, "claim_reference": "RE-2"}) == [(2, "event_id")]


async def test_one_problem_keeps_all_rows_out_and_every_problem_is_named(items: Items) -> None:
    found = await items.refused(
        PAYMENT,
        {**PAYMENT, "event_id": "B-2", "claim_reference": "RE-9"},
        {**PAYMENT, "event_id": "B-3", "event": "return", "amount": "40.01"},
        {**PAYMENT, "event_id": "B-4", "event": "return", "returned_event_id": "B-9"},
        {**PAYMENT, "event_id": "B-5", "currency": "CHF"},
        {**CONFIRMATION, "amount": "99.99"},
        {**PAYMENT, "event_id": "B-6", "amount": "x"},
    )
    assert sorted(found) == [
        (3, "claim_reference"),
        (4, "amount"),
        (5, "returned_event_id"),
        (6, "currency"),
        (7, "amount"),
        (8, "amount"),
    ]
    assert await items.open() == Money(10000)


async def test_a_payment_of_everything_settles_and_its_return_opens_again(items: Items) -> None:
    await items({**PAYMENT, "amount": "100"})
    assert (await items.claim()).status == ClaimStatus.SETTLED
    await items({**PAYMENT, "event_id": "B-2", "event": "return", "amount": "100"})
    assert (await items.claim()).status == ClaimStatus.OPEN


async def test_a_recalled_claim_is_not_pursued_any_more(items: Items) -> None:
    recall = {"event_id": "R-1", "event": "recall", "claim_reference": "RE-1"}
    assert (await items(recall)).rows_posted == 1
    assert (await items.claim()).status == ClaimStatus.RECALLED
    await items(recall)
    assert (await items.claim()).status == ClaimStatus.RECALLED


async def test_a_confirmation_moves_forward_only(items: Items) -> None:
    await items({**CONFIRMATION, "date": "2026-11-23T08:00Z"})
    await items({**CONFIRMATION, "date": "2026-11-21"})
    assert (await items.claim()).confirmed_at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


async def test_one_confirmation_covers_every_claim_that_is_open(items: Items) -> None:
    await items({"event_id": "R-1", "event": "recall", "claim_reference": "RE-2"})
    recalled = (await items.claim("RE-2")).confirmed_at
    await items({**CONFIRMATION, "claim_reference": "*"})
    assert (await items.claim("RE-1")).confirmed_at == NOW
    assert (await items.claim("RE-2")).confirmed_at == recalled


async def test_events_of_two_merchants_do_not_meet(items: Items, database: Database) -> None:
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    theirs = Items(database, other)
    assert await theirs.refused(PAYMENT) == [(2, "claim_reference")]
    await items(PAYMENT)
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(Posting)) == 3

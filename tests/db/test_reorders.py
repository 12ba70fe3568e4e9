"""Orders that followed a solved case: reported over REST or by file, each counted once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from api import intake
from api.keys import create_api_key
from ledger.intake_book import Source
from ledger.intake_reorders import take_reorders
from ledger.money import Notation
from ledger.rows_claims import Setting
from ledger.rows_file import open_rows
from ledger.rows_reorders import COLUMNS
from storage.engine import Database
from storage.tables import Customer, Merchant, Reorder
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits
from tests.db.console_browser import MovedClock

ORDER = {"order_number": "B-1", "customer_number": "K-1001", "date": "2026-11-20"}


@dataclass
class FakeParts:
    """What the intake needs of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    limits: FakeLimits = field(default_factory=FakeLimits)


@pytest.fixture
async def client(database: Database, merchant: Merchant) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(intake.router)
    app.state.parts = FakeParts(database)
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://kulanz.test",
        headers={"Authorization": f"Bearer {key}"},
    ) as made:
        yield made


async def sent(client: httpx.AsyncClient, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/api/v1/reorders", json=list(rows))
    return {"status": answer.status_code, **answer.json()}


async def kept(database: Database, merchant: Merchant) -> list[tuple[str, str, int | None]]:
    async with database.merchant(merchant.id) as session:
        found = await session.scalars(select(Reorder).order_by(Reorder.order_number))
        return [(one.order_number, one.ordered_on.isoformat(), one.amount_minor) for one in found]


async def test_an_order_counts_once_and_strangers_are_not_kept(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, customer: Customer
) -> None:
    rows = [
        ORDER,
        {**ORDER, "order_number": "B-2", "amount": "59.90"},
        {**ORDER, "order_number": "B-3", "customer_number": "K-9"},
    ]
    first = await sent(client, *rows)
    assert (first["rows_added"], first["rows_repeated"], first["rows_unknown"]) == (2, 0, 1)
    again = await sent(client, *rows, ORDER)
    assert (again["rows_added"], again["rows_repeated"], again["rows_unknown"]) == (0, 3, 1)
    assert await kept(database, merchant) == [
        ("B-1", "2026-11-20", None),
        ("B-2", "2026-11-20", 59_90),
    ]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"date": "2026-11-19"}, "order_number"),
        ({"amount": "10.00"}, "order_number"),
        ({"order_number": "B-2", "date": "2026-12-24"}, "date"),
        ({"order_number": "B-2", "amount": "0.00"}, "amount"),
        ({"order_number": ""}, "order_number"),
        ({"order_number": "B-2", "date": "20/11/2026"}, "date"),
    ],
)
async def test_one_wrong_row_takes_none(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, customer: Customer,
    changed: dict[str, Any], column: str,
) -> None:  # fmt: skip
    assert (await sent(client, ORDER))["rows_added"] == 1
    refused = await sent(client, {**ORDER, "order_number": "B-7"}, {**ORDER, **changed})
    assert refused["status"] == 422
    assert [(one["row"], one["column"]) for one in refused["problems"]] == [(2, column)]
    assert await kept(database, merchant) == [("B-1", "2026-11-20", None)]


async def test_two_rows_of_one_order_that_differ_are_refused(
    client: httpx.AsyncClient, database: Database, merchant: Merchant, customer: Customer
) -> None:
    refused = await sent(client, ORDER, {**ORDER, "date": "2026-11-19"})
    assert (refused["status"], refused["problems"][0]["row"]) == (422, 2)
    assert await kept(database, merchant) == []


async def test_a_file_says_the_same(
    database: Database, merchant: Merchant, customer: Customer, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("Bestellnummer;Kundennummer;Bestelldatum;Betrag\nB-1;K-1001;20.11.2026;59,90\n")
    rows = open_rows(file, COLUMNS, ignore_unknown=False, notation=Notation.EITHER)
    setting = Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=rows.notation)
    async with database.merchant(merchant.id) as session:
        outcome = await take_reorders(
            session, rows.records(), setting, Source("reorders", file.name, rows.sha256),
            merchant_id=merchant.id, report=lambda problem: pytest.fail(str(problem)),
        )  # fmt: skip
    assert (outcome.rows_total, outcome.rows_added) == (1, 1)
    assert await kept(database, merchant) == [("B-1", "2026-11-20", 59_90)]

"""A plan over many customers reads pages, not persons."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from outreach.facts import PlannedContact
from outreach.planner import plan
from storage.engine import Database
from storage.tables import (
    Merchant,
)
from tests.conftest import NOW  # Monday, 11:00 in Berlin
from tests.db.outreach_shop import Shop


@pytest.fixture
def shop(database: Database, merchant: Merchant) -> Shop:
    return Shop(database, merchant)


MANY = """
INSERT INTO customer (merchant_id, number, name, created_at, updated_at)
    SELECT :merchant, 'M-' || n, 'Beispiel', :now, :now FROM generate_series(1, :count) n;
INSERT INTO contact_point (merchant_id, customer_id, channel, address, source, created_at)
    SELECT merchant_id, id, 'sms', '+49157' || lpad(id::text, 8, '0'), 'merchant_import', :now
    FROM customer;
INSERT INTO claim (merchant_id, customer_id, reference, invoice_number, description, currency,
        rf_reference, invoice_date, due_date, confirmed_at, created_at, updated_at)
    SELECT merchant_id, id, number || '-' || k, number || '-' || k, 'Ware', 'EUR',
        number || '-' || k, '2026-09-01', '2026-09-15', :now, :now, :now
    FROM customer, generate_series(1, 2) k;
INSERT INTO posting (merchant_id, claim_id, number, kind, source, destination, amount_minor,
        currency, value_date, booked_at, idempotency_key, input_hash, previous_hash, hash)
    SELECT merchant_id, id, k, 'opening', 'revenue',
        CASE k WHEN 1 THEN 'receivable:principal' ELSE 'receivable:costs' END, 1000 * k,
        'EUR', '2026-09-01', :now, 'many:' || id || ':' || k, '', '', ''
    FROM claim, generate_series(1, 2) k
"""


async def test_twenty_thousand_customers_page_by_page(
    owner_dsn: str, shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    """The number of statements grows with pages, not customers; the time is only reported."""
    count = 20_000
    async with shop.database.operator() as session:
        for statement in MANY.split(";"):
            await session.execute(
                text(statement), {"merchant": shop.merchant.id, "now": NOW, "count": count}
            )
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("ANALYZE")  # as autovacuum does after so many new rows
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = shop.database.engines[0].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    begun = time.perf_counter()
    planned = 0
    async with shop.session() as session:
        async for decision in plan(session, merchant_id=shop.merchant.id, now=NOW):
            planned += isinstance(decision, PlannedContact)
    seconds = time.perf_counter() - begun
    event.remove(engine, "before_cursor_execute", note)
    record_property("plan_20000_customers_seconds", round(seconds, 2))
    print(f"plan over {count} customers: {seconds:.2f} s, {len(statements)} statements")
    assert planned == count
    assert len(statements) <= 10 * (count // 500 + 1) + 3

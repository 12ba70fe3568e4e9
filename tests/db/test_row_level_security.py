"""Row-level security stands behind every query."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from storage.engine import Database
from storage.tables import AuditEvent, Base, Customer, Merchant, Person
from tests.conftest import NOW


async def test_every_table_of_a_merchant_has_a_forced_policy(database: Database) -> None:
    async with database.operator() as session:
        rows = await session.execute(
            text(
                """
                SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
                       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
                FROM pg_class c
                JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
                WHERE c.relkind = 'r' AND EXISTS (
                    SELECT 1 FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'merchant_id' AND NOT a.attisdropped
                )
                """
            )
        )
        found = {name: (forced, policies) for name, forced, policies in rows}
    declared = {t.name for t in Base.metadata.sorted_tables if "merchant_id" in t.columns}
    assert set(found) == declared
    assert {name for name, state in found.items() if state != (True, 2)} == set()


async def test_application_roles_pass_no_row_security(database: Database) -> None:
    async with database.operator() as session:
        roles = await session.execute(
            text(
                "SELECT rolname FROM pg_roles WHERE rolname LIKE 'kulanz_%' "
                "AND rolname <> 'kulanz_admin' AND (rolsuper OR rolbypassrls)"
            )
        )
        assert roles.all() == []


async def test_another_merchant_sees_and_changes_nothing(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    async with database.merchant(other.id) as session:
        assert (await session.scalars(select(Customer))).all() == []
        assert (await session.scalars(select(Merchant.key))).all() == ["other"]
        changed = await session.execute(text("UPDATE customer SET name = 'x'"))
        assert changed.rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.merchant(other.id) as session:
            session.add(
                Customer(
                    merchant_id=merchant.id,
                    number="x",
                    name="x",
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
    async with database.merchant(merchant.id) as session:
        assert (await session.scalars(select(Customer.name))).all() == ["Beispiel"]


async def test_without_a_merchant_nothing_is_seen(database: Database, customer: Customer) -> None:
    app = database.engines[0]
    async with app.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM customer"))).scalar() == 0


async def test_append_only_tables_refuse_changes(database: Database, merchant: Merchant) -> None:
    async with database.merchant(merchant.id) as session:
        session.add(AuditEvent(merchant_id=merchant.id, kind="test", at=NOW))
    for statement in ("UPDATE audit_event SET kind = 'x'", "DELETE FROM audit_event"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.merchant(merchant.id) as session:
                await session.execute(text(statement))


async def test_a_merchants_role_neither_sees_nor_makes_an_operator(
    database: Database, merchant: Merchant
) -> None:
    operator = {"email": "op@kulanz.example", "name": "Op", "role": "operator", "created_at": NOW}
    async with database.operator() as session:
        session.add(Person(merchant_id=None, **operator))
    async with database.merchant(merchant.id) as session:
        assert (await session.scalars(select(Person))).all() == []
        changed = await session.execute(text("UPDATE person SET role = 'owner'"))
        assert changed.rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.merchant(merchant.id) as session:
            session.add(Person(merchant_id=None, **{**operator, "email": "x@kulanz.example"}))
    with pytest.raises(IntegrityError, match="operator_of_all"):
        async with database.merchant(merchant.id) as session:
            session.add(Person(merchant_id=merchant.id, **operator))

"""Transactions, through SQLAlchemy and past it; connections that outlive the database."""

import asyncio

import psycopg
import pytest
from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.exc import DBAPIError

from storage.engine import (
    PING_AFTER_IDLE_SECONDS,
    Database,
    driver_connection,
    libpq_dsn,
    take_back,
)
from storage.statement import Statement
from storage.tables import Customer


async def test_a_connection_that_died_while_idle_is_replaced_unnoticed(
    database: Database,
) -> None:
    async with database.operator() as session:
        (pid,) = (await session.execute(text("SELECT pg_backend_pid()"))).one()
    with psycopg.connect(libpq_dsn(database.urls.operator), autocommit=True) as same_role:
        same_role.execute("SELECT pg_terminate_backend(%s)", [pid])
    await asyncio.sleep(PING_AFTER_IDLE_SECONDS + 0.1)

    async with database.operator() as session:
        (now,) = (await session.execute(text("SELECT pg_backend_pid()"))).one()

    assert now != pid


_RENAME = Statement(
    text("UPDATE customer SET name = :name WHERE id = :id").bindparams(
        bindparam("name", type_=Text), bindparam("id", type_=BigInteger)
    )
)


async def _name(database: Database, customer: Customer) -> str:
    async with database.merchant(customer.merchant_id) as session:
        return (await session.get_one(Customer, customer.id)).name


async def test_what_the_driver_alone_wrote_is_committed(
    database: Database, customer: Customer
) -> None:
    async with database.merchant(customer.merchant_id) as session:
        await _RENAME.run(session, name="Neu", id=customer.id)
        assert not session.in_transaction()
    assert await _name(database, customer) == "Neu"


async def test_what_both_wrote_is_committed_together(
    database: Database, customer: Customer
) -> None:
    async with database.merchant(customer.merchant_id) as session:
        await _RENAME.run(session, name="Neu", id=customer.id)
        (await session.get_one(Customer, customer.id)).first_name = "Kim"
    async with database.merchant(customer.merchant_id) as session:
        found = await session.get_one(Customer, customer.id)
        assert (found.name, found.first_name) == ("Neu", "Kim")


@pytest.mark.parametrize("through_sqlalchemy", [False, True])
async def test_an_error_takes_everything_back(
    database: Database, customer: Customer, *, through_sqlalchemy: bool
) -> None:
    async def failing() -> None:
        async with database.merchant(customer.merchant_id) as session:
            await _RENAME.run(session, name="Neu", id=customer.id)
            if through_sqlalchemy:
                (await session.get_one(Customer, customer.id)).first_name = "Kim"
                await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await _name(database, customer) == customer.name
    assert all(engine.pool.checkedout() == 0 for engine in database.engines)


@pytest.mark.parametrize("through_sqlalchemy", [False, True])
async def test_a_try_is_taken_back(
    database: Database, customer: Customer, *, through_sqlalchemy: bool
) -> None:
    async with database.merchant(customer.merchant_id) as session:
        await _RENAME.run(session, name="Neu", id=customer.id)
        if through_sqlalchemy:
            await session.get_one(Customer, customer.id)
        await take_back(session)
    assert await _name(database, customer) == customer.name


async def test_a_cancelled_transaction_leaves_a_clean_connection(
    database: Database, customer: Customer
) -> None:
    async def slow() -> None:
        async with database.merchant(customer.merchant_id) as session:
            await _RENAME.run(session, name="Neu", id=customer.id)
            await Statement(text("SELECT pg_sleep(30)")).run(session)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _name(database, customer) == customer.name
    assert all(engine.pool.checkedout() == 0 for engine in database.engines)


@pytest.mark.parametrize("writes_after", [True, False])
async def test_a_connection_lost_in_a_transaction_is_told_and_replaced(
    database: Database, customer: Customer, *, writes_after: bool
) -> None:
    async def cut_off() -> None:
        async with database.merchant(customer.merchant_id) as session:
            await _RENAME.run(session, name="Neu", id=customer.id)
            pid = (await driver_connection(session)).info.backend_pid
            with psycopg.connect(libpq_dsn(database.urls.app), autocommit=True) as same_role:
                same_role.execute("SELECT pg_terminate_backend(%s)", [pid])
            if writes_after:
                await _RENAME.run(session, name="Neuer", id=customer.id)

    with pytest.raises(DBAPIError) as raised:
        await cut_off()
    assert raised.value.connection_invalidated
    assert await _name(database, customer) == customer.name

"""Connections that outlive a restart of the database."""

import asyncio

import psycopg
from sqlalchemy import text

from storage.engine import PING_AFTER_IDLE_SECONDS, Database, libpq_dsn


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

"""Many rows into one table, by COPY, where row-level security forbids COPY into it directly."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import Table, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from storage.engine import driver_connection, driver_errors

FEW_ROWS = 100
"""So few are inserted as they are: a staging table costs more."""
ROWS_PER_BREATH = 200
"""After so many rows other tasks of the event loop get their turn."""


async def insert_rows(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns, in their order, in the session's transaction."""
    if len(rows) < FEW_ROWS:
        if rows:
            await session.execute(insert(table), rows)
        return
    await session.flush()
    names = list(rows[0])
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    into, staged = sql.Identifier(table.name), sql.Identifier(f"bulk_{table.name}")
    driver = await driver_connection(session)
    async with driver_errors(session, driver), driver.cursor() as cursor:
        await cursor.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
                staged, columns, into
            )
        )
        async with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(staged, columns)) as copy:
            for number, row in enumerate(rows):
                if number % ROWS_PER_BREATH == 0:
                    await asyncio.sleep(0)
                await copy.write_row([_cell(row[name]) for name in names])
        await cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(into, columns, columns, staged)
        )
        await cursor.execute(sql.SQL("DROP TABLE {}").format(staged))


async def insert_waiting(session: AsyncSession, *classes: type[DeclarativeBase]) -> None:
    """Insert the new objects of these classes that wait in the session, each class by COPY.

    Where there are many it takes a fraction of a flush. They are not in the session afterwards.
    """
    taken = {}
    for mapped in classes:
        waiting = [one for one in session.new if isinstance(one, mapped)]
        if len(waiting) < FEW_ROWS:
            continue  # the flush takes them
        names = {
            attribute.key: attribute.columns[0].name
            for attribute in inspect(mapped).column_attrs
            if attribute.columns[0].identity is None
        }
        taken[mapped.__tablename__] = [
            {name: getattr(one, key) for key, name in names.items()} for one in waiting
        ]
        for one in waiting:
            session.expunge(one)
    for table, rows in taken.items():
        await insert_rows(session, classes[0].metadata.tables[table], rows)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value

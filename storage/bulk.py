"""Many rows into one table, by COPY, where row-level security forbids COPY into it directly."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

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


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value

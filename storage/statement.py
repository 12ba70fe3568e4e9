"""Statements of the way of a message: compiled once, run on the driver's own connection.

SQLAlchemy's asynchronous layer costs more than such a statement itself. It still writes the SQL,
types what goes in and guards the transaction; only the running goes past it.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from storage.engine import driver_connection, driver_errors

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


class Statement:
    """One statement with named parameters; its columns come as psycopg reads them."""

    def __init__(self, statement: Executable) -> None:
        """Compile it.

        Raises:
            TypeError: the driver reads a column in another way than its type would, or the
                number of parameters depends on the values.
        """
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        if compiled.post_compile_params:
            raise TypeError("a list of values is written as ANY with an array")
        for column in getattr(statement, "selected_columns", ()):
            if _of_driver(column.type).result_processor(_DIALECT, None) is not None:
                raise TypeError(f"{column} is not as the driver reads it")
        self._sql = compiled.string
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._convert = {
            name: convert
            for bind, name in compiled.bind_names.items()
            if (convert := _of_driver(bind.type).bind_processor(_DIALECT)) is not None
        }

    async def run(self, session: AsyncSession, **values: Any) -> Sequence[Any]:
        """Run it in the session's transaction, and return the rows as named tuples.

        What the session has changed is flushed first. Raises what SQLAlchemy raises, and
        KeyError for a parameter without a value whose type the driver does not know by itself.
        """
        if session.new or session.dirty or session.deleted:
            await session.flush()
        given = {**self._fixed, **values}
        for name, convert in self._convert.items():
            given[name] = convert(given[name])
        driver = await driver_connection(session)
        async with driver_errors(session, driver):
            cursor = driver.cursor(row_factory=namedtuple_row)
            await cursor.execute(self._sql, given)
            return await cursor.fetchall() if cursor.description is not None else ()


def _of_driver(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.dialect_impl(_DIALECT)

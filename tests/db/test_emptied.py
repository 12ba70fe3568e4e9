"""A database that a test has done with is as the migrated template is."""

from typing import Any

import psycopg

from storage.engine import libpq_dsn
from tests.conftest import NOW, PostgresServer


def _rows_and_numbers(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, object]:
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    held: dict[str, object] = {
        name: connection.execute(
            psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(name))
        ).fetchall()
        for (name,) in tables.fetchall()
    }
    numbers = connection.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
    return {**held, "sequences": numbers.fetchall()}


def test_a_database_used_again_is_as_a_new_one(postgres_server: PostgresServer) -> None:
    with postgres_server.connected(postgres_server.new_database().owner.database) as new:
        wanted = _rows_and_numbers(new)
    with postgres_server.database() as first:
        left = psycopg.connect(libpq_dsn(first.operator))
        left.execute(
            "INSERT INTO merchant (key, name, phone, policy, created_at)"
            " VALUES ('lindenhof', 'Lindenhof', '+493023125000', '{}', %s)",
            [NOW],
        )
        left.commit()
        left.execute("SELECT FROM merchant FOR UPDATE")  # and never ends this transaction

    with postgres_server.database() as second:
        assert second == first
        with postgres_server.connected(second.owner.database) as again:
            assert _rows_and_numbers(again) == wanted
    left.close()

"""The migrations make exactly the tables that the code declares."""

from concurrent.futures import ThreadPoolExecutor

from alembic import command
from psycopg import connect

from storage.engine import DatabaseUrls, libpq_dsn
from storage.migrate import alembic_config, migrate
from tests.conftest import ROLE_PASSWORD, PostgresServer


def test_tables_and_migrations_agree(database_urls: DatabaseUrls) -> None:
    command.check(alembic_config(database_urls))


def test_several_processes_may_migrate_an_empty_database_at_once(
    postgres_server: PostgresServer,
) -> None:
    admin = libpq_dsn(postgres_server.new_database().owner)
    with connect(admin, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    urls = DatabaseUrls.derive(admin, ROLE_PASSWORD)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate(urls), range(3)))
    with connect(admin) as connection:
        row = connection.execute("SELECT count(*) FROM alembic_version").fetchone()
    assert row == (1,)

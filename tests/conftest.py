"""Servers shared by the tests: one embedded PostgreSQL and one Valkey per test process.

Each test that asks for ``database`` gets one that is its own and as empty as the migrated template:
a copy of that, or one that the test before it has done with. A copy costs far more than emptying.
"""

import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from storage import embedded
from storage.engine import Database, DatabaseUrls, libpq_dsn
from storage.migrate import migrate
from storage.tables import ChannelAccount, Customer, Merchant
from tests.valkey_server import valkey_server

ONE_FOR_ALL = ("model", "guests", "demo")
"""Fixtures with a Rasa of their own for all who ask: slow to start, and large."""
LONG_FIRST = ("journey", "browser")
"""Folders whose tests wait long; at the end they would leave the other processes idle."""
ROLE_PASSWORD = "only-for-tests"
# How long an example takes says nothing on a machine that is shared.
settings.register_profile("kulanz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kulanz")

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

GROWN_BYTES_MAX = 4_000_000
"""A database that has grown by more, in one test or over many, is not used again."""
# Transactions that a test left end first. As a replica nothing fires: no foreign key, no trigger.
EMPTYING = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle';
SET session_replication_role = replica;
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a started Rasa in one process, and begin with what takes longest."""
    for item in items:
        for fixture in ONE_FOR_ALL:
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(fixture))
    items.sort(key=lambda item: not any(folder in item.path.parts for folder in LONG_FIRST))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Rather no tests than three services for each process: that would only show as slowness."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError("this pytest-xdist keeps no groups with this pytest")


@dataclass
class FakeLimits:
    """Limits of the API that let through, or keep waiting, as a test says."""

    wait: int | None = None
    counted: list[str] = field(default_factory=list)

    async def call_wait(self, key: str) -> int | None:
        self.counted.append(key)
        return self.wait


class PostgresServer:
    """A running embedded PostgreSQL with a migrated template database."""

    def __init__(self, folder: Path) -> None:
        self.secrets = embedded.Secrets.load(folder)
        self.cluster = embedded.prepare_postgres(folder, self.secrets.database_password)
        self.port = embedded.free_port()
        self._numbers = count(1)
        self._empty: list[str] = []
        self._emptying: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}
        self.start()
        migrate(DatabaseUrls.derive(self.owner_url("kulanz"), ROLE_PASSWORD))
        with self.connected() as connection:
            self._grown = _bytes(connection, "kulanz") + GROWN_BYTES_MAX

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = embedded.postgres_command(self.cluster, self.port)
        # Nothing of a test database has to survive the machine.
        self.process = subprocess.Popen(
            [*command.argv, "-c", "fsync=off", "-c", "max_connections=200"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        embedded.wait_for_postgres(self.port, self.secrets.database_password)

    def stop(self) -> None:
        """Stop it, fast."""
        for connection in self._emptying.values():
            connection.close()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)

    def owner_url(self, name: str) -> str:
        """The owner's address of one database of this server."""
        return f"postgresql://{embedded.OWNER}:{self.secrets.database_password}@127.0.0.1:{self.port}/{name}"

    def connected(self, name: str | None = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the administrator, whom row-level security does not hold back."""
        password = self.secrets.database_password
        return psycopg.connect(
            f"postgresql://{embedded.ADMIN}:{password}@127.0.0.1:{self.port}/{name}",
            autocommit=True,
        )

    def _urls(self, name: str) -> DatabaseUrls:
        return DatabaseUrls.derive(self.owner_url(name), ROLE_PASSWORD)

    def _copy(self) -> str:
        name = f"test_{next(self._numbers)}"
        with self.connected() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE kulanz OWNER {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(embedded.OWNER)
                )
            )
        return name

    def new_database(self) -> DatabaseUrls:
        """A fresh copy of the migrated template, for whoever changes more than rows."""
        return self._urls(self._copy())

    @contextmanager
    def database(self) -> Iterator[DatabaseUrls]:
        """A database without a row, for as long as this lasts; only its rows may be changed."""
        name = self._empty.pop() if self._empty else self._copy()
        yield self._urls(name)
        # Kept: a new connection first reads what each table is.
        if name not in self._emptying:
            self._emptying[name] = self.connected(name)
        if _bytes(self._emptying[name], name) <= self._grown:
            self._emptying[name].execute(EMPTYING)
            self._empty.append(name)
        else:
            self._emptying.pop(name).close()


def _bytes(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> int:
    row = connection.execute("SELECT pg_database_size(%s)", [name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The embedded PostgreSQL of this test process."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture
def database_urls(
    postgres_server: PostgresServer, request: pytest.FixtureRequest
) -> Iterator[DatabaseUrls]:
    """A database of this test's own; a new one where its owner may change tables."""
    if "owner_dsn" in request.fixturenames:
        yield postgres_server.new_database()
        return
    with postgres_server.database() as urls:
        yield urls


@pytest.fixture
def owner_dsn(database_urls: DatabaseUrls) -> str:
    """The owner's libpq address of the test's database."""
    return libpq_dsn(database_urls.owner)


@pytest.fixture(scope="session")
async def _known(postgres_server: PostgresServer) -> AsyncIterator[dict[DatabaseUrls, Database]]:
    """Sessions on the databases that tests had one after the other.

    SQL is compiled and prepared there already, and the server knows the tables.
    """
    known: dict[DatabaseUrls, Database] = {}
    yield known
    for database in known.values():
        await database.close()


@pytest.fixture
async def database(
    database_urls: DatabaseUrls,
    _known: dict[DatabaseUrls, Database],
    request: pytest.FixtureRequest,
) -> AsyncIterator[Database]:
    """Sessions on a database of this test's own."""
    database = _known.setdefault(database_urls, Database(database_urls, pool_size=5))
    yield database
    left_open = any(engine.pool.checkedout() for engine in database.engines)
    if left_open or "owner_dsn" in request.fixturenames:
        await database.close()


@pytest.fixture
async def merchant(database: Database) -> Merchant:
    """A merchant with an SMS sender."""
    merchant = Merchant(
        key="lindenhof",
        name="Lindenhof Versand",
        phone="+493023125000",
        email="service@lindenhof.example",
        website="https://lindenhof.example",
        payee="Lindenhof Versand GmbH",
        iban="DE02120300000000202051",
        policy={},
        created_at=NOW,
    )
    async with database.operator() as session:
        session.add(merchant)
        await session.flush()
        session.add(
            ChannelAccount(
                merchant_id=merchant.id, channel="sms", address="+4915735990001", created_at=NOW
            )
        )
    return merchant


@pytest.fixture
async def customer(database: Database, merchant: Merchant) -> Customer:
    """A customer of that merchant."""
    customer = Customer(
        merchant_id=merchant.id,
        number="K-1001",
        name="Beispiel",
        first_name="Anna",
        postal_code="10115",
        language="de",
        created_at=NOW,
        updated_at=NOW,
    )
    async with database.operator() as session:
        session.add(customer)
    return customer


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Valkey of this test process."""
    with valkey_server(tmp_path_factory.mktemp("valkey")) as url:
        yield url

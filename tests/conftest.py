"""Servers shared by the tests: one embedded PostgreSQL and one Valkey per test process.

Each test that asks for ``database`` gets a database of its own, copied from a migrated template.
"""

import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from storage import embedded
from storage.engine import Database, DatabaseUrls, libpq_dsn
from storage.migrate import migrate
from storage.tables import ChannelAccount, Customer, Merchant

STARTS_A_SERVICE = ("dialogue", "journey", "browser")
ROLE_PASSWORD = "only-for-tests"
# How long an example takes says nothing on a machine that is shared.
settings.register_profile("kulanz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kulanz")

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a started Rasa in one process: it is slow to start, and large."""
    for item in items:
        for folder in STARTS_A_SERVICE:
            if folder in item.path.parts:
                item.add_marker(pytest.mark.xdist_group(folder))


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
        self.start()
        migrate(DatabaseUrls.derive(self.owner_url("kulanz"), ROLE_PASSWORD))

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
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)

    def owner_url(self, name: str) -> str:
        """The owner's address of one database of this server."""
        return f"postgresql://{embedded.OWNER}:{self.secrets.database_password}@127.0.0.1:{self.port}/{name}"

    def new_database(self) -> DatabaseUrls:
        """A fresh copy of the migrated template."""
        name = f"test_{next(self._numbers)}"
        admin = f"postgresql://{embedded.ADMIN}:{self.secrets.database_password}@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE kulanz OWNER {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(embedded.OWNER)
                )
            )
        return DatabaseUrls.derive(self.owner_url(name), ROLE_PASSWORD)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The embedded PostgreSQL of this test process."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture
def database_urls(postgres_server: PostgresServer) -> DatabaseUrls:
    """A database of this test's own."""
    return postgres_server.new_database()


@pytest.fixture
def owner_dsn(database_urls: DatabaseUrls) -> str:
    """The owner's libpq address of the test's database."""
    return libpq_dsn(database_urls.owner)


@pytest.fixture
async def database(database_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """Sessions on a database of this test's own."""
    database = Database(database_urls, pool_size=5)
    yield database
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

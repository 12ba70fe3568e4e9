"""Connections: one transaction for one merchant, or one for the operator side."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

APP_ROLE = "kulanz_app"
OPERATOR_ROLE = "kulanz_operator"
PING_AFTER_IDLE_SECONDS = 0.5
POOL_SECONDS_MAX = 5
"""Who waits longer for a free connection gets an error while the provider still listens."""
_DRIVER = "driver"
NOT_WAITING = "SET LOCAL synchronous_commit = off"
"""For what nobody outside hears of before a later commit that waits: the log is one, so that commit
brings this one to the disk with it. If the server's machine stops in between, both never happened.
"""


@dataclass(frozen=True)
class DatabaseUrls:
    """The same database as seen by its three roles.

    The owner migrates; the application role sees one merchant at a time (row-level security);
    the operator role routes webhooks, plans and runs jobs over all merchants.
    """

    owner: URL
    app: URL
    operator: URL

    @classmethod
    def derive(cls, owner_url: str, role_password: str) -> Self:
        """Build the three addresses from the owner's; both roles share one generated password."""
        owner = make_url(owner_url).set(drivername="postgresql+psycopg")
        return cls(
            owner=owner,
            app=owner.set(username=APP_ROLE, password=role_password),
            operator=owner.set(username=OPERATOR_ROLE, password=role_password),
        )


def libpq_dsn(url: URL) -> str:
    """Return the address in the form that psycopg and Procrastinate take."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class Database:
    """Sessions of the two application roles; each context manager is one transaction."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = 10) -> None:
        self.urls = urls
        self._engines = {
            role: create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_timeout=POOL_SECONDS_MAX,
                # The newest connection again: its statements are prepared already.
                pool_use_lifo=True,
                pool_recycle=1800,
                hide_parameters=True,  # errors would quote message texts and phone numbers
                # `_begin` says BEGIN, together with what else a transaction starts with.
                connect_args={
                    "autocommit": True,
                    "connect_timeout": 5,
                    "application_name": "kulanz",
                },
            )
            for role, url in ((APP_ROLE, urls.app), (OPERATOR_ROLE, urls.operator))
        }
        for engine in self._engines.values():
            _ping_after_idle(engine)
        self._sessions = {
            role: async_sessionmaker(engine, expire_on_commit=False)
            for role, engine in self._engines.items()
        }

    @property
    def engines(self) -> list[AsyncEngine]:
        """Both engines, for tests and for health checks."""
        return list(self._engines.values())

    def merchant(self, merchant_id: int) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction that sees this merchant's rows and no others."""
        return self._transaction(APP_ROLE, _seeing(merchant_id))

    def conversation(
        self, merchant_id: int, conversation_id: int, *, waits_for_disk: bool = True
    ) -> AbstractAsyncContextManager[AsyncSession]:
        """The same, with the lock of one conversation held from the start.

        Whatever is read in it is read after the lock was got. Without `waits_for_disk` see
        `NOT_WAITING`.
        """
        lock = f"SELECT FROM conversation WHERE id = {conversation_id:d} FOR UPDATE"
        how = () if waits_for_disk else (NOT_WAITING,)
        return self._transaction(APP_ROLE, _seeing(merchant_id), *how, lock)

    def call(self, merchant_id: int, number: int) -> AbstractAsyncContextManager[AsyncSession]:
        """The same for one merchant, alone among those with the same number (any bigint).

        It does not wait for the disk, see `NOT_WAITING`: the turn that called does.
        """
        lock = f"SELECT pg_advisory_xact_lock({number:d})"
        return self._transaction(APP_ROLE, _seeing(merchant_id), NOT_WAITING, lock)

    def operator(self, *, waits_for_disk: bool = True) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction over all merchants: routing, planning and operator work only.

        Without `waits_for_disk` see `NOT_WAITING`.
        """
        return self._transaction(OPERATOR_ROLE, *(() if waits_for_disk else (NOT_WAITING,)))

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """Single statements over all merchants that only read, each on its own: no transaction.

        For what every request asks first; beginning and ending would cost more than the answer.
        """
        session = self._sessions[OPERATOR_ROLE]()
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def _transaction(self, role: str, *start: str) -> AsyncIterator[AsyncSession]:
        connection = await self._engines[role].connect()
        try:
            session = self._sessions[role](bind=connection)
            try:
                await _begin(session, connection, *start)
                yield session
                await _commit(session)
            finally:
                if session.in_transaction():
                    await session.close()
        finally:  # without the commit this is a rollback
            await connection.close()

    async def close(self) -> None:
        """Close both pools."""
        for engine in self._engines.values():
            await engine.dispose()


def _seeing(merchant_id: int) -> str:
    """What row-level security goes by, until the transaction ends."""
    return f"SET LOCAL kulanz.merchant_id = '{merchant_id:d}'"


async def wait_for_disk(session: AsyncSession) -> None:
    """Have this transaction's commit wait after all: somebody outside will hear of it."""
    driver = await driver_connection(session)
    async with driver_errors(session, driver):
        await driver.execute("SET LOCAL synchronous_commit = on")


async def take_back(session: AsyncSession) -> None:
    """Undo all that was done in the transaction; it ends with that."""
    await session.rollback()
    driver = await driver_connection(session)
    async with driver_errors(session, driver):
        await driver.rollback()  # what did not go through SQLAlchemy


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The session's own connection as psycopg has it, for what only psycopg can do."""
    known = session.info.get(_DRIVER)
    if isinstance(known, psycopg.AsyncConnection):
        return known
    return _driver_of(await session.connection())


def _driver_of(connection: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    sync = connection.sync_connection
    driver = sync.connection.driver_connection if sync is not None else None
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError("the driver is psycopg")
    return driver


async def _begin(session: AsyncSession, connection: AsyncConnection, *statements: str) -> None:
    """Begin the transaction and run what each starts with, in one exchange with the server.

    The statements take no parameters, and one sees what those before it waited for.
    """
    driver = session.info[_DRIVER] = _driver_of(connection)
    async with driver_errors(session, driver):
        await driver.execute("; ".join(("BEGIN", *statements)).encode(), prepare=False)


async def _commit(session: AsyncSession) -> None:
    """Commit; by the driver alone where nothing went through SQLAlchemy, which takes longer."""
    if session.in_transaction():
        await session.commit()
    driver = await driver_connection(session)
    if driver.info.transaction_status is not TransactionStatus.IDLE:
        async with driver_errors(session, driver):
            await driver.execute(b"COMMIT", prepare=False)


@asynccontextmanager
async def driver_errors(
    session: AsyncSession, driver: psycopg.AsyncConnection[Any]
) -> AsyncIterator[None]:
    """Raise what psycopg raises as SQLAlchemy would, and give up a connection that is lost."""
    try:
        yield
    except psycopg.Error as error:
        lost = driver.broken
        if lost:
            await (await session.connection()).invalidate(error)
        wrapped = OperationalError if isinstance(error, psycopg.OperationalError) else DBAPIError
        raise wrapped(
            None, None, error, hide_parameters=True, connection_invalidated=lost
        ) from error


def _ping_after_idle(engine: AsyncEngine) -> None:
    """Ask whether a connection still lives before it is used, if it lay idle for a while.

    No database restarts within PING_AFTER_IDLE_SECONDS, so a busy connection needs no question.
    """
    pool, dialect = engine.sync_engine.pool, engine.sync_engine.dialect

    @event.listens_for(pool, "checkin")
    def note_idle(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def ping(
        connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection
    ) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < PING_AFTER_IDLE_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError("the database has restarted") from error

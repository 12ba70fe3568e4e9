"""Connections: one transaction for one merchant, or one for the operator side."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

APP_ROLE = "kulanz_app"
OPERATOR_ROLE = "kulanz_operator"
PING_AFTER_IDLE_SECONDS = 0.5


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
                max_overflow=pool_size,
                # The newest connection again: its statements are prepared already.
                pool_use_lifo=True,
                pool_recycle=1800,
                hide_parameters=True,  # errors would quote message texts and phone numbers
                connect_args={"connect_timeout": 5, "application_name": "kulanz"},
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

    @asynccontextmanager
    async def merchant(self, merchant_id: int) -> AsyncIterator[AsyncSession]:
        """One transaction that sees this merchant's rows and no others."""
        async with self._sessions[APP_ROLE].begin() as session:
            await session.execute(
                text("SELECT set_config('kulanz.merchant_id', :id, true)"),
                {"id": str(merchant_id)},
            )
            yield session

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[AsyncSession]:
        """One transaction over all merchants: routing, planning and operator work only."""
        async with self._sessions[OPERATOR_ROLE].begin() as session:
            yield session

    async def close(self) -> None:
        """Close both pools."""
        for engine in self._engines.values():
            await engine.dispose()


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

"""The worker's exit code: what a new worker may cure is told from what it may not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import psycopg_pool
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError

from api import worker
from api.jobs import TEMPORARY_FAILURE


@pytest.fixture
def fails_with(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the worker fails with, once it is put in."""
    wanted: list[Exception] = []

    @asynccontextmanager
    async def parts(*_: object, **__: object) -> AsyncIterator[None]:
        yield None

    async def run_worker(_: object) -> None:
        raise wanted[0]

    monkeypatch.setattr(worker, "parts", parts)
    monkeypatch.setattr(worker, "run_worker", run_worker)
    monkeypatch.setattr(worker, "configure_logs", lambda: None)
    return wanted


@pytest.mark.parametrize(
    "error",
    [
        ConnectorException(),
        DBAPIError("select 1", None, Exception()),
        psycopg_pool.PoolTimeout("pool initialization incomplete after 30.0 sec"),
        psycopg.InterfaceError("the connection is closed"),
        ConnectionRefusedError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_does_not_answer_is_temporary(
    fails_with: list[Exception], error: Exception
) -> None:
    fails_with.append(error)
    with pytest.raises(SystemExit) as ended:
        await worker.main()
    assert ended.value.code == TEMPORARY_FAILURE


async def test_a_fault_of_our_own_is_not(fails_with: list[Exception]) -> None:
    fails_with.append(KeyError("task"))
    with pytest.raises(KeyError):
        await worker.main()

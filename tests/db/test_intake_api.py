"""The REST intake: keys, limits, problems as data, and the same result as a file."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api import intake
from api.keys import PREFIX_LENGTH, create_api_key, known_key
from storage.engine import Database
from storage.tables import ApiKey, Claim, Merchant, Posting
from tests.apps import app_of
from tests.conftest import FakeLimits

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CLAIM = {
    "customer_number": "K-1",
    "name": "Clarke",
    "phone": "+49 171 3920016",
    "language": "en",
    "business": False,
    "claim_reference": "F-1",
    "invoice_number": "RE-1",
    "description": "Winter jacket",
    "invoice_date": "2026-08-01",
    "due_date": "2026-08-15",
    "amount": "189.95",
    "costs": None,
}
PAYMENT = {
    "event_id": "B-1",
    "event": "payment",
    "claim_reference": "F-1",
    "amount": "40.00",
    "date": "2026-11-20",
}


class StandingClock:
    """A clock that does not move."""

    def now(self) -> datetime:
        return NOW


@dataclass
class FakeParts:
    """What the intake needs of a web process."""

    database: Database
    clock: StandingClock
    limits: FakeLimits = field(default_factory=FakeLimits)


@pytest.fixture
def limits() -> FakeLimits:
    return FakeLimits()


@pytest.fixture
async def client(database: Database, limits: FakeLimits) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(intake.router)
    app.state.parts = FakeParts(database, StandingClock(), limits)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kulanz.test") as made:
        yield made


@pytest.fixture
async def key(database: Database, merchant: Merchant) -> str:
    async with database.merchant(merchant.id) as session:
        return await create_api_key(session, merchant.id, now=NOW)


async def post(
    client: httpx.AsyncClient, key: str, path: str, body: Any, **params: str
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(
        f"/api/v1/{path}",
        content=content,
        params=params,
        headers={"Authorization": f"Bearer {key}"},
    )


async def test_claims_are_taken_and_repeating_them_changes_nothing(
    client: httpx.AsyncClient, key: str, database: Database
) -> None:
    first = await post(client, key, "claims", [CLAIM])
    again = await post(client, key, "claims", [CLAIM])
    assert (first.status_code, first.json()["rows_added"]) == (200, 1)
    assert again.json() | {"batch": 0} == {
        "batch": 0,
        "rows_total": 1,
        "rows_added": 0,
        "rows_changed": 0,
        "rows_unchanged": 1,
        "changes_applied": False,
        "differences": [],
    }
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(Claim)) == 1


async def test_differences_are_told_and_applied_when_asked(
    client: httpx.AsyncClient, key: str
) -> None:
    await post(client, key, "claims", [CLAIM])
    changed = [{**CLAIM, "amount": "150.00"}]
    shown = await post(client, key, "claims", changed)
    assert shown.json()["differences"] == [
        {
            "row": 1,
            "claim_reference": "F-1",
            "customer_number": "K-1",
            "column": "amount",
            "old": "189.95 EUR",
            "new": "150.00 EUR",
        }
    ]
    applied = await post(client, key, "claims", changed, apply_changes="true")
    assert applied.json()["changes_applied"] is True
    assert (await post(client, key, "claims", changed)).json()["differences"] == []


async def test_problems_come_as_data(client: httpx.AsyncClient, key: str) -> None:
    rows = [
        CLAIM,
        {**CLAIM, "due_date": "2026-07-01", "amount": "1e3"},
        "claim",
        {**CLAIM, "colour": "blue", "name": ["x"]},
    ]
    answer = await post(client, key, "claims", rows)
    assert answer.status_code == 422
    assert answer.json()["error"] == "rows_refused"
    places = [(problem["row"], problem["column"]) for problem in answer.json()["problems"]]
    assert places == [(2, "amount"), (3, ""), (4, "name"), (4, "colour")]


@pytest.mark.parametrize(
    "cell", ["\ud800", "a\x00b", "9999-12-31T23:59-23:59", "🧦" * 600, "'; DROP TABLE claim; --"]
)
async def test_strange_cells_are_a_problem_or_a_text(
    client: httpx.AsyncClient, key: str, cell: str
) -> None:
    for name in (*CLAIM, cell):
        answer = await post(client, key, "claims", [{**CLAIM, name: cell}])
        assert answer.status_code in (200, 422), (name, answer.text)


async def test_an_unknown_region_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await post(client, key, "claims", [CLAIM], region="XX")
    assert answer.status_code == 400


async def test_numbers_are_read_as_they_were_written(
    client: httpx.AsyncClient, key: str, database: Database
) -> None:
    body = json.dumps([CLAIM]).replace('"189.95"', "1100000000.10").encode()
    assert (await post(client, key, "claims", body)).status_code == 200
    async with database.operator() as session:
        assert await session.scalar(select(Posting.amount_minor)) == 110_000_000_010


async def test_open_items_are_posted_once(client: httpx.AsyncClient, key: str) -> None:
    await post(client, key, "claims", [CLAIM])
    first = await post(client, key, "open-items", [PAYMENT])
    again = await post(client, key, "open-items", [PAYMENT])
    assert (first.json()["rows_posted"], again.json()["rows_repeated"]) == (1, 1)
    other = await post(client, key, "open-items", [{**PAYMENT, "amount": "41"}])
    assert other.status_code == 422
    assert other.json()["problems"][0]["column"] == "event_id"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"claims": []}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b"[" + b"{}," * 5000 + b"{}]", 413),
        (b" " * (intake.BODY_BYTES_MAX + 1), 413),
    ],
)
async def test_bodies_that_are_no_list_of_rows_are_refused(
    client: httpx.AsyncClient, key: str, body: bytes, status: int
) -> None:
    assert (await post(client, key, "claims", body)).status_code == status


@pytest.mark.parametrize("path", ["claims", "open-items"])
async def test_without_a_valid_key_nothing_is_looked_at(
    client: httpx.AsyncClient, key: str, path: str, database: Database
) -> None:
    answers = [
        await client.post(f"/api/v1/{path}", content=b"{"),
        await post(client, "", path, b"{"),
        await post(client, key[:-1], path, b"{"),
        await post(client, key + "x", path, b"{"),
        await post(client, key.swapcase(), path, b"{"),
    ]
    async with database.operator() as session:
        (row,) = (await session.scalars(select(ApiKey))).all()
        row.revoked_at = NOW
    answers.append(await post(client, key, path, b"{"))
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


async def test_a_key_opens_its_own_merchant_only(
    client: httpx.AsyncClient, key: str, database: Database
) -> None:
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
        await session.flush()
        theirs = await create_api_key(session, other.id, now=NOW)
    await post(client, key, "claims", [CLAIM])
    answer = await post(client, theirs, "open-items", [PAYMENT])
    assert answer.json()["problems"][0]["column"] == "claim_reference"


async def test_a_key_is_kept_as_a_hash_and_its_use_is_noted(
    database: Database, key: str, merchant: Merchant
) -> None:
    async with database.operator() as session:
        found = await known_key(session, key, now=NOW)
    assert found is not None
    assert found[0].id == merchant.id
    async with database.operator() as session:
        row = (await session.scalars(select(ApiKey))).one()
    assert row.last_used_at == NOW
    assert key not in (row.hash, row.prefix)
    assert key.startswith(row.prefix)


async def test_a_key_that_calls_too_often_is_told_when_to_come_back(
    client: httpx.AsyncClient, key: str, limits: FakeLimits, database: Database
) -> None:
    limits.wait = 17
    answer = await post(client, key, "claims", [CLAIM])
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")
    assert "again in 17 s" in answer.json()["detail"]
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(Claim)) == 0
    await post(client, "kulanz_unknown", "claims", [CLAIM])
    assert limits.counted == [key[:PREFIX_LENGTH]], "only who has a key uses it up"


async def test_the_documentation_describes_every_field(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path, columns in (
        ("/api/v1/claims", intake.rows_claims.COLUMNS),
        ("/api/v1/open-items", intake.rows_items.COLUMNS),
    ):
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert set(body["schema"]["items"]["properties"]) == {column.name for column in columns}
        assert set(body["example"][0]) <= {column.name for column in columns}
        assert set(paths[path]["post"]["responses"]) == {
            *("200", "400", "401", "403", "413", "422", "429")
        }


async def test_the_documented_example_is_taken(client: httpx.AsyncClient, key: str) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    body = paths["/api/v1/claims"]["post"]["requestBody"]["content"]["application/json"]
    assert (await post(client, key, "claims", body["example"])).status_code == 200

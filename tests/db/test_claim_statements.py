"""The statement of a claim over REST, and as the operator's command writes it."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from api import claim_statements
from api.commands import statement
from api.errors import register_errors
from api.keys import create_api_key
from api.letter_data import collector_findings
from api.merchants import save_merchant
from api.wiring import Running
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.embedded import Secrets, data_dir_lock
from storage.engine import Database, DatabaseUrls, libpq_dsn
from storage.tables import Customer, Merchant
from tests.apps import app_of
from tests.conftest import NOW, ROLE_PASSWORD
from tests.db.pages.conftest import FakeParts
from tests.unit.api.sheets import COLLECTION, LETTER

REFERENCE = "2026/1044"


@pytest.fixture
async def claim(database: Database, merchant: Merchant, customer: Customer) -> int:
    """A claim whose reference has a slash, as many have."""
    async with database.merchant(merchant.id) as session:
        opened = await book.open_claim(
            session,
            NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference=REFERENCE,
                invoice_number="RE-2026-1044",
                description="Gartentisch",
                principal=Money(120_00),
                invoice_date=date(2026, 8, 3),
                due_date=date(2026, 8, 17),
                confirmed_at=NOW,
            ),
            now=NOW,
            key="open",
        )
    return opened.id


@pytest.fixture
async def client(database: Database, merchant: Merchant) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(claim_statements.router)
    register_errors(app)
    app.state.parts = FakeParts(database)
    app.state.database = database
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="https://kulanz.example",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


@pytest.mark.usefixtures("claim")
async def test_a_merchant_gets_the_letter_of_their_claim(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/v1/claims/{REFERENCE}/statement.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
    unknown = await client.get("/api/v1/claims/nothing/statement.pdf")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "ClaimUnknown")
    nobody = await client.get(
        f"/api/v1/claims/{REFERENCE}/statement.pdf", headers={"Authorization": "Bearer x"}
    )
    assert nobody.status_code == 401


@pytest.mark.usefixtures("claim")
async def test_no_merchant_gets_the_letter_of_anothers_claim(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.operator() as session:
        other = await save_merchant(
            session, {"key": "other", "name": "Other", "phone": "030 23125 000"}, NOW
        )
    async with database.merchant(other) as session:
        key = await create_api_key(session, other, now=NOW)
    answer = await client.get(
        f"/api/v1/claims/{REFERENCE}/statement.pdf", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 404


async def test_what_a_letter_names_is_kept_with_the_merchant(database: Database) -> None:
    letter = {**LETTER, "collection": COLLECTION}
    given: dict[str, Any] = {"key": "fair", "name": "Fair", "phone": "030 23125 000"}
    async with database.operator() as session:
        number = await save_merchant(session, {**given, "letter": letter}, NOW)
        stored = (await session.get_one(Merchant, number)).letter
    assert stored["collection"]["client"] == COLLECTION["client"]
    assert collector_findings({"fair": ("collector", stored)}) == []


def test_a_collector_that_cannot_tell_what_the_law_asks_for_is_found() -> None:
    (found,) = collector_findings({"shop": ("creditor", {}), "fair": ("collector", {})})
    assert found.what == "collector fair"
    assert "no address and no collection" in found.state
    assert "[letter.collection]" in found.advice


@pytest.fixture
def typed(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[typer.Typer]:
    """The command on a data directory whose service runs on the test's database."""
    data = tmp_path / "var"
    Secrets.load(data)
    secrets = json.loads((data / "secrets.json").read_text())
    (data / "secrets.json").write_text(json.dumps({**secrets, "database_password": ROLE_PASSWORD}))
    Running(
        owner_url=libpq_dsn(database_urls.owner),
        redis_url="redis://127.0.0.1:1/0",
        rasa_urls=[],
        web_url="http://127.0.0.1:1",
        supervisor_pid=os.getpid(),
        role_password=ROLE_PASSWORD,
    ).save(data / "running.json")
    monkeypatch.setenv("KULANZ_DATA_DIR", str(data))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    statement.register(app)
    with data_dir_lock(data):
        yield app


@pytest.mark.usefixtures("claim")
def test_the_command_writes_what_the_customer_gets(typed: typer.Typer, tmp_path: Path) -> None:
    runner = CliRunner()
    for name, begins in (("a.pdf", b"%PDF"), ("a.HTML", b"<!doctype html>")):
        done = runner.invoke(typed, [REFERENCE, "-o", name])
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).read_bytes().startswith(begins)
    refused = runner.invoke(typed, [REFERENCE, "-o", "a.docx"])
    assert refused.exit_code == 1
    assert "a statement is written as .pdf or .html" in refused.output
    assert runner.invoke(typed, ["-o", "b.pdf"]).exit_code == 1

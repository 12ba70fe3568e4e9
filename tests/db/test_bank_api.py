"""Bank statements by command, over REST, and from the watched folder."""

import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
import typer
from click.testing import Result
from sqlalchemy import func, select
from typer.testing import CliRunner

from api import bank_statements
from api.commands import bank
from api.errors import register_errors
from api.keys import create_api_key
from api.statements_folder import take_folder
from api.wiring import Running
from ledger import book
from ledger.bank.files import FILE_BYTES_MAX
from ledger.book import NewClaim
from ledger.money import Money
from storage.embedded import Secrets, data_dir_lock
from storage.engine import Database, DatabaseUrls, libpq_dsn
from storage.tables import BankMovement, Claim, Customer, Merchant, Posting
from tests.apps import app_of
from tests.conftest import ROLE_PASSWORD, FakeLimits

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "data" / "bank"
STATEMENT = DATA / "camt.053.001.04.xml"


class StandingClock:
    """A clock that does not move."""

    def now(self) -> datetime:
        return NOW


@dataclass
class FakeParts:
    """What the routes need of a web process."""

    database: Database
    clock: StandingClock
    limits: FakeLimits = field(default_factory=FakeLimits)


@pytest.fixture
async def claim(database: Database, merchant: Merchant, customer: Customer) -> Claim:
    async with database.merchant(merchant.id) as session:
        return await book.open_claim(
            session,
            NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="F-1",
                invoice_number="RE-2026-1042",
                description="Laufschuhe",
                invoice_date=NOW.date().replace(month=8),
                due_date=NOW.date().replace(month=9),
                principal=Money(12990),
            ),
            now=NOW,
            key="open",
        )


@pytest.fixture
async def client(
    database: Database, merchant: Merchant, claim: Claim
) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(bank_statements.router)
    register_errors(app)
    app.state.parts = FakeParts(database, StandingClock())
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://kulanz.test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield client


async def test_a_statement_over_rest_posts_once(client: httpx.AsyncClient) -> None:
    data = STATEMENT.read_bytes()
    dry = (await client.post("/api/v1/bank-statements?dry_run=true", content=data)).json()
    assert (dry["batch"], dry["movements"]["posted"]) == (None, 1)
    first = (await client.post("/api/v1/bank-statements?name=a.xml", content=data)).json()
    assert first["movements"] == {
        "total": 1,
        "posted": 1,
        "suggested": 0,
        "unmatched": 0,
        "repeated": 0,
    }
    assert first["sums"]["EUR"]["total"] == first["sums"]["EUR"]["posted"] == "129.90"
    again = (await client.post("/api/v1/bank-statements", content=data)).json()
    assert again["movements"]["repeated"] == 1


async def test_a_statement_that_is_refused_says_why(client: httpx.AsyncClient) -> None:
    wrong = STATEMENT.read_bytes().replace(b"DE02120300000000202051", b"DE44500105175407324931")
    answer = await client.post("/api/v1/bank-statements", content=wrong)
    assert answer.status_code == 422
    assert (answer.json()["error"], answer.json()["code"]) == ("statement_refused", "account")
    large = await client.post("/api/v1/bank-statements", content=b" " * (FILE_BYTES_MAX + 1))
    assert large.status_code == 413
    nobody = await client.post(
        "/api/v1/bank-statements", content=wrong, headers={"Authorization": "Bearer x"}
    )
    assert nobody.status_code == 401


async def test_a_decision_over_rest(client: httpx.AsyncClient) -> None:
    unsure = STATEMENT.read_bytes().replace(b"RE 2026 1042", b"Danke")
    await client.post("/api/v1/bank-statements", content=unsure)
    (waiting,) = (await client.get("/api/v1/bank-movements")).json()
    assert waiting["proposals"] == [{"claim_reference": "F-1", "amount": "129.90"}]
    path = f"/api/v1/bank-movements/{waiting['id']}"
    posted = (await client.post(f"{path}/accept", json={"by": "Kim"})).json()
    assert (posted["state"], posted["decided_by"]) == ("posted", "Kim")
    assert (await client.post(f"{path}/reject", json={})).status_code == 409
    assert (await client.post(f"{path}/undo", json={})).json()["state"] == "suggested"
    assert (await client.post(f"{path}/reject", json={})).json()["state"] == "rejected"
    missing = await client.post("/api/v1/bank-movements/999/accept", json={})
    assert (missing.status_code, missing.json()["error"]) == (404, "unknown")
    amount = await client.post(f"{path}/accept", json={"amount": "12,5"})
    assert amount.status_code == 409


def lay(folder: Path, name: str, data: bytes, *, age_seconds: float = 60) -> Path:
    """A file that has lain in the folder for a while."""
    file = folder / name
    file.write_bytes(data)
    then = time.time() - age_seconds
    os.utime(file, (then, then))
    return file


async def test_the_watched_folder_takes_whole_files(
    database: Database, claim: Claim, tmp_path: Path
) -> None:
    data = STATEMENT.read_bytes()
    lay(tmp_path, "a.xml", data)
    lay(tmp_path, "b.xml", data[:-100])
    lay(tmp_path, "c.xml", data.replace(b"DE02120300000000202051", b"DE44500105175407324931"))
    growing = lay(tmp_path, "d.xml", data, age_seconds=0)
    unfinished = lay(tmp_path, "e.xml.part", data)
    link = tmp_path / "f.xml"
    link.symlink_to(STATEMENT)
    assert await take_folder(database, StandingClock(), tmp_path) == 1  # type: ignore[arg-type]
    assert {path.name for path in (tmp_path / "done").iterdir()} == {"a.xml", "a.xml.report.json"}
    told = json.loads((tmp_path / "done" / "a.xml.report.json").read_text())
    assert (told["merchant"], told["movements"]["posted"]) == ("lindenhof", 1)
    reasons = {path.name: path.read_text() for path in (tmp_path / "failed").glob("*.txt")}
    assert reasons["b.xml.reason.txt"].startswith("unreadable: ")
    assert reasons["c.xml.reason.txt"].startswith("account: ")
    assert growing.exists()
    assert unfinished.exists()
    assert link.is_symlink()


async def test_a_file_that_was_taken_before_a_kill_posts_nothing_again(
    database: Database, merchant: Merchant, claim: Claim, tmp_path: Path
) -> None:
    for _ in range(2):
        lay(tmp_path, "a.xml", STATEMENT.read_bytes())
        await take_folder(database, StandingClock(), tmp_path)  # type: ignore[arg-type]
    assert {path.name for path in (tmp_path / "done").glob("*.xml")} == {"a.xml", "a-2.xml"}
    async with database.merchant(merchant.id) as session:
        assert await session.scalar(select(func.count(BankMovement.id))) == 1
        kinds = list(
            await session.scalars(select(Posting.kind).where(Posting.claim_id == claim.id))
        )
    assert kinds.count("payment") == 1


@pytest.fixture
def kulanz(
    database_urls: DatabaseUrls, claim: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["Kulanz"]:
    """The commands on a data directory whose service runs on the test's database."""
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
    with data_dir_lock(data):
        yield Kulanz(libpq_dsn(database_urls.operator))


class Kulanz:
    """Runs commands and looks at the database afterwards."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.app = typer.Typer()
        bank.register(self.app)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.app, arguments, env={"COLUMNS": "200"})

    def movements(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute("SELECT count(*) FROM bank_movement").fetchone()
        assert row is not None
        return int(row[0])


def test_a_dry_run_keeps_nothing(kulanz: Kulanz) -> None:
    dry = kulanz("import-statement", str(STATEMENT), "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    told = json.loads(dry.output)
    assert (told["dry_run"], told["batch"], told["movements"]["posted"]) == (True, None, 1)
    assert told["listed"][0]["claims"] == ["F-1"]
    assert kulanz.movements() == 0


def test_import_and_review_as_typed(kulanz: Kulanz, tmp_path: Path) -> None:
    unsure = tmp_path / "unsure.xml"
    unsure.write_bytes(STATEMENT.read_bytes().replace(b"RE 2026 1042", b"Danke"))
    imported = kulanz("import-statement", str(unsure))
    assert imported.exit_code == 0, imported.output
    assert "0 posted, 1 suggested, 0 unmatched, 0 repeated" in imported.output
    assert "EUR 129.90" in imported.output
    listed = json.loads(kulanz("statement-review", "list", "--json").output)
    movement = str(listed[0]["id"])
    for deed, state in (("accept", "posted"), ("undo", "suggested"), ("reject", "rejected")):
        done = kulanz("statement-review", deed, movement, "--as", "Kim")
        assert done.exit_code == 0, done.output
        assert f"is {state}" in done.output
    assert kulanz("statement-review", "undo", movement).exit_code == 1
    assert "Nothing waits" in kulanz("statement-review", "list").output


def test_a_statement_that_is_refused_ends_the_command(kulanz: Kulanz, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_bytes(STATEMENT.read_bytes()[:-50])
    refused = kulanz("import-statement", str(broken))
    assert refused.exit_code == 1
    assert "nothing was imported" in refused.output

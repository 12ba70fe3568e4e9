"""``kulanz import-claims``, ``import-open-items`` and ``api-key`` as typed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from api.commands import api_key, intake
from api.wiring import Running
from storage.embedded import Secrets, data_dir_lock
from storage.engine import DatabaseUrls, libpq_dsn
from tests.conftest import ROLE_PASSWORD

SAMPLE = Path(__file__).resolve().parents[2] / "api" / "demo" / "claims.csv"


@pytest.fixture
def kulanz(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    with psycopg.connect(libpq_dsn(database_urls.operator)) as connection:
        connection.execute(
            "INSERT INTO merchant (key, name, created_at) VALUES ('lindenhof', 'Lindenhof', now())"
        )
    with data_dir_lock(data):
        yield Kulanz(libpq_dsn(database_urls.operator))


class Kulanz:
    """Runs commands and looks at the database afterwards."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.app = typer.Typer()
        intake.register(self.app)
        api_key.register(self.app)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.app, arguments, env={"COLUMNS": "200"})

    def count(self, table: str) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        return int(row[0])

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement).fetchall()


def test_the_sample_file_is_imported_once(kulanz: Kulanz) -> None:
    first = kulanz("import-claims", str(SAMPLE), "--merchant", "lindenhof")
    assert first.exit_code == 0, first.output
    assert "13 rows: 13 added, 0 unchanged, 0 differ" in first.stdout
    again = kulanz("import-claims", str(SAMPLE))
    assert "13 rows: 0 added, 13 unchanged, 0 differ" in again.stdout
    assert (kulanz.count("claim"), kulanz.count("customer")) == (13, 12)


def test_differences_are_shown_and_applied_by_the_switch(kulanz: Kulanz, tmp_path: Path) -> None:
    kulanz("import-claims", str(SAMPLE))
    changed = tmp_path / "changed.csv"
    changed.write_text(SAMPLE.read_text().replace("189,95", "150,00"))
    shown = kulanz("import-claims", str(changed))
    assert shown.exit_code == 0
    assert "line 4, F-2026-883, amount: 189.95 EUR → 150.00 EUR" in shown.stdout
    assert "--apply-changes" in shown.stdout
    applied = kulanz("import-claims", str(changed), "--apply-changes")
    assert "0 added, 12 unchanged, 1 changed" in applied.stdout
    assert "0 differ" in kulanz("import-claims", str(changed)).stdout


def test_problems_are_listed_and_nothing_is_imported(kulanz: Kulanz, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(SAMPLE.read_text().replace("129,90", "x").replace("17.08.2026", "17.13.2026"))
    result = kulanz("import-claims", str(bad))
    assert result.exit_code == 1
    assert "line 2, amount: not an amount of EUR in german notation" in result.stderr
    assert "line 3, due_date: there is no such day" in result.stderr
    assert "2 problems; nothing was imported" in result.stderr
    assert kulanz.count("claim") == 0


def test_a_file_that_is_no_table_is_refused(kulanz: Kulanz, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    result = kulanz("import-claims", str(empty))
    assert result.exit_code == 1
    assert "file: the file is empty" in result.stderr


def test_changes_of_open_items_are_imported(kulanz: Kulanz, tmp_path: Path) -> None:
    kulanz("import-claims", str(SAMPLE))
    items = tmp_path / "items.csv"
    items.write_text(
        "Belegnummer;Art;Aktenzeichen;Betrag;Wertstellung\n"
        "B-1;Zahlung;F-2026-881;29,90;20.11.2026\n"
        "B-2;Bestätigung;*;;\n"
    )
    assert "2 rows: 1 posted, 0 posted before, 1 confirmed" in (
        kulanz("import-open-items", str(items)).stdout
    )
    assert "0 posted, 1 posted before" in kulanz("import-open-items", str(items)).stdout


def test_a_merchant_that_is_not_known_is_named(kulanz: Kulanz) -> None:
    result = kulanz("import-claims", str(SAMPLE), "--merchant", "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.stderr


def test_an_api_key_is_printed_alone_on_standard_output(kulanz: Kulanz) -> None:
    result = kulanz("api-key", "--merchant", "lindenhof")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().startswith("kulanz_")
    assert len(result.stdout.split()) == 1
    assert kulanz.count("api_key") == 1


def test_a_key_is_listed_by_how_it_begins_and_revoked_for_good(kulanz: Kulanz) -> None:
    first, second = (kulanz("api-key").stdout.strip() for _ in range(2))
    listed = kulanz("api-key", "--list").stdout
    assert first[:15] in listed
    assert second[:15] in listed
    assert first not in listed
    revoked = "SELECT prefix FROM api_key WHERE revoked_at IS NOT NULL"
    for refused in ("kulanz_", "kulanz_nobodys1", ""):
        answer = kulanz("api-key", "--revoke", refused)
        assert answer.exit_code == 1
        assert "no key that begins like this" in answer.stderr
    assert kulanz.rows(revoked) == []
    assert kulanz("api-key", "--revoke", first[:15]).exit_code == 0
    assert kulanz.rows(revoked) == [(first[:15],)]
    assert kulanz("api-key", "--revoke", first).exit_code == 0, "again changes nothing"
    assert kulanz.count("api_key") == 2
    assert kulanz("api-key", "--list", "--revoke", second).exit_code == 2
    assert kulanz.rows(revoked) == [(first[:15],)]


def test_a_key_of_another_merchant_is_not_revoked(kulanz: Kulanz) -> None:
    kulanz.rows("INSERT INTO merchant (key, name, created_at) VALUES ('o', 'O', now()) RETURNING 1")
    theirs = kulanz("api-key", "--merchant", "o").stdout.strip()
    assert kulanz("api-key", "--merchant", "lindenhof", "--revoke", theirs[:15]).exit_code == 1
    assert theirs[:15] not in kulanz("api-key", "--merchant", "lindenhof", "--list").stdout
    assert kulanz.rows("SELECT 1 FROM api_key WHERE revoked_at IS NOT NULL") == []

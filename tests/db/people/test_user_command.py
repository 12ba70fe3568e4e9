"""``kulanz user`` and ``kulanz login --as``: people from the command line."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app
from api.wiring import Running
from storage.embedded import Secrets, data_dir_lock
from storage.engine import DatabaseUrls, libpq_dsn
from storage.tables import Merchant
from tests.conftest import ROLE_PASSWORD

EVA = "eva@lindenhof.example"


class Kulanz:
    """Runs commands and looks at the database afterwards."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def kulanz(
    database_urls: DatabaseUrls,
    merchant: Merchant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Kulanz]:
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


def test_people_are_added_changed_and_kept_out(kulanz: Kulanz) -> None:
    added = kulanz("user", "add", "Eva@Lindenhof.example", "--name", "Eva Kern", "--role", "owner")
    assert added.exit_code == 0, added.output
    assert re.search(r"http://127\.0\.0\.1:1/console/password/[\w-]{43}\n", added.output)
    assert kulanz("user", "add", EVA, "--name", "Eva").exit_code == 1
    assert kulanz("user", "add", "no address", "--name", "Eva").exit_code == 1
    listed = kulanz("user", "list").output
    assert EVA in listed
    assert "invited" in listed
    assert kulanz("user", "role", EVA, "supervisor").exit_code == 0
    assert kulanz("user", "role", EVA, "operator").exit_code == 1
    assert kulanz("user", "disable", EVA).exit_code == 0
    assert kulanz("user", "link", EVA).exit_code == 1
    assert kulanz("login", "--as", EVA).exit_code == 1
    assert kulanz("user", "enable", EVA).exit_code == 0
    assert "/console/login/" in kulanz("login", "--as", EVA).output
    assert "within 7 days" in kulanz("user", "link", EVA).output
    assert kulanz("user", "reset-second-factor", EVA).exit_code == 0
    assert kulanz("user", "disable", "nobody@lindenhof.example").exit_code == 1
    told = kulanz.rows("SELECT kind FROM audit_event WHERE person = 'kulanz' ORDER BY id")
    assert [kind for (kind,) in told] == [
        "person_invited",
        "person_role_changed",
        "person_disabled",
        "person_enabled",
        "password_link_made",
        "second_factor_removed",
    ]


def test_an_operator_belongs_to_no_merchant(kulanz: Kulanz) -> None:
    arguments = ("user", "add", "op@kulanz.example", "--name", "Op", "--role", "operator")
    assert kulanz(*arguments).exit_code == 0
    assert kulanz.rows("SELECT email, merchant_id FROM person") == [("op@kulanz.example", None)]
    assert "op@kulanz.example" in kulanz("user", "list").output


def test_a_key_gets_the_scopes_it_was_made_for(kulanz: Kulanz) -> None:
    made = kulanz("api-key", "--scope", "handoffs", "--scope", "read")
    assert made.exit_code == 0, made.output
    assert kulanz("api-key").exit_code == 0
    assert kulanz("api-key", "--scope", "people").exit_code == 2
    scopes = kulanz.rows("SELECT scopes FROM api_key ORDER BY id")
    assert scopes == [
        (["read", "handoffs"],),
        (["read", "claims:write", "payments", "handoffs", "events"],),
    ]
    listed = kulanz("api-key", "--list").output
    assert "read, handoffs" in listed
    assert "everything" in listed
    (beginning,) = kulanz.rows("SELECT prefix FROM api_key ORDER BY id LIMIT 1")[0]
    assert kulanz("api-key", "--revoke", beginning).exit_code == 0
    told = kulanz.rows("SELECT kind, facts FROM audit_event ORDER BY id")
    assert told[-1] == ("api_key_revoked", {"key": beginning})
    assert [kind for kind, _ in told[:-1]] == ["api_key_made"] * 2


SSO = ("--issuer", "https://id.example", "--client-id", "kulanz", "--domain", "@Lindenhof.example")


def test_single_sign_on_is_set_shown_and_ended(kulanz: Kulanz) -> None:
    for wrong in (
        ("--issuer", "http://id.example", *SSO[2:]),
        SSO[:4],
        SSO[:2] + SSO[4:],
        (*SSO[:4], "--domain", "lindenhof"),
        (*SSO, "--default-role", "operator"),
        (*SSO, "--default-role", "owner"),
    ):
        assert kulanz("user", "sso", *wrong).exit_code == 2, wrong
    done = CliRunner().invoke(app, ["user", "sso", *SSO, "--secret"], input="sehr geheim\n")
    assert done.exit_code == 0, done.output
    assert "http://127.0.0.1:1/console/sso/lindenhof/return" in done.output
    assert "sehr geheim" not in done.output
    ((sealed, domains, role, second),) = kulanz.rows(
        "SELECT client_secret, email_domains, default_role, second_factor FROM sso_provider"
    )
    assert b"sehr geheim" not in sealed
    assert (domains, role, second) == (["lindenhof.example"], None, "told")
    shown = kulanz("user", "sso")
    assert "client secret: kept" in shown.output
    assert kulanz("user", "sso", *SSO, "--default-role", "agent").exit_code == 0
    kept = "SELECT client_secret, default_role FROM sso_provider"
    assert kulanz.rows(kept) == [(sealed, "agent")]
    assert kulanz("user", "sso", "--issuer", "https://other.example", *SSO[2:]).exit_code == 0
    assert kulanz.rows(kept) == [(None, None)]
    assert kulanz("user", "sso", "--off").exit_code == 0
    assert kulanz("user", "sso", "--off").exit_code == 1
    assert kulanz.rows("SELECT count(*) FROM sso_provider") == [(0,)]
    told = kulanz.rows("SELECT kind FROM audit_event WHERE kind = 'sso_changed'")
    assert len(told) == 4

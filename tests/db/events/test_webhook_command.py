"""``kulanz webhook`` as typed, against a web server of the merchant's on this machine."""

import json
import os
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import typer
from click.testing import Result
from standardwebhooks import Webhook
from typer.testing import CliRunner

from api.commands import webhook
from api.wiring import Running
from storage.embedded import Secrets, data_dir_lock
from storage.engine import DatabaseUrls, libpq_dsn
from tests.conftest import ROLE_PASSWORD


class Hook(BaseHTTPRequestHandler):
    """Takes every event."""

    got: list[tuple[dict[str, str], str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).got.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Hook]]]:
    handler = type("HookOfOneTest", (Hook,), {"got": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", handler
        server.shutdown()


class Kulanz:
    """Runs commands on a service that runs on the test's database."""

    def __init__(self, database_urls: DatabaseUrls, data: Path) -> None:
        self.dsn = libpq_dsn(database_urls.operator)
        self._owner = libpq_dsn(database_urls.owner)
        self._data = data
        self._app = typer.Typer()
        webhook.register(self._app)
        Secrets.load(data)
        secrets = json.loads((data / "secrets.json").read_text())
        (data / "secrets.json").write_text(
            json.dumps({**secrets, "database_password": ROLE_PASSWORD})
        )
        self.is_demo(True)

    def is_demo(self, demo: bool) -> None:
        Running(
            owner_url=self._owner,
            redis_url="redis://127.0.0.1:1/0",
            rasa_urls=[],
            web_url="http://127.0.0.1:1",
            supervisor_pid=os.getpid(),
            role_password=ROLE_PASSWORD,
            demo=demo,
        ).save(self._data / "running.json")

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(self._app, ["webhook", *arguments], env={"COLUMNS": "200"})

    def did(self, *arguments: str) -> str:
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def kulanz(
    database_urls: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kulanz]:
    data = tmp_path / "var"
    monkeypatch.setenv("KULANZ_DATA_DIR", str(data))
    monkeypatch.chdir(tmp_path)
    made = Kulanz(database_urls, data)
    with psycopg.connect(made.dsn) as connection:
        connection.execute(
            "INSERT INTO merchant (key, name, created_at) VALUES ('lindenhof', 'Lindenhof', now())"
        )
        connection.execute(
            "INSERT INTO merchant_event (merchant_id, key, sequence, kind, at) SELECT id, 'evt_1',"
            " 1, 'dispute.opened', '2026-11-23 10:00+01' FROM merchant"
        )
    with data_dir_lock(data):
        yield made


def secret_in(output: str) -> str:
    (found,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", output)
    return str(found)


def test_an_endpoint_from_adding_to_removing(kulanz: Kulanz, hook: tuple[str, type[Hook]]) -> None:
    url, handler = hook
    first = secret_in(kulanz.did("add", url))
    assert url in kulanz.did("list")
    assert "whsec" not in kulanz.did("list")
    assert "204" in kulanz.did("test", "1")
    second = secret_in(kulanz.did("rotate", "1"))
    kulanz.did("test", "1")
    (before, _), (after, body) = handler.got
    assert before["webhook-id"] != after["webhook-id"]
    for secret in (first, second):
        read = Webhook(secret).verify(body, after)
    assert (read["type"], read["merchant"]) == ("webhook.test", "lindenhof")
    assert url in kulanz.did("remove", "1")
    assert kulanz("test", "1").exit_code == 1


def test_a_period_and_one_delivery_are_put_down_again(
    kulanz: Kulanz, hook: tuple[str, type[Hook]]
) -> None:
    url, _ = hook
    kulanz.did("add", url)
    period = ("--since", "2026-11-23", "--until", "2026-11-24")
    assert kulanz.did("replay", *period).startswith("1 ")
    shown = kulanz.did("deliveries")
    assert "dispute." in shown  # a narrow terminal folds it
    assert "pending" in shown
    assert "dispute" not in kulanz.did("deliveries", "--failed")
    assert kulanz.did("replay", "1").startswith("1 ")
    assert kulanz.did("replay", "--failed").startswith("0 ")
    assert kulanz.did("replay", "--since", "2026-11-24", "--until", "2026-11-25").startswith("0 ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay",),
        ("replay", "1", "--failed"),
        ("replay", "--since", "2026-11-23"),
        ("replay", "1", "--until", "2026-11-23"),
        ("replay", "77"),
        ("remove", "77"),
        ("rotate", "77"),
        ("add", "https://shop.example/", "--event", "payment.lost"),
        ("add", "https://user:word@shop.example/"),
    ],
)
def test_what_cannot_be_done_is_said(kulanz: Kulanz, arguments: tuple[str, ...]) -> None:
    result = kulanz(*arguments)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output


def test_outside_a_demo_this_machine_is_no_endpoint(
    kulanz: Kulanz, hook: tuple[str, type[Hook]]
) -> None:
    url, handler = hook
    kulanz.did("add", url)
    kulanz.is_demo(False)
    assert kulanz("add", url.replace("/hook", "/other")).exit_code == 1
    assert kulanz("add", "https://127.0.0.1/hook").exit_code == 1
    result = kulanz("test", "1")
    assert (result.exit_code, handler.got) == (1, [])
    assert "address_refused" in result.output

"""The examples of docs/events.md do what they say."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook

from api.merchant_events.endpoints import new_secret
from api.merchant_events.posting import signed

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
BODY = '{"id":"evt_1","type":"payment.received","data":{"claim_reference":"Rückgabe 100 %s"}}'


def example(language: str, begins: str) -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.S) if begins in text]
    assert len(found) == 1
    return found[0]


async def test_the_receiver_in_python_takes_what_is_signed_and_nothing_else() -> None:
    secret = new_secret()
    names: dict[str, object] = {}
    exec(example("python", "FastAPI").replace("whsec_…", secret), names)
    app = names["app"]
    assert isinstance(app, FastAPI)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        for signing, status in (([new_secret(), secret], 204), ([new_secret()], 400)):
            answer = await client.post(
                "/kulanz", content=BODY.encode(), headers=signed(signing, "evt_1", BODY)
            )
            assert answer.status_code == status


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")
def test_the_lines_for_a_shell_tell_genuine_from_forged(tmp_path: Path) -> None:
    secret, other = new_secret(), new_secret()
    (tmp_path / "body.json").write_text(BODY)
    for signing, verdict in (([other, secret], "genuine"), ([other], "forged")):
        headers = signed(signing, "evt_1", BODY)
        ran = subprocess.run(
            ["sh", "-c", example("sh", "openssl dgst") + '\necho "$signature"'],
            cwd=tmp_path,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "SECRET": secret,
                "ID": "evt_1",
                "TIMESTAMP": headers["webhook-timestamp"],
                "SIGNATURES": headers["webhook-signature"],
            },
            capture_output=True,
            text=True,
            check=True,
        )
        said, signature = ran.stdout.split()
        assert said == verdict
        Webhook(secret).verify(BODY, {**headers, "webhook-signature": signature})
        assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60

"""Plain ``rasa run`` with Rasa's default pipeline on the same training data, to compare with."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import yaml

from api.service import BOT_PYTHON
from api.settings import PROJECT
from storage.embedded import free_port

HERE = Path(__file__).parent / "rasa_default"
TRAINING = PROJECT / "nlu_data" / "nlu"
START_SECONDS_MAX = 180.0
SECONDS_FILE = "training_seconds"


class PlainRasaFailed(RuntimeError):
    """Plain Rasa could not be trained or started; the text says why."""


def trained(cache: Path, epochs: int | None = None) -> Path:
    """Train once per state of the training data, and return the model. Raises PlainRasaFailed.

    `epochs` in place of those of the configuration. The seconds that the training took lie beside
    the model, see `training_seconds`.
    """
    config = yaml.safe_load((HERE / "config.yml").read_text(encoding="utf-8"))
    digest = hashlib.sha256((HERE / "config.yml").read_bytes())
    if epochs is not None:
        digest.update(f"epochs {epochs}".encode())
        for component in config["pipeline"]:
            if "epochs" in component:
                component["epochs"] = epochs
    files = sorted(TRAINING.glob("*.yml"))
    for file in files:
        digest.update(file.read_bytes())
    folder = cache / digest.hexdigest()[:16]
    model = folder / "plain.tar.gz"
    if model.exists():
        return model
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    for file in files:
        shutil.copy(file, folder / "data")
    _write_rules(folder, _intents(files))
    (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    argv = [str(BOT_PYTHON), "-m", "rasa", "train", "--config", "config.yml"]
    argv += ["--domain", "domain.yml", "--data", "data", "--out", "."]
    argv += ["--fixed-model-name", "plain"]
    began = time.monotonic()
    done = subprocess.run(
        argv, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if not model.exists():
        raise PlainRasaFailed(f"training plain Rasa failed: {done.stderr[-800:]}")
    (folder / SECONDS_FILE).write_text(f"{time.monotonic() - began:.0f}", encoding="utf-8")
    return model


def training_seconds(model: Path) -> float | None:
    """Return how long the training of the model took, or None where that was not noted."""
    noted = model.with_name(SECONDS_FILE)
    return float(noted.read_text(encoding="utf-8")) if noted.exists() else None


def _intents(files: list[Path]) -> list[str]:
    found: set[str] = set()
    for file in files:
        for block in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu", []):
            if "intent" in block:
                found.add(block["intent"])
    return sorted(found)


def _write_rules(folder: Path, intents: list[str]) -> None:
    """One rule an intent, one plain answer: the least that a turn can be."""
    answer = {"utter_answer": [{"text": "Danke, das habe ich verstanden."}]}
    domain = {"version": "3.1", "intents": intents, "responses": answer}
    rules = [
        {"rule": name, "steps": [{"intent": name}, {"action": "utter_answer"}]} for name in intents
    ]
    (folder / "domain.yml").write_text(yaml.safe_dump(domain), encoding="utf-8")
    (folder / "data" / "rules.yml").write_text(
        yaml.safe_dump({"version": "3.1", "rules": rules}), encoding="utf-8"
    )


def _environment() -> dict[str, str]:
    quiet = {
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
    }
    return {**os.environ, **quiet}


@asynccontextmanager
async def plain_rasa(model: Path) -> AsyncIterator[str]:
    """Run it; yields the address of its REST channel. Raises PlainRasaFailed."""
    port = free_port()
    argv = [str(BOT_PYTHON), "-m", "rasa", "run", "--model", str(model)]
    argv += ["--credentials", str(HERE / "credentials.yml"), "-i", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        argv,
        cwd=model.parent,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_answering(process, url)
        yield f"{url}/webhooks/rest/webhook"
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 20)


async def _until_answering(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    async with httpx.AsyncClient(timeout=30) as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                body = {"sender": "ready", "message": "hallo"}
                answer = await http.post(f"{url}/webhooks/rest/webhook", json=body)
                if answer.status_code == 200 and answer.json():
                    return
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(0.5)
    raise PlainRasaFailed("plain Rasa did not come up")

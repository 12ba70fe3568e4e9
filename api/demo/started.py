"""A service of our own: ``kulanz up`` as a child process, wired to a stand-in of the providers.

Used by the played demo, the journeys and the measurements. All accounts in here are invented.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from api.demo.customers import Line
from api.settings import Settings
from api.wiring import NotRunning, Running
from storage.embedded import free_port

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "token-of-the-stand-in"
TELEGRAM_BOT = "700000001"
TELEGRAM_SECRET = "secret-of-the-stand-in"
SMS_NUMBER = "+4915735990001"
WHATSAPP_NUMBER = "+4915735990002"
START_SECONDS_MAX = 600.0
"""A model that has to be trained first takes a minute or two."""


class NotStarted(RuntimeError):
    """The service did not come up; the text says what its log said last."""


def environment(data_dir: Path, standin_url: str, port: int) -> dict[str, str]:
    """The settings of a service whose providers are the stand-in."""
    return {
        "KULANZ_DATA_DIR": str(data_dir),
        "KULANZ_PORT": str(port),
        "KULANZ_TELEGRAM_BOT_TOKEN": f"{TELEGRAM_BOT}:stand-in",
        "KULANZ_TELEGRAM_BOT_NAME": "lindenhof_demo_bot",
        "KULANZ_TELEGRAM_WEBHOOK_SECRET": TELEGRAM_SECRET,
        "KULANZ_TELEGRAM_API_URL": standin_url,
        "KULANZ_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "KULANZ_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "KULANZ_TWILIO_API_URL": standin_url,
        "KULANZ_TWILIO_SMS_FROM": SMS_NUMBER,
        "KULANZ_TWILIO_WHATSAPP_FROM": WHATSAPP_NUMBER,
    }


@dataclass
class StartedService:
    """One running ``kulanz up`` with its own data directory and port."""

    data_dir: Path
    standin_url: str | None
    """None: a demo, which brings a stand-in of its own."""
    extra: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.data_dir / "up.log"

    @property
    def variables(self) -> dict[str, str]:
        """Its settings, as environment variables."""
        if self.standin_url is None:
            own = {"KULANZ_DATA_DIR": str(self.data_dir), "KULANZ_PORT": str(self.port)}
        else:
            own = environment(self.data_dir, self.standin_url, self.port)
        return {**own, **self.extra}

    @property
    def command(self) -> list[str]:
        """What is started."""
        kulanz = str(Path(sys.executable).with_name("kulanz"))
        return [kulanz, "up", *(["--demo"] if self.standin_url is None else [])]

    def settings(self) -> Settings:
        """Its settings, for commands that work on the same data directory."""
        names = {
            name.removeprefix("KULANZ_").lower(): value
            for name, value in self.variables.items()
            if name.startswith("KULANZ_")
        }
        # A developer's own .env must not reach into a throw-away service.
        return Settings(_env_file=None, **names)  # type: ignore[call-arg, arg-type]

    def line(self) -> Line:
        """The way from the providers to it."""
        return Line(
            url=self.url,
            public_url=self.url,
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            telegram_secret=TELEGRAM_SECRET,
        )

    def start(self) -> None:
        """Start the supervisor, in a session of its own."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("KULANZ_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.data_dir,  # where no .env of a real service lies
                env={**inherited, **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def until_ready(self, seconds: float = START_SECONDS_MAX) -> Running:
        """Wait until messages can be answered. Raises NotStarted."""
        return await self._until(seconds, with_dialogue=True)

    async def until_listening(self, seconds: float = START_SECONDS_MAX) -> Running:
        """Wait until messages are taken, answered or not. Raises NotStarted."""
        return await self._until(seconds, with_dialogue=False)

    async def _until(self, seconds: float, *, with_dialogue: bool) -> Running:
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=3) as http:
            while time.monotonic() < deadline and self._alive():
                try:
                    running = Running.load(self.settings().state_file)
                    health = (await http.get(f"{self.url}/health")).json()
                    if health.get("dialogue") == "ok" or (
                        not with_dialogue and health.get("status") == "ok"
                    ):
                        return running
                except (NotRunning, httpx.HTTPError, ValueError):
                    pass
                await asyncio.sleep(0.2)
        last = self.log.read_text(errors="replace")[-1500:]
        raise NotStarted(f"kulanz up did not become ready:\n{last}")

    def _alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the supervisor itself."""
        if self.process is not None and self._alive():
            self.process.send_signal(number)

    async def stop(self) -> int:
        """Stop it with SIGTERM, as an operator would; return its exit code."""
        self.send_signal(signal.SIGTERM)
        if self.process is None:
            return 0
        return await asyncio.to_thread(self.process.wait, 60)

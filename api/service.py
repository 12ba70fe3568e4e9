"""What ``kulanz up`` consists of: engines, dialogue, web and workers, in the order they start."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console

from api.accounts import ensure_environment_accounts, register_telegram_webhook
from api.demo.providers import stand_in_settings
from api.settings import PROJECT, Settings
from api.supervisor import Child, Supervisor, die_with_parent
from api.wiring import Keys, Running
from channels.message import SendError
from storage import embedded
from storage.embedded import Command, DataDirBusy, EngineFailed, Secrets
from storage.engine import Database, DatabaseUrls
from storage.migrate import migrate

BOT = PROJECT / "bot"
BOT_PYTHON = BOT / ".venv" / "bin" / "python"
READY_SECONDS = {"rasa": 180.0, "web": 120.0}
"""Long, for a machine in a rush: what is ended for a slow start never comes up."""


class ModelMissing(RuntimeError):
    """The assistant is not trained, or its environment is not installed."""


async def trained_model(reviewed: Path | None = None) -> Path:
    """Train the assistant if its inputs changed, and return its model file.

    `reviewed` are lines to try in place of those that are kept.

    Raises:
        ModelMissing: with what to do, and the last lines of a training that failed.
    """
    if not BOT_PYTHON.exists():
        raise ModelMissing("the assistant's environment is missing; run `make install`")
    training = await asyncio.create_subprocess_exec(
        str(BOT_PYTHON),
        "pipeline/train.py",
        *(("--reviewed", str(reviewed)) if reviewed else ()),
        cwd=BOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        said, complained = await training.communicate()
    except asyncio.CancelledError:
        training.kill()
        raise
    lines = said.decode().split()
    if training.returncode != 0 or not lines:
        last = "\n".join(complained.decode("utf-8", "replace").strip().splitlines()[-15:])
        raise ModelMissing(f"training the assistant failed:\n{last}")
    return Path(lines[-1])


class Service:
    """The whole service under one supervisor."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.keys = Keys.of(settings)
        self.data_dir = settings.data_dir.resolve()
        self.supervisor = Supervisor(console, on_change=self._save)
        self.running: Running | None = None
        self._held = ExitStack()

    async def start(self, *, with_rasa: bool = True) -> Running:
        """Start everything in order; returns when messages can be answered.

        Raises:
            EngineFailed, ModelMissing, RolesMissing: with what to do.
        """
        try:
            self._held.enter_context(embedded.data_dir_lock(self.data_dir))
        except DataDirBusy:
            raise EngineFailed(f"a service is already running on {self.data_dir}") from None
        owner_url = await self._database()
        redis_url = await self._valkey()
        rasa_ports = [embedded.free_port() for _ in range(self.settings.rasa_processes)]
        port = embedded.free_port(self.settings.port)
        if port != self.settings.port:
            self.supervisor.say("up", f"port {self.settings.port} is taken, using {port}")
        rasa_urls = [f"http://127.0.0.1:{p}" for p in rasa_ports]
        if self.settings.rasa_url:
            rasa_urls = [self.settings.rasa_url]
        web_url = f"http://127.0.0.1:{port}"
        self.running = Running(
            owner_url=owner_url,
            redis_url=redis_url,
            rasa_urls=rasa_urls,
            web_url=web_url,
            supervisor_pid=os.getpid(),
            role_password=self.keys.role_password,
            demo=self.settings.demo,
            stand_in=stand_in_settings(self.settings, web_url, self.keys.secret_key)
            if self.settings.demo
            else {},
        )
        self._save()
        # The assistant takes longest to load and needs nobody while it does.
        loading = asyncio.create_task(self._rasa(rasa_ports)) if with_rasa else None
        try:
            urls = DatabaseUrls.derive(owner_url, self.keys.role_password)
            await asyncio.to_thread(migrate, urls)
            await self._accounts(urls)
            await self.supervisor.start(Child("web", lambda: self._web(port), self._web_ready))
            for number in range(1, self.settings.worker_processes + 1):
                await self.supervisor.start(Child(f"worker{number}", self._worker))
            if loading is not None:
                await loading
        finally:
            if loading is not None:
                loading.cancel()
        await self._register_telegram()
        return self.running

    async def stop(self) -> None:
        """Stop everything and forget the running service."""
        await self.supervisor.stop()
        if self.running is not None:
            self.settings.state_file.unlink(missing_ok=True)
        self._held.close()

    async def _register_telegram(self) -> None:
        try:
            if await register_telegram_webhook(self.settings):
                self.supervisor.say("up", "Telegram knows our webhook")
        except SendError as error:
            self.supervisor.say("up", f"Telegram did not take our webhook: {error}", style="yellow")

    def _save(self) -> None:
        if self.running is not None:
            self.running.save(self.settings.state_file)

    async def _database(self) -> str:
        given = self.settings.secret("database_url")
        if given is not None:
            return given
        password = Secrets.load(self.data_dir).database_password
        cluster = embedded.prepare_postgres(self.data_dir, password)
        port = embedded.free_port()

        async def ready() -> None:
            await asyncio.to_thread(embedded.wait_for_postgres, port, password)

        await self.supervisor.start(
            Child("postgres", lambda: embedded.postgres_command(cluster, port), ready)
        )
        return embedded.owner_url(port, password)

    async def _valkey(self) -> str:
        given = self.settings.secret("redis_url")
        if given is not None:
            return given
        password = Secrets.load(self.data_dir).redis_password
        port = embedded.free_port()
        url = embedded.redis_url(port, password)

        async def ready() -> None:
            await _answers(url)

        await self.supervisor.start(
            Child("valkey", lambda: embedded.valkey_command(self.data_dir, port, password), ready)
        )
        return url

    async def _accounts(self, urls: DatabaseUrls) -> None:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                await ensure_environment_accounts(session, self.settings, datetime.now(UTC))
        finally:
            await database.close()

    async def _rasa(self, ports: list[int]) -> None:
        if self.settings.rasa_url:
            return
        self.supervisor.say("up", "looking for the trained assistant (a new one takes a minute)")
        model = await trained_model()
        starts = []
        for number, port in enumerate(ports, start=1):
            name = "rasa" if len(ports) == 1 else f"rasa{number}"

            def command(port: int = port, name: str = name) -> Command:
                return self._rasa_command(name, model, port)

            async def ready(port: int = port) -> None:
                await _until_ok(f"http://127.0.0.1:{port}/webhooks/turn/", READY_SECONDS["rasa"])

            starts.append(self.supervisor.start(Child(name, command, ready)))
        self.supervisor.say("up", "loading the assistant, about 20 seconds")
        await asyncio.gather(*starts)

    def _rasa_command(self, name: str, model: Path, port: int) -> Command:
        running = self.running
        if running is None:
            raise EngineFailed("the service is not started")
        argv = [str(BOT_PYTHON), "pipeline/rasa_cli.py", "run", "--model", str(model)]
        argv += ["--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
        argv += ["-i", "127.0.0.1", "-p", str(port)]
        env = {
            "KULANZ_RASA_SECRET": self.keys.rasa_secret,
            "KULANZ_ACTIONS_URL": f"{running.web_url}/actions",
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(BOT),
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "PYTHONWARNINGS": "ignore",
        }
        # It keeps nothing: there is nothing to finish or to save when it stops.
        return Command(name, argv, env=env, cwd=BOT, stop_signal="SIGKILL")

    def _web(self, port: int) -> Command:
        argv = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory"]
        argv += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
        argv += ["--no-proxy-headers", "--log-level", "warning", "--timeout-graceful-shutdown", "8"]
        return Command("web", argv, env=self._own_environment(), cwd=PROJECT, ours=True)

    def _worker(self) -> Command:
        argv = [sys.executable, "-m", "api.worker"]
        return Command("worker", argv, env=self._own_environment(), cwd=PROJECT, ours=True)

    def _own_environment(self) -> dict[str, str]:
        return {
            "KULANZ_DATA_DIR": str(self.data_dir),
            "KULANZ_DEMO": str(int(self.settings.demo)),
            "PYTHONUNBUFFERED": "1",
        }

    async def _web_ready(self) -> None:
        running = self.running
        if running is None:
            raise EngineFailed("the service is not started")
        await _until_ok(f"{running.web_url}/health", READY_SECONDS["web"])


async def _until_ok(url: str, seconds: float) -> None:
    """Wait until an address answers 200.

    Raises:
        EngineFailed: it did not in time.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    async with httpx.AsyncClient(timeout=3) as client:
        while asyncio.get_running_loop().time() < deadline:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise EngineFailed(
        f"{url.partition('//')[2].partition('/')[0]} did not answer in {seconds:.0f} s"
    )


async def _answers(url: str, seconds: float = 15) -> None:
    client = Redis.from_url(url)
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        while True:
            try:
                await client.ping()
                return
            except (RedisError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise EngineFailed(f"Valkey did not come up: {error}") from error
                await asyncio.sleep(0.05)
    finally:
        await client.aclose()

"""What ``kulanz up`` consists of: engines, dialogue, web and workers, in the order they start."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console

from api.accounts import ensure_environment_accounts
from api.settings import PROJECT, Settings
from api.supervisor import Child, Supervisor
from api.wiring import Keys, NotRunning, Running
from channels.message import SendError
from channels.telegram import TelegramProvider
from storage import embedded
from storage.embedded import Command, EngineFailed, Secrets
from storage.engine import Database, DatabaseUrls
from storage.migrate import migrate

BOT = PROJECT / "bot"
BOT_PYTHON = BOT / ".venv" / "bin" / "python"
READY_SECONDS = {"rasa": 180.0, "web": 30.0}


class ModelMissing(RuntimeError):
    """The assistant is not trained, or its environment is not installed."""


def trained_model() -> Path:
    """Train the assistant if its inputs changed, and return its model file.

    Raises:
        ModelMissing: with what to do, and the last lines of a training that failed.
    """
    if not BOT_PYTHON.exists():
        raise ModelMissing("the assistant's environment is missing; run `make install`")
    done = subprocess.run(
        [str(BOT_PYTHON), "pipeline/train.py"], cwd=BOT, capture_output=True, text=True, check=False
    )
    lines = done.stdout.split()
    if done.returncode != 0 or not lines:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise ModelMissing(f"training the assistant failed:\n{last}")
    return Path(lines[-1])


@asynccontextmanager
async def database_only(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """The database for one command: the running service's, a real one, or an embedded one for now.

    Migrated in every case.
    """
    keys = Keys.of(settings)
    given = settings.secret("database_url")
    if given is None:
        try:
            given = Running.load(settings.state_file).owner_url
        except NotRunning:
            given = None
    if given is not None:
        urls = DatabaseUrls.derive(given, keys.role_password)
        await asyncio.to_thread(migrate, urls)
        yield urls
        return
    password = Secrets.load(settings.data_dir).database_password
    cluster = embedded.prepare_postgres(settings.data_dir.resolve(), password)
    port = embedded.free_port()
    command = embedded.postgres_command(cluster, port)
    process = await asyncio.create_subprocess_exec(
        *command.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        await asyncio.to_thread(embedded.wait_for_postgres, port, password)
        urls = DatabaseUrls.derive(embedded.owner_url(port, password), keys.role_password)
        await asyncio.to_thread(migrate, urls)
        yield urls
    finally:
        process.send_signal(embedded.signal_of(command))
        await process.wait()


class Service:
    """The whole service under one supervisor."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.keys = Keys.of(settings)
        self.data_dir = settings.data_dir.resolve()
        self.supervisor = Supervisor(console, on_change=self._save)
        self.running: Running | None = None

    async def start(self, *, with_rasa: bool = True) -> Running:
        """Start everything in order; returns when messages can be answered.

        Raises:
            EngineFailed, ModelMissing, RolesMissing: with what to do.
        """
        if self.settings.state_file.exists():
            try:
                other = Running.load(self.settings.state_file)
            except NotRunning:
                pass
            else:
                if other.supervisor_pid != os.getpid():
                    raise EngineFailed(
                        f"a service runs here already (process {other.supervisor_pid})"
                    )
        owner_url = await self._database()
        redis_url = await self._valkey()
        rasa_ports = [embedded.free_port() for _ in range(self.settings.rasa_processes)]
        port = embedded.free_port(self.settings.port)
        if port != self.settings.port:
            self.supervisor.say("up", f"port {self.settings.port} is taken, using {port}")
        rasa_urls = [f"http://127.0.0.1:{p}" for p in rasa_ports]
        if self.settings.rasa_url:
            rasa_urls = [self.settings.rasa_url]
        self.running = Running(
            owner_url=owner_url,
            redis_url=redis_url,
            rasa_urls=rasa_urls,
            web_url=f"http://127.0.0.1:{port}",
            supervisor_pid=os.getpid(),
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
        self.settings.state_file.unlink(missing_ok=True)

    async def _register_telegram(self) -> None:
        """Tell Telegram where our webhook is, if it can be reached from outside."""
        token = self.settings.secret("telegram_bot_token")
        hook = self.settings.secret("telegram_webhook_secret")
        base = self.settings.public_url or ""
        if not token or not hook or not base.startswith("https://"):
            return
        provider = TelegramProvider(
            token=token, webhook_secret=hook, api_url=self.settings.telegram_api_url
        )
        try:
            await provider.register_webhook(f"{base.rstrip('/')}/webhooks/telegram")
            self.supervisor.say("up", "Telegram knows our webhook")
        except SendError as error:
            self.supervisor.say("up", f"Telegram did not take our webhook: {error}", style="yellow")
        finally:
            await provider.close()

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
        model = await asyncio.to_thread(trained_model)
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
        argv = [str(BOT_PYTHON), "-m", "rasa", "run", "--model", str(model)]
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
        return Command("web", argv, env=self._own_environment(), cwd=PROJECT)

    def _worker(self) -> Command:
        argv = [sys.executable, "-m", "api.worker"]
        return Command("worker", argv, env=self._own_environment(), cwd=PROJECT)

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

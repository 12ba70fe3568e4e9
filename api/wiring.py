"""The one place where the parts of a process are put together."""

import gc
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from api.accounts import Providers
from api.clock import Clock
from api.events import Events
from api.limits import Limits
from api.settings import Settings
from conversation.engine import RasaEngine
from storage.embedded import Secrets, is_locked
from storage.engine import Database, DatabaseUrls


class SecretKeyMissing(RuntimeError):
    """A shared database needs a shared secret key; the text says so."""


class NotRunning(RuntimeError):
    """No service runs on this data directory; the text says how to start one."""


@dataclass(frozen=True)
class Running:
    """How to reach the parts of a running service (``running.json``)."""

    owner_url: str
    redis_url: str
    rasa_urls: list[str]
    web_url: str
    supervisor_pid: int
    role_password: str
    demo: bool = False
    stand_in: dict[str, str] = field(default_factory=dict)
    """Settings of the channels that a demo's stand-in serves; they hold in all its processes."""

    def save(self, path: Path) -> None:
        """Write it for the owner of the data directory only."""
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Running":
        """Read it.

        Raises:
            NotRunning: there is none, or its supervisor is gone.
        """
        try:
            running = cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            running = None
        if running is None or not is_locked(path.parent):
            raise NotRunning("no service runs here; start one with `kulanz up` (or `make demo`)")
        return running


def as_running(settings: Settings) -> Settings:
    """The settings, with clock and stand-in of the demo where one runs on this data directory."""
    try:
        running = Running.load(settings.state_file)
    except NotRunning:
        return settings
    return settings.model_copy(update={"demo": running.demo}).with_values(running.stand_in)


@dataclass(frozen=True)
class Keys:
    """The secrets in force: from the environment, else generated ones of the data directory."""

    secret_key: str
    rasa_secret: str
    role_password: str

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """Resolve them; generates the data directory's on first use."""
        if settings.database_url is not None and settings.secret_key is None:
            raise SecretKeyMissing(
                "KULANZ_DATABASE_URL is set, so KULANZ_SECRET_KEY has to be, too: every process "
                "and machine on that database must share it"
            )
        made = Secrets.load(settings.data_dir)
        secret_key = settings.secret("secret_key") or made.secret_key
        return cls(
            secret_key=secret_key,
            rasa_secret=settings.secret("rasa_secret") or made.rasa_secret,
            role_password=made.database_password
            if settings.database_url is None
            else _derived(secret_key, "database roles"),
        )


def _derived(secret_key: str, purpose: str) -> str:
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Parts:
    """Everything a web or worker process holds."""

    settings: Settings
    keys: Keys
    database: Database
    events: Events
    limits: Limits
    providers: Providers
    engine: RasaEngine
    clock: Clock
    running: Running

    @property
    def public_url(self) -> str:
        """Where providers reach us."""
        return (self.settings.public_url or self.running.web_url).rstrip("/")


def collect_garbage_rarely() -> None:
    """What a process starts with stays; what a turn leaves behind is seldom a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@asynccontextmanager
async def parts(settings: Settings, *, pool_size: int = 10) -> AsyncIterator[Parts]:
    """Connect to a running service's database, events and engine; close all at the end.

    Raises:
        NotRunning: nothing runs on this data directory.
    """
    running = Running.load(settings.state_file)
    settings = as_running(settings)
    keys = Keys.of(settings)
    urls = DatabaseUrls.derive(running.owner_url, running.role_password)
    database = Database(urls, pool_size=pool_size)
    events = Events(running.redis_url)
    providers = Providers(settings, keys.secret_key, events.to_terminal)
    limits = Limits(running.redis_url)
    engine = RasaEngine(running.rasa_urls, keys.rasa_secret)
    collect_garbage_rarely()
    try:
        yield Parts(
            settings=settings,
            keys=keys,
            database=database,
            events=events,
            limits=limits,
            providers=providers,
            engine=engine,
            clock=Clock(settings),
            running=running,
        )
    finally:
        await engine.close()
        await providers.close()
        await limits.close()
        await events.close()
        await database.close()

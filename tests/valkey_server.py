"""A Valkey of the tests' own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from storage import embedded

STARTS_WITHIN_SECONDS = 20
STARTS_MAX = 3
"""A free port may be taken by a connection of another process before Valkey has it."""
_PASSWORD = "only-for-tests"


@contextmanager
def valkey_server(folder: Path) -> Iterator[str]:
    """Its address, while it runs."""
    for _ in range(STARTS_MAX):
        port = embedded.free_port()
        command = embedded.valkey_command(folder, port, _PASSWORD)
        with (folder / "valkey.log").open("ab") as log:
            process = subprocess.Popen(command.argv, stdout=log, stderr=log)
        url = embedded.redis_url(port, _PASSWORD)
        try:
            if _answers(url, process):
                yield url
                return
        finally:
            process.terminate()
            process.wait(timeout=20)
    raise AssertionError("Valkey does not start: " + (folder / "valkey.log").read_text()[-2000:])


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it answers in time; it does not where it has ended."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    with redis.Redis.from_url(url, socket_timeout=2) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return True
    return False

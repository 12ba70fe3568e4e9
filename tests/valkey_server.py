"""A Valkey of the tests' own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from storage import embedded

STARTS_WITHIN_SECONDS = 20


@contextmanager
def valkey_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """Its address, while it runs."""
    port, password = port or embedded.free_port(), "only-for-tests"
    command = embedded.valkey_command(folder, port, password)
    process = subprocess.Popen(command.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = embedded.redis_url(port, password)
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Valkey does not start"
                time.sleep(0.05)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)

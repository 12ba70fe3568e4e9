"""How long `kulanz import-claims` takes, and how much memory, for 10,000 and 100,000 rows.

Starts an embedded PostgreSQL of its own in a temporary folder, runs the command as a user would,
and prints seconds, rows a second and the command's peak memory for each size: the second import
of the same file too.

    .venv/bin/python -m benchmarks.import_claims [ROWS ...]
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg

from api.wiring import Running
from storage import embedded
from storage.embedded import Secrets
from storage.engine import DatabaseUrls, libpq_dsn
from storage.migrate import migrate

SIZES = (10_000, 100_000)
HEADER = (
    "Kundennummer;Name;Vorname;Geburtsdatum;PLZ;Telefon;E-Mail;Sprache;Forderungsnummer;"
    "Rechnungsnummer;Bestellnummer;Beschreibung;Rechnungsdatum;Fällig am;Betrag;Kosten;Kostengrund"
)
NAMES = ("Müller", "Öztürk", "Schäfer", "Nowak", "Weiß", "Clarke", "Yıldız", "Brandt")
ARTICLES = ("Laufschuhe „Trail“", "Kaffeemaschine", "Stromabrechnung 2025/26", "Reparatur")


def write_rows(path: Path, rows: int) -> None:
    """Write a file of claims; every fifth customer has two of them."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for number in range(rows):
            who = number - 1 if number % 5 == 4 else number
            born = date(1950, 1, 1) + timedelta(days=who % 18_000)
            euros = 5 + number * 7 % 2400
            costs = "2,50;Rücklastschrift der Bank" if number % 3 == 0 else ";"
            amount = f"{euros // 1000}.{euros % 1000:03d}" if euros >= 1000 else str(euros)
            cells = (
                *(f"K-{who}", NAMES[who % len(NAMES)], f"Kim {who}", f"{born:%d.%m.%Y}"),
                *(f"{10115 + who % 4000}", f"0176 040690{who % 100:02d}"),
                *(f"kim{who}@example.org", "de", f"F-{number}", f"RE-{number}", f"B-{number}"),
                *(ARTICLES[number % 4], "01.08.2026", "15.08.2026", f"{amount},{number % 100:02d}"),
                costs,
            )
            file.write(";".join(cells) + "\n")


def run_import(
    file: Path, data: Path, merchant: str, *, command_name: str = "import-claims"
) -> tuple[float, float, int]:
    """Run the command on a file; return seconds, its seconds of CPU, and its peak of MiB.

    Raises:
        RuntimeError: the command failed.
    """
    begun = time.monotonic()
    kulanz = [sys.executable, "-c", "from api.cli import app; app()"]
    command = subprocess.Popen(
        [*kulanz, command_name, str(file), "--merchant", merchant],
        env={**os.environ, "KULANZ_DATA_DIR": str(data)},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(command.pid, 0)
    command.returncode = os.waitstatus_to_exitcode(status)
    if command.returncode != 0:
        raise RuntimeError(f"{command_name} ended with {command.returncode}")
    seconds = time.monotonic() - begun
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def measure(folder: Path, urls: DatabaseUrls, sizes: tuple[int, ...]) -> None:
    """Import a file of each size twice for a merchant of its own, and print the figures."""
    data = folder / "var"
    print(f"{'rows':>8} {'import':>8} {'seconds':>8} {'rows/s':>8} {'peak MiB':>9}")
    for rows in sizes:
        file = folder / f"{rows}.csv"
        write_rows(file, rows)
        merchant = f"bench-{rows}"
        with psycopg.connect(libpq_dsn(urls.operator)) as connection:
            connection.execute(
                "INSERT INTO merchant (key, name, created_at) VALUES (%s, %s, now())",
                [merchant, "Benchmark"],
            )
        for which in ("first", "again"):
            seconds, _, peak = run_import(file, data, merchant)
            print(f"{rows:>8} {which:>8} {seconds:>8.1f} {rows / seconds:>8.0f} {peak:>9}")


@contextmanager
def database() -> Iterator[tuple[Path, DatabaseUrls]]:
    """A folder whose ``var`` is the data directory of a service with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "var"
        password = Secrets.load(data).database_password
        cluster = embedded.prepare_postgres(data, password)
        port = embedded.free_port()
        command = embedded.postgres_command(cluster, port)
        server = subprocess.Popen(command.argv, stdout=subprocess.DEVNULL)
        try:
            embedded.wait_for_postgres(port, password)
            urls = DatabaseUrls.derive(embedded.owner_url(port, password), password)
            with embedded.data_dir_lock(data):
                migrate(urls)
                Running(
                    owner_url=libpq_dsn(urls.owner),
                    redis_url="",
                    rasa_urls=[],
                    web_url="",
                    supervisor_pid=os.getpid(),
                    role_password=password,
                ).save(data / "running.json")
                yield folder, urls
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)


def main() -> None:
    """Start PostgreSQL, measure, stop it."""
    sizes = tuple(int(size) for size in sys.argv[1:]) or SIZES
    with database() as (folder, urls):
        measure(folder, urls, sizes)


if __name__ == "__main__":
    main()

"""Which processes belong to a service, found in ``/proc`` (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

_NAMES = (
    ("web", "api.app:create_app"),
    ("worker", "api.worker"),
    ("rasa", "rasa_cli.py run"),
    ("rasa", "-m rasa run"),
    ("postgres", "pginstall/bin/postgres"),
    ("valkey", "valkey"),
)


@dataclass(frozen=True)
class Process:
    """One process: its id, when it began (clock ticks since boot), and what it is."""

    pid: int
    parent: int
    began: int
    command: str

    @property
    def part(self) -> str | None:
        """Which part of the service it is; None for helpers and for PostgreSQL's own children."""
        return next((name for name, mark in _NAMES if mark in self.command), None)


def _read(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent, *rest = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    return Process(pid, int(parent), int(rest[17]), command)


def all_processes() -> list[Process]:
    """Every living process."""
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [process for pid in pids if (process := _read(pid)) is not None]


def descendants(pid: int) -> list[Process]:
    """All processes below this one."""
    everyone = all_processes()
    found: list[Process] = []
    parents = {pid}
    while parents:
        below = [process for process in everyone if process.parent in parents]
        found += below
        parents = {process.pid for process in below}
    return found


def alive(processes: list[Process]) -> list[Process]:
    """Those of the processes that still run (the same process, not one with its number)."""
    return [
        process
        for process in processes
        if (now := _read(process.pid)) is not None and now.began == process.began
    ]


def cpu_seconds_by_part(pid: int) -> dict[str, float]:
    """CPU time so far of each part below a supervisor; PostgreSQL with all its server processes."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent: dict[str, float] = {}
    for process in descendants(pid):
        try:
            stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        part = process.part or ("postgres" if process.command.startswith("postgres:") else "other")
        spent[part] = spent.get(part, 0.0) + (int(stat[11]) + int(stat[12])) / ticks
    return spent

"""What the invented phones hold: every message and tick in order, kept beside the demo's data.

A phone that was switched off catches up: whoever reads names the last entry they have and gets all
that came since, also after the web process was started anew.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE_NAME: Final = "phones.jsonl"


@dataclass(frozen=True)
class Entry:
    """One thing that happened on a phone. `address` is as the stand-in names the phone."""

    number: int
    address: str
    kind: str
    """``message`` or ``status``."""
    data: dict[str, Any]


class Journal:
    """Append-only; one process writes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._of: defaultdict[str, list[Entry]] = defaultdict(list)
        self._last = 0
        self._waiting: set[asyncio.Event] = set()
        for entry in self._read():
            self._keep(entry)

    def _read(self) -> Iterator[Entry]:
        if not self._file.exists():
            return
        for line in self._file.read_text(encoding="utf-8").splitlines():
            try:
                yield Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue  # cut off by the end of the process that wrote it

    def _keep(self, entry: Entry) -> None:
        self._of[entry.address].append(entry)
        self._last = max(self._last, entry.number)

    def add(self, address: str, kind: str, data: dict[str, Any]) -> Entry:
        """Keep one entry and wake whoever waits."""
        entry = Entry(self._last + 1, address, kind, data)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry.__dict__, ensure_ascii=False) + "\n")
        self._keep(entry)
        self.wake()
        return entry

    def after(self, number: int, addresses: Collection[str]) -> list[Entry]:
        """The entries of these phones behind the one with this number, in order."""
        found = [e for address in addresses for e in self._of[address] if e.number > number]
        return sorted(found, key=lambda entry: entry.number)

    def message(self, address: str, key: str) -> Entry | None:
        """The message with this key on a phone."""
        return next(
            (e for e in self._of[address] if e.kind == "message" and e.data["key"] == key), None
        )

    def last_message_number(self) -> int:
        """The highest number that a message of any phone has at its provider."""
        numbers = (e.data.get("number", 0) for entries in self._of.values() for e in entries)
        return max(numbers, default=0)

    def wake(self) -> None:
        """Let everybody look again who waits for news."""
        for event in self._waiting:
            event.set()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set at each news, for as long as the block lasts."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

"""Reviewed lines as training data: which are taken, where they lie, and what they bring.

The held-out lines measure how much is understood. Whoever trained with one of them would only
measure what was learned by heart, so those are refused.
"""

import asyncio
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from api.service import BOT, BOT_PYTHON, ModelMissing, trained_model
from api.settings import PROJECT

LINES = PROJECT / "nlu_data" / "reviewed" / "lines.yml"
"""Part of the training data of this installation only; nothing lies here that was not measured."""
TRIED = BOT / "models" / "reviewed-lines-tried.yml"
"""Lines while they are measured. Nothing trains with them but who is told to by name."""
HELD_OUT = PROJECT / "tests" / "heldout"
_VALUE = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
_EXAMPLE = re.compile(r"^\s*-\s+(.+?)\s*$", re.MULTILINE)


class TriedElsewhere(Exception):
    """Another process is measuring lines."""


class ReviewedUnusable(Exception):
    """The file is no training data of ours; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Lines to train with by intent and language, and those that were refused."""

    lines: Mapping[tuple[str, str], tuple[str, ...]]
    held_out: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many lines are trained with."""
        return sum(map(len, self.lines.values()))

    def text(self) -> str:
        """The lines as Rasa reads them."""
        parts = ['version: "3.1"\n\nnlu:\n']
        for (intent, language), lines in sorted(self.lines.items()):
            parts.append(f"  - intent: {intent}\n    metadata: {{language: {language}}}\n")
            parts.append("    examples: |\n" + "".join(f"      - {line}\n" for line in lines))
        return "".join(parts)


def read_reviewed(text: str, intents: Iterable[str], held_out: Iterable[str]) -> Reviewed:
    """Take the examples of a file of Rasa's training data, but no held-out ones.

    Raises:
        ReviewedUnusable: it is none, or has an intent that is not ours.
    """
    try:
        given = yaml.safe_load(text)
        groups = [
            (one["intent"], (one.get("metadata") or {}).get("language", "de"), one["examples"])
            for one in (given["nlu"] or [])
        ]
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as broken:
        raise ReviewedUnusable("no training data as the console exports it") from broken
    known, never = frozenset(intents), frozenset(map(normalised, held_out))
    kept: dict[tuple[str, str], dict[str, None]] = {}
    refused = []
    for intent, language, examples in groups:
        if intent not in known or language not in ("de", "en"):
            raise ReviewedUnusable(f"no intent of the assistant: {intent!r} ({language})")
        for example in _EXAMPLE.findall(str(examples)):
            if normalised(example) in never:
                refused.append(example)
            else:
                kept.setdefault((intent, language), {})[example] = None
    return Reviewed({key: tuple(lines) for key, lines in kept.items()}, tuple(refused))


def normalised(line: str) -> str:
    """A line by its words alone, so that neither marks of values nor commas make it another."""
    return " ".join(re.findall(r"\w+", _VALUE.sub(r"\1", line).casefold()))


@cache
def held_out_lines() -> tuple[tuple[str, str], ...]:
    """The held-out lines with their intents."""
    found = []
    for path in sorted(HELD_OUT.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                given = json.loads(line)
                found.append((given["text"].replace("\n", " "), given["intent"]))
    return tuple(found)


@contextmanager
def tried(text: str) -> Iterator[tuple[Path, bool]]:
    """Lines put down to be measured, and whether a run that was killed had left some there.

    Raises:
        TriedElsewhere: one at a time.
    """
    TRIED.parent.mkdir(exist_ok=True)
    with TRIED.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise TriedElsewhere("lines are being measured already") from held
        left_over = TRIED.exists()
        TRIED.write_text(text, "utf-8")
        try:
            yield TRIED, left_over
        finally:
            TRIED.unlink()


def keep(text: str) -> None:
    """Let these lines be trained with from now on, all of them or, after a crash, none."""
    LINES.parent.mkdir(exist_ok=True)
    unfinished = LINES.with_suffix(".unfinished")  # not read as training data
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(LINES)


async def accuracy(reviewed: Path | None = None) -> float:
    """The share of the held-out lines of which the assistant understands the intent.

    It is trained anew where its training data has changed; `reviewed` are lines to try in place of
    those that are kept.

    Raises:
        ModelMissing: it cannot be trained or asked.
    """
    model = await trained_model(reviewed)
    lines = held_out_lines()
    asking = await asyncio.create_subprocess_exec(
        str(BOT_PYTHON), str(BOT / "pipeline" / "parse.py"), "--jsonl", "--model", str(model),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await asking.communicate("".join(f"{text}\n" for text, _ in lines).encode())
    answers: list[dict[str, Any]] = [json.loads(one) for one in said.decode().splitlines()]
    if asking.returncode != 0 or len(answers) != len(lines):
        raise ModelMissing(f"the assistant cannot be asked:\n{complained.decode()[-500:]}")
    right = [one["intent"] == intent for one, (_, intent) in zip(answers, lines, strict=True)]
    return right.count(True) / len(right)

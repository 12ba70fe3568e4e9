"""Measures the understanding of messages on lines that its training data has never seen.

    python benchmarks/nlu_heldout.py [FILE.jsonl …]

Each line: `text`, `intent`, `language`, `now`, `entities` [{`entity`, `value`}]. Only figures
and the names of confused intents are printed, never a line: the file stays unseen by those who
write training data.
"""

import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
READER = ROOT / "benchmarks" / "nlu_reader.py"
HELD_OUT = ROOT / "tests" / "heldout"
OUT_OF_SCOPE = "out_of_scope"
VALUES_WITH_GOAL = ("date", "amount")
WARM_UP_LINES = 20


def read_lines(paths: list[Path]) -> list[dict[str, Any]]:
    """Return the lines of all files."""
    return [
        json.loads(line)
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def parse_lines(
    lines: list[dict[str, Any]], model: Path | None = None
) -> tuple[list[dict[str, Any]], list[float]]:
    """Return what is understood of each line, and the milliseconds of all but the first ones.

    With `model` another Rasa model reads them. Raises RuntimeError when the reader fails.
    """
    asked = "".join(
        json.dumps({"text": line["text"].replace("\n", " "), "now": line["now"]}) + "\n"
        for line in lines
    )
    command = [str(BOT_PYTHON), str(READER), *(["--rasa", str(model)] if model else [])]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    parsed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(parsed) != len(lines):
        raise RuntimeError(f"the reader ended early: {done.stderr[-500:]}")
    return parsed, [result["ms"] for result in parsed[WARM_UP_LINES:]]


def values_of(entities: list[dict[str, Any]], name: str) -> list[str]:
    """Return the values of one entity in a form that can be compared."""
    return sorted(
        json.dumps(entity["value"], sort_keys=True)
        for entity in entities
        if entity["entity"] == name
    )


def report_values(lines: list[dict[str, Any]], parsed: list[dict[str, Any]]) -> dict[str, float]:
    """Print and return, per entity, the share of expected lines whose values are all right."""
    shares = {}
    names = sorted({e["entity"] for line in lines for e in line.get("entities", [])})
    for name in names:
        expected = right = spurious = 0
        for line, result in zip(lines, parsed, strict=True):
            wanted = values_of(line.get("entities", []), name)
            found = values_of(result["entities"], name)
            expected += bool(wanted)
            right += bool(wanted) and set(wanted) <= set(found)
            spurious += bool(found) and not wanted
        shares[name] = right / expected
        print(f"  {name:15} {right}/{expected} {shares[name]:.1%}  found where none: {spurious}")
    return shares


def main() -> int:
    """Print all figures; return 1 where a goal is missed."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted(HELD_OUT.glob("*.jsonl"))
    lines = read_lines(paths)
    if not lines:
        print("No held-out lines found")
        return 2
    parsed, times_ms = parse_lines(lines)

    right = [result["intent"] == line["intent"] for line, result in zip(lines, parsed, strict=True)]
    accuracy = sum(right) / len(lines)
    print(f"{len(lines)} lines, intents {accuracy:.1%}")
    for language in sorted({line["language"] for line in lines}):
        of = [ok for ok, line in zip(right, lines, strict=True) if line["language"] == language]
        detected = [
            result["language"] == language
            for line, result in zip(lines, parsed, strict=True)
            if line["language"] == language
        ]
        print(
            f"  {language}: intents {sum(of) / len(of):.1%}, "
            f"language {sum(detected) / len(detected):.1%} of {len(of)}"
        )
    outside = [
        result for line, result in zip(lines, parsed, strict=True) if line["intent"] == OUT_OF_SCOPE
    ]
    if outside:
        caught = sum(result["intent"] == OUT_OF_SCOPE for result in outside)
        rejected = sum(
            result["intent"] == OUT_OF_SCOPE and line["intent"] != OUT_OF_SCOPE
            for line, result in zip(lines, parsed, strict=True)
        )
        print(f"out of scope: {caught}/{len(outside)} caught, {rejected} others rejected")
    top = sum(
        line["intent"] in [ranked["name"] for ranked in result["ranking"][:2]]
        for line, result in zip(lines, parsed, strict=True)
    )
    print(f"among the first two of the ranking: {top / len(lines):.1%}")
    sure = statistics.fmean(result["confidence"] for result in parsed)
    print(f"mean confidence {sure:.3f} (calibrated: near the accuracy)")
    print("values (all expected ones found):")
    shares = report_values(lines, parsed)

    confusions: Counter[tuple[str, str]] = Counter(
        (line["intent"], result["intent"])
        for line, result in zip(lines, parsed, strict=True)
        if line["intent"] != result["intent"]
    )
    totals = Counter(line["intent"] for line in lines)
    print("confusions:")
    for (wanted, found), count in confusions.most_common():
        print(f"  {count:3} {wanted} ({totals[wanted]}) → {found}")
    times_ms.sort()
    print(
        f"parse p50 {times_ms[len(times_ms) // 2]:.1f} ms, "
        f"p95 {times_ms[int(len(times_ms) * 0.95)]:.1f} ms"
    )
    goals = [accuracy >= 0.90, *(shares.get(name, 1.0) >= 0.95 for name in VALUES_WITH_GOAL)]
    return 0 if all(goals) else 1


if __name__ == "__main__":
    sys.exit(main())

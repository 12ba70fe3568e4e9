"""Understanding compared with Rasa's default pipeline, on the same lines (`make bench-nlu`).

Both are trained on `nlu_data/nlu` and read the held-out lines in a process of their own, one
message at a time. Prints one table and draws the intents that are confused.
"""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.confusion import draw
from benchmarks.nlu_heldout import BOT_PYTHON, HELD_OUT, OUT_OF_SCOPE, ROOT, parse_lines, read_lines
from benchmarks.plain_rasa import trained, training_seconds

PICTURE = ROOT / "docs" / "confusion.svg"
RASA_EPOCHS = 100
"""Those that `rasa init` writes: with fewer it trains faster and understands less."""
ECE_BINS = 15
FALSE_REJECTS_MAX = 0.03
REJECTIONS = frozenset({OUT_OF_SCOPE, "nlu_fallback"})


@dataclass(frozen=True)
class Scores:
    """What one assistant made of the lines."""

    accuracy: float
    calibration_error: float
    out_of_scope_recall: float
    p50_ms: float
    p95_ms: float
    training_seconds: float | None


def calibration_error(sure: list[float], right: list[bool]) -> float:
    """Return the expected calibration error over 15 bins of equal width: 0 is perfect.

    The mean distance between how sure the answers of a bin are and how many of them are right,
    weighted by the answers in each bin (Guo et al., "On Calibration of Modern Neural Networks").
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(ECE_BINS)]
    for confidence, ok in zip(sure, right, strict=True):
        bins[min(int(confidence * ECE_BINS), ECE_BINS - 1)].append((confidence, ok))
    return sum(
        abs(sum(confidence for confidence, _ in found) - sum(ok for _, ok in found))
        for found in bins
    ) / len(sure)


def out_of_scope_recall(inside: list[float], outside: list[float]) -> float:
    """Return the share of `outside` below the confidence under which 3 % of `inside` lie."""
    threshold = sorted(inside)[int(len(inside) * FALSE_REJECTS_MAX)]
    return sum(score < threshold for score in outside) / len(outside)


def _best_inside(parsed: dict[str, Any]) -> float:
    """How sure the best intent is that is no rejection."""
    ranked = [one["confidence"] for one in parsed["ranking"] if one["name"] not in REJECTIONS]
    return float(max(ranked, default=0.0))


def scores(
    lines: list[dict[str, Any]],
    parsed: list[dict[str, Any]],
    times_ms: list[float],
    seconds: float | None,
) -> Scores:
    """Compare what was understood with what was meant; a fallback counts as out of scope."""
    right = [
        result["intent"] == line["intent"] or {result["intent"], line["intent"]} <= REJECTIONS
        for line, result in zip(lines, parsed, strict=True)
    ]
    inside, outside = (
        [
            _best_inside(result)
            for line, result in zip(lines, parsed, strict=True)
            if (line["intent"] == OUT_OF_SCOPE) == is_outside
        ]
        for is_outside in (False, True)
    )
    ordered = sorted(times_ms)
    return Scores(
        sum(right) / len(lines),
        calibration_error([result["confidence"] for result in parsed], right),
        out_of_scope_recall(inside, outside),
        ordered[len(ordered) // 2],
        ordered[int(len(ordered) * 0.95)],
        seconds,
    )


def _our_training_seconds() -> float:
    """Train anew, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        command = [str(BOT_PYTHON), "bot/pipeline/train.py", "--anew", f"{folder}/timed.tar.gz"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.monotonic() - began


def _row(name: str, found: Scores) -> list[str]:
    seconds = "?" if found.training_seconds is None else f"{found.training_seconds:.0f} s"
    return [
        name,
        f"{found.accuracy:.1%}",
        f"{found.calibration_error:.3f}",
        f"{found.out_of_scope_recall:.1%}",
        f"{found.p50_ms:.1f} / {found.p95_ms:.1f} ms",
        seconds,
    ]


def main(
    epochs: Annotated[int, typer.Option(help="Epochs of Rasa's own training.")] = RASA_EPOCHS,
    cache: Annotated[Path, typer.Option(help="Where plain Rasa's models lie.")] = ROOT
    / "var"
    / "rasa_default",
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = PICTURE,
) -> None:
    """Print the table and draw the picture."""
    lines = read_lines(sorted(HELD_OUT.glob("*.jsonl")))
    console = Console()
    console.print(f"Rasa's default pipeline with {epochs} epochs: trained once per training data …")
    model = trained(cache, epochs)
    ours_seconds = _our_training_seconds()
    ours, ours_ms = parse_lines(lines)
    rasas, rasas_ms = parse_lines(lines, model)

    table = Table(title=f"{len(lines)} held-out lines")
    for column in ("", "intents right", "calibration error"):
        table.add_column(column)
    table.add_column(f"out of scope caught at {FALSE_REJECTS_MAX:.0%} false rejects")
    for column in ("parse p50 / p95", "training"):
        table.add_column(column)
    table.add_row(*_row("Kulanz", scores(lines, ours, ours_ms, ours_seconds)))
    table.add_row(*_row("Rasa's default", scores(lines, rasas, rasas_ms, training_seconds(model))))
    console.print(table)
    pairs = [(line["intent"], result["intent"]) for line, result in zip(lines, ours, strict=True)]
    picture.write_text(draw(pairs), encoding="utf-8")
    console.print(f"confused intents: {picture.relative_to(ROOT)}")


if __name__ == "__main__":
    typer.run(main)

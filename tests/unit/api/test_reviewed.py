"""Reviewed lines are taken as training data, but never a line that measures."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api import reviewed
from api.cli import app
from api.commands import train
from api.pages.console.choice import intents
from api.reviewed import ReviewedUnusable, held_out_lines, normalised, read_reviewed
from api.settings import PROJECT
from conversation.corrections import learnable, training_data
from conversation.redaction import Known
from storage.tables import Correction

HELD_OUT = ["Kann ich das in drei Raten zahlen?", "thx"]


def file(*examples: str, intent: str = "request_instalments") -> str:
    lines = "".join(f"      - {one}\n" for one in examples)
    return f'version: "3.1"\nnlu:\n  - intent: {intent}\n    examples: |\n{lines}'


def test_lines_are_taken_once_by_intent_and_language() -> None:
    taken = read_reviewed(file("in [3](count) Raten", "Raten", "Raten"), intents(), HELD_OUT)
    assert taken.lines == {("request_instalments", "de"): ("in [3](count) Raten", "Raten")}
    assert (taken.count, taken.held_out) == (2, ())
    again = read_reviewed(taken.text(), intents(), HELD_OUT)
    assert again == taken


@pytest.mark.parametrize(
    "line",
    [
        "Kann ich das in drei Raten zahlen?",
        "kann ich das in drei raten zahlen",
        "Kann ich das in [drei](count) Raten zahlen!!",
        '„Kann ich das in [drei]{"entity": "count"} Raten zahlen“',
        "THX",
    ],
)
def test_a_held_out_line_is_refused_however_it_is_written(line: str) -> None:
    taken = read_reviewed(file(line, "etwas anderes"), intents(), HELD_OUT)
    assert taken.held_out == (line,)
    assert taken.count == 1


def test_every_line_that_measures_would_be_refused() -> None:
    lines = [text for text, _ in held_out_lines()]
    assert len(lines) > 1_000
    # Not as lines of a file, where a word alone may look like its markup.
    never = set(map(normalised, lines))
    assert normalised(f"[{lines[0]}](count)") in never
    assert {normalised(line.upper()) for line in lines[:200]} <= never


@pytest.mark.parametrize(
    "text",
    ["", "nlu", "nlu: 7", "nlu:\n  - examples: x", ": : :", file("x", intent="invented")],
)
def test_what_is_no_training_data_is_refused(text: str) -> None:
    with pytest.raises(ReviewedUnusable):
        read_reviewed(text, intents(), HELD_OUT)


def test_what_was_accepted_is_read_again_without_anybody_in_it() -> None:
    known = Known(names=("Anna Beispiel", "Anna", "Beispiel"), addresses=("+4915112345678",))
    text = learnable(
        "Anna Beispiel, 0151 12345678, a@b.de, Hauptstr. 5: [zahle](x) {30} Euro\n- am 1.", known
    )
    assert text == "[NAME], [PHONE], [EMAIL], [ADDRESS]: zahle x 30 Euro - am 1."
    assert learnable(text, known) == text
    one = Correction(
        text=text, language="de", intent="propose_amount", understood=None,
        entities=[{"entity": "amount", "words": "30 Euro"}],
    )  # fmt: skip
    late = Correction(
        text="Ruf 0176 04069000 an", language="en", intent="inform", entities=[]
    )  # written before it could be recognised
    file_ = training_data([one, late, one])
    taken = read_reviewed(file_, intents(), HELD_OUT)
    assert taken.lines == {
        ("propose_amount", "de"): (
            "Kim Muster, 0123 456, kim@example.com, Musterweg 1: zahle x [30 Euro](amount) - am 1.",
        ),
        ("inform", "en"): ("Ruf 0123 456 an",),
    }
    assert len(yaml.safe_load(file_)["nlu"]) == 2


def test_a_placeholder_is_no_place_for_a_value() -> None:
    one = Correction(
        text="[NAME] zahlt am NAMENSTAG", language="de", intent="inform",
        entities=[{"entity": "date", "words": "NAME"}],
    )  # fmt: skip
    assert "- Kim Muster zahlt am [NAME](date)NSTAG\n" in training_data([one])


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reviewed lines are kept, in a folder of the test's own."""
    monkeypatch.setattr(reviewed, "LINES", tmp_path / "reviewed" / "lines.yml")
    monkeypatch.setattr(reviewed, "TRIED", tmp_path / "models" / "tried.yml")
    return reviewed.LINES


def test_nothing_is_trained_with_held_out_lines_alone(tmp_path: Path, lines: Path) -> None:
    path = tmp_path / "reviewed.yml"
    line, intent = held_out_lines()[0]
    path.write_text(file(line, intent=intent), "utf-8")
    done = CliRunner().invoke(app, ["train", "--with-reviewed", str(path)])
    assert done.exit_code == 1
    assert f"refused, it is a held-out line: {line}" in " ".join(done.output.split())
    assert "no line to train with" in done.output
    assert not lines.exists()


@pytest.mark.parametrize("earlier", [None, "as before\n"])
@pytest.mark.parametrize(("after", "kept"), [(0.9, True), (0.8, True), (0.7999, False)])
def test_lines_that_make_it_worse_are_not_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: Path,
    after: float,
    kept: bool,
    earlier: str | None,
) -> None:
    """As the figures say; the assistant that gives them stands in here."""
    path = tmp_path / "given.yml"
    path.write_text(file("in [3](count) Raten"), "utf-8")
    if earlier:
        lines.parent.mkdir()
        lines.write_text(earlier, "utf-8")

    def held() -> str | None:
        return lines.read_text("utf-8") if lines.exists() else None

    async def accuracy(tried: Path | None = None) -> float:
        assert held() == earlier, "kept only when it was measured"
        if tried is None:
            return 0.8
        assert "in [3](count) Raten" in tried.read_text("utf-8")
        return after

    async def trained_model() -> str:
        return "model.tar.gz"

    monkeypatch.setattr(train, "accuracy", accuracy)
    monkeypatch.setattr(train, "trained_model", trained_model)
    done = CliRunner().invoke(app, ["train", "--with-reviewed", str(path)])
    assert done.exit_code == (0 if kept else 1)
    assert ("in [3](count) Raten" in (held() or "")) == kept
    assert kept or held() == earlier
    assert "before: 80.0%" in done.output
    assert f"after:  {after:.1%} with 1 reviewed lines" in done.output
    assert not reviewed.TRIED.exists()
    assert [one.name for one in lines.parent.glob("*")] == (["lines.yml"] if held() else [])


KILLED = """
import asyncio, sys
from pathlib import Path
from api import reviewed
from api import reviewed
from api.cli import app
from api.commands import train

folder = Path(sys.argv[1])
reviewed.LINES, reviewed.TRIED = folder / "reviewed" / "lines.yml", folder / "models" / "tried.yml"

async def accuracy(tried=None):
    if tried is not None:
        print("measuring", flush=True)
        await asyncio.sleep(600)
    return 0.8

train.accuracy = accuracy
app(["train", "--with-reviewed", str(folder / "given.yml")])
"""


def test_a_run_that_is_killed_keeps_no_line_that_was_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Path
) -> None:
    given = tmp_path / "given.yml"
    given.write_text(file("in [3](count) Raten"), "utf-8")
    lines.parent.mkdir()
    lines.write_text("measured before\n", "utf-8")

    async def accuracy(tried: Path | None = None) -> float:
        return 0.7 if tried else 0.8

    monkeypatch.setattr(train, "accuracy", accuracy)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert any("measuring" in line for line in run.stdout)
        beside = CliRunner().invoke(app, ["train", "--with-reviewed", str(given)])
        run.kill()
    assert (run.returncode, beside.exit_code) == (-signal.SIGKILL, 1)
    assert "being measured already" in " ".join(beside.output.split())
    assert lines.read_text("utf-8") == "measured before\n"
    assert reviewed.TRIED.exists()
    again = CliRunner().invoke(app, ["train", "--with-reviewed", str(given)])
    assert "had left lines unmeasured: not used" in " ".join(again.output.split())
    assert lines.read_text("utf-8") == "measured before\n"
    assert not reviewed.TRIED.exists()

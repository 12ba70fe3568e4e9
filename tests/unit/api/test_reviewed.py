"""Reviewed lines are taken as training data, but never a line that measures."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api.cli import app
from api.commands import train
from api.pages.console.choice import intents
from api.reviewed import ReviewedUnusable, held_out_lines, normalised, read_reviewed
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


def test_nothing_is_trained_with_held_out_lines_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lines = tmp_path / "reviewed.yml", tmp_path / "lines.yml"
    monkeypatch.setattr(train, "LINES", lines)
    line, intent = held_out_lines()[0]
    path.write_text(file(line, intent=intent), "utf-8")
    done = CliRunner().invoke(app, ["train", "--with-reviewed", str(path)])
    assert done.exit_code == 1
    assert f"refused, it is a held-out line: {line}" in " ".join(done.output.split())
    assert "no line to train with" in done.output
    assert not lines.exists()


@pytest.mark.parametrize(("after", "kept"), [(0.9, True), (0.8, True), (0.7999, False)])
def test_lines_that_make_it_worse_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: float, kept: bool
) -> None:
    """As the figures say; the assistant that gives them stands in here."""
    lines, path = tmp_path / "reviewed" / "lines.yml", tmp_path / "given.yml"
    path.write_text(file("in [3](count) Raten"), "utf-8")

    async def accuracy() -> float:
        return after if lines.exists() else 0.8

    async def trained_model() -> str:
        return "model.tar.gz"

    monkeypatch.setattr(train, "LINES", lines)
    monkeypatch.setattr(train, "accuracy", accuracy)
    monkeypatch.setattr(train, "trained_model", trained_model)
    done = CliRunner().invoke(app, ["train", "--with-reviewed", str(path)])
    assert (done.exit_code, lines.exists()) == (0 if kept else 1, kept)
    assert "before: 80.0%" in done.output
    assert f"after:  {after:.1%} with 1 reviewed lines" in done.output

"""The check that keeps words which reduce a person to a debt out of the tree."""

import subprocess
from pathlib import Path

import pytest

from toolchain.words import files, findings

ENGLISH = "deb" + "tor"
GERMAN = "Schuld" + "ner"


@pytest.mark.parametrize(
    "line",
    [
        f"the {ENGLISH} pays",
        f"{ENGLISH.upper()}S = 1",
        f"class {ENGLISH.title()}Page: ...",
        f"der {GERMAN}",
        f"{GERMAN.lower()}_id",
        f"alle {GERMAN}innen",
        f"{GERMAN}beratung für {GERMAN}",
    ],
)
def test_finds_the_words_in_any_spelling(line: str) -> None:
    assert list(findings("ledger/claim.py", f"fine\n{line}\n")) == ["ledger/claim.py:2"]


@pytest.mark.parametrize(
    "line",
    ["customer", "debt counselling", "keine Schulden", f"{GERMAN}beratung", f"{GERMAN}beratungen"],
)
def test_leaves_other_words_alone(line: str) -> None:
    assert list(findings("docs/text.md", line)) == []


def test_reads_the_names_of_files_too() -> None:
    assert list(findings(f"api/{ENGLISH}.py", "")) == [f"api/{ENGLISH}.py:0"]


def test_customers_may_say_it_in_the_training_data() -> None:
    assert list(findings("nlu_data/nlu/de/hardship.yml", f"bin ich jetzt {GERMAN}?")) == []


def test_reads_what_git_knows_or_may_learn(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("var/\n")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secrets.json").write_text("{}")
    (tmp_path / "grüße.md").write_text("Hallo")
    assert files(tmp_path) == [".gitignore", "grüße.md"]

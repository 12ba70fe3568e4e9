"""Scripts of pages lose their indents and comments on the way to the browser, and nothing else."""

from pathlib import Path

import pytest

from api.pages.page import PAGES, lean

SCRIPTS = sorted(PAGES.rglob("*.js"))


def test_indents_and_comments_stay_behind() -> None:
    assert lean("  // why\n\n  if (a) {\n    b('//');\n  }\n") == "if (a) {\nb('//');\n}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_text_of_a_script_goes_on_over_the_end_of_a_line(script: Path) -> None:
    source = script.read_text("utf-8")
    assert [text for text in source.split("`")[1::2] if "\n" in text] == []

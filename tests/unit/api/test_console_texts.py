"""The console says everything in both languages, with the same figures in it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

PAGES = Path(__file__).parents[3] / "api" / "pages"
FOLDERS = ("console", "console/settings", "desk")
FILES = sorted(path for folder in FOLDERS for path in (PAGES / folder).glob("*.yml"))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every text by its place, with the figures that are put into it."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            assert isinstance(key, str), f"{path}.{key}: quote it, YAML reads it as {key!r}"
            yield from leaves(part, f"{path}.{key}")
    else:
        assert isinstance(value, str), f"{path}: {value!r}"
        yield path, set(re.findall(r"{(\w*)}", value))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_languages_say_the_same(file: Path) -> None:
    texts = yaml.safe_load(file.read_text("utf-8"))
    assert set(texts) == {"de", "en"}
    assert dict(leaves(texts["de"])) == dict(leaves(texts["en"]))

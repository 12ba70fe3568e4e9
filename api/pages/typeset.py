"""PDF by Typst: the same data make the same bytes, and no machine has other fonts."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import typst

_ACCESSIBLE: Any = ["ua-1"]


def typeset(source: Path, data: Mapping[str, Any], day: date) -> bytes:
    """Set a document of that day, tagged for screen readers (PDF/UA-1) as long as the fonts have
    every character of it.

    Raises:
        typst.TypstError: the document cannot be set.
    """
    given = json.dumps(data, default=str)

    def compiled(standards: Any) -> bytes:
        return typst.compile(
            _source(source),
            font_paths=_fonts(),
            sys_inputs={"data": given},
            pdf_standards=standards,
            timestamp=datetime.combine(day, time(), UTC),
        )

    try:
        return compiled(_ACCESSIBLE)
    except typst.TypstError:  # a character that no font has, mostly
        return compiled([])


@cache
def _source(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)

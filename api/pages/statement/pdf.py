"""A statement as a letter in PDF, set by Typst after DIN 5008, form B.

The same sheet makes the same bytes: the day is the sheet's own, and fonts come with the library, so
no machine has others. Letters are tagged for screen readers (PDF/UA-1) as long as the fonts have
every character of them.
"""

import asyncio
import base64
import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import typst

from api.pages.brand import light_colours
from api.pages.statement.sheet import Sheet
from api.pages.statement.words import Words

_LETTER = Path(__file__).with_name("letter.typ")
_ACCESSIBLE: Any = ["ua-1"]


async def letter_pdf(sheet: Sheet) -> bytes:
    """The letter; reckoned in a thread, since it takes a good part of a second's tenth."""
    return await asyncio.to_thread(render, sheet)


def render(sheet: Sheet) -> bytes:
    """The letter; without the logo where that is no picture after all."""
    data = asdict(sheet)
    data["logo"] = _picture(sheet.logo)
    data["colours"] = light_colours(sheet.colour)
    data["words"] = vars(Words(sheet.language, sheet.form).t)
    try:
        return typeset(_source(), data, sheet.day)
    except typst.TypstError:
        return typeset(_source(), {**data, "logo": None}, sheet.day)


def typeset(source: bytes, data: dict[str, Any], day: date) -> bytes:
    """A document of Typst about this data, as PDF/UA-1 as long as the fonts have what is in it.

    Raises:
        typst.TypstError: it cannot be set at all.
    """
    try:
        return _compiled(source, data, day, _ACCESSIBLE)
    except typst.TypstError:  # a character that no font has, mostly
        return _compiled(source, data, day, [])


def _compiled(source: bytes, data: dict[str, Any], day: date, standards: Any) -> bytes:
    return typst.compile(
        source,
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, default=str)},
        pdf_standards=standards,
        timestamp=datetime.combine(day, time(), UTC),
    )


def _picture(logo: str) -> dict[str, Any] | None:
    """A ``data:`` address as its bytes."""
    kind, _, encoded = logo.partition(",")
    if not encoded:
        return None
    try:
        return {"bytes": list(base64.b64decode(encoded)), "svg": "svg" in kind}
    except ValueError:
        return None


@cache
def _source() -> bytes:
    return _LETTER.read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)

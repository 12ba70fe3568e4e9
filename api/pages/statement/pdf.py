"""A statement as a letter in PDF, set by Typst after DIN 5008, form B.

The same sheet makes the same bytes: the day is the sheet's own.
"""

import asyncio
import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typst

from api.pages.brand import light_colours
from api.pages.statement.sheet import Sheet
from api.pages.statement.words import Words
from api.pages.typeset import typeset

_LETTER = Path(__file__).with_name("letter.typ")


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
        return typeset(_LETTER, data, sheet.day)
    except typst.TypstError:
        return typeset(_LETTER, {**data, "logo": None}, sheet.day)


def _picture(logo: str) -> dict[str, Any] | None:
    """A ``data:`` address as its bytes."""
    kind, _, encoded = logo.partition(",")
    if not encoded:
        return None
    try:
        return {"bytes": list(base64.b64decode(encoded)), "svg": "svg" in kind}
    except ValueError:
        return None

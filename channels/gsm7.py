"""What a text costs as SMS: the GSM-7 alphabet, segments, and typographic replacements.

Source: 3GPP TS 23.038 (default alphabet and extension table) and TS 23.040 (concatenation).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ALPHABET_DOUBLE = "^{}\\[~]|€\f"
_BASIC, _EXTENSION = frozenset(ALPHABET), frozenset(ALPHABET_DOUBLE)

GSM7_SINGLE, GSM7_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67

_REPLACEMENTS = {
    **dict.fromkeys("„“”‟«»″", '"'),
    **dict.fromkeys("‚‘’‛‹›′´`", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\t", " "),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    **dict.fromkeys("•·‣", "-"),
    "…": "...",
    "×": "x",
    "ẞ": "SS",
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "→": "->",
    # Letters with a stroke are no letter plus accent to Unicode.
    **dict(zip("ŁłĐđĦħŦŧı", "LlDdHhTti", strict=True)),
    "Œ": "OE",
    "œ": "oe",
    "\u2028": "\n",
    "\u2029": "\n",
}


def is_gsm7(text: str) -> bool:
    """Whether the whole text fits the GSM-7 alphabet; one other character makes all of it UCS-2."""
    return all(char in _BASIC or char in _EXTENSION for char in text)


def segments(text: str) -> int:
    """How many SMS the text is sent and charged as; an empty text is one.

    GSM-7: 160 characters, or 153 in each of several parts; ``^{}\\[~]|€`` count double. UCS-2: 70
    or 67 UTF-16 units, so an emoji counts double. No character is cut in two between parts.
    """
    if is_gsm7(text):
        return _parts((2 if char in _EXTENSION else 1 for char in text), GSM7_SINGLE, GSM7_PART)
    return _parts((2 if ord(char) > 0xFFFF else 1 for char in text), UCS2_SINGLE, UCS2_PART)


def septets(text: str) -> int:
    """How much room a GSM-7 text takes: its characters, ``^{}\\[~]|€`` counted twice."""
    return sum(2 if char in _EXTENSION else 1 for char in text)


def to_gsm7(text: str) -> str:
    """The text with quotation marks, dashes, spaces and foreign accents put into GSM-7.

    Umlauts, ß and € are GSM-7 already and stay. What has no likeness (emoji, Cyrillic) stays too:
    `is_gsm7` tells whether the result is clean.
    """
    return "".join(_to_gsm7(char) for char in unicodedata.normalize("NFC", text))


def _to_gsm7(char: str) -> str:
    if char in _BASIC or char in _EXTENSION:
        return char
    if char in _REPLACEMENTS:
        return _REPLACEMENTS[char]
    bare = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return bare if bare and is_gsm7(bare) else char


def _parts(widths: Iterable[int], single: int, part: int) -> int:
    sizes = list(widths)
    if sum(sizes) <= single:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > part:
            count, used = count + 1, 0
        used += size
    return count

"""Free texts of merchants and customers, made so that no layout breaks on them."""

import re
import unicodedata

BREAK = "\u200b"
UNBROKEN_CHARACTERS_MAX = 24
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def readable(
    text: str, characters_max: int = 0, unbroken_max: int = UNBROKEN_CHARACTERS_MAX
) -> str:
    """One line without what is not seen (controls, marks of direction); long words may break.

    ``characters_max`` shortens it where it is positive; a word may break after ``unbroken_max``.
    """
    seen = "".join(
        " " if one.isspace() else one
        for one in unicodedata.normalize("NFC", text)
        if one.isspace() or unicodedata.category(one) not in _UNSEEN
    )
    plain = " ".join(seen.split())
    if 0 < characters_max < len(plain):
        plain = plain[: characters_max - 1].rstrip() + "…"
    return re.sub(rf"(\S{{{unbroken_max}}})(?=\S)", rf"\1{BREAK}", plain)

"""A merchant's colour in place of ours, corrected until it can be read on both grounds."""

import re
from functools import lru_cache
from pathlib import Path

CONTRAST_MIN = 4.6
"""A little above WCAG 2.2 AA's 4.5 for text."""
_GROUNDS = {"light": ("#faf6ef", "#f2ece1"), "dark": ("#1a1815", "#23201c")}
"""The lightest and darkest ground that accented text stands on, as in tokens.css."""
_INKS = ("#ffffff", "#14120f")
_STEPS = 100
_TOKENS = Path(__file__).with_name("static") / "tokens.css"
_COLOUR = re.compile(r"--([a-z-]+): ?(#[0-9a-f]{6})")

Rgb = tuple[float, float, float]


@lru_cache(maxsize=256)
def accent_css(colour: str) -> str:
    """The tokens that carry a colour (``#rrggbb``), for light and dark; "" for no colour."""
    if not colour:
        return ""
    light, dark = _tokens(colour, "light"), _tokens(colour, "dark")
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def light_colours(colour: str) -> dict[str, str]:
    """The light tokens that are colours, by name, for what is printed; the brand's where given."""
    ours = _TOKENS.read_text("utf-8").partition("@media")[0]
    return dict(_COLOUR.findall(ours + (_tokens(colour, "light") if colour else "")))


def _tokens(colour: str, scheme: str) -> str:
    grounds = [_rgb(ground) for ground in _GROUNDS[scheme]]
    end = (0.0, 0.0, 0.0) if scheme == "light" else (1.0, 1.0, 1.0)
    accent = _rgb(colour)
    for step in range(_STEPS + 1):
        accent = _mixed(_rgb(colour), end, step / _STEPS)
        if min(contrast(accent, ground) for ground in grounds) >= CONTRAST_MIN:
            break
    ink = max(_INKS, key=lambda one: contrast(_rgb(one), accent))
    wash = _mixed(grounds[0], accent, 0.12)
    return f"--accent:{_hex(accent)};--accent-ink:{ink};--accent-wash:{_hex(wash)}"


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)

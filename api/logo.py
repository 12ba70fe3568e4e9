"""A merchant's logo: checked, made small enough to be carried inside a page, encoded anew.

What comes in is a picture of an open format or nothing; what is kept is a picture of our own making
without whatever else the file held.
"""

import base64
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

BYTES_MAX: Final = 2 * 1024 * 1024
SIDE_PIXELS_MAX: Final = 4096
SHOWN_PIXELS: Final = ((480, 160), (360, 120), (240, 80), (160, 56))
"""The largest that fits is kept; it is shown at half of that."""
KEPT_CHARACTERS_MAX: Final = 24_000
_FORMATS = ("PNG", "JPEG", "WEBP")
_PREFIX = "data:image/webp;base64,"


class LogoRefused(ValueError):
    """No logo can be made of it; the text is the code of why."""


def logo_of(data: bytes) -> str:
    """A picture as a data address to be shown as a logo.

    Raises LogoRefused: ``too_large``, ``no_picture``, ``too_many_pixels``.
    """
    if len(data) > BYTES_MAX:
        raise LogoRefused("too_large")
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as opened:
            # The size stands in the header: a bomb is refused before it is unpacked.
            if max(opened.size) > SIDE_PIXELS_MAX:
                raise LogoRefused("too_many_pixels")
            picture = opened.convert("RGBA")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise LogoRefused("too_many_pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        if isinstance(error, LogoRefused):
            raise
        raise LogoRefused("no_picture") from error
    return _small(picture)


def again(kept: str) -> str:
    """A logo that came back with a form, checked as if it were new. Raises LogoRefused."""
    try:
        return logo_of(base64.b64decode(kept.removeprefix(_PREFIX), validate=True))
    except ValueError as error:
        if isinstance(error, LogoRefused):
            raise
        raise LogoRefused("no_picture") from error


def _small(picture: Image.Image) -> str:
    """The largest form that a page can carry."""
    for size in SHOWN_PIXELS:
        shown = picture.copy()
        shown.thumbnail(size, Image.Resampling.LANCZOS)
        for how in ({"lossless": True}, {"quality": 80}):
            file = BytesIO()
            shown.save(file, "WEBP", method=6, **how)
            address = _PREFIX + base64.b64encode(file.getvalue()).decode()
            if len(address) <= KEPT_CHARACTERS_MAX:
                return address
    raise LogoRefused("too_many_pixels")

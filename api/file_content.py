"""What a customer's file is, told by its bytes alone, in the form in which it may be shown.

A picture is decoded and encoded anew, so that nothing of the file comes along: no place where it
was taken, no second format hidden in it. Anything else is kept as it is and only ever handed over
as a download, under a name of ours.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE_PIXELS_MAX: Final = 2560
PIXELS_MAX: Final = 50_000_000
"""As many as a large photo of a telephone has; more is refused before it is unpacked."""
PREVIEW_PIXELS: Final = 480
PICTURE: Final = "image/jpeg"
"""What every picture becomes; nothing else is shown in a page."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_DAMAGED = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError)
_UNKNOWN = ("application/octet-stream", "bin")
# Where the mark stands, the mark, what it is, and the ending of our name for it.
_KINDS: Final = (
    (0, b"%PDF-", "application/pdf", "pdf"),
    (0, b"OggS", "audio/ogg", "ogg"),
    (0, b"ID3", "audio/mpeg", "mp3"),
    (0, b"#!AMR", "audio/amr", "amr"),
    (4, b"ftypheic", "image/heic", "heic"),
    (4, b"ftypmif1", "image/heic", "heic"),
    (4, b"ftypM4A", "audio/mp4", "m4a"),
    (4, b"ftyp", "video/mp4", "mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm", "webm"),
    (0, b"PK\x03\x04", "application/zip", "zip"),
)
_PICTURES: Final = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (8, b"WEBP"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
)
_IN_TEXT = frozenset("\t\n\r\f")


class ContentRefused(ValueError):
    """It is not shown and not handed over; the text is the code of why."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it may be handed out."""

    media_type: str
    ending: str
    data: bytes


def content_of(data: bytes) -> Content:
    """What it is. Raises ContentRefused: ``damaged``, ``too_many_pixels``, ``empty``."""
    if not data:
        raise ContentRefused("empty")
    if any(data.startswith(mark, at) for at, mark in _PICTURES):
        return Content(PICTURE, "jpg", _encoded(_picture(data, SIDE_PIXELS_MAX), quality=88))
    for at, mark, media_type, ending in _KINDS:
        if data.startswith(mark, at):
            return Content(media_type, ending, data)
    return Content(*(("text/plain", "txt") if _is_text(data) else _UNKNOWN), data)


def preview_of(picture: bytes) -> bytes:
    """A picture of ours, small. Raises ContentRefused."""
    return _encoded(_picture(picture, PREVIEW_PIXELS), quality=75)


def _picture(data: bytes, side: int) -> Image.Image:
    """Upright, without transparency, no side longer than that; of a moving one the beginning."""
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise ContentRefused("too_many_pixels")
            opened.draft("RGB", (side, side))  # a JPEG is not unpacked larger than it is needed
            turned = ImageOps.exif_transpose(opened)
            clear = turned.has_transparency_data
            picture = turned.convert("RGBA" if clear else "RGB")
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ContentRefused("too_many_pixels") from error
    except ContentRefused:
        raise
    except _DAMAGED as error:
        raise ContentRefused("damaged") from error
    # Put on paper: nothing that it was read with, a comment or a profile, comes along.
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture if clear else None)
    return paper


def _encoded(picture: Image.Image, *, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def _is_text(data: bytes) -> bool:
    try:
        said = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in _IN_TEXT for character in said)

"""A file is what its bytes are; a picture is made anew, and nothing hostile gets through."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api import file_content
from api.file_content import PICTURE, Content, ContentRefused, content_of, preview_of


def picture(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **how: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, how.pop("colour", "red")).save(file, kind, **how)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=("JPEG",))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_a_picture_of_ours(kind: str) -> None:
    made = content_of(picture(kind))
    assert (made.media_type, made.ending) == (PICTURE, "jpg")
    assert opened(made.data).size == (40, 30)


def test_where_it_was_taken_and_what_hides_behind_it_is_left_out() -> None:
    exif = Image.Exif()
    exif[0x010E] = "geheimer Ort"
    exif.get_ifd(0x8825)[1] = "N"
    hidden = b"<script>alert(1)</script>PK\x03\x04"
    file = picture("JPEG", exif=exif, comment=b"geheimer Ort", icc_profile=b"geheim" * 30) + hidden
    made = content_of(file).data
    assert b"geheim" in file
    for secret in (b"geheim", b"script", b"PK\x03\x04", b"Exif"):
        assert secret not in made
    assert not opened(made).getexif()


def test_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert opened(content_of(picture("JPEG", (40, 30), exif=exif)).data).size == (30, 40)


def test_what_can_be_seen_through_stands_on_white() -> None:
    made = content_of(picture("PNG", mode="RGBA", colour=(0, 0, 0, 0)))
    assert opened(made.data).getpixel((5, 5)) == (255, 255, 255)


def test_large_ones_are_made_smaller_and_small_ones_smaller_still() -> None:
    made = content_of(picture("JPEG", (4000, 3000))).data
    assert opened(made).size == (2560, 1920)
    assert opened(preview_of(made)).size == (480, 360)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is that large, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize("size", [(10_000, 5_001), (20_000, 20_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(ContentRefused, match="too_many_pixels"):
        content_of(bomb(*size))


@pytest.mark.parametrize(
    "file",
    [
        picture("JPEG")[:200],
        picture("PNG")[:50],
        b"\xff\xd8\xff<script>alert(1)</script>",
        b"GIF89a/*<svg onload=alert(1)>*/=1;",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        b"RIFF\x10\0\0\0WEBPVP8 xxxx",
        bomb(100, 100),
    ],
)
def test_what_only_begins_like_a_picture_is_not_handed_out(file: bytes) -> None:
    with pytest.raises(ContentRefused, match="damaged"):
        content_of(file)


def test_nothing_is_nothing() -> None:
    with pytest.raises(ContentRefused, match="empty"):
        content_of(b"")


@pytest.mark.parametrize(
    ("file", "media_type", "ending"),
    [
        (b"%PDF-1.7\n...", "application/pdf", "pdf"),
        (b"OggS\0\x02", "audio/ogg", "ogg"),
        (b"\0\0\0\x18ftypmp42", "video/mp4", "mp4"),
        (b"PK\x03\x04\0", "application/zip", "zip"),
        (b"<html><script>alert(1)</script>", "text/plain", "txt"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain", "txt"),
        ("Grüße".encode(), "text/plain", "txt"),
        (b"MZ\x90\0\x03", "application/octet-stream", "bin"),
        (b"\0", "application/octet-stream", "bin"),
        (b"BM" + b"\0" * 60, "application/octet-stream", "bin"),
    ],
)
def test_all_else_keeps_its_bytes_and_gets_a_harmless_name(
    file: bytes, media_type: str, ending: str
) -> None:
    assert content_of(file) == Content(media_type, ending, file)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]),
)
def test_whatever_comes_is_a_picture_of_ours_a_download_or_refused(
    more: bytes, head: bytes
) -> None:
    try:
        made = content_of(head + more)
    except ContentRefused:
        return  # whatever else is raised fails
    shown = made.media_type == PICTURE
    assert made.data != head + more if shown else made.data == head + more
    assert made.media_type not in ("text/html", "image/svg+xml")


def test_the_limit_is_that_of_a_telephone() -> None:
    assert file_content.PIXELS_MAX >= 8064 * 6048

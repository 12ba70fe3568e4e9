"""Pictures that become logos, and files that do not."""

import base64
import zlib
from io import BytesIO
from random import Random

import pytest
from PIL import Image

from api.logo import BYTES_MAX, KEPT_CHARACTERS_MAX, LogoRefused, again, logo_of
from api.merchants import PageData


def picture(kind: str, size: tuple[int, int] = (600, 200), *, noisy: bool = False) -> bytes:
    image = Image.new("RGB", size, "#0f6466")
    if noisy:
        image = Image.frombytes("RGB", size, Random(1).randbytes(size[0] * size[1] * 3))
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def shown(address: str) -> Image.Image:
    return Image.open(BytesIO(base64.b64decode(address.partition(",")[2])))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_made_small_and_encoded_anew(kind: str) -> None:
    address = logo_of(picture(kind))
    assert PageData(logo=address).logo == address
    assert (shown(address).format, shown(address).size) == ("WEBP", (480, 160))
    assert shown(again(address)).size == (480, 160)


def test_what_the_file_holds_besides_the_picture_is_gone() -> None:
    file = BytesIO()
    image = Image.new("RGB", (40, 40))
    exif = Image.Exif()
    exif[0x010E] = "Vertraulich"
    image.save(file, "JPEG", exif=exif)
    assert b"Vertraulich" in file.getvalue()
    kept = base64.b64decode(logo_of(file.getvalue()).partition(",")[2])
    assert b"Vertraulich" not in kept


def test_a_picture_full_of_detail_still_fits_into_a_page() -> None:
    assert len(logo_of(picture("JPEG", (1200, 400), noisy=True))) <= KEPT_CHARACTERS_MAX


def bomb() -> bytes:
    """A PNG that says it is 60,000 pixels wide and high, in a few bytes."""

    def chunk(name: bytes, held: bytes) -> bytes:
        body = name + held
        return len(held).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

    size = (60_000).to_bytes(4) * 2
    header = chunk(b"IHDR", size + bytes([8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"0"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no_picture"),
        (picture("GIF"), "no_picture"),
        (picture("PNG")[:200], "no_picture"),
        (picture("PNG", (5000, 10)), "too_many_pixels"),
        (bomb(), "too_many_pixels"),
        (b"x" * (BYTES_MAX + 1), "too_large"),
    ],
    ids=["empty", "svg", "gif", "cut off", "wide", "bomb", "large"],
)
def test_what_is_no_picture_of_ours_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        logo_of(data)


def test_what_came_back_changed_is_refused() -> None:
    with pytest.raises(LogoRefused, match="no_picture"):
        again("data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=")

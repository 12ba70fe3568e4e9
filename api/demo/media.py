"""What invented customers photograph and send: a transfer's receipt, drawn when it is asked for."""

from functools import cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

MEDIA: Final = {
    "photo": ("image/jpeg", "IMG_2041.jpg"),
    "document": ("application/pdf", "Beleg.pdf"),
}
"""By kind: what a telephone says about its file."""
_FORMATS: Final = {"IMG_2041.jpg": "JPEG", "Beleg.pdf": "PDF"}
# Pillow's own font has no umlauts.
_LINES: Final = (
    ("Umsatzdetails", 44, 80),
    ("Echtzeitzahlung", 30, 70),
    ("An: Lindenhof Versand GmbH", 30, 56),
    ("IBAN: DE02 1203 0000 0000 2020 51", 30, 56),
    ("Betrag: 84,90 EUR", 30, 56),
    ("Verwendungszweck: siehe Rechnung", 30, 56),
    ("Status: gebucht", 30, 56),
)


@cache
def file_named(name: str) -> bytes | None:
    """The bytes of one of these files; None where there is none of that name."""
    if name not in _FORMATS:
        return None
    receipt = Image.new("RGB", (720, 960), "#f4f1ea")
    draw = ImageDraw.Draw(receipt)
    draw.rounded_rectangle((50, 60, 670, 640), 18, fill="white", outline="#c9c2b4", width=2)
    at = 110
    for text, size, height in _LINES:
        draw.text((90, at), text, fill="#222222", font=ImageFont.load_default(size))
        at += height
    file = BytesIO()
    receipt.save(file, _FORMATS[name])
    return file.getvalue()

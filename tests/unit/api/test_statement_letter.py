"""The statement as a letter: read back from the PDF, measured, and given hostile texts."""

import asyncio
import base64
import time
import unicodedata
from collections.abc import Iterator
from io import BytesIO

import pypdf
import pypdfium2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.pages.pay.transfer import Transfer
from api.pages.statement.free_text import UNBROKEN_CHARACTERS_MAX, readable
from api.pages.statement.page import statement_html
from api.pages.statement.pdf import letter_pdf, render
from api.pages.statement.sheet import Sheet
from api.pages.statement.words import Words
from ledger.posting import LET_GO, PostingKind
from tests.unit.api import sheets

MILLIMETRES = 72 / 25.4
A4_HEIGHT = 297
RENDERED_SECONDS_MAX = 0.3


def pages_of(letter: bytes) -> list[str]:
    """The text of each page, as one line without non-breaking spaces."""
    reader = pypdf.PdfReader(BytesIO(letter))
    return [" ".join(page.extract_text().replace("\u200b", "").split()) for page in reader.pages]


def text_of(letter: bytes) -> str:
    return " ".join(pages_of(letter))


def words_at(letter: bytes, page: int = 0) -> Iterator[tuple[str, float, float]]:
    """Each piece of text with where it stands: millimetres from the left and from the top."""
    found: list[tuple[str, float, float]] = []

    def note(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        found.append((text.strip(), x / MILLIMETRES, A4_HEIGHT - y / MILLIMETRES))

    pypdf.PdfReader(BytesIO(letter)).pages[page].extract_text(visitor_text=note)
    return (one for one in found if one[0])


def test_it_says_every_item_with_its_day_its_reason_and_its_sum() -> None:
    shown = sheets.view()
    said = text_of(render(sheets.sheet(shown)))
    money = f"{shown.statement.open.total.decimal:,.2f}".translate(str.maketrans(",.", ".,"))
    for part in (
        "Łukasz Đorđe Yıldız",
        "Aufstellung zu Ihrer Rechnung RE-2026-1044",
        "Gartentisch Eiche, 160 × 90 cm, Vertrag vom 3. November 2025",
        "Porto der Mahnung vom 10.12.2025",
        "verrechnet mit Kosten 2,50 €, Zinsen 16,74 €, Rechnungsbetrag 30,76 €",
        "15.12.2025 – 02.03.2026 78 1.249,00 € 1,27 % + 5 = 6,27 % 16,74 €",
        "nicht bestätigt",
        f"Offen am 23. November 2026 {money} €",
        "DE02 1203 0000 0000 2020 51",
        "RF18 5390 0754 7034",
        "Amtsgericht Charlottenburg, HRB 000000 B",
        "Seite 1 von 2",
    ):
        assert part in said
    assert "RDG" not in said


def test_the_customer_reads_their_language() -> None:
    said = text_of(render(sheets.sheet(language="en")))
    for part in (
        "Statement for your invoice",
        "not confirmed",
        "Open on 23 November 2026",
        "Page 1",
    ):
        assert part in said


def test_the_sums_are_those_of_the_book() -> None:
    shown = sheets.view(payments=3)
    told = shown.statement
    items = sheets.sheet(shown).items
    minor = [int("".join(c for c in item.amount if c.isdigit())) for item in items]
    signed = [
        -m if item.amount.startswith("−") else m for m, item in zip(minor, items, strict=True)
    ]
    charged, left = (value for value, item in zip(signed, items, strict=True) if item.total)
    asked = signed[: [item.total for item in items].index(True)]
    paid = [value for value in signed if value < 0]
    assert (sum(asked), charged) == (told.charged.total.minor,) * 2
    assert (-sum(paid), left) == (told.paid.minor, told.open.total.minor)
    lines = sheets.sheet(shown).interest
    assert sum(int("".join(c for c in line.amount if c.isdigit())) for line in lines) == (
        told.charged.interest.minor
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_whatever_takes_something_off_a_claim_has_a_name(language: str) -> None:
    kinds = Words(language, "sie").t.kinds
    taking_off = {
        PostingKind.PAYMENT,
        PostingKind.CREDIT_NOTE,
        PostingKind.RETURN,
        PostingKind.SET_OFF,
        PostingKind.REVERSAL,
        *LET_GO,
    }
    assert {kind.value for kind in taking_off} <= kinds.keys()


def test_everything_stands_where_din_5008_form_b_has_it() -> None:
    """Address zone from 45 mm on, recipient 62.7 to 90 mm, text from 98.5 mm, margins 25 and 20."""
    letter = render(sheets.sheet())
    found = list(words_at(letter))
    (back,) = [one for one in found if one[0].startswith("Lindenhof Versand GmbH · ")]
    (recipient,) = [one for one in found if one[0] == "Łukasz Đorđe Yıldız"]
    (subject,) = [one for one in found if one[0].startswith("Aufstellung zu Ihrer")]
    (date,) = [one for one in found if one[0] == "23. November 2026"]
    assert 45 < back[2] < 62.7 < recipient[2] < 90 < 98.5 < subject[2] < 106
    assert back[1] == recipient[1] == subject[1] == pytest.approx(25, abs=0.1)
    assert 125 <= date[1] < 190
    assert 50 < date[2] < 97
    assert min(x for _, x, _ in found) >= 24.9
    assert fold_marks(letter) == [pytest.approx(at, abs=0.3) for at in (105, 148.5, 210)]


def picture(letter: bytes, page: int, scale: float) -> tuple[bytes, int, int]:
    """A page in shades of grey, by another reader than the one that set it."""
    document = pypdfium2.PdfDocument(letter)
    bitmap = document[page].render(scale=scale, grayscale=True)
    width, height, stride = bitmap.width, bitmap.height, bitmap.stride
    data = bytes(bitmap.buffer)
    document.close()
    return b"".join(data[y * stride : y * stride + width] for y in range(height)), width, height


def fold_marks(letter: bytes) -> list[float]:
    """How far from the top something is drawn at the very left of the first page, millimetres."""
    scale = 4.0
    grey, width, height = picture(letter, 0, scale)
    at = round(7 * MILLIMETRES * scale)
    rows = [y for y in range(height) if grey[y * width + at] < 200]
    starts = [y for y in rows if y - 1 not in rows]
    return [y / scale / MILLIMETRES for y in starts]


def test_the_code_on_the_paper_is_the_transfers_own() -> None:
    """Module by module, as another PDF reader draws it."""
    shown = sheets.view()
    letter = render(sheets.sheet(shown))
    matrix = (
        Transfer(
            claim_id=7,
            payee="Lindenhof Versand GmbH",
            iban="DE02120300000000202051",
            bic=None,
            amount=shown.statement.open.total,
            reference="RF18539007547034",
        )
        .code()
        .matrix
    )
    scale = 6.0
    grey, width, _ = picture(letter, 1, scale)
    left, top, bottom = (round(mm * MILLIMETRES * scale) for mm in (150, 30, 110))
    dark = [
        (x, y) for y in range(top, bottom) for x in range(left, width) if grey[y * width + x] < 20
    ]
    (x0, x1), (y0, y1) = ((min(side), max(side) + 1) for side in zip(*dark, strict=True))
    assert x1 - x0 == pytest.approx(y1 - y0, abs=2)
    module = (x1 - x0) / len(matrix)
    assert module / scale / MILLIMETRES > 0.6  # cameras read it
    drawn = [
        [
            grey[int(y0 + (row + 0.5) * module) * width + int(x0 + (column + 0.5) * module)] < 128
            for column in range(len(matrix))
        ]
        for row in range(len(matrix))
    ]
    assert drawn == [[bool(one) for one in row] for row in matrix]


def test_it_names_itself_for_screen_readers() -> None:
    reader = pypdf.PdfReader(BytesIO(render(sheets.sheet())))
    told = reader.metadata
    assert told is not None
    assert (told.title, told.author) == (
        "Aufstellung zur Rechnung RE-2026-1044",
        "Lindenhof Versand GmbH",
    )
    root = reader.trailer["/Root"]
    assert str(root["/Lang"]).lower().startswith("de")
    assert root["/MarkInfo"]["/Marked"]
    assert "pdfuaid" in root["/Metadata"].get_object().get_data().decode()


def test_fonts_are_in_the_letter() -> None:
    reader = pypdf.PdfReader(BytesIO(render(sheets.sheet())))
    fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object()
        assert {"/FontFile2", "/FontFile3"} & inner["/FontDescriptor"].keys()


def test_the_same_sheet_makes_the_same_bytes() -> None:
    assert render(sheets.sheet()) == render(sheets.sheet())


def test_a_long_account_runs_over_pages_that_each_have_the_tables_head() -> None:
    *tables, last = pages_of(render(sheets.sheet(sheets.view(payments=200, minor=2_00))))
    assert len(tables) > 8
    assert all(("Tag Posten Betrag" in page) or ("Zeitraum" in page) for page in tables)
    assert f"Seite {len(tables) + 1} von {len(tables) + 1}" in last


HOSTILE = "#eval() *b* $x$ <script>alert(1)</script> \\ // שלום عربي 漢字 😀 \u202e\u0000\ud800\n\n"


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=400), st.text(min_size=1, max_size=200))
@example(HOSTILE + "x" * 10_000, "N" * 10_000)
@example("\n" * 500 + "Wort " * 2000, "\u202eתמר")
def test_no_text_breaks_the_letter_or_the_page(what: str, name: str) -> None:
    made = sheets.sheet(
        sheets.view(description=what, invoice_number=name, costs_reason=what), name=name
    )
    letter = render(made)
    assert letter.startswith(b"%PDF")
    for text, x, _ in words_at(letter):
        assert x < 190, text[:80]
    assert b"<script" not in statement_html(made)


def test_markup_in_a_text_is_text() -> None:
    said = text_of(render(sheets.sheet(sheets.view(description="*fett* #strong[a] $x^2$"))))
    assert "*fett* #strong[a] $x^2$" in said


@given(st.text())
def test_a_readable_text_is_one_line_of_words_that_may_break(text: str) -> None:
    made = readable(text)
    assert not any(unicodedata.category(one) in ("Cc", "Cf") for one in made.replace("\u200b", ""))
    pieces = made.replace("\u200b", " ").split()
    assert all(len(piece) <= UNBROKEN_CHARACTERS_MAX for piece in pieces)
    assert readable(text, 10) == "" or len(readable(text, 10).replace("\u200b", "")) <= 10


@pytest.mark.parametrize(
    "logo", ["data:image/png;base64,AAAA", "data:image/svg+xml;base64,PGE+", "x"]
)
def test_a_logo_that_is_no_picture_gives_way_to_the_name(logo: str) -> None:
    found = words_at(render(sheets.sheet(merchant={"page": {"logo": logo}})))
    assert any(text == "Lindenhof Versand GmbH" and 15 < y < 35 for text, _, y in found)


def test_a_logo_stands_in_the_letterhead() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="3"><path d="M0 0h9v3"/></svg>'
    logo = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
    found = words_at(render(sheets.sheet(merchant={"page": {"logo": logo}})))
    assert not [text for text, _, y in found if 15 < y < 35]


def test_a_collector_tells_what_the_law_asks_for_and_a_shop_does_not() -> None:
    collector = {"kind": "collector", "letter": {**sheets.LETTER, "collection": sheets.COLLECTION}}
    said = text_of(render(sheets.sheet(merchant=collector)))
    for part in (
        "Angaben nach § 13a RDG",
        "Tannenhof Möbel GmbH, Tannenweg 3, 20095 Hamburg",
        "Vertrag vom 3. November 2025 über Gartentisch Eiche",
        "gesetzliche Verzugszins",
        "In den Kosten ist keine Umsatzsteuer enthalten",
        "hat uns der Auftraggeber mitgeteilt",
        "Registernummer 0000-0000",
        "Aufsicht Beispiel, Amtsweg 1, 53113 Bonn, aufsicht@behoerde.example",
        "Raten und Aufschub kosten nichts extra",
    ):
        assert part in said
    creditor = {**collector, "kind": "creditor"}
    assert "RDG" not in text_of(render(sheets.sheet(merchant=creditor)))


async def test_it_takes_little_time_and_others_go_on_meanwhile() -> None:
    """The best of a few, so that a busy machine does not decide; the loop ticks on."""
    made: Sheet = sheets.sheet()
    took, ticks = [], 0
    for _ in range(5):
        began = time.perf_counter()
        working = asyncio.create_task(letter_pdf(made))
        while not working.done():
            await asyncio.sleep(0.001)
            ticks += 1
        took.append(time.perf_counter() - began)
    assert min(took) < RENDERED_SECONDS_MAX
    assert ticks >= 5 * 3


def test_nothing_is_asked_for_where_nothing_is_open() -> None:
    made = sheets.sheet(sheets.view(payments=1, minor=2000_00))
    assert made.payment is None
    assert "bezahlt" in made.note
    said = text_of(render(made))
    assert "IBAN" not in said.partition("Seite")[0]
    assert "Guthaben" in said

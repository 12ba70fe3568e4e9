"""A statement as a page: on the customer's own page, and as a file of its own."""

from base64 import b64encode

from fastapi import Response

from api.pages.brand import accent_css
from api.pages.page import Pages
from api.pages.statement.sheet import Sheet
from api.pages.statement.words import Words

_pages = Pages("statement", "statement.css")
_pages.environment.filters["data_address"] = lambda svg: (
    f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
)


def statement_page(sheet: Sheet, *, claim_id: int | None = None) -> Response:
    """The statement; with ``claim_id`` it leads back to the customer's page, and to the letter."""
    facts = {"sheet": sheet, "t": Words(sheet.language, sheet.form).t, "claim": claim_id}
    return _pages.respond(
        "statement.html",
        {"brand": "", **facts},
        language=sheet.language,
        brand=accent_css(sheet.colour),
    )


def statement_html(sheet: Sheet) -> bytes:
    """The page as a file: it needs nothing besides itself."""
    return bytes(statement_page(sheet).body)

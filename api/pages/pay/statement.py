"""The statement of one claim for who has proved who they are: to read, to print, to keep."""

from fastapi import APIRouter, Request, Response

from api.pages.pay.entry import ask_code
from api.pages.pay.overview import Id
from api.pages.pay.visit import HOME, NotVisiting, Visit, go, visiting
from api.pages.statement.page import statement_page
from api.pages.statement.pdf import letter_pdf
from api.pages.statement.sheet import Sheet, sheet_of
from api.pages.statement.words import Words

router = APIRouter(prefix=HOME, include_in_schema=False)


@router.get("/statement")
async def statement(request: Request, claim: Id, lang: str = "") -> Response:
    """The statement as a page."""
    try:
        async with visiting(request, lang=lang) as here:
            sheet = await _sheet(here, claim)
    except NotVisiting:
        return ask_code(request, lang)
    return go(HOME) if sheet is None else statement_page(sheet, claim_id=claim)


@router.get("/statement.pdf")
async def statement_pdf(request: Request, claim: Id) -> Response:
    """The statement as a letter; 404 without proof, and for anybody else's claim."""
    try:
        async with visiting(request) as here:
            sheet = await _sheet(here, claim)
    except NotVisiting:
        sheet = None
    if sheet is None:
        return Response(status_code=404)
    return pdf_response(await letter_pdf(sheet), sheet)


def pdf_response(letter: bytes, sheet: Sheet) -> Response:
    """A letter to keep, under a name that says what it is."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": sheet.language,
        "Content-Disposition": f'attachment; filename="{sheet.name}.pdf"',
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return Response(letter, media_type="application/pdf", headers=headers)


async def _sheet(here: Visit, claim_id: int) -> Sheet | None:
    """The sheet of one of their claims whose figures may be told."""
    view = await here.claim(claim_id)
    if view is None or not view.shows_figures:
        return None
    words = Words(here.language, here.form)
    return sheet_of(view, here.merchant, here.customer, here.policy, words)

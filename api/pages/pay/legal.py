"""Imprint, privacy notice and accessibility: each merchant's own text, or a sensible default."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.letter_data import LetterData
from api.pages.pay.entry import ask_code
from api.pages.pay.visit import HOME, NotVisiting, language_of, respond, visiting
from api.wiring import Parts
from storage.tables import Merchant

router = APIRouter(prefix=HOME, include_in_schema=False)
PAGES = ("imprint", "privacy", "accessibility")


@router.get("/about/{page}")
async def about(request: Request, page: str, shop: str = "", lang: str = "") -> Response:
    """One of PAGES, for a visitor or for everybody; a shop with an alias shows its to visitors."""
    if page not in PAGES:
        return ask_code(request, lang, "unknown", 404)
    try:
        async with visiting(request, lang=lang) as here:
            own = here.merchant.page.get(page)
            facts = {"page": page, "own": own, **_facts(here.merchant)}
            return here.respond("about.html", facts)
    except NotVisiting:
        parts: Parts = request.app.state.parts
    async with parts.database.operator() as session:
        merchant = await session.scalar(
            select(Merchant).where(Merchant.key == shop[:60], Merchant.alias.is_(None))
        )
    if merchant is None:
        return ask_code(request, lang, "unknown", 404)
    facts = {
        "page": page,
        "own": merchant.page.get(page),
        **_facts(merchant),
        "csrf": "",
    }
    language = language_of(request, lang, merchant.language)
    return respond("about.html", facts, language, merchant.address_form, merchant)


def _facts(merchant: Merchant) -> dict[str, object]:
    """How a merchant is reached, and what its letters name of it, for want of an own imprint."""
    return {
        "direct": [way for way in (merchant.phone, merchant.email) if way],
        "letter": LetterData.model_validate(merchant.letter),
    }

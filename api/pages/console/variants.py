"""``/console/variants``: two variants of a wording side by side, and what came of them."""

from typing import Any

from fastapi import Request, Response

from api.pages.console.choice import VALUE_CHARACTERS_MAX, Choice
from api.pages.console.conversations import Reader
from api.pages.console.page import console_router, language_of, parts_of, respond
from api.pages.console.view import texts
from conversation.variants import FIGURES, TALKS_MAX, Outcome, Share, outcome
from conversation.wording import load_catalogue
from conversation.wording.catalogue import STANDARD, Wording

router = console_router()


@router.get("/variants")
async def variants(
    request: Request, person: Reader, wording: str = "", a: str = "", b: str = ""
) -> Response:
    """Figures of two variants, each with its interval and examples."""
    several = {
        name: names
        for name, held in sorted(load_catalogue().wordings.items())
        if len(names := _names(held)) > 1
    }
    wording = wording if wording in several else next(iter(several), "")
    names = several.get(wording, [STANDARD])
    one, other = _fitting(a) or names[0], _fitting(b) or names[-1]
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        sides = [await outcome(session, person.merchant_id, wording, name) for name in (one, other)]
    lang, language = request.query_params.get("lang", ""), language_of(request)
    facts = {
        "person": person,
        "several": several,
        "wording": wording,
        "names": names,
        "chosen": (one, other),
        "sides": sides,
        "rows": _rows(sides, language),
        "most": TALKS_MAX,
        "lang_value": lang,
        "all_of": [
            Choice((("wording", wording), ("variant", side.variant))).query(lang=lang)
            for side in sides
        ],
    }
    return respond(request, "variants.html", facts)


def _names(held: Wording) -> list[str]:
    names = {place.variant for place in held.texts}
    return [STANDARD, *sorted(names - {STANDARD})]


def _fitting(given: str) -> str:
    return given if len(given) <= VALUE_CHARACTERS_MAX else ""


def _rows(sides: list[Outcome], language: str) -> list[dict[str, Any]]:
    words = texts(language)["figures"]
    return [
        {"name": words[name], "cells": [_cell(dict(side.shares)[name], language) for side in sides]}
        for name in FIGURES
    ]


def _cell(share: Share, language: str) -> dict[str, str]:
    if not share.of:
        return {"share": "–", "interval": "", "count": "0"}
    low, high = share.interval
    return {
        "share": f"{share.value * 100:.0f} %",
        "interval": f"{low * 100:.0f}–{high * 100:.0f} %",
        "count": str(share.count),
    }

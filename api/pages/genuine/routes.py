"""``/echt`` and ``/genuine``: is this message really from the shop it names?

The page says what the message itself says and nothing else. Wrong, expired and malformed codes get
one and the same answer, and a client may try only so many.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import phonenumbers
import yaml
from babel.dates import format_date
from fastapi import APIRouter, Request, Response

from api.client_address import client_key
from api.limits import CHECK_WAIT_SECONDS
from api.pages.page import NOBODY, Pages, wanted_language
from api.wiring import Parts
from conversation.genuine import PAGES, VALID_DAYS, Genuine, embedder, find
from conversation.wording.formats import LOCALES

router = APIRouter(include_in_schema=False)

_TEXTS = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text("utf-8"))
_pages = Pages("genuine", "genuine.css")
_CODE_CHARACTERS_MAX = 40


@router.get("/echt")
@router.get("/genuine")
@router.get("/echt/{path:path}")
@router.get("/genuine/{path:path}")
async def page(
    request: Request, path: str = "", code: str = "", shop: str = "", lang: str = ""
) -> Response:
    """The form, or what may be said about the message whose code stands in path or query.

    All addresses inside the page are relative, so it may stand behind any path of the shop's site.
    """
    parts: Parts = request.app.state.parts
    typed = path or code
    # What has not one character of a code is a wrong one, too.
    asked = _Asked(_bare(typed) or "-" * bool(typed), bool(path), _bare(shop), lang)
    if not asked.code:
        return await _page(request, "form", 200, asked)
    if not await parts.limits.may_check(client_key(request, parts.settings.trusted_proxies)):
        return await _page(request, "wait", 429, asked)
    async with parts.database.operator() as session:
        found = await find(session, asked.code, shop=asked.shop or None, now=parts.clock.now())
    if found is None:
        return await _page(request, "unknown", 404, asked)
    return await _page(request, "genuine", 200, asked, found)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a request's address decides, stripped of everything else."""

    code: str
    in_path: bool
    shop: str
    lang: str

    def query(self, **more: str) -> str:
        """The query that keeps frame and language, with `more` in it."""
        kept = {"shop": self.shop, "lang": self.lang if self.lang in LOCALES else "", **more}
        return "?" + urlencode({name: value for name, value in kept.items() if value})


async def _page(
    request: Request, state: str, status: int, asked: _Asked, found: Genuine | None = None
) -> Response:
    parts: Parts = request.app.state.parts
    english = request.url.path.startswith(f"/{PAGES['en']}")
    # Who follows the link of an English message wants English, whatever the phone is set to.
    accepted = "" if english else request.headers.get("accept-language", "")
    language = wanted_language(asked.lang, accepted, "en" if english else "de")
    frame = NOBODY
    if asked.shop:
        async with parts.database.operator() as session:
            frame = _origin(await embedder(session, asked.shop)) or NOBODY
    typed = {} if asked.in_path else {"code": asked.code}
    facts: dict[str, Any] = {
        "state": state,
        "t": _TEXTS[language],
        "days": VALID_DAYS,
        "form": "." if asked.in_path else "",
        "again": ("." if asked.in_path else "") + asked.query(),
        "kept": {"shop": asked.shop, "lang": asked.lang if asked.lang in LOCALES else ""},
        "languages": {
            "de": ("Deutsch", asked.query(**typed, lang="de")),
            "en": ("English", asked.query(**typed, lang="en")),
        },
        "found": _shown(found, language) if found is not None else None,
    }
    return _pages.respond(
        "genuine.html",
        facts,
        language=language,
        status=status,
        framed_by=frame,
        headers={"Retry-After": str(CHECK_WAIT_SECONDS)} if status == 429 else None,
    )


def _shown(found: Genuine, language: str) -> dict[str, str]:
    day = format_date(found.day, "full", locale=LOCALES[language])
    scheme = "mailto" if "@" in found.direct else "tel"
    return {
        "shop": found.shop,
        "day": day,
        "channel": _TEXTS[language]["channels"].get(found.channel, found.channel),
        "sender": _sender(found),
        "direct": found.direct,
        "direct_link": f"{scheme}:{found.direct.replace(' ', '')}",
    }


def _sender(found: Genuine) -> str:
    """The account that wrote, as the phone shows it; "" where the phone shows only a name."""
    if found.channel == "telegram":
        return f"@{found.bot}" if found.bot else ""
    try:
        number = phonenumbers.parse(found.sender)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _origin(address: str | None) -> str | None:
    parts = urlsplit(address or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def _bare(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z-]", "", text)[:_CODE_CHARACTERS_MAX]

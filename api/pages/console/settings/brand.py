"""``/console/settings/brand``: name, neutral alias, colour and logo, tried before they count."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile

from api import logo, setting_changes
from api.logo import LogoRefused
from api.merchants import unspeakable
from api.pages.brand import accent_css, light_colours
from api.pages.console.page import FORM_BYTES_MAX, ConsoleRoute, console_router, go, language_of
from api.pages.console.page import parts_of as parts
from api.pages.console.settings.page import Before, Setter, history, show
from api.pages.console.view import texts
from api.people import audit
from api.people.sessions import SignedIn
from api.setting_changes import Part
from channels.gsm7 import segments
from conversation.wording import MerchantVoice, merchant_catalogue
from conversation.wording.samples import readings
from storage.tables import Merchant


class PictureRoute(ConsoleRoute):
    """A route that takes a picture."""

    bytes_max = logo.BYTES_MAX + FORM_BYTES_MAX


router = console_router(PictureRoute)

PATH = "/console/settings/brand"
NAME_CHARACTERS_MAX = 120
ALIAS_CHARACTERS_MAX = 60
SHOWN = "first_contact"
"""The message that is shown: it is the one that has to do with a name alone."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_SHOP = ("phone", "email", "website", "check_url", "payee", "iban", "bic")
_TABLE = (
    ("control characters", "control"),
    ("an SMS cannot write", "letters"),
    ("nothing of it can be written", "letters"),
    ("takes more than", "long"),
    ("knows what the message is about", "telling"),
    ("names one of them", "direct"),
    ("says what the alias hides", "hides"),
)


@router.get("/settings/brand")
async def brand(
    request: Request, person: Setter, before: Before = None, done: str = ""
) -> Response:
    """How the merchant appears, to be changed."""
    merchant = await _merchant(request, person)
    return await _page(request, person, merchant, held(merchant), before=before, done=bool(done))


@router.post("/settings/brand/preview")
async def preview(request: Request, person: Setter) -> Response:
    """How it would look; nothing is kept but in the form."""
    merchant = await _merchant(request, person)
    given, wrong = await _read(await request.form(), merchant, texts(language_of(request)))
    return await _page(request, person, merchant, given, wrong=wrong)


@router.post("/settings/brand")
async def save(request: Request, person: Setter) -> Response:
    """Show it so from now on."""
    form = await request.form()
    async with parts(request).database.merchant(person.merchant_id) as session:
        merchant = await setting_changes.held(session, person.merchant_id)
        given, wrong = await _read(form, merchant, texts(language_of(request)))
        if not wrong:
            _keep(request, session, person, (merchant, given), str(form.get("why", "")))
            return go(request, PATH, done="saved")
        session.expunge(merchant)
    return await _page(request, person, merchant, given, wrong=wrong, status=422)


def _keep(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    change: tuple[Merchant, Mapping[str, str]],
    why: str,
) -> None:
    """Store what differs, with its history; a form that is sent twice differs in nothing."""
    merchant, given = change
    before, now, of = held(merchant), parts(request).clock.now(), merchant.id
    noted = setting_changes.note(
        session, person, Part.PAGE, noted_as(before), noted_as(given), now, merchant_id=of, why=why
    )
    if not noted:
        return
    fields = sorted(name for name in given if given[name] != before[name])
    audit.note(session, person, "page_changed", now, merchant_id=of, fields=fields)
    set_to(merchant, given)


def set_to(merchant: Merchant, given: Mapping[str, str]) -> None:
    """Let the merchant appear so from now on."""
    merchant.name, merchant.alias = given["name"], given["alias"] or None
    merchant.page = {
        **merchant.page, "colour": given["colour"] or None, "logo": given["logo"] or None,
    }  # fmt: skip


def noted_as(given: Mapping[str, str]) -> dict[str, str]:
    """What the history keeps: of a picture only which one it is."""
    mark = hashlib.sha256(given["logo"].encode()).hexdigest()[:8] if given["logo"] else ""
    return {**given, "logo": mark}


def held(merchant: Merchant) -> dict[str, str]:
    """What is in force, by field."""
    return {
        "name": merchant.name,
        "alias": merchant.alias or "",
        "colour": merchant.page.get("colour") or "",
        "logo": merchant.page.get("logo") or "",
    }


async def _read(
    form: FormData, merchant: Merchant, words: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """What the form says, and what is wrong by field."""
    told = words["brand"]["wrong"]

    def text(name: str) -> str:
        value = form.get(name)
        return " ".join(value.split()) if isinstance(value, str) else ""

    given = {"name": text("name"), "alias": text("alias"), "colour": text("colour").lower()}
    wrong = refused(given, merchant, told)
    given["logo"] = merchant.page.get("logo") or ""
    try:
        given["logo"] = await _logo(form, given["logo"])
    except LogoRefused as refusal:
        wrong["logo"] = told[str(refusal)]
    return given, wrong


def refused(
    given: Mapping[str, str], merchant: Merchant, told: Mapping[str, str]
) -> dict[str, str]:
    """Why a merchant cannot appear by this name and colour, by field, in the words of `told`."""
    wrong: dict[str, str] = {}
    if not 1 <= len(given["name"]) <= NAME_CHARACTERS_MAX:
        wrong["name"] = told["name"]
    if len(given["alias"]) > ALIAS_CHARACTERS_MAX:
        wrong["alias"] = told["long"]
    if given["colour"] and not _COLOUR.fullmatch(given["colour"]):
        wrong["colour"] = told["colour"]
    before = unspeakable(_voice(merchant, held(merchant)))
    for problem in unspeakable(_voice(merchant, given)):
        if problem not in before:
            field = "alias" if given["alias"] else "name"
            code = next((code for mark, code in _TABLE if mark in problem), "other")
            wrong.setdefault(field, told[code])
    return wrong


async def _logo(form: FormData, held: str) -> str:
    """The picture wanted: a new file, the one tried before, the one in force, or none."""
    file, tried = form.get("file"), form.get("logo")
    if isinstance(file, UploadFile) and file.filename:
        return await asyncio.to_thread(logo.logo_of, await file.read(logo.BYTES_MAX + 1))
    if form.get("no_logo"):
        return ""
    if isinstance(tried, str) and tried and tried != held:
        return await asyncio.to_thread(logo.again, tried)
    return held


def _voice(merchant: Merchant, given: Mapping[str, str]) -> MerchantVoice:
    rest = {name: getattr(merchant, name) for name in _SHOP}
    return MerchantVoice(given["name"], given["alias"] or None, **rest)


async def _merchant(request: Request, person: SignedIn) -> Merchant:
    async with parts(request).database.merchant(person.merchant_id) as session:
        return await session.get_one(Merchant, person.merchant_id)


async def _page(
    request: Request,
    person: SignedIn,
    merchant: Merchant,
    given: Mapping[str, str],
    *,
    wrong: Mapping[str, str] | None = None,
    before: int | None = None,
    done: bool = False,
    status: int = 200,
) -> Response:
    language = language_of(request)
    async with parts(request).database.merchant(person.merchant_id) as session:
        past = await history(request, session, person, Part.PAGE, before)
    words = texts(language)["brand"]
    for change in past["changes"]:
        change["fields"] = [
            (words["fields"].get(name, name), *values) for name, *values in change["fields"]
        ]
    colour = given["colour"] if _COLOUR.fullmatch(given["colour"]) else ""
    readable = light_colours(colour)["accent"] if colour else ""
    facts = {
        "given": given,
        "wrong": wrong or {},
        "readable": readable if readable != colour else "",
        "messages": [] if wrong else _messages(merchant, given, language),
        "done": done,
        "mb": logo.BYTES_MAX // 1024**2,
        **past,
    }
    own = accent_css(colour).replace(":root", ".branded")
    return show(request, person, "brand", facts, status, brand=own)


def _messages(merchant: Merchant, given: Mapping[str, str], language: str) -> list[dict[str, Any]]:
    """The first message as it would read on each channel."""
    catalogue = merchant_catalogue(merchant.wordings)
    shown: dict[bool, dict[str, Any]] = {}
    for one in readings(catalogue.wordings[SHOWN], catalogue, merchant=_voice(merchant, given)):
        at = one.place
        wanted = (language, merchant.address_form, "standard")
        if (at.language, at.form, at.variant) == wanted and at.sms not in shown:
            count = segments(one.text) if at.sms else 0
            shown[at.sms] = {"sms": at.sms, "text": one.text, "segments": count}
    return list(shown.values())

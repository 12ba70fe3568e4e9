"""``/console/settings/wordings``: what customers read, in a merchant's own words."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import setting_changes
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query
from api.pages.console.settings import told
from api.pages.console.settings.page import SCRIPTED, Before, Setter, history, show
from api.pages.console.view import texts
from api.people import audit
from api.people.sessions import SignedIn
from api.setting_changes import Part
from channels.choices import lettered
from channels.gsm7 import segments
from conversation.wording import MerchantVoice, load_catalogue, merchant_catalogue
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    STANDARD,
    TONES,
    Catalogue,
    Place,
    Wording,
)
from conversation.wording.overrides import CHARACTERS_MAX, lay_over
from conversation.wording.own import own_text, own_texts, with_text, without
from conversation.wording.samples import readings
from storage.tables import Merchant

router = console_router()

PATH = "/console/settings/wordings"
LISTED_MAX = 40
GROUPS = (
    *("opening", "verification", "claim", "solution", "care", "watching", "channel"),
    *("page", "buttons"),
)
WHICH = ("all", "own", "anybody")
_SHOP = ("name", "alias", "phone", "email", "website", "check_url", "payee", "iban", "bic")
_WHERE = re.compile(r"^[a-z_.]+(?: \([^)]*\))?:? ?")
Name = Annotated[str, Path(pattern="^[a-z_]{1,60}$")]
Typed = Annotated[str, Query(max_length=80)]


@router.get("/settings/wordings")
async def listed(
    request: Request,
    person: Setter,
    q: Typed = "",
    group: str = "",
    which: str = "",
    after: Typed = "",
    lang: str = "",
) -> Response:
    """All wordings, found by what they say."""
    merchant = await _merchant(request, person)
    catalogue, language = merchant_catalogue(merchant.wordings), language_of(request)
    chosen = {
        "q": q.strip(),
        "group": group if group in GROUPS else "",
        "which": which if which in WHICH else WHICH[0],
        "lang": lang,
    }
    names = [
        wording.name
        for wording in sorted(
            catalogue.wordings.values(), key=lambda one: (GROUPS.index(one.group), one.name)
        )
        if _wanted(wording, chosen, merchant.wordings)
    ]
    start = names.index(after) + 1 if after in names else 0
    page = names[start : start + LISTED_MAX]
    facts = {
        "rows": [
            {
                "name": name,
                "group": catalogue.wordings[name].group,
                "own": name in merchant.wordings,
                "discloses": catalogue.wordings[name].discloses,
                "text": _excerpt(catalogue.wordings[name], language, merchant.address_form),
            }
            for name in page
        ],
        "chosen": chosen,
        "groups": GROUPS,
        "whiches": WHICH,
        "further": query(**chosen, after=page[-1]) if start + LISTED_MAX < len(names) else "",
        "first": query(**chosen) or "?" if start else "",
    }
    return show(request, person, "wordings", facts)


@router.get("/settings/wordings/{name}")
async def one(
    request: Request,
    person: Setter,
    name: Name,
    language: str = "",
    form: str = "",
    tone: str = "",
    variant: str = "",
    before: Before = None,
    done: str = "",
) -> Response:
    """One wording for one kind of reader: ours, the merchant's own, and how it reads."""
    if name not in load_catalogue().wordings:
        return notice(request, "nothing", 404, {"person": person})
    merchant = await _merchant(request, person)
    place = _place(merchant, {"language": language, "form": form, "tone": tone, "variant": variant})
    place = _known(place, name)
    return await _page(request, person, merchant, (name, place), None, before=before, done=done)


@router.post("/settings/wordings/{name}/preview")
async def preview(request: Request, person: Setter, name: Name) -> Response:
    """How it would read, and what is wrong with it; as a page, or for the script as the part."""
    if name not in load_catalogue().wordings:
        return notice(request, "nothing", 404, {"person": person})
    form = await request.form()
    merchant = await _merchant(request, person)
    given = {key: value for key, value in form.items() if isinstance(value, str)}
    place = _known(_place(merchant, given), name)
    if not given.get("fragment"):
        return await _page(request, person, merchant, (name, place), given)
    language = language_of(request)
    spec = _changed(merchant.wordings.get(name) or {}, place, given)
    facts = {"t": texts(language), **_read(merchant, name, place, spec, language)}
    return HTMLResponse(
        SCRIPTED.part("settings/readings.html", facts, language=language),
        headers={"Cache-Control": "no-store"},
    )


@router.post("/settings/wordings/{name}")
async def save(request: Request, person: Setter, name: Name) -> Response:
    """Say it in these words from the next message on, where they keep the rules."""
    return await _change(request, person, name, undo=False)


@router.post("/settings/wordings/{name}/undo")
async def undo(request: Request, person: Setter, name: Name) -> Response:
    """Say it in our words again, to this kind of reader."""
    return await _change(request, person, name, undo=True)


async def _change(request: Request, person: SignedIn, name: str, *, undo: bool) -> Response:
    if name not in load_catalogue().wordings:
        return notice(request, "nothing", 404, {"person": person})
    form = await request.form()
    given = {key: value for key, value in form.items() if isinstance(value, str)}
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await setting_changes.held(session, person.merchant_id)
        place = _known(_place(merchant, given), name)
        before = merchant.wordings.get(name) or {}
        spec = (
            without(before, place.language, place.form) if undo else _changed(before, place, given)
        )
        if lay_over({name: spec}).problems if spec else []:
            merchant = await session.get_one(Merchant, person.merchant_id)
            session.expunge(merchant)
            return await _page(request, person, merchant, (name, place), given, status=422)
        if spec != before:
            now, of = parts_of(request).clock.now(), person.merchant_id
            setting_changes.note(
                session, person, Part.WORDING, own_texts(name, before), own_texts(name, spec), now,
                merchant_id=of, name=name, why=given.get("why", ""),
            )  # fmt: skip
            audit.note(session, person, "wording_changed", now, merchant_id=of, wording=name)
            others = {key: held for key, held in merchant.wordings.items() if key != name}
            merchant.wordings = {**others, name: spec} if spec else others
    kept = {"language": place.language, "form": place.form}
    if not undo:
        kept |= {"tone": place.tone, "variant": place.variant}
    return go(request, f"{PATH}/{name}", **kept, done="undone" if undo else "saved")


def _wanted(wording: Wording, chosen: Mapping[str, str], own: Mapping[str, Any]) -> bool:
    if chosen["group"] and wording.group != chosen["group"]:
        return False
    if chosen["which"] == "own" and wording.name not in own:
        return False
    if chosen["which"] == "anybody" and wording.discloses:
        return False
    typed = chosen["q"].casefold()
    sources = (text.source for text in wording.texts.values())
    said = (wording.name, wording.purpose, *sources)
    return not typed or any(typed in one.casefold() for one in said)


def _excerpt(wording: Wording, language: str, form: str) -> str:
    """What is said, without what stands for figures, cut where a row ends."""
    source = wording.text("warm", False, language, form).source
    plain = re.sub(r"\{[{%].*?[%}]\}", "…", source, flags=re.DOTALL)
    plain = " ".join(plain.split())
    return plain if len(plain) <= 140 else plain[:139].rsplit(" ", 1)[0] + " …"


async def _merchant(request: Request, person: SignedIn) -> Merchant:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        return await session.get_one(Merchant, person.merchant_id)


def _place(merchant: Merchant, given: Mapping[str, str]) -> Place:
    language = given.get("language", "")
    form, tone = given.get("form", ""), given.get("tone", "")
    return Place(
        given.get("variant") or STANDARD,
        tone if tone in TONES else "warm",
        False,
        language if language in LANGUAGES else merchant.language,
        form if form in ADDRESS_FORMS else merchant.address_form,
    )


def _known(place: Place, name: str) -> Place:
    """The place with a variant that the wording has."""
    known = load_catalogue().wordings[name].variants(place.language, place.form)
    return place if place.variant in known else place._replace(variant=STANDARD)


def _changed(before: Mapping[str, Any], place: Place, given: Mapping[str, str]) -> dict[str, Any]:
    """The merchant's texts with what the form says for one place."""
    spec = dict(before)
    for field, sms in (("text", False), ("sms", True)):
        written = given.get(field, "").replace("\r\n", "\n").strip()
        spec = with_text(spec, place._replace(sms=sms), written[: CHARACTERS_MAX + 1])
    return spec


def _read(
    merchant: Merchant, name: str, place: Place, spec: Mapping[str, Any], language: str
) -> dict[str, Any]:
    """How a wording reads to one reader, and what is wrong with the texts given for it."""
    laid = lay_over({name: spec}) if spec else None
    problems = list(dict.fromkeys(laid.problems)) if laid else []
    catalogue = laid.catalogue if laid and not problems else load_catalogue()
    return {
        "problems": [
            {
                "where": _where(problem),
                "told": told.told(without_place(problem), language, "wordings"),
            }
            for problem in problems
        ],
        "readings": [] if problems else _readings(merchant, catalogue, name, place),
    }


def without_place(problem: str) -> str:
    """What is wrong with a text, without where it stands."""
    return _WHERE.sub("", problem)


def _where(problem: str) -> str:
    found = re.match(r"[a-z_.]+ \(([^)]*)\)", problem)
    return found.group(1) if found else ""


def _readings(
    merchant: Merchant, catalogue: Catalogue, name: str, place: Place
) -> list[dict[str, Any]]:
    voice = MerchantVoice(**{field: getattr(merchant, field) for field in _SHOP})
    wording = catalogue.wordings[name]
    shown: dict[bool, dict[str, Any]] = {}
    for one in readings(wording, catalogue, merchant=voice):
        at = one.place
        if (at.language, at.form, at.variant) != (place.language, place.form, place.variant):
            continue
        if at.tone not in ("warm", place.tone):
            continue
        text = lettered(one.text, one.choices) if at.sms else one.text
        shown[at.sms] = {
            "sms": at.sms,
            "text": text,
            "choices": () if at.sms else one.choices,
            "segments": segments(text) if at.sms else 0,
            "characters": len(text),
        }
    return [shown[sms] for sms in (False, True) if sms in shown]


async def _page(
    request: Request,
    person: SignedIn,
    merchant: Merchant,
    of: tuple[str, Place],
    given: Mapping[str, str] | None,
    *,
    before: int | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    name, place = of
    language = language_of(request)
    ours = load_catalogue().wordings[name]
    spec = merchant.wordings.get(name) or {}
    tried = spec if given is None else _changed(spec, place, given)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        past = await history(request, session, person, Part.WORDING, before, name=name)
    standard = ours.text(place.tone, False, place.language, place.form, place.variant).source
    short = ours.text(place.tone, True, place.language, place.form, place.variant).source
    facts = {
        "wording": ours,
        "at": place,
        "languages": LANGUAGES,
        "forms": ADDRESS_FORMS if place.language == "de" else (),
        "tones": TONES,
        "variants": ours.variants(place.language, place.form),
        "place": "wordings",
        "product": standard,
        "product_sms": short if short != standard else "",
        "text": own_text(tried, place) or "",
        "sms": own_text(tried, place._replace(sms=True)) or "",
        "own": any(
            other.split()[0] == place.language and (place.language != "de" or place.form in other)
            for other in own_texts(name, spec)
        ),
        "args": sorted(ours.args),
        "voices": sorted(set(re.findall(r"\bm\.\w+", standard + short))),
        "most": CHARACTERS_MAX,
        "why": (given or {}).get("why", ""),
        "done": done if done in ("saved", "undone") else "",
        "not_saved": status == 422,
        **_read(merchant, name, place, tried, language),
        **past,
    }
    return show(request, person, "wording", facts, status, pages=SCRIPTED)

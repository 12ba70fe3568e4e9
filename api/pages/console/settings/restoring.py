"""``/console/settings/restore/…``: back to what was in force before, seen first, then agreed to."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import setting_changes
from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.console.settings.page import Setter, show
from api.pages.console.settings.restorable import Restorable, State, restorable
from api.pages.console.view import moment, texts
from api.people import audit
from api.people.sessions import SignedIn
from api.setting_changes import WHY_CHARACTERS_MAX
from storage.tables import Merchant

router = console_router()

PartName = Annotated[str, Path(max_length=20)]
To = Annotated[int, Query(ge=0, le=BIGGEST)]
"""The change after which it was so; 0: before the first one."""
Name = Annotated[str, Query(pattern="^[a-z_]{0,60}$")]


@router.get("/settings/restore/{part}")
async def look(
    request: Request, person: Setter, part: PartName, to: To = 0, name: Name = ""
) -> Response:
    """What would be different, for a yes or a no."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
        of = restorable(merchant, part, name)
        found = of and await _state(session, of, to)
        if not of or not found:
            return notice(request, "nothing", 404, {"person": person})
        return _page(request, person, of, to, found, await _version(session, of))


@router.post("/settings/restore/{part}")
async def restore(
    request: Request, person: Setter, part: PartName, to: To = 0, name: Name = ""
) -> Response:
    """Let it be in force again; a change like any other, by the same checks."""
    form = await request.form()
    now, language = parts_of(request).clock.now(), language_of(request)
    why = str(form.get("why", "")).strip()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await setting_changes.held(session, person.merchant_id)
        of = restorable(merchant, part, name)
        found = of and await _state(session, of, to)
        if not of or not found:
            return notice(request, "nothing", 404, {"person": person})
        before, after = of.state(), found[0]
        if before == after:  # sent twice
            return go(request, of.path, done="saved")
        version = await _version(session, of)
        stale = form.get("version") != str(version)
        if stale or not why or of.refusals(after, language):
            return _page(request, person, of, to, found, version, why=why, stale=stale)
        setting_changes.note(
            session, person, of.part, before, after, now,
            merchant_id=merchant.id, name=of.name, why=why,
        )  # fmt: skip
        fields = [field for field, *_ in _differing(before, after)]
        audit.note(
            session, person, f"{of.part}_changed", now, merchant_id=merchant.id,
            fields=fields, restored=to,
        )  # fmt: skip
        of.keep(after)
    return go(request, of.path, done="saved")


Found = tuple[State, datetime | None]


async def _state(session: AsyncSession, of: Restorable, to: int) -> Found | None:
    found = await setting_changes.state_after(
        session, of.merchant.id, of.part, to, of.state(), name=of.name
    )
    return (of.reachable(found[0]), found[1]) if found else None


async def _version(session: AsyncSession, of: Restorable) -> int:
    return await setting_changes.version(
        session, of.merchant.id, *of.parts, name=of.name if of.name else None
    )


def _differing(before: State, after: State) -> list[tuple[str, Any, Any]]:
    return [
        (field, before.get(field), after.get(field))
        for field in sorted({*before, *after})
        if before.get(field) != after.get(field)
    ]


def _page(
    request: Request,
    person: SignedIn,
    of: Restorable,
    to: int,
    found: Found,
    version: int,
    *,
    why: str | None = None,
    stale: bool = False,
) -> Response:
    """Before and after; with `why` it comes back from a yes that could not be taken."""
    language, (after, at) = language_of(request), found
    words = texts(language)["restoring"]
    as_of = words["as_of"].format(at=moment(at, language, person.zone)) if at else words["at_first"]
    refusals = of.refusals(after, language)
    facts = {
        "title": words["title"].format(what=texts(language)["settings"][of.place]["title"]),
        "wording": of.name,
        "as_of": as_of,
        "differing": [
            (of.label(field, language), *(of.told(field, one, language) for one in values))
            for field, *values in _differing(of.state(), after)
        ],
        "refusals": refusals,
        "picture_stays": of.place == "brand",
        "stale": stale,
        "no_why": why == "",
        "why": (why or words["why"].format(as_of=as_of))[:WHY_CHARACTERS_MAX],
        "version": version,
        "path": of.path,
        "to": {"to": to, "name": of.name},
        "place": of.place,
    }
    return show(request, person, "restore", facts, 422 if why is not None else 200)

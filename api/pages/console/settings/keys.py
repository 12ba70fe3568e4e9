"""``/console/settings/keys``: what the merchant's own systems are let in with."""

from typing import Annotated, Any

from fastapi import Form, Request, Response

from api import setting_changes
from api.keys import PREFIX_LENGTH, create_api_key, end_api_key, keys_of
from api.pages.console.conversations import Id
from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.console.settings.page import Setter, show
from api.pages.console.view import moment
from api.people import audit
from api.people.roles import SCOPES, Permission
from api.people.sessions import SignedIn
from storage.tables import ApiKey

router = console_router()

PATH = "/console/settings/keys"


@router.get("/settings/keys")
async def listed(request: Request, person: Setter, done: str = "") -> Response:
    """All keys by how they begin, with what they may do and their last use."""
    return await _page(request, person, done=done == "ended")


@router.post("/settings/keys")
async def make(
    request: Request, person: Setter, last: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Make a key and show it, this once; a form that is sent twice makes one."""
    form = await request.form()
    chosen = [one for one in SCOPES if one.value in form.getlist("scopes")]
    if not chosen:
        return await _page(request, person, wrong="scopes", status=422)
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        await setting_changes.held(session, person.merchant_id)  # one at a time
        made = await keys_of(session, person.merchant_id)
        if last != _last(made):
            return await _page(request, person, wrong="stale", chosen=chosen, status=422)
        key = await create_api_key(session, person.merchant_id, now=now, scopes=chosen)
        audit.note(
            session, person, "api_key_made", now,
            merchant_id=person.merchant_id, key=key[:PREFIX_LENGTH],
        )  # fmt: skip
    return await _page(request, person, key=key)


@router.post("/settings/keys/{key}/end")
async def end(request: Request, person: Setter, key: Id) -> Response:
    """Let nothing in with a key any more, for good."""
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = next(
            (one for one in await keys_of(session, person.merchant_id) if one.id == key), None
        )
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        if end_api_key(found, now):
            audit.note(
                session, person, "api_key_revoked", now,
                merchant_id=person.merchant_id, key=found.prefix,
            )  # fmt: skip
    return go(request, PATH, done="ended")


def _last(made: Any) -> str:
    """The number of the newest key, as a form keeps it."""
    return str(max((one.id for one in made), default=0))


async def _page(
    request: Request,
    person: SignedIn,
    *,
    key: str = "",
    wrong: str = "",
    done: bool = False,
    chosen: list[Permission] | None = None,
    status: int = 200,
) -> Response:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        rows = await keys_of(session, person.merchant_id)
    facts = {
        "rows": [_shown(one, language_of(request), person) for one in reversed(rows)],
        "scopes": SCOPES,
        "chosen": chosen or [],
        "last": _last(rows),
        "key": key,
        "wrong": wrong,
        "done": done,
    }
    return show(request, person, "keys", facts, status)


def _shown(key: ApiKey, language: str, person: SignedIn) -> dict[str, Any]:
    def at(when: Any) -> str:
        return moment(when, language, person.zone) if when else ""

    return {
        "id": key.id,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "made": at(key.created_at),
        "used": at(key.last_used_at),
        "ended": at(key.revoked_at),
    }

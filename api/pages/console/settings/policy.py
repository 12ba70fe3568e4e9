"""``/console/settings/policy``: what may be agreed without asking, tried before it counts."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api import setting_changes
from api.pages.console.page import console_router, go, language_of, parts_of
from api.pages.console.settings import policy_form, policy_preview
from api.pages.console.settings.page import SCRIPTED, Before, Setter, history, show
from api.pages.console.view import texts
from api.people import audit
from api.people.sessions import SignedIn
from api.setting_changes import Part
from negotiation.policy import Policy
from negotiation.policy_data import bounds, policy_from_data, policy_to_data
from storage.tables import Merchant

router = console_router()

PATH = "/console/settings/policy"
PARTS = (Part.POLICY, Part.CONTACT)
"""Both are data of one policy, so a form of either is too old after a change of the other."""


@router.get("/settings/policy")
async def policy(
    request: Request, person: Setter, before: Before = None, done: str = ""
) -> Response:
    """The policy in force, to be changed."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        held = policy_from_data((await session.get_one(Merchant, person.merchant_id)).policy)
    given = policy_form.inputs(held, language_of(request))
    return await _page(request, person, held, given, {}, before=before, done=done == "saved")


@router.post("/settings/policy/preview")
async def preview(request: Request, person: Setter) -> Response:
    """What customers would be offered; as a whole page, or for the script as the part alone."""
    form = await request.form()
    held = await _held(request, person)
    language = language_of(request)
    words = texts(language)["policy"]
    read = policy_form.read(form, held, words["wrong"], language)
    if form.get("fragment"):
        facts = {"t": texts(language), **_offers(request, person, read.policy)}
        return HTMLResponse(
            SCRIPTED.part("settings/offers.html", facts, language=language),
            headers={"Cache-Control": "no-store"},
        )
    given = _given(form)
    return await _page(request, person, read.policy, given, read.wrong)


@router.post("/settings/policy")
async def save(request: Request, person: Setter) -> Response:
    """Let it count from now on; what has been agreed stays as it is."""
    form = await request.form()
    language = language_of(request)
    given = _given(form)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await setting_changes.held(session, person.merchant_id)
        now_in_force = policy_to_data(policy_from_data(merchant.policy))
        read = policy_form.read(form, now_in_force, texts(language)["policy"]["wrong"], language)
        wrong = dict(read.wrong)
        if not str(given.get("why", "")).strip():
            wrong["why"] = texts(language)["policy"]["wrong"]["why"]
        after = policy_to_data(read.policy) if read.policy else None
        current = await setting_changes.version(session, person.merchant_id, *PARTS)
        stale = given.get("version") != str(current)
        if after is not None and after == now_in_force:
            # Sent twice, or nothing was changed.
            return go(request, PATH, done="saved")
        if after is not None and not wrong and not stale:
            keep(request, session, person, (Part.POLICY, now_in_force, after), str(given["why"]))
            merchant.policy = after
            return go(request, PATH, done="saved")
    return await _page(request, person, read.policy, given, wrong, stale=stale, status=422)


def keep(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    change: tuple[Part, Mapping[str, Any], Mapping[str, Any]],
    why: str,
) -> None:
    """Note a change of the policy, in its history and in the log."""
    part, before, after = change
    now, of = parts_of(request).clock.now(), person.merchant_id
    setting_changes.note(session, person, part, before, after, now, merchant_id=of, why=why)
    fields = sorted(name for name in after if after[name] != before.get(name))
    audit.note(session, person, f"{part.value}_changed", now, merchant_id=of, fields=fields)


async def _held(request: Request, person: SignedIn) -> dict[str, Any]:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
        return policy_to_data(policy_from_data(merchant.policy))


def _given(form: Any) -> dict[str, Any]:
    """What stands in the inputs of a form that came back."""
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    several = {name: form.getlist(name) for name in ("instalment_periods",)}
    return {**given, **several}


def _offers(request: Request, person: SignedIn, held: Policy | None) -> dict[str, Any]:
    language = language_of(request)
    words = texts(language)["policy"]["preview"]
    today = parts_of(request).clock.now().astimezone(person.zone).date()
    shown = policy_preview.offered(held, today) if held else []
    return {"offers": [policy_preview.view(one, words, language) for one in shown]}


async def _page(
    request: Request,
    person: SignedIn,
    held: Policy | None,
    given: Mapping[str, Any],
    wrong: Mapping[str, str],
    *,
    before: int | None = None,
    done: bool = False,
    stale: bool = False,
    status: int = 200,
) -> Response:
    language = language_of(request)
    words = texts(language)["policy"]
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        current = await setting_changes.version(session, person.merchant_id, *PARTS)
        past = await history(request, session, person, Part.POLICY, before)
    for change in past["changes"]:
        change["fields"] = [
            (
                words["fields"].get(name, name),
                *(
                    policy_form.told(name, value, words, language) if value is not None else None
                    for value in values
                ),
            )
            for name, *values in change["fields"]
        ]
    facts = {
        "groups": [
            (group, [_field(name, given, wrong) for name in fields])
            for group, fields in policy_form.GROUPS.items()
        ],
        "given": given,
        "wrong": wrong,
        "version": given.get("version", current),
        "stale": stale,
        "done": done,
        **_offers(request, person, held),
        **past,
    }
    return show(request, person, "policy", facts, status, pages=SCRIPTED)


def _field(name: str, given: Mapping[str, Any], wrong: Mapping[str, str]) -> dict[str, Any]:
    """One field as its input needs it."""
    kind = policy_form.kind_of(name)
    shown: dict[str, Any] = {"name": name, "kind": kind, "value": given.get(name, "")}
    if kind == "whole":
        shown["least"], shown["most"] = bounds(name)
    elif kind in ("choice", "several"):
        # The order that was chosen stays; what was not chosen stands behind it.
        held = given.get(name, []) if kind == "several" else []
        shown["options"] = list(dict.fromkeys([*held, *policy_form.options(name)]))
    elif kind == "bands":
        limit, parts = policy_form.BANDS[name]
        shown |= {"limit": limit, "parts": parts, "rows": policy_form.rows_of(name, given)}
        shown["wrong"] = [(key, text) for key, text in wrong.items() if key.startswith(f"{name}-")]
    return shown

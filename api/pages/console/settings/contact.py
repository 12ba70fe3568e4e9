"""``/console/settings/contact``: when we write, when people answer, and how the channels are."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from cryptography.fernet import InvalidToken
from fastapi import Request, Response

from api import channel_health, live_accounts, setting_changes
from api.findings import BAD, GOOD, Finding
from api.pages.console.page import console_router, go, language_of, parts_of
from api.pages.console.settings import policy_form
from api.pages.console.settings.page import Before, Setter, history, show
from api.pages.console.settings.policy import PARTS, keep
from api.pages.console.view import moment, texts
from api.people.sessions import SignedIn
from api.setting_changes import Part
from negotiation.policy import WEEKDAYS
from negotiation.policy_data import LAENDER, policy_from_data, policy_to_data
from outreach.rules import InvalidContactRules, Window, countries, rules_of
from storage.tables import Merchant

router = console_router()

PATH = "/console/settings/contact"
DAYS = ("weekday", "saturday", "sunday")
NUMBERS = ("spacing_hours_min", "per_week_max")
_MARKS = {GOOD: "good", BAD: "bad"}


@router.get("/settings/contact")
async def contact(
    request: Request, person: Setter, before: Before = None, done: str = ""
) -> Response:
    """The hours in force, and each channel with its last success and failure."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
    data = policy_to_data(policy_from_data(merchant.policy))
    given = _inputs(data, merchant.land)
    return await _page(request, person, data, given, before=before, done=done == "saved")


@router.post("/settings/contact")
async def save(request: Request, person: Setter) -> Response:
    """Let these hours count from now on."""
    form = await request.form()
    given = {name: value.strip()[:80] for name, value in form.items() if isinstance(value, str)}
    words = texts(language_of(request))["contact"]["wrong"]
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await setting_changes.held(session, person.merchant_id)
        held = policy_to_data(policy_from_data(merchant.policy))
        data, wrong = _read(given, held, words)
        land = given.get("land", "")
        wrong = wrong or refused(data, land, language_of(request))
        current = await setting_changes.version(session, person.merchant_id, *PARTS)
        stale = given.get("version") != str(current)
        before, after = {**held, "land": merchant.land}, {**data, "land": land}
        if not wrong and before == after:
            return go(request, PATH, done="saved")  # sent twice, or nothing was changed
        if not wrong and not stale:
            keep(request, session, person, (Part.CONTACT, before, after), given.get("why", ""))
            merchant.policy, merchant.land = dict(data), land
            return go(request, PATH, done="saved")
    return await _page(request, person, held, given, wrong=wrong, stale=stale, status=422)


@router.post("/settings/contact/check")
async def check(request: Request, person: Setter) -> Response:
    """Ask the providers what they have on file, as `kulanz doctor --live` does."""
    parts = parts_of(request)
    async with parts.database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
        try:
            accounts = await live_accounts.in_force(
                session, parts.settings, parts.keys.secret_key, person.merchant_id
            )
        except InvalidToken:
            accounts = []
    found = await live_accounts.ask(accounts, parts.settings) if accounts else []
    data = policy_to_data(policy_from_data(merchant.policy))
    return await _page(request, person, data, _inputs(data, merchant.land), found=found)


def _inputs(data: Mapping[str, Any], land: str) -> dict[str, str]:
    """What stands in the inputs."""
    given = {
        "land": land,
        "contact_country": data["contact_country"],
        "answer_minutes": str(data["answer_minutes"]),
    }
    own = data["contact_rules"]
    for day in DAYS:
        if own.get(day) == "":
            given[f"{day}-never"] = "yes"
        else:
            given[f"{day}-opens"], _, given[f"{day}-closes"] = own.get(day, "").partition("-")
    given |= {name: str(own.get(name, "")) for name in NUMBERS}
    for day in WEEKDAYS:
        opens, _, closes = data["opening_hours"].get(day, "").partition("-")
        given |= {f"opening_hours-{day}-opens": opens, f"opening_hours-{day}-closes": closes}
    return given


def _read(
    given: Mapping[str, str], held: Mapping[str, Any], words: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The policy's data with the hours of the form, and what cannot be read, by input."""
    wrong: dict[str, str] = {}
    own = {name: value for name, value in held["contact_rules"].items() if name == "holidays"}
    for day in DAYS:
        hours = "" if given.get(f"{day}-never") else _hours(given, day)
        if hours is None:
            wrong[day] = words["hours"]
        elif hours or given.get(f"{day}-never"):
            own[day] = hours
    for name in NUMBERS:
        if value := given.get(name, ""):
            if value.isascii() and value.isdigit() and len(value) < 4:
                own[name] = int(value)
            else:
                wrong[name] = words["number"]
    opening = {day: _hours(given, f"opening_hours-{day}") for day in WEEKDAYS}
    wrong |= {f"opening_hours-{day}": words["hours"] for day, at in opening.items() if at is None}
    minutes = given.get("answer_minutes", "")
    data = {
        **held,
        "contact_country": given.get("contact_country", ""),
        "contact_rules": own,
        "opening_hours": {day: hours for day, hours in opening.items() if hours},
        "answer_minutes": int(minutes) if minutes.isascii() and minutes.isdigit() else None,
    }
    return data, wrong


def refused(data: Mapping[str, Any], land: str, language: str) -> dict[str, str]:
    """Why a policy with these hours cannot be in force, by input."""
    words = texts(language)["contact"]["wrong"]
    wrong = dict(policy_form.checked(data, {}, texts(language)["policy"]["wrong"], language).wrong)
    if "opening_hours" in wrong:
        wrong["opening_hours"] = words["no_day"]
    if land not in LAENDER:
        wrong["land"] = words["land"]
    if data.get("contact_country") not in countries():
        wrong["contact_country"] = words["country"]
    elif not wrong:
        try:
            rules_of(data["contact_country"], data["contact_rules"])
        except InvalidContactRules:
            wrong["contact_rules"] = words["no_time"]
    return wrong


def _hours(given: Mapping[str, str], name: str) -> str | None:
    """``09:00-17:00``; empty where nothing is said, None where it is no span of time."""
    opens, closes = given.get(f"{name}-opens", ""), given.get(f"{name}-closes", "")
    if not opens and not closes:
        return ""
    try:
        first, last = time.fromisoformat(opens), time.fromisoformat(closes)
    except ValueError:
        return None
    if first.tzinfo or last.tzinfo:  # the hours are the merchant's
        return None
    return f"{first:%H:%M}-{last:%H:%M}" if first < last else None


async def _page(
    request: Request,
    person: SignedIn,
    data: Mapping[str, Any],
    given: Mapping[str, str],
    *,
    wrong: Mapping[str, str] | None = None,
    found: list[Finding] | None = None,
    before: int | None = None,
    done: bool = False,
    stale: bool = False,
    status: int = 200,
) -> Response:
    language = language_of(request)
    words = texts(language)["contact"]
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
        accounts = await channel_health.of_merchant(session, person.merchant_id)
        current = await setting_changes.version(session, person.merchant_id, *PARTS)
        past = await history(request, session, person, Part.CONTACT, before)
    for change in past["changes"]:
        change["fields"] = [
            (words["fields"].get(name, name), *(told(value, words) for value in values))
            for name, *values in change["fields"]
        ]
    facts = {
        "given": given,
        "wrong": wrong or {},
        "days": DAYS,
        "weekdays": WEEKDAYS,
        "laender": sorted(LAENDER),
        "countries": countries(),
        "zone": merchant.timezone,
        "in_force": _in_force(data, words),
        "version": given.get("version", current),
        "channels": [_channel(one, language, person) for one in accounts],
        "found": None
        if found is None
        else [(_MARKS.get(one.mark, "open"), one.what, one.state, one.advice) for one in found],
        "done": done,
        "stale": stale,
        **past,
    }
    return show(request, person, "contact", facts, status)


def _in_force(data: Mapping[str, Any], words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The hours that hold: the country's, tightened by the merchant's own."""
    try:
        rules = rules_of(data["contact_country"], data["contact_rules"])
    except (InvalidContactRules, LookupError):
        return []
    shown = [(words["days"][day], _window(getattr(rules, day), words)) for day in DAYS]
    spacing = words["spacing"].format(hours=rules.spacing_hours_min)
    return [*shown, (words["often"], f"{spacing}, {words['a_week'].format(n=rules.per_week_max)}")]


def _window(window: Window | None, words: Mapping[str, Any]) -> str:
    return f"{window.opens:%H:%M}–{window.closes:%H:%M}" if window else str(words["never"])


def told(value: Any, words: Mapping[str, Any]) -> str | None:
    """What was set, for the history; `words` are this page's."""
    if isinstance(value, Mapping):
        names = {**words["days"], **words["weekdays"], **words["fields"]}
        said = [f"{names.get(key, key)} {held or words['never']}" for key, held in value.items()]
        return ", ".join(said) or "–"
    return None if value is None else str(value)


def _channel(one: channel_health.Health, language: str, person: SignedIn) -> dict[str, Any]:
    names = texts(language)["channels"]

    def at(when: Any) -> str:
        return moment(when, language, person.zone) if when else ""

    failing = one.failed_at is not None and (one.sent_at is None or one.failed_at > one.sent_at)
    return {
        "channel": names.get(one.channel, one.channel),
        "address": f"@{one.public_name}" if one.public_name else one.address,
        "state": "off" if not one.enabled else "failing" if failing else "good",
        "sent": at(one.sent_at),
        "failed": at(one.failed_at),
        "error": one.error or "",
        "received": at(one.received_at),
    }

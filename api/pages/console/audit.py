"""``/console/audit``: who signed in, saw, uncovered and changed what."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from api.pages.console.conversations import Before
from api.pages.console.page import console_router, language_of, parts_of, query, respond
from api.pages.console.view import moment, texts
from api.people import accounts, audit
from api.people.access import Needs
from api.people.audit import KINDS, Chosen
from api.people.roles import Permission
from api.people.sessions import SignedIn
from storage.tables import AuditEvent

router = console_router()

Auditor = Annotated[SignedIn, Depends(Needs(Permission.AUDIT))]


@router.get("/audit")
async def listed(
    request: Request,
    person: Auditor,
    who: str = "",
    kind: str = "",
    day: str = "",
    before: Before = None,
    lang: str = "",
) -> Response:
    """What people did, the newest first; reading it stands in it as well."""
    parts, language = parts_of(request), language_of(request)
    chosen = Chosen(who, kind if kind in KINDS else "", _day(day))
    async with parts.database.merchant(person.merchant_id) as session:
        rows, after = await audit.listed(
            session, person.merchant_id, chosen, person.zone, before=before
        )
        names = await audit.names(session, person.merchant_id)
        people = await accounts.of_merchant(session, person.merchant_id)
        audit.note(session, person, "audit_seen", parts.clock.now(), merchant_id=person.merchant_id)
    known = {one.id: one.name for one in people}
    kept = {
        "who": who,
        "kind": chosen.kind,
        "day": chosen.day.isoformat() if chosen.day else "",
        "lang": lang,
    }
    facts = {
        "person": person,
        "rows": [_line(row, language, person, known) for row in rows],
        "names": names,
        "kinds": KINDS,
        "chosen": kept,
        "older": query(**kept, before=after) if after else "",
        "newest": (query(**kept) or "?") if before else "",
    }
    return respond(request, "audit.html", facts)


def _line(
    row: AuditEvent, language: str, person: SignedIn, known: Mapping[int, str]
) -> dict[str, Any]:
    words = texts(language)
    facts = row.facts
    return {
        "at": moment(row.at, language, person.zone),
        "iso": row.at.isoformat(),
        "who": row.person,
        "kind": words["kinds"].get(row.kind, row.kind.replace("_", " ")),
        "conversation": row.conversation_id,
        "of": known.get(facts.get("of", 0), ""),
        "role": words["roles"].get(facts.get("role"), ""),
        "by": words["by_ways"].get(facts.get("by"), ""),
        "key": facts.get("call") or facts.get("key", ""),
        "customer": row.customer_id if row.kind == "api_call" else None,
    }


def _day(given: str) -> date | None:
    """A day of the calendar that has one before and one after it."""
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    return day if date.min < day < date.max else None

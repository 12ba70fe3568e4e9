"""What the settings' pages share: their menu, the one script, and the history of a part."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import setting_changes
from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, language_of, query, respond
from api.pages.console.view import moment
from api.pages.page import Pages
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from api.setting_changes import Part

SCRIPTED: Pages = Pages("console", "console.css", "settings/live.js")
"""Pages of the console whose parts are fetched anew while somebody types or waits."""
PLACES = (
    ("policy", "/console/settings/policy"),
    ("contact", "/console/settings/contact"),
    ("wordings", "/console/settings/wordings"),
    ("brand", "/console/settings/brand"),
    ("webhooks", "/console/settings/webhooks"),
    ("keys", "/console/settings/keys"),
)

Setter = Annotated[SignedIn, Depends(Needs(Permission.SETTINGS))]
Before = Annotated[int | None, Query(ge=1, le=BIGGEST)]

router = console_router()


@router.get("/settings")
async def overview(request: Request, person: Setter) -> Response:
    """What can be set, each in a sentence."""
    return show(request, person, "overview", {})


def show(
    request: Request,
    person: SignedIn,
    name: str,
    facts: Mapping[str, Any],
    status: int = 200,
    **more: Any,
) -> Response:
    """A page of the settings, with the menu of all of them."""
    facts = {"person": person, "places": PLACES, "place": name, **facts}
    return respond(request, f"settings/{name}.html", facts, status, **more)


async def history(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    part: Part,
    before: int | None,
    *,
    name: str | None = None,
) -> dict[str, Any]:
    """Who changed this part, when, why, which of its fields, and the way back to each state."""
    rows, older = await setting_changes.listed(
        session, person.merchant_id, part, name=name, before=before
    )
    lang = request.query_params.get("lang", "")
    back = f"/console/settings/restore/{part}"
    newest = rows[0].id if rows and not before else None
    return {
        "changes": [
            {
                "id": row.id,
                "restore": back + query(to=row.id, name=name, lang=lang)
                if row.id != newest
                else "",
                "at": moment(row.at, language_of(request), person.zone),
                "iso": row.at.isoformat(),
                "who": row.person,
                "why": row.why,
                "name": row.name,
                "fields": [
                    (field, row.before.get(field), row.after.get(field))
                    for field in sorted({*row.before, *row.after})
                ],
            }
            for row in rows
        ],
        "older": query(before=older, lang=lang) + "#history" if older else "",
        "newest": (query(lang=lang) or "?") + "#history" if before else "",
        "restore_first": back + query(name=name, lang=lang) if rows and not older else "",
    }

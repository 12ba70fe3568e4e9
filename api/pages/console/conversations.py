"""``/console/conversations``: all conversations, found by words and by what is known of them.

The list names nobody. The search looks through what is covered; what it shows is covered.
"""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console import choice
from api.pages.console.choice import Choice
from api.pages.console.marking import Marking
from api.pages.console.page import console_router, language_of, parts_of, query, respond
from api.pages.console.view import listed_view, texts
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import review
from conversation.finding import Found, Listed, Place, find
from conversation.known import known_of_each
from conversation.redaction import Redaction
from conversation.wording import formats, load_catalogue

router = console_router()

BIGGEST = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
Before = Annotated[int | None, Query(ge=1, le=BIGGEST)]
Reader = Annotated[SignedIn, Depends(Needs(Permission.READ))]
Revealer = Annotated[SignedIn, Depends(Needs(Permission.REVEAL))]
SAVED = ("saved", "dropped", "name")
_IN_SIGHT = ("q", "state", "channel", "figure", "band")


@router.get("/conversations")
async def conversations(
    request: Request, person: Reader, before: str = "", lang: str = "", done: str = ""
) -> Response:
    """A page of the list."""
    chosen = Choice.read(request.query_params.multi_items())
    place, language = Place.read(before), language_of(request)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await find(session, person.merchant_id, chosen.question(person.zone), before=place)
        hits = await _hits(session, person, found, language)
        views = await review.views(session, person.merchant_id, person.operator, person.person_id)
    facts = {
        "person": person,
        "rows": [
            {
                **listed_view(row, language, person.zone),
                "hit": hits.get(row.id, ""),
                "to": _address(row, chosen["q"], lang),
            }
            for row in found.rows
        ],
        "chosen": chosen,
        "narrowed": _said(chosen, language),
        "wanted": {name for _, name in (pair for pair in chosen.given if pair[0] == "with")},
        "choices": choice,
        "wordings": _wordings(),
        "more": sum(name not in _IN_SIGHT for name, _ in chosen.given),
        "older": chosen.query(lang=lang, before=found.further) if found.further else "",
        "stopped": found.stopped,
        "newest": (chosen.query(lang=lang) or "?") if place else "",
        "everything": Choice().query(lang=lang) or "?",
        "views": [(view, Choice.of_query(view.query).query(lang=lang) or "?") for view in views],
        "own": person.operator,
        "may_export": person.may(Permission.EXPORT),
        "may_reveal": person.may(Permission.REVEAL),
        "done": done if done in SAVED else "",
    }
    return respond(request, "conversations.html", facts)


def _said(chosen: Choice, language: str) -> str:
    """What of the overview's figures the list is narrowed to, as a reader is told."""
    if not chosen["figure"]:
        return ""
    words, days = texts(language), ("since", "until")
    first, last = (
        formats.day(chosen[name], language, short=True) if chosen[name] else "…" for name in days
    )
    stage = words["overview"]["stages"].get(chosen["figure"], "")
    of = words["counted_talks"].get(chosen["figure"], words["counted_talks"]["stage"])
    return ", ".join(
        part
        for part in (
            of.format(first=first, last=last, stage=stage),
            words["channels"].get(chosen["channel"], ""),
            words["bands"].get(chosen["band"], ""),
        )
        if part
    )


def _address(row: Listed, words: str, lang: str) -> str:
    """Of a conversation, and in it of what was found."""
    if row.hit is None:
        return f"/console/conversations/{row.id}{query(lang=lang)}"
    at = row.hit.message_id
    return f"/console/conversations/{row.id}{query(q=words, at=at, lang=lang)}#m{at}"


async def _hits(
    session: AsyncSession, person: SignedIn, found: Found, language: str
) -> dict[int, Any]:
    """What was found in each conversation: covered, cut to where it stands, and marked."""
    rows = [row for row in found.rows if row.hit is not None]
    if not rows:
        return {}
    held = {row.id: (row.customer_id, (row.address,)) for row in rows}
    known = await known_of_each(session, person.merchant_id, held)
    labels = texts(language)["covered"]
    covered = {
        row.id: Redaction(known[row.id], labels).cover(row.hit.text) for row in rows if row.hit
    }
    marking = await Marking.of(session, covered.values(), found.sought)
    return {talk: marking.excerpt(text) for talk, text in covered.items()}


def _wordings() -> list[str]:
    return sorted(load_catalogue().wordings)

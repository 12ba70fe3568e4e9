"""``/console/desk``: what waits for a person, in the desk's one order, and who does it next."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Form, Request, Response
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.choice import CHANNELS
from api.pages.console.page import console_router, go, language_of, parts_of, query
from api.pages.console.view import texts
from api.pages.desk.queue_page import BASE, Agent, by, pages, respond
from api.pages.desk.queue_view import closed_notice, reason_words, row_view
from api.people.roles import Role
from api.people.sessions import SignedIn
from conversation.desk_queue import Chosen, Queue, Row, View, Viewer, known_of_rows, queue
from conversation.desk_seats import is_here, set_seat
from conversation.desk_teams import teams_of

router = console_router()

PAGE_ROWS = 60
WORDS = ("view", "reason", "channel", "tag", "language", "after")
DONE = ("given", "snoozed", "woken", "tagged", "here", "away")
_CHARACTERS_MAX = 60


@router.get("/desk")
async def desk(request: Request, person: Agent, done: str = "") -> Response:
    """The list, kept to what the words of the address say."""
    return await show(request, person, request.query_params, told=done if done in DONE else "")


@router.get("/desk/rows")
async def rows(request: Request, person: Agent) -> Response:
    """What stands inside the list, for the page to put in anew when something has changed."""
    return await show(request, person, request.query_params, template="queue_rows.html")


@router.post("/desk/presence")
async def presence(
    request: Request,
    person: Agent,
    here: Annotated[str, Form(max_length=5)] = "",
    back: Annotated[str, Form(max_length=600)] = "",
) -> Response:
    """Say that one is at the desk, or away: who is away is given nothing in turn."""
    own = _own(person)
    if own is not None and here in ("yes", "no"):
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            await set_seat(session, person.merchant_id, own, here=here == "yes")
    return to_list(request, back, "here" if here == "yes" else "away")


def to_list(request: Request, back: str, done: str = "") -> Response:
    """Back to the list as it was chosen; `back` are the words of its address."""
    return go(request, BASE, **words_of(back), done=done)


def words_of(back: str) -> dict[str, str]:
    """What a form says was chosen before it."""
    return {name: value for name, value in parse_qsl(back) if name in WORDS}


async def show(
    request: Request,
    person: SignedIn,
    given: Mapping[str, str],
    *,
    template: str = "queue.html",
    told: str = "",
    error: str = "",
) -> Response:
    """The list, or what stands inside it; with an error it is answered as a conflict."""
    now, language, own = parts_of(request).clock.now(), language_of(request), _own(person)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await queue(session, person.merchant_id, now)
        viewer = await viewer_of(session, person)
        chosen = _chosen(given, viewer, found)
        here = (
            await is_here(session, person.merchant_id, own)
            if own is not None and template == "queue.html"
            else False
        )
        fitting = [row for row in found.rows if chosen.fits(row)]
        listed = [row for row in fitting if viewer.sees(row, chosen.view)]
        begin = _begin(listed, given.get("after", ""))
        page, rest = listed[begin : begin + PAGE_ROWS], listed[begin + PAGE_ROWS :]
        known = await known_of_rows(session, page)
    kept = {name: value for name in WORDS[1:5] if (value := getattr(chosen, name))}
    lang = request.query_params.get("lang", "")
    shown = {"view": chosen.view.value, **kept}
    facts = {
        "rows": [
            shown_row(
                tuple(
                    row_view(
                        row, viewer, known.get(row.handoff.id), now, language, person.zone
                    ).items()
                ),
                language,
                query(lang=lang if lang == language else ""),
            )
            for row in page
        ],
        "views": [
            (
                view.value,
                sum(viewer.sees(row, view) for row in fitting),
                query(view=view.value, **kept, lang=lang),
            )
            for view in View
            if view is not View.TEAM or viewer.teams
        ],
        "chosen": chosen,
        "waiting": sum(viewer.waits_for(row) for row in found.rows),
        "refresh": f"{BASE}/rows{query(**shown, after=given.get('after', ''), lang=lang)}",
        "back": query(**shown).removeprefix("?"),
        "further": query(**shown, after=page[-1].handoff.id, lang=lang) if rest and page else "",
        "first": query(**shown, lang=lang) if begin else "",
        "cleared": query(view=chosen.view.value, lang=lang) if kept else "",
        "everything": query(view=View.ALL.value, lang=lang),
        "more": found.more,
        "closed": closed_notice(found.hours, now, language, person.zone),
        "here_now": here,
        "may_be_here": own is not None,
        "choices": _choices(found, language),
        "told": told,
        "error": error,
    }
    return respond(request, person, template, facts, 409 if error else 200)


@lru_cache(maxsize=4096)
def shown_row(row: tuple[tuple[str, Any], ...], language: str, lang: str) -> Markup:
    """A row as HTML: of all that is read anew with every message, hardly any has changed."""
    facts = {"row": dict(row), "t": texts(language), "lang": lang}
    return Markup(pages.part("queue_row.html", facts, language=language))


def _own(person: SignedIn) -> int | None:
    """Whose seat it is; None for who has no account of this merchant, and is given nothing."""
    return person.person_id if person.role is not Role.OPERATOR else None


async def viewer_of(session: AsyncSession, person: SignedIn) -> Viewer:
    """Who looks, with their teams."""
    teams = await teams_of(session, person.person_id) if person.person_id is not None else ()
    return Viewer(by(person), frozenset(teams))


def _chosen(given: Mapping[str, str], viewer: Viewer, found: Queue) -> Chosen:
    """What the address says; where it names no view, one's own if anything is there."""
    words = {name: given.get(name, "")[:_CHARACTERS_MAX] for name in WORDS[1:5]}
    named = given.get("view", "")
    if named in tuple(View):
        return Chosen(View(named), **words)
    own = any(viewer.sees(row, View.OWN) for row in found.rows)
    return Chosen(View.OWN if own else View.UNASSIGNED, **words)


def _begin(listed: list[Row], after: str) -> int:
    """Where a page begins: behind this handoff; at the first where that is no longer listed."""
    return next((n for n, row in enumerate(listed, 1) if str(row.handoff.id) == after), 0)


def _choices(found: Queue, language: str) -> dict[str, list[tuple[str, str]]]:
    """What there is to choose from: no choice leads to an empty list."""
    reasons = {reason for row in found.rows for reason in row.reasons}
    return {
        "reason": sorted(
            ((one, reason_words(one, language)) for one in reasons), key=lambda one: one[1]
        ),
        "channel": [(one, one) for one in CHANNELS if any(r.channel == one for r in found.rows)],
        "tag": [(one, one) for one in sorted({tag for r in found.rows for tag in r.handoff.tags})],
        "language": [(one, one) for one in sorted({r.language for r in found.rows if r.language})],
    }

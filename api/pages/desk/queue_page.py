"""What the pages of the desk's queue share: how they answer and refuse, and the one lock."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console import page
from api.pages.console.conversations import BIGGEST
from api.pages.desk.page import desk_pages
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import desk
from conversation.handoff_held import By, HandoffError, HandoffTaken

BASE = "/console/desk"
pages = desk_pages("queue.css")

Agent = Annotated[SignedIn, Depends(Needs(Permission.HANDOFFS))]
Supervisor = Annotated[SignedIn, Depends(Needs(Permission.SUPERVISE))]
HandoffId = Annotated[int, Path(ge=1, le=BIGGEST)]
_TABS = (
    ("list", BASE, Permission.HANDOFFS),
    ("callbacks", f"{BASE}/callbacks", Permission.HANDOFFS),
    ("live", f"{BASE}/live", Permission.SUPERVISE),
    ("teams", f"{BASE}/teams", Permission.SUPERVISE),
)


def respond(
    request: Request,
    person: SignedIn,
    template: str,
    facts: Mapping[str, Any],
    status: int = 200,
) -> Response:
    """A page of the queue, or a part of one that is put in."""
    tabs = [(name, path) for name, path, needed in _TABS if person.may(needed)]
    shown = {"person": person, "tabs": tabs, "error": "", "told": "", **facts}
    return page.respond(request, template, shown, status, pages=pages)


def by(person: SignedIn) -> By:
    """Who does it, as the desk's rules know them."""
    return By(person.operator, person.person_id)


@asynccontextmanager
async def working(request: Request, person: SignedIn, handoff: int) -> AsyncIterator[AsyncSession]:
    """One transaction that holds the lock of the handoff's conversation; then a live event.

    Raises:
        HandoffUnknown: it is none of this merchant's.
    """
    parts = page.parts_of(request)
    async with parts.database.merchant(person.merchant_id) as session:
        conversation = await desk.conversation_of(session, handoff)
    async with parts.database.conversation(person.merchant_id, conversation) as session:
        yield session
    await parts.events.changed(person.merchant_id, conversation)


def refusal(request: Request, refused: HandoffError) -> str:
    """Why it was not done, in words, with who has it where somebody does."""
    words = page.texts_of(request)["queue"]["refusals"]
    text = words.get(type(refused).__name__, words["other"])
    if isinstance(refused, HandoffTaken):
        return str(text.format(name=refused.facts.get("taken_by") or "–"))
    return str(text)

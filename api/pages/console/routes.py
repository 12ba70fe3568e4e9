"""``/console``: all pages for the merchant's people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.pages.console import (
    account,
    audit,
    claim_actions,
    claim_endings,
    claims,
    complaint,
    contact_actions,
    conversations,
    corrections,
    customers,
    exports,
    merchants,
    notes,
    people,
    second_factor,
    sign_in,
    transcripts,
    variants,
)
from api.pages.console.page import START, ConsoleRoute, go
from api.pages.desk import callbacks, queue, queue_work, teams, teams_live, teams_rules
from api.people.access import Needs
from api.people.sessions import SignedIn

router = APIRouter(prefix="/console", include_in_schema=False, route_class=ConsoleRoute)


@router.get("")
@router.get("/")
async def start(request: Request, person: Annotated[SignedIn, Depends(Needs())]) -> Response:
    """The list is where one begins."""
    return go(request, START)


for module in (
    *(sign_in, account, second_factor),
    *(conversations, transcripts, notes, exports, corrections, variants),
    *(claims, customers, claim_actions, claim_endings, contact_actions, complaint),
    *(people, audit, merchants),
    # Before any page whose path begins with a handoff's number.
    *(queue, queue_work, callbacks, teams, teams_rules, teams_live),
):
    router.include_router(module.router)

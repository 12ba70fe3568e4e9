"""``/console``: all pages for the merchant's people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.pages.console import (
    account,
    audit,
    claim_actions,
    claims,
    conversations,
    customers,
    merchants,
    people,
    second_factor,
    sign_in,
)
from api.pages.console.page import START, ConsoleRoute, go
from api.pages.desk import (
    conversation,
    conversation_acts,
    conversation_offers,
    conversation_replies,
    stream,
)
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
    *(conversations, claims, customers, claim_actions),
    *(people, audit, merchants),
    *(stream, conversation, conversation_acts, conversation_offers, conversation_replies),
):
    router.include_router(module.router)

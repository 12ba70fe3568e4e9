"""``/console/merchants``: an operator goes from one merchant to another."""

from typing import Annotated

from fastapi import Depends, Path, Request, Response
from sqlalchemy import select

from api.pages.console.conversations import BIGGEST
from api.pages.console.page import START, console_router, go, notice, parts_of, respond
from api.people import audit, sessions
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from storage.tables import Merchant

router = console_router()

Operator = Annotated[SignedIn, Depends(Needs(Permission.MERCHANTS))]
LISTED_MAX = 500


@router.get("/merchants")
async def listed(request: Request, person: Operator) -> Response:
    """All merchants."""
    async with parts_of(request).database.operator() as session:
        rows = (
            await session.execute(
                select(Merchant.id, Merchant.name).order_by(Merchant.name).limit(LISTED_MAX)
            )
        ).all()
    return respond(request, "merchants.html", {"person": person, "merchants": rows})


@router.post("/merchants/{to}")
async def enter(
    request: Request, person: Operator, to: Annotated[int, Path(ge=1, le=BIGGEST)]
) -> Response:
    """The session goes on at this merchant; the merchant's audit says so."""
    parts = parts_of(request)
    async with parts.database.operator() as session:
        if await session.get(Merchant, to) is None:
            return notice(request, "nothing", 404)
        await sessions.go_to(session, person.session, to)
        audit.note(session, person, "merchant_entered", parts.clock.now(), merchant_id=to)
    return go(request, START)

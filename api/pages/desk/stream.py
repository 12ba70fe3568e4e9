"""``/console/desk/events``: what is new at the merchant's, as server-sent events with ids only.

An event is a hint: whoever hears it asks the page for all after the last message it has, and asks
once after each connecting, so none that was missed matters.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from api.events import Events, NotLive, TooManyListeners
from api.pages.console.page import console_router, parts_of
from api.people import sessions
from api.people.access import COOKIE, Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn

router = console_router()

HEARTBEAT_SECONDS: Final = 10.0
"""A line now and then shows a browser that is gone; the session is looked at anew with it."""
Agent = Annotated[SignedIn, Depends(Needs(Permission.HANDOFFS))]


@router.get("/desk/events")
async def events(request: Request, person: Agent) -> Response:
    """Say what changes, until the browser goes, the session ends or the role is taken away."""
    live: Events = parts_of(request).events
    who = f"{person.person_id}" if person.person_id is not None else person.session
    stream = _stream(request, person.merchant_id, live.listening(person.merchant_id, who))
    try:
        first = await anext(stream)
    except NotLive:
        return PlainTextResponse("not live", 503, {"Retry-After": "3"})
    except TooManyListeners:
        return PlainTextResponse("open elsewhere", 429, {"Retry-After": "30"})
    return StreamingResponse(
        _from(first, stream),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _from(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for one in rest:
        yield one


async def _stream(request: Request, merchant_id: int, listening: Any) -> AsyncIterator[str]:
    async with listening as listener:
        yield _event("ready", "{}")
        looked = time.monotonic()
        while not listener.over:
            found = await listener.next(HEARTBEAT_SECONDS)
            if found:
                yield _event("changed", found.told)
            if time.monotonic() - looked < HEARTBEAT_SECONDS:
                continue
            # A browser that goes must not cut a statement short: that costs the connection.
            may = await asyncio.shield(asyncio.ensure_future(_still_may(request, merchant_id)))
            if not may:
                yield _event("ended", "{}")
                return
            looked = time.monotonic()
            yield ": still here\n\n"


async def _still_may(request: Request, merchant_id: int) -> bool:
    """Whether the session is open, at the same merchant and with the same permission."""
    parts = parts_of(request)
    person = await sessions.who(parts.database, request.cookies.get(COOKIE), parts.clock.now())
    return (
        person is not None
        and person.merchant_id == merchant_id
        and person.may(Permission.HANDOFFS)
        and not person.unfinished
    )


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"

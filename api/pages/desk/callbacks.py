"""``/console/desk/callbacks``: calls that customers wished for, the one that is due first."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Form, Request, Response

from api.pages.console.page import console_router, go, language_of, notice, parts_of
from api.pages.console.view import texts
from api.pages.desk.queue_page import BASE, Agent, HandoffId, by, refusal, respond, working
from api.pages.desk.queue_view import clock_time, span
from api.pages.desk.queue_work import Refused, local_time
from api.people.sessions import SignedIn
from conversation.callbacks import Callback, callbacks
from conversation.desk_moves import CallResult, called
from conversation.handoff_held import HandoffError, HandoffUnknown

router = console_router()

DONE = tuple(CallResult)
SHOWN_MAX = 60
Line = Annotated[str, Form(max_length=60)]


@router.get("/desk/callbacks")
async def listed(request: Request, person: Agent, done: str = "") -> Response:
    """All calls that are still to be made."""
    return await _show(request, person, told=done if done in DONE else "")


@router.post("/desk/callbacks/{handoff}")
async def note(
    request: Request, person: Agent, handoff: HandoffId, result: Line = "", again: Line = ""
) -> Response:
    """Note what became of a call; it stands in the customer's history."""
    try:
        async with working(request, person, handoff) as session:
            if result not in tuple(CallResult):
                raise Refused("result")
            wanted = result == CallResult.NOT_REACHED and again
            at = local_time(again, person.zone) if wanted else None
            now = parts_of(request).clock.now()
            await called(session, handoff, CallResult(result), by(person), now, again_at=at)
    except HandoffUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except Refused as refused:
        return await _show(request, person, problem=(handoff, str(refused)))
    except HandoffError as refused:
        return await _show(request, person, error=refusal(request, refused))
    return go(request, f"{BASE}/callbacks", done=result)


async def _show(
    request: Request,
    person: SignedIn,
    *,
    told: str = "",
    error: str = "",
    problem: tuple[int, str] = (0, ""),
) -> Response:
    now, language = parts_of(request).clock.now(), language_of(request)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await callbacks(session, person.merchant_id)
    facts = {
        "calls": [_view(one, person, now, language) for one in found[:SHOWN_MAX]],
        "left": max(len(found) - SHOWN_MAX, 0),
        "results": tuple(CallResult),
        "earliest": now.astimezone(person.zone).strftime("%Y-%m-%dT%H:%M"),
        "told": told,
        "error": error,
        "problem": problem,
    }
    status = 422 if problem[1] else 409 if error else 200
    return respond(request, person, "callbacks.html", facts, status)


def _view(one: Callback, person: SignedIn, now: datetime, language: str) -> dict[str, Any]:
    t = texts(language)
    words = t["queue"]
    begins, ends = one.due, one.until
    elsewhere = one.zone != person.zone and (
        one.due.astimezone(one.zone).utcoffset() != one.due.astimezone(person.zone).utcoffset()
    )

    def when(zone: Any) -> str:
        start = clock_time(begins, now, language, zone)
        if ends is None or ends == begins:
            return start
        return str(
            words["call_span"].format(start=start, end=ends.astimezone(zone).strftime("%H:%M"))
        )

    late = ends is not None and ends <= now
    soon = begins <= now and not late
    state = "late" if late else "now" if soon else "later"
    return {
        "id": one.handoff.id,
        "number": one.customer_number or t["unknown_customer"],
        "customer": one.customer_id,
        "state": state,
        "state_words": words["call_states"][state].format(span=span(abs(begins - now), language)),
        "iso": begins.isoformat(),
        "when": words["call_soon"]
        if one.span.end is None and begins <= now and not one.handoff.call_again_at
        else when(person.zone),
        "when_theirs": when(one.zone) if elsewhere else "",
        "zone": str(one.zone).rpartition("/")[2].replace("_", " "),
        "which": words["call_numbers"].get(one.number, words["call_numbers"]["unknown"]),
        "tried": one.handoff.call_again_at is not None,
        "language": t["language_names"].get(one.language, "") if one.language else "",
        "holder": words["you"] if by(person).has(one.handoff) else one.handoff.taken_by or "",
        "mine": by(person).has(one.handoff) or one.handoff.taken_by is None,
    }

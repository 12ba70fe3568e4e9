"""How soon people answer, by reason, and how handoffs end in the merchant's own words."""

from typing import Annotated

from fastapi import Form, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, go, notice, parts_of
from api.pages.desk.queue_page import BASE, Supervisor
from api.pages.desk.teams_view import show_list
from api.people import audit
from api.people.sessions import SignedIn
from conversation.answer_clock import MINUTES_MAX
from conversation.answer_targets import forget_target, set_target
from conversation.handoff_advice import REASONS
from conversation.handoff_held import Outcome
from conversation.wrap_up import NAME_CHARACTERS_MAX
from storage.tables import WrapUp

router = console_router()

WRAP_UPS_MAX = 50
Line = Annotated[str, Form(max_length=200)]


@router.post("/desk/targets")
async def target(
    request: Request, person: Supervisor, reason: Line = "", first: Line = "", following: Line = ""
) -> Response:
    """Set how many open minutes an answer may take; without figures the default counts again."""
    if reason not in REASONS:
        return await show_list(request, person, problem=("target", "reason"))
    minutes = [int(one) if one.isdecimal() else 0 for one in (first.strip(), following.strip())]
    back = not first.strip() and not following.strip()
    if not back and not all(0 < one <= MINUTES_MAX for one in minutes):
        return await show_list(request, person, problem=("target", "minutes"))
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        if back:
            await forget_target(session, person.merchant_id, reason)
        else:
            await set_target(session, person.merchant_id, reason, *minutes)
        audit.note(
            session, person, "answer_target_set", parts_of(request).clock.now(),
            merchant_id=person.merchant_id, reason=reason,
            **({} if back else {"first_minutes": minutes[0], "next_minutes": minutes[1]}),
        )  # fmt: skip
    return go(request, f"{BASE}/teams", done="default" if back else "target")


@router.post("/desk/wrap-ups")
async def add(
    request: Request, person: Supervisor, name: Line = "", outcome: Line = ""
) -> Response:
    """Add a name for an ending, and what it stands for."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_CHARACTERS_MAX or outcome not in tuple(Outcome):
        return await show_list(request, person, problem=("wrap_up", "wrap_up"), given=name)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        known = (await session.scalars(select(WrapUp))).all()
        same = next((one for one in known if one.name.casefold() == name.casefold()), None)
        if same is None and len(known) >= WRAP_UPS_MAX:
            return await show_list(request, person, problem=("wrap_up", "many"), given=name)
        if same is None:
            session.add(WrapUp(merchant_id=person.merchant_id, name=name, outcome=outcome))
        else:
            same.outcome = outcome
        _note(session, request, person)
    return go(request, f"{BASE}/teams", done="wrap_up")


@router.post("/desk/wrap-ups/{code}/end")
async def end(
    request: Request, person: Supervisor, code: Annotated[int, Path(ge=1, le=BIGGEST)]
) -> Response:
    """Offer this ending no more; what ended so keeps its name."""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(select(WrapUp).where(WrapUp.id == code))
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        await session.delete(found)
        _note(session, request, person)
    return go(request, f"{BASE}/teams", done="wrap_up_ended")


def _note(session: AsyncSession, request: Request, person: SignedIn) -> None:
    now = parts_of(request).clock.now()
    audit.note(session, person, "wrap_ups_changed", now, merchant_id=person.merchant_id)

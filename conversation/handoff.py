"""Asking for a person: one open request per conversation, with everything known so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import audit
from conversation.desk_teams import team_of
from conversation.handoff_urgency import Urgency
from conversation.opening_hours import AnswerTime, NeverOpen, OpeningHours, answer_time
from negotiation.policy_data import policy_from_data
from storage.merchant_events import EventKind, record
from storage.tables import Conversation, Handoff, Merchant

CALLBACK = "callback"
"""The reason of a wish for a call."""


@dataclass(frozen=True)
class Requested:
    """A person was asked for; `new` is False where the conversation waited for one already."""

    new: bool
    answer: Mapping[str, Any] | None = None
    """With a promise: the time to name, as an argument of a wording. None: there is none."""


async def request_handoff(
    session: AsyncSession,
    *,
    conversation_id: int,
    reason: str,
    summary: Mapping[str, Any],
    now: datetime,
    promise: bool = False,
) -> Requested:
    """Put the conversation on the desk.

    A further reason is added to the open request, a more urgent one becomes its main reason. A
    conversation that a person holds stays with that person. `summary` holds codes and figures.
    With `promise` the caller tells the customer when the answer comes.
    """
    conversation = await session.get_one(Conversation, conversation_id)
    waiting = await session.scalar(
        select(Handoff).where(
            Handoff.conversation_id == conversation_id, Handoff.closed_at.is_(None)
        )
    )
    if conversation.state != "agent":
        conversation.state = "waiting"
    new = waiting is None
    hours: OpeningHours | None = None
    if waiting is None:
        hours = await opening_hours(session, conversation.merchant_id)
        answer = _answer_time(now, hours)
        waiting = Handoff(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation_id,
            reason=reason,
            summary={**summary, "reasons": [reason]},
            requested_at=now,
            answer_by=answer.by if answer is not None else None,
            promised=False,
            team_id=await team_of(session, conversation, reason),
        )
        session.add(waiting)
        audit.note(session, conversation, "handoff_requested", now, {"reason": reason})
        await _tell(session, conversation, waiting, now)
    else:
        before = waiting.reason
        if _add_reason(waiting, reason, summary):
            audit.note(session, conversation, "handoff_reason_added", now, {"reason": reason})
        if waiting.reason != before and waiting.taken_by is None:
            waiting.team_id = await team_of(session, conversation, reason)
    if not promise:
        return Requested(new)
    hours = hours or await opening_hours(session, conversation.merchant_id)
    answer = _promised(waiting, hours, now)
    if answer is None:
        return Requested(new)
    waiting.promised = True
    return Requested(new, answer.to_args(now, hours.zone))


async def opening_hours(session: AsyncSession, merchant_id: int) -> OpeningHours:
    """When the merchant's people answer."""
    merchant = await session.get_one(Merchant, merchant_id)
    return OpeningHours.of(policy_from_data(merchant.policy), merchant.timezone, merchant.land)


def _answer_time(now: datetime, hours: OpeningHours) -> AnswerTime | None:
    try:
        return answer_time(now, hours)
    except NeverOpen:  # a person is asked for all the same, only no time is named
        return None


def _promised(waiting: Handoff, hours: OpeningHours, now: datetime) -> AnswerTime | None:
    """The time that was named, or is named now; nothing where a person has it or it has passed."""
    if waiting.taken_at is not None or waiting.answer_by is None or waiting.answer_by <= now:
        return None
    period = hours.on(waiting.answer_by.astimezone(hours.zone).date())
    return AnswerTime(period[0] if period is not None else now, waiting.answer_by)


def _add_reason(waiting: Handoff, reason: str, summary: Mapping[str, Any]) -> bool:
    """Add what is new to the open request; whether the reason is."""
    reasons = list(waiting.summary.get("reasons", [waiting.reason]))
    new = reason not in reasons
    if new:
        reasons.append(reason)
    waiting.summary = {**waiting.summary, **summary, "reasons": reasons}
    if Urgency.of(reason).rank < Urgency.of(waiting.reason).rank:
        waiting.reason = reason
    if reason == CALLBACK:  # a new wish is not done by the last call
        waiting.called_at = waiting.call_again_at = None
    return new


async def _tell(
    session: AsyncSession, conversation: Conversation, handoff: Handoff, now: datetime
) -> None:
    await session.flush()  # gives the handoff its number
    record(
        session,
        conversation.merchant_id,
        EventKind.HANDOFF_OPENED,
        {
            "handoff_id": handoff.id,
            "reason": handoff.reason,
            "urgency": Urgency.of(handoff.reason).value,
            "answer_by": handoff.answer_by.isoformat() if handoff.answer_by else None,
        },
        now,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
    )

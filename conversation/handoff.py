"""Asking for a person: one open request per conversation, with everything known so far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import AuditEvent, Conversation, Handoff

URGENT_REASONS = frozenset({"crisis", "hardship", "bereavement"})


async def request_handoff(
    session: AsyncSession,
    *,
    conversation_id: int,
    reason: str,
    summary: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Put the conversation on the desk; False when it already waited there.

    A further reason is added to the open request, an urgent one becomes its main reason. A
    conversation that a person holds stays with that person. `summary` holds codes and figures.
    """
    conversation = await session.get_one(Conversation, conversation_id)
    waiting = await session.scalar(
        select(Handoff).where(
            Handoff.conversation_id == conversation_id, Handoff.closed_at.is_(None)
        )
    )
    if conversation.state != "agent":
        conversation.state = "waiting"
    if waiting is not None:
        _add_reason(waiting, reason, summary)
        return False
    session.add(
        Handoff(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation_id,
            reason=reason,
            summary={**summary, "reasons": [reason]},
            requested_at=now,
        )
    )
    session.add(
        AuditEvent(
            merchant_id=conversation.merchant_id,
            kind="handoff_requested",
            at=now,
            customer_id=conversation.customer_id,
            conversation_id=conversation_id,
            facts={"reason": reason},
        )
    )
    return True


def _add_reason(waiting: Handoff, reason: str, summary: Mapping[str, Any]) -> None:
    reasons = list(waiting.summary.get("reasons", [waiting.reason]))
    if reason not in reasons:
        reasons.append(reason)
    waiting.summary = {**waiting.summary, **summary, "reasons": reasons}
    if reason in URGENT_REASONS and waiting.reason not in URGENT_REASONS:
        waiting.reason = reason

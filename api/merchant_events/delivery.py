"""Deliveries of one endpoint: what is due, what became of it, and when it is tried again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.merchant_events.endpoints import switch_off
from api.merchant_events.envelope import SHOWN, body, view
from api.merchant_events.posting import Answer
from storage.tables import Base, MerchantEvent, WebhookDelivery, WebhookEndpoint

WAITS = (
    *(timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 20)),
)
"""After each attempt that fails: eleven attempts in three days, less half an hour."""
JITTER = 0.1
"""The part by which a wait is shorter or longer, so that not all come back at the same moment."""

_deliveries = Base.metadata.tables[WebhookDelivery.__tablename__]
_NOTE = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("of"))
    .values(
        {
            name: bindparam(name)
            for name in ("status", "attempts", "due_at", "attempted_at", "answer", "error")
        }
    )
)


@dataclass(frozen=True, slots=True)
class Due:
    """An event to be posted now."""

    delivery_id: int
    attempts: int
    key: str
    body: str


async def endpoint_on(session: AsyncSession, endpoint_id: int) -> WebhookEndpoint | None:
    """The endpoint, where it is on."""
    found = await session.get(WebhookEndpoint, endpoint_id)
    return found if found is not None and found.off_at is None else None


async def due(session: AsyncSession, endpoint_id: int, now: datetime, most: int) -> list[Due]:
    """What is due longest at an endpoint, `most` at most."""
    found = await session.execute(
        SHOWN.add_columns(WebhookDelivery.id.label("delivery_id"), WebhookDelivery.attempts)
        .join(WebhookDelivery, WebhookDelivery.event_id == MerchantEvent.id)
        .where(
            WebhookDelivery.endpoint_id == endpoint_id,
            WebhookDelivery.status == "pending",
            WebhookDelivery.due_at <= now,
        )
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(most)
    )
    return [
        Due(row.delivery_id, row.attempts, row.MerchantEvent.key, body(view(row))) for row in found
    ]


async def note(
    session: AsyncSession,
    endpoint_id: int,
    answers: Sequence[tuple[Due, Answer]],
    now: datetime,
) -> None:
    """Keep what became of these attempts, and plan the next ones.

    An endpoint that does not answer at all is left alone for a while with everything that waits.
    """
    if answers:
        await session.execute(_NOTE, [_noted(tried, answer, now) for tried, answer in answers])
    if any(answer.gone for _, answer in answers):
        await switch_off(session, endpoint_id, now)
        return
    holds = [answer.hold_seconds for _, answer in answers if answer.hold_seconds is not None]
    if holds:
        until = now + timedelta(seconds=max(holds))
        await session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.status == "pending")
            .values(due_at=func.greatest(WebhookDelivery.due_at, until))
        )


def _noted(tried: Due, answer: Answer, now: datetime) -> dict[str, object]:
    status, due_at = "pending", now
    if answer.taken:
        status = "delivered"
    elif answer.gone or tried.attempts >= len(WAITS):
        status = "failed"
    else:
        due_at += WAITS[tried.attempts] * random.uniform(1 - JITTER, 1 + JITTER)
    return {
        "of": tried.delivery_id,
        "status": status,
        "attempts": tried.attempts + 1,
        "due_at": due_at,
        "attempted_at": now,
        "answer": answer.status,
        "error": answer.error,
    }

"""Wishes for a call: when each is due, as the customer meant it, and which are still open."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff import CALLBACK
from storage.tables import Conversation, Customer, Handoff, Merchant

LISTED_MAX: Final = 200
_FIRST, _LAST = time(8), time(20)
"""Nobody is called before or after, unless they asked for it."""
_PARTS: Final[Mapping[str, tuple[time, time]]] = {
    "morning": (_FIRST, time(12)),
    "noon": (time(12), time(14)),
    "afternoon": (time(13), time(17)),
    "evening": (time(17), _LAST),
}
_ABOUT: Final = timedelta(minutes=30)
"""How long "at three" lasts."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when a call fits; aware, in the customer's zone."""

    start: datetime
    end: datetime | None
    """None: as soon as possible, nothing was said."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A wish for a call that is still open."""

    handoff: Handoff
    customer_id: int | None
    customer_number: str | None
    channel: str
    language: str | None
    zone: ZoneInfo
    """The customer's."""
    span: Span
    number: str
    """Which number: ``named`` in the conversation, ``known``, the ``chat``'s, or ``unknown``."""

    @property
    def due(self) -> datetime:
        """When to call, next."""
        return self.span.start

    @property
    def until(self) -> datetime | None:
        """When it is too late; None after a try, or where no time was named."""
        return self.span.end


def wished_call(handoff: Handoff, zone: ZoneInfo) -> Span | None:
    """When to call, while a call that was wished for or agreed is still to be made."""
    if handoff.called_at is not None or CALLBACK not in handoff.summary.get("reasons", ()):
        return None
    return next_call(handoff, zone)


def next_call(handoff: Handoff, zone: ZoneInfo) -> Span:
    """When to call: again at the time that was agreed after a try, else as it was wished for."""
    if handoff.call_again_at is not None:
        return Span(handoff.call_again_at, None)
    return span_of(handoff.summary, handoff.requested_at, zone)


def span_of(wish: Mapping[str, Any], requested_at: datetime, zone: ZoneInfo) -> Span:
    """When a customer wants to be called: `wish` are the facts of the request.

    A time of day without a day that has passed when it was said means the next day.
    """
    asked = requested_at.astimezone(zone)
    day = _day(wish.get("day"))
    begins, ends = _clock(wish)
    if begins is None or ends is None:
        if day is None or day <= asked.date():
            return Span(asked, None)
        begins, ends = _FIRST, _LAST
    if day is None:
        passed = datetime.combine(asked.date(), ends, zone) <= asked
        day = asked.date() + timedelta(days=passed)
    start = datetime.combine(day, begins, zone)
    end = datetime.combine(day, ends, zone)
    if wish.get("time_bound") == "at":
        end = start + _ABOUT
    return Span(start, end)


def _clock(wish: Mapping[str, Any]) -> tuple[time | None, time | None]:
    at, last = _time(wish.get("time")), _time(wish.get("time_end"))
    if at is None:
        return _PARTS.get(str(wish.get("day_part")), (None, None))
    bound = wish.get("time_bound")
    if bound == "until":
        return min(_FIRST, at), at
    if bound == "between" and last is not None and last > at:
        return at, last
    if bound == "from":
        return at, max(_LAST, at)
    return at, at


def _day(given: object) -> date | None:
    with suppress(TypeError, ValueError):
        return date.fromisoformat(given)  # type: ignore[arg-type]
    return None


def _time(given: object) -> time | None:
    with suppress(TypeError, ValueError):
        return time.fromisoformat(given)  # type: ignore[arg-type]
    return None


async def callbacks(session: AsyncSession, merchant_id: int) -> Sequence[Callback]:
    """All calls that are still to be made, the one that is due first."""
    rows = await session.execute(
        select(Handoff, Conversation, Customer, Merchant.timezone)
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .join(Merchant, Merchant.id == Handoff.merchant_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(
            Handoff.merchant_id == merchant_id,
            Handoff.closed_at.is_(None),
            Handoff.called_at.is_(None),
            Handoff.summary["reasons"].contains([CALLBACK]),
        )
        .order_by(Handoff.requested_at, Handoff.id)
        .limit(LISTED_MAX)
    )
    found = []
    for handoff, conversation, customer, timezone in rows:
        zone = ZoneInfo((customer.timezone if customer is not None else None) or timezone)
        language = customer.language if customer is not None else None
        found.append(
            Callback(
                handoff,
                conversation.customer_id,
                customer.number if customer is not None else None,
                conversation.channel,
                conversation.language or language,
                zone,
                next_call(handoff, zone),
                str(handoff.summary.get("number") or "unknown"),
            )
        )
    return sorted(found, key=lambda one: (one.due, one.handoff.id))

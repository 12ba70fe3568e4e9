"""All that happened with a customer in one row: messages, postings, and what the audit holds.

Newest first, a page at a time. Agreements are in it by their changes, which the audit holds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from conversation.transcript import OF_READERS
from storage.tables import AuditEvent, Claim, Conversation, Message, Posting

ENTRIES_MAX = 40
SEEN = ("customer_seen", "api_call", *OF_READERS)
"""Each reading and each call stands in the audit, but would drown what happened."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Row = Message | Posting | AuditEvent
_Table = TypeVar("_Table", Message, Posting, AuditEvent)
_RANK: dict[type[_Row], int] = {AuditEvent: 0, Posting: 1, Message: 2}
"""The order of what happened in the same moment."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands; everything has one place, so no page repeats or skips any."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}_{self.rank}_{self.id}"

    @classmethod
    def read(cls, given: str) -> Self | None:
        """From an address; None where it is none."""
        found = re.fullmatch(r"(\d{1,17})_([0-2])_(\d{1,18})", given, re.ASCII)
        if found is None:
            return None
        micros, rank, id_ = map(int, found.groups())
        try:
            return cls(_EPOCH + micros * _MICROSECOND, rank, id_)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened, and the row that says what."""

    place: Place
    row: _Row


async def timeline(
    session: AsyncSession,
    customer_id: int,
    *,
    before: Place | None = None,
    limit: int = ENTRIES_MAX,
) -> tuple[list[Entry], Place | None]:
    """The newest entries, or those before a place, and where the next page goes on.

    ``session`` is the merchant's: what is another's is not there.
    """
    talks = await session.scalars(
        select(Conversation.id).where(Conversation.customer_id == customer_id)
    )
    claims = await session.scalars(select(Claim.id).where(Claim.customer_id == customer_id))
    talk_ids, claim_ids = list(talks), list(claims)
    of_customer = or_(
        AuditEvent.customer_id == customer_id,
        AuditEvent.claim_id.in_(claim_ids),
        AuditEvent.conversation_id.in_(talk_ids),
    )
    entries = [
        *await _newest(
            session,
            Message,
            Message.created_at,
            Message.conversation_id.in_(talk_ids),
            before,
            limit,
        ),
        *await _newest(
            session, Posting, Posting.booked_at, Posting.claim_id.in_(claim_ids), before, limit
        ),
        *await _newest(
            session,
            AuditEvent,
            AuditEvent.at,
            and_(of_customer, AuditEvent.kind.not_in(SEEN)),
            before,
            limit,
        ),
    ]
    entries.sort(key=lambda entry: entry.place, reverse=True)
    page = entries[:limit]
    return page, page[-1].place if len(entries) > limit else None


async def _newest(
    session: AsyncSession,
    table: type[_Table],
    at: InstrumentedAttribute[datetime],
    which: ColumnElement[bool],
    before: Place | None,
    limit: int,
) -> Sequence[Entry]:
    wanted = select(table).where(which)
    rank = _RANK[table]
    if before is not None:
        if rank < before.rank:
            earlier = at <= before.at
        elif rank > before.rank:
            earlier = at < before.at
        else:
            earlier = or_(at < before.at, and_(at == before.at, table.id < before.id))
        wanted = wanted.where(earlier)
    rows = await session.scalars(wanted.order_by(at.desc(), table.id.desc()).limit(limit + 1))
    return [Entry(Place(getattr(row, at.key), rank, row.id), row) for row in rows]

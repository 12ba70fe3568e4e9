"""The messages of chosen conversations, a few conversations at a time, as rows of a file."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.finding import Listed, Place, Question, find
from conversation.known import known_of_each
from conversation.redaction import Redaction, cover_address
from storage.tables import Message, Turn

COLUMNS: Final = (
    *("conversation", "customer", "channel", "address", "state", "message", "at", "author"),
    *("text", "status", "intent", "confidence", "wording", "variant", "tone", "outcome"),
)
TALKS_AT_ONCE = 10
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def batch(
    session: AsyncSession,
    merchant_id: int,
    question: Question,
    labels: dict[str, str] | None,
    zone: ZoneInfo,
    *,
    before: Place | None = None,
    seen: set[int],
) -> tuple[list[dict[str, Any]], Place | None]:
    """A row for each message of the next few conversations, and where the ones after them begin.

    Personal data is put behind `labels`; without them it is there. `seen` are conversations that
    the file has already, as a figure may count one more than once; those of this batch are added.
    """
    found = await find(session, merchant_id, question, before=before, limit=TALKS_AT_ONCE)
    talks = {row.id: row for row in found.rows if row.id not in seen}
    seen.update(talks)
    held = {row.id: (row.customer_id, (row.address,)) for row in talks.values()}
    known = await known_of_each(session, merchant_id, held)
    wanted = (
        select(Message, Turn.understanding)
        .outerjoin(Turn, Turn.message_id == Message.id)
        .where(Message.conversation_id.in_(held))
        .order_by(Message.conversation_id, Message.id)
    )
    said: dict[int, list[tuple[Message, Mapping[str, Any]]]] = {talk: [] for talk in held}
    for message, understanding in await session.execute(wanted):
        said[message.conversation_id].append((message, understanding or {}))
    rows = []
    for talk in talks.values():
        redaction = Redaction(known[talk.id], labels) if labels is not None else None
        rows += [_row(talk, *one, redaction, zone) for one in said[talk.id]]
    return rows, found.further


def _row(
    talk: Listed,
    message: Message,
    understood: Mapping[str, Any],
    redaction: Redaction | None,
    zone: ZoneInfo,
) -> dict[str, Any]:
    address = cover_address(talk.address) if redaction is not None else talk.address
    text = redaction.cover(message.text) if redaction is not None else message.text
    values = (
        *(talk.id, talk.customer_number, talk.channel, address, talk.state),
        *(message.id, _local(message.created_at, zone), message.author, text),
        *(message.status, understood.get("intent"), understood.get("confidence")),
        *(message.wording, message.variant, message.tone, message.outcome),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def csv_lines(rows: Iterable[Mapping[str, Any]], *, head: bool = False) -> str:
    """Rows as CSV (RFC 4180); no cell is taken for a formula by who opens it."""
    written = io.StringIO()
    writer = csv.writer(written)
    if head:
        writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(row[name]) for name in COLUMNS])
    return written.getvalue()


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet reckons with: one that could begin a formula gets a quote."""
    if isinstance(value, str) and value.lstrip(" \n").startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def json_line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"

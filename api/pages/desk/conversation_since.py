"""What came to one conversation since a message: asked for whenever something is new in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.view import texts
from api.pages.desk import conversation_view as view
from api.pages.desk.conversation_asked import Asked
from api.pages.desk.queue_page import by
from api.people.roles import Permission
from conversation.handoff_held import HandoffUnknown
from conversation.handoff_summary import MESSAGES_MAX
from conversation.known import known_from
from conversation.redaction import Redaction
from storage.statement import Statement
from storage.tables import AuditEvent, HandoffNote, Message

BESIDES_MAX = 80
"""Notes, and events, that are shown between the messages."""


async def lines_since(
    session: AsyncSession, handoff_id: int, asked: Asked, after: int
) -> dict[str, Any]:
    """What came after a message, and what became of our last ones: in few statements, since
    everybody who has the conversation open asks for it at once.

    Raises HandoffUnknown.
    """
    person, language = asked.person, asked.language
    rows = await _SINCE.run(session, handoff=handoff_id, after=after, events=sorted(view.EVENTS))
    if not rows:
        raise HandoffUnknown(f"there is no handoff {handoff_id}")
    (held,) = rows
    redaction = None
    if not asked.uncovered:
        addresses = (held.address, *held.addresses)
        known = known_from(held if held.customer_id is not None else None, held, addresses)
        redaction = Redaction(known, texts(language)["covered"])
    here = Message.conversation_id == held.conversation_id
    ours = select(Message.id).where(here, Message.direction == "out")
    again = ours.order_by(Message.id.desc()).limit(view.OURS_AGAIN)
    newest = await session.scalars(
        select(Message)
        .where(here, or_(Message.id > after, Message.id.in_(again)))
        .order_by(Message.id.desc())
        .limit(MESSAGES_MAX)
    )
    notes, events = held.notes, held.events
    return {
        "person": person,
        "here": f"/console/desk/{handoff_id}",
        "t": texts(language),
        "d": texts(language)["desk"],
        "may_write": by(person).has(held) and held.closed_at is None,
        "lines": view.lines_view(
            list(reversed(newest.all())),
            await notes_of(session, held.conversation_id, held.since) if notes else (),
            await events_of(session, held.conversation_id, held.since) if events else (),
            language,
            person.zone,
            redaction,
            opens=person.may(Permission.REVEAL),
        ),
    }


_SINCE = Statement(
    text(
        """
    WITH since AS (
        SELECT handoff.conversation_id, message.created_at AS at
        FROM handoff LEFT JOIN message
            ON message.id = :after AND message.conversation_id = handoff.conversation_id
        WHERE handoff.id = :handoff
    )
    SELECT handoff.conversation_id, handoff.taken_by, handoff.person_id, handoff.closed_at,
        since.at AS since,
        EXISTS (
            SELECT FROM handoff_note
            WHERE handoff_note.conversation_id = handoff.conversation_id
                AND (since.at IS NULL OR handoff_note.at >= since.at)
        ) AS notes,
        EXISTS (
            SELECT FROM audit_event
            WHERE audit_event.conversation_id = handoff.conversation_id
                AND audit_event.kind = ANY(:events) AND audit_event.person IS NULL
                AND (since.at IS NULL OR audit_event.at >= since.at)
        ) AS events,
        conversation.address, merchant.phone, merchant.email, customer.id AS customer_id,
        customer.first_name, customer.name, customer.birth_date, customer.postal_code,
        ARRAY(
            SELECT address FROM contact_point
            WHERE contact_point.customer_id = customer.id ORDER BY contact_point.id
        ) AS addresses
    FROM handoff
    JOIN since ON since.conversation_id = handoff.conversation_id
    JOIN conversation ON conversation.id = handoff.conversation_id
    JOIN merchant ON merchant.id = handoff.merchant_id
    LEFT JOIN customer ON customer.id = conversation.customer_id
    WHERE handoff.id = :handoff
    """
    ).bindparams(
        bindparam("handoff", type_=BigInteger),
        bindparam("after", type_=BigInteger),
        bindparam("events", type_=ARRAY(Text)),
    )
)
"""Whose conversation it is, what is to be covered in it, and whether anything but messages came."""


async def notes_of(
    session: AsyncSession, conversation_id: int, since: datetime | None = None
) -> Sequence[HandoffNote]:
    """The latest notes of a conversation, of all its requests, the newest first."""
    wanted = select(HandoffNote).where(HandoffNote.conversation_id == conversation_id)
    if since is not None:
        wanted = wanted.where(HandoffNote.at >= since)
    found = await session.scalars(wanted.order_by(HandoffNote.id.desc()).limit(BESIDES_MAX))
    return found.all()


async def events_of(
    session: AsyncSession, conversation_id: int, since: datetime | None = None
) -> Sequence[AuditEvent]:
    """The latest events that are shown between its messages, the newest first."""
    wanted = select(AuditEvent).where(
        AuditEvent.conversation_id == conversation_id,
        AuditEvent.kind.in_(sorted(view.EVENTS)),
        AuditEvent.person.is_(None),
    )
    if since is not None:
        wanted = wanted.where(AuditEvent.at >= since)
    found = await session.scalars(wanted.order_by(AuditEvent.id.desc()).limit(BESIDES_MAX))
    return found.all()

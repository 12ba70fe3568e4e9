"""What reviewers note about conversations: remarks, a rating, a flag, and choices with a name.

Commits nothing. ``session`` is the merchant's: what is another's is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.payload import storable
from conversation.masking import masked_storable
from storage.statement import Statement
from storage.tables import (
    Message,
    TranscriptComment,
    TranscriptReview,
    TranscriptToken,
    TranscriptView,
)

COMMENT_CHARACTERS_MAX = 2_000
COMMENTS_SHOWN_MAX = 100
NAME_CHARACTERS_MAX = 60
VIEWS_MAX = 40
RATINGS = range(1, 6)
FLAGGED = "with:flagged"


async def review_of(session: AsyncSession, merchant_id: int, talk: int) -> TranscriptReview:
    """What was noted of a conversation; a new row where nothing was yet."""
    held = await session.get(TranscriptReview, talk)
    if held is None:
        held = TranscriptReview(merchant_id=merchant_id, conversation_id=talk, flagged=False)
        session.add(held)
        await session.flush()
    return held


async def rate(session: AsyncSession, merchant_id: int, talk: int, rating: int | None) -> bool:
    """Rate a conversation from 1 to 5, or take that back; whether it changes anything."""
    held = await review_of(session, merchant_id, talk)
    if held.rating == rating:
        return False
    await _unmark(session, merchant_id, talk, f"rating:{held.rating}")
    held.rating = rating
    if rating is not None:
        await _mark(session, merchant_id, talk, f"rating:{rating}")
    return True


async def flag(session: AsyncSession, merchant_id: int, talk: int, *, flagged: bool) -> bool:
    """Flag a conversation, or take that back; whether it changes anything."""
    held = await review_of(session, merchant_id, talk)
    if held.flagged == flagged:
        return False
    held.flagged = flagged
    await (_mark if flagged else _unmark)(session, merchant_id, talk, FLAGGED)
    return True


async def comment(
    session: AsyncSession, message: Message, text: str, person: str, now: datetime, *, key: str
) -> bool:
    """Keep a remark about a message; whether it is new, going by its form's key."""
    added = await session.scalar(
        insert(TranscriptComment)
        .values(
            merchant_id=message.merchant_id, conversation_id=message.conversation_id,
            message_id=message.id, text=masked_storable(text)[:COMMENT_CHARACTERS_MAX],
            person=person, at=now, key=storable(key),
        )
        .on_conflict_do_nothing(index_elements=["message_id", "key"])
        .returning(TranscriptComment.id)
    )  # fmt: skip
    return added is not None


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted of a conversation as a whole, and whether there are remarks in it."""

    rating: int | None
    flagged: bool
    remarked: bool


async def noted_of(session: AsyncSession, talk: int) -> Noted:
    """What was noted of a conversation; of most nothing was."""
    (found,) = await _NOTED.run(session, talk=talk)
    return Noted(found.rating, bool(found.flagged), found.remarked)


_NOTED: Final = Statement(
    text(
        """
    SELECT review.rating, review.flagged,
        EXISTS (SELECT FROM transcript_comment WHERE conversation_id = of.id) AS remarked
    FROM (SELECT CAST(:talk AS bigint) AS id) AS of
    LEFT JOIN transcript_review AS review ON review.conversation_id = of.id
    """
    )
)


async def comments_of(
    session: AsyncSession, messages: Sequence[int]
) -> dict[int, list[TranscriptComment]]:
    """The remarks about some messages, in their order."""
    rows = await session.scalars(
        select(TranscriptComment)
        .where(TranscriptComment.message_id.in_(messages))
        .order_by(TranscriptComment.id)
        .limit(COMMENTS_SHOWN_MAX)
    )
    found: dict[int, list[TranscriptComment]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


async def views(
    session: AsyncSession, merchant_id: int, person: str, person_id: int | None
) -> Sequence[TranscriptView]:
    """The named choices of a person and those that everybody at the merchant has."""
    rows = await session.scalars(
        select(TranscriptView)
        .where(
            TranscriptView.merchant_id == merchant_id,
            or_(TranscriptView.shared, _own(person, person_id)),
        )
        .order_by(TranscriptView.name, TranscriptView.id)
        .limit(VIEWS_MAX)
    )
    return rows.all()


async def save_view(
    session: AsyncSession,
    merchant_id: int,
    who: tuple[str, int | None],
    name: str,
    query: str,
    now: datetime,
    *,
    shared: bool,
) -> None:
    """Keep a choice under a name; one of the same person and name is replaced."""
    person, person_id = who
    name = storable(name)
    written = insert(TranscriptView).values(
        merchant_id=merchant_id, name=name[:NAME_CHARACTERS_MAX], query=query, shared=shared,
        person=person, person_id=person_id, created_at=now,
    )  # fmt: skip
    replaced = {"query": query, "shared": shared}
    same = ["merchant_id", "person", "name"]
    await session.execute(written.on_conflict_do_update(index_elements=same, set_=replaced))


async def drop_view(
    session: AsyncSession, merchant_id: int, person: str, person_id: int | None, view: int
) -> bool:
    """Let go of one's own choice; whether it was there."""
    gone = await session.scalar(
        delete(TranscriptView)
        .where(
            TranscriptView.id == view,
            TranscriptView.merchant_id == merchant_id,
            _own(person, person_id),
        )
        .returning(TranscriptView.id)
    )
    return gone is not None


def _own(person: str, person_id: int | None) -> ColumnElement[bool]:
    if person_id is not None:
        return TranscriptView.person_id == person_id
    return TranscriptView.person_id.is_(None) & (TranscriptView.person == person)


async def _mark(session: AsyncSession, merchant_id: int, talk: int, mark: str) -> None:
    row = {"merchant_id": merchant_id, "token": mark, "conversation_id": talk}
    await session.execute(insert(TranscriptToken).values(row).on_conflict_do_nothing())


async def _unmark(session: AsyncSession, merchant_id: int, talk: int, mark: str) -> None:
    await session.execute(
        delete(TranscriptToken).where(
            TranscriptToken.merchant_id == merchant_id,
            TranscriptToken.token == mark,
            TranscriptToken.conversation_id == talk,
        )
    )

"""Colleagues whom a note names with @: it waits for them until they open the handoff."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import HandoffNote, NoteMention, Person

LISTED_MAX = 50
_NAMED = re.compile(r"(?<!\w)@([\w.-]+(?: [\w.-]+)?)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A note that names somebody."""

    handoff_id: int
    author: str
    text: str
    at: datetime


def meant(text: str, people: Sequence[Person]) -> list[Person]:
    """Who is named: by whole name, or by a first name that only one of them has."""
    found = {}
    for given in _NAMED.findall(text):
        wanted = given.casefold().rstrip(".-")
        if not wanted:  # points behind a lone @
            continue
        whole = [one for one in people if one.name.casefold() == wanted]
        first = [one for one in people if one.name.casefold().split()[0] == wanted.split()[0]]
        for one in whole or (first if len(first) == 1 else []):
            found[one.id] = one
    return list(found.values())


async def note_mentions(
    session: AsyncSession, merchant_id: int, note_id: int, text: str
) -> list[Person]:
    """Keep whom a note names; who that is. The session sees the merchant's people."""
    if "@" not in text:
        return []
    people = await session.scalars(
        select(Person).where(Person.merchant_id == merchant_id, Person.disabled_at.is_(None))
    )
    named = meant(text, people.all())
    session.add_all(
        NoteMention(merchant_id=merchant_id, note_id=note_id, person_id=one.id) for one in named
    )
    return named


async def unseen(session: AsyncSession, merchant_id: int, person_id: int) -> list[Mention]:
    """The notes that name somebody and that they have not opened yet, the newest first."""
    found = await session.execute(
        select(HandoffNote)
        .join(NoteMention, NoteMention.note_id == HandoffNote.id)
        .where(
            NoteMention.merchant_id == merchant_id,
            NoteMention.person_id == person_id,
            NoteMention.seen_at.is_(None),
        )
        .order_by(NoteMention.id.desc())
        .limit(LISTED_MAX)
    )
    return [Mention(one.handoff_id, one.author, one.text, one.at) for one in found.scalars()]


async def mark_seen(
    session: AsyncSession, merchant_id: int, person_id: int, handoff_id: int, now: datetime
) -> None:
    """Somebody has opened the handoff with all its notes."""
    notes = select(HandoffNote.id).where(HandoffNote.handoff_id == handoff_id)
    await session.execute(
        update(NoteMention)
        .where(
            NoteMention.merchant_id == merchant_id,
            NoteMention.person_id == person_id,
            NoteMention.seen_at.is_(None),
            NoteMention.note_id.in_(notes),
        )
        .values(seen_at=now)
    )

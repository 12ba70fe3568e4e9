"""Every change of what a merchant has set, kept with who, when and why.

Pages and commands change the merchant's row and note it here, in one transaction. Nothing is read
from here but the history: what is in force stands at the merchant.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.people.sessions import SignedIn
from storage.tables import Merchant, SettingChange

LISTED_MAX = 20
WHY_CHARACTERS_MAX = 300


class Part(StrEnum):
    """What can be set."""

    POLICY = "policy"
    CONTACT = "contact"
    """When customers are written to and when people answer; data of the policy as well."""
    WORDING = "wording"
    PAGE = "page"


class ChangedMeanwhile(Exception):
    """Somebody else has changed it since the form was made."""


async def held(session: AsyncSession, merchant_id: int) -> Merchant:
    """The merchant's row, held until the transaction ends."""
    return await session.get_one(
        Merchant, merchant_id, with_for_update=True, populate_existing=True
    )


async def version(
    session: AsyncSession, merchant_id: int, *parts: Part, name: str | None = None
) -> int:
    """The number of the last change of these parts; 0 before the first."""
    wanted = [SettingChange.merchant_id == merchant_id, SettingChange.part.in_(parts)]
    if name is not None:
        wanted.append(SettingChange.name == name)
    return await session.scalar(select(func.max(SettingChange.id)).where(*wanted)) or 0


def note(
    session: AsyncSession,
    who: SignedIn | str,
    part: Part,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
    *,
    merchant_id: int,
    name: str = "",
    why: str = "",
) -> bool:
    """Keep what differs between two states of a part, by field; whether anything does."""
    differing = [
        field
        for field in sorted({*before, *after})
        if (field in before, before.get(field)) != (field in after, after.get(field))
    ]
    if not differing:
        return False
    person = None if isinstance(who, str) else who
    session.add(
        SettingChange(
            merchant_id=merchant_id,
            part=part,
            name=name,
            before={field: before[field] for field in differing if field in before},
            after={field: after[field] for field in differing if field in after},
            why=" ".join(why.split())[:WHY_CHARACTERS_MAX],
            person=person.operator if person else who,
            person_id=person.person_id if person else None,
            at=now,
        )
    )
    return True


async def state_after(
    session: AsyncSession,
    merchant_id: int,
    part: Part,
    change: int,
    current: Mapping[str, Any],
    *,
    name: str = "",
) -> tuple[dict[str, Any], datetime | None] | None:
    """A part as it was after a change (0: before the first one), and when that was.

    It is reckoned back from `current`, what is in force. None: this part has no such change.
    """
    found = await session.scalars(
        select(SettingChange)
        .where(
            SettingChange.merchant_id == merchant_id,
            SettingChange.part == part,
            SettingChange.name == name,
            SettingChange.id >= change,
        )
        .order_by(SettingChange.id.desc())
    )
    rows = found.all()
    if not rows or (change and rows[-1].id != change):
        return None
    state = dict(current)
    for row in rows:
        if row.id != change:
            state = {field: held for field, held in state.items() if field not in row.after}
            state |= row.before
    return state, rows[-1].at if change else None


async def listed(
    session: AsyncSession,
    merchant_id: int,
    part: Part,
    *,
    name: str | None = None,
    before: int | None = None,
    limit: int = LISTED_MAX,
) -> tuple[Sequence[SettingChange], int | None]:
    """Changes of a part, the newest first, and where the next page begins."""
    wanted = [SettingChange.merchant_id == merchant_id, SettingChange.part == part]
    if name is not None:
        wanted.append(SettingChange.name == name)
    if before is not None:
        wanted.append(SettingChange.id < before)
    found = await session.scalars(
        select(SettingChange).where(*wanted).order_by(SettingChange.id.desc()).limit(limit + 1)
    )
    rows = found.all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

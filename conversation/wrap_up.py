"""How a handoff can end, in the merchant's own words; each stands for one of the outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff_held import Outcome
from storage.tables import WrapUpCode

NAME_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class WrapUp:
    """An ending to choose."""

    key: str
    """What a form sends back: ``w`` and a number, or the outcome's own code."""
    name: str | None
    """In the merchant's words; None: the outcome's own."""
    outcome: Outcome


async def wrap_up_codes(session: AsyncSession) -> Sequence[WrapUp]:
    """The endings to choose from; the plain outcomes where the merchant has named none.

    `session` is the merchant's: what is another's is not there.
    """
    named = (await session.scalars(select(WrapUpCode).order_by(WrapUpCode.name))).all()
    if named:
        return [WrapUp(f"w{one.id}", one.name, Outcome(one.outcome)) for one in named]
    return [WrapUp(one.value, None, one) for one in Outcome]


async def wrap_up(session: AsyncSession, key: str) -> WrapUp | None:
    """The ending that a form sent back; None where there is none of the kind (any more)."""
    return next((one for one in await wrap_up_codes(session) if one.key == key), None)

"""How a handoff can be closed, in the merchant's words or in ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff_held import Outcome
from storage.tables import WrapUp

NAME_CHARACTERS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class WrapUpCode:
    """A way to close; `name` is the merchant's word for it, empty for the outcome's own."""

    code: str
    """What a form sends back: ``w`` and a number, or the outcome itself."""
    outcome: Outcome
    name: str = ""


async def wrap_up_codes(session: AsyncSession) -> Sequence[WrapUpCode]:
    """What the merchant of this session closes handoffs with, in the order of the list.

    The plain outcomes where it has named none.
    """
    named = (await session.scalars(select(WrapUp).order_by(WrapUp.name))).all()
    if named:
        return [WrapUpCode(f"w{one.id}", Outcome(one.outcome), one.name) for one in named]
    return [WrapUpCode(one.value, one) for one in Outcome]

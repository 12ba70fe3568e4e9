"""How a handoff can be closed, in the merchant's words or in ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff_held import Outcome


@dataclass(frozen=True, slots=True)
class WrapUpCode:
    """A way to close; `name` is the merchant's word for it, empty for the outcome's own."""

    code: str
    outcome: Outcome
    name: str = ""


async def wrap_up_codes(session: AsyncSession) -> Sequence[WrapUpCode]:
    """What the merchant of this session closes handoffs with, in the order of the list."""
    return [WrapUpCode(one.value, one) for one in Outcome]

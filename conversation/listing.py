"""Words and marks of messages are listed soon after the messages, for whoever looks for them.

A message waits until then, so that its writer does not. ``session`` is the merchant's.
"""

from sqlalchemy import Integer, func, select
from sqlalchemy.ext.asyncio import AsyncSession

MARKS_OF_MESSAGES = ("wording:", "variant:", "agent:")
LISTED_AT_ONCE = 100


async def list_waiting(session: AsyncSession, merchant_id: int) -> int:
    """List messages that wait, in their order; how many there were, at most `LISTED_AT_ONCE`.

    0 also where somebody else lists or changes texts at this moment and is not done soon.
    """
    listed = func.kulanz_list_waiting(merchant_id, LISTED_AT_ONCE, type_=Integer)
    return (await session.execute(select(listed))).scalar_one()

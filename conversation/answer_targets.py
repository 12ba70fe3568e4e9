"""How soon a merchant wants people to answer, by reason: kept, and read for the desk's clocks."""

from datetime import timedelta

from sqlalchemy import BigInteger, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.answer_clock import Target, Targets
from storage.statement import Statement
from storage.tables import AnswerTarget

_TARGETS = Statement(
    select(AnswerTarget.reason, AnswerTarget.first_minutes, AnswerTarget.next_minutes).where(
        AnswerTarget.merchant_id == bindparam("merchant_id", type_=BigInteger)
    )
)


async def targets(session: AsyncSession, merchant_id: int) -> Targets:
    """What the merchant has set."""
    rows = await _TARGETS.run(session, merchant_id=merchant_id)
    return Targets(
        {
            row.reason: Target(
                timedelta(minutes=row.first_minutes), timedelta(minutes=row.next_minutes)
            )
            for row in rows
        }
    )


async def set_target(
    session: AsyncSession, merchant_id: int, reason: str, first: int, following: int
) -> None:
    """Set how many open minutes the first and each further answer may take."""
    minutes = {"first_minutes": first, "next_minutes": following}
    await session.execute(
        insert(AnswerTarget)
        .values(merchant_id=merchant_id, reason=reason, **minutes)
        .on_conflict_do_update(index_elements=["merchant_id", "reason"], set_=minutes)
    )


async def forget_target(session: AsyncSession, merchant_id: int, reason: str) -> None:
    """Go by the default again."""
    await session.execute(
        delete(AnswerTarget).where(
            AnswerTarget.merchant_id == merchant_id, AnswerTarget.reason == reason
        )
    )

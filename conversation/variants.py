"""Two variants of a wording side by side: what came of conversations in which they were sent.

The newest conversations of each are looked at, a bounded number. Who got which variant was drawn by
lot, so a difference beyond the intervals is likely the variant's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.finding import Question, newest_fitting

TALKS_MAX = 1_000
EXAMPLES = 5
FIGURES: Final = ("read", "answered", "verified", "agreed")
_Z: Final = 1.96
"""Of the normal distribution, for 95 %."""
_FIGURES = text(
    """
    SELECT count(*) AS sent,
        count(*) FILTER (WHERE first.status = 'read') AS read,
        count(*) FILTER (WHERE EXISTS (
            SELECT FROM message answer WHERE answer.conversation_id = talk.id
                AND answer.id > first.id AND answer.direction = 'in')) AS answered,
        count(*) FILTER (WHERE talk.verified_at >= first.created_at) AS verified,
        count(*) FILTER (WHERE EXISTS (
            SELECT FROM agreement made WHERE made.conversation_id = talk.id
                AND made.agreed_at >= first.created_at)) AS agreed
    FROM conversation talk JOIN LATERAL (
        SELECT id, status, created_at FROM message
        WHERE conversation_id = talk.id AND wording = :wording AND variant = :variant
            AND status IN ('sent', 'delivered', 'read')
        ORDER BY id LIMIT 1
    ) first ON true
    WHERE talk.id = ANY (:talks)
    """
).bindparams(
    bindparam("talks", type_=ARRAY(BigInteger)),
    bindparam("wording", type_=Text),
    bindparam("variant", type_=Text),
)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the conversations, and between which shares the true one lies (95 %)."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share that was seen."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """After Wilson (1927): good for few, and for shares near 0 and 1."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
        # At the ends the formula is exact but for the last digit of a float.
        low = 0.0 if self.count == 0 else max(0.0, middle - half)
        return low, 1.0 if self.count == n else min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one variant."""

    variant: str
    sent: int
    shares: Sequence[tuple[str, Share]]
    examples: Sequence[int]
    """Conversations in which it was used, the newest first."""


async def outcome(session: AsyncSession, merchant_id: int, wording: str, variant: str) -> Outcome:
    """What came of a variant. ``session`` is the merchant's: what is another's is not there."""
    question = Question(marks=(f"variant:{wording}:{variant}",))
    talks = await newest_fitting(session, merchant_id, question, TALKS_MAX)
    asked = {"talks": talks, "wording": wording, "variant": variant}
    row = (await session.execute(_FIGURES, asked)).mappings().one()
    sent = row["sent"]
    shares = [(name, Share(row[name], sent)) for name in FIGURES]
    return Outcome(variant, sent, shares, talks[:EXAMPLES])

"""What a person at the desk does next: the one order of everything that waits. Pure.

1. A crisis goes before everything.
2. What waits for us goes before what waits for the customer.
3. Then when the answer is due: the honest time that was named, or the desk's own target.
4. Then how long the customer has waited.
5. Then the larger open amount.
6. Then a promise that is at risk.

Times count in steps of a quarter of an hour, or seconds would decide and no amount ever.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

STEP: Final = timedelta(minutes=15)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about the place of a handoff; times are aware."""

    id: int
    crisis: bool
    requested_at: datetime
    waiting_since: datetime | None
    """None: it is the customer's turn."""
    due: datetime | None
    """None: nothing is due, or nobody is ever there to answer."""
    open_minor: int
    promise_at_risk: bool


def place(of: Standing) -> tuple[Any, ...]:
    """The key to sort by, ascending; no two handoffs have the same."""
    since = of.waiting_since or of.requested_at
    return (
        not of.crisis,
        of.waiting_since is None,
        of.due is None,
        _step(of.due) if of.due is not None else 0,
        _step(since),
        -of.open_minor,
        not of.promise_at_risk,
        since,
        of.id,
    )


def _step(at: datetime) -> int:
    return (at - _EPOCH) // STEP

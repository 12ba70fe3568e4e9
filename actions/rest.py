"""Rest: what is not sent unasked, and until when."""

from datetime import date, timedelta

from actions.turn import Turn
from ledger import book


def check_ends(turn: Turn) -> date:
    """The day by which a check's answer comes, and until which reminders rest."""
    return turn.facts.today + timedelta(days=turn.facts.policy.check_days)


async def pause_everything(turn: Turn, days: int, reason: str) -> None:
    """Send the customer nothing unasked for so many days."""
    day = turn.facts.today + timedelta(days=days)
    await turn.context.conversation.pause_contact(day, reason)


async def rest_claims(turn: Turn, reason: str) -> None:
    """Let everything that is open rest for the time of a check."""
    if turn.facts.customer_id is None:
        return
    session, until = turn.context.session, check_ends(turn)
    for record in await book.records_of(session, turn.facts.customer_id):
        await book.pause(session, record.claim.id, reason, until=until, now=turn.context.now)

"""A day has passed without its payment: another one is suggested, and taken with one word."""

from datetime import timedelta

from actions.claims import Focus
from actions.dialogue_action import DialogueAction
from actions.turn import PERSON, Turn, button
from ledger.progress import InstalmentProgress

NEW_DAY_IN_DAYS = 7
"""For an instalment that has not arrived, so many days from today are suggested."""

ANSWERS = [button("new_day", "cannot_keep_agreement"), button("done", "already_paid")]
"""What one tap answers to the question about a missed day, before any proof. As letters they would
take more than an SMS has room for."""


def missed(turn: Turn, found: Focus) -> InstalmentProgress | None:
    """What of the agreement in force should have come by now, and has not."""
    following = found.agreement.next_instalment if found.agreement is not None else None
    return following if following is not None and following.overdue(turn.facts.today) else None


def suggest_new_day(turn: Turn, found: Focus, late: InstalmentProgress) -> None:
    """An instalment has not arrived: most likely it slipped their mind. A new day is suggested."""
    soon = min(NEW_DAY_IN_DAYS, turn.facts.policy.instalment_first_days_max)
    day = turn.facts.today + timedelta(days=soon)
    named = [{"entity": "date", "value": day.isoformat()}]
    turn.remember(
        wish={
            **{"intent": "request_deferral", "entities": named},
            **{"action": "action_defer", "ready": False},
        }
    )
    turn.ask("new_day")
    turn.say(
        "rate_missed",
        invoice=found.statement.invoice_number,
        amount=late.missing,
        due=late.instalment.due,
        date=day,
        buttons=[button("yes", "affirm"), button("already_paid", "already_paid"), PERSON],
    )


class TakeNewDay(DialogueAction):
    """The day that was suggested for a late instalment suits."""

    title = "action_take_new_day"
    discloses = True

    async def act(self, turn: Turn) -> None:
        wish = turn.slot("wish")
        if not wish or turn.heard.has("date"):
            turn.go_on_with("action_defer")
            return
        turn.remember(wish={**wish, "ready": True})
        turn.next_action = wish["action"]

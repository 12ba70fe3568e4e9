"""When something else comes first: not right, not me, not well."""

from datetime import UTC, date, datetime, time, timedelta

from actions.claims import focus
from actions.dialogue_action import DialogueAction
from actions.proof import ask_for_proof, demand_proof, unprovable
from actions.reading import proof_in
from actions.turn import Turn
from ledger import book

PAUSE_UNTIL_PERSON_DAYS = 365
"""Nothing goes out by itself after a crisis and its like: a person ends the pause."""


def check_ends(turn: Turn) -> date:
    """The day by which a check's answer comes, and until which reminders rest."""
    return turn.facts.today + timedelta(days=turn.facts.policy.check_days)


async def pause_everything(turn: Turn, days: int, reason: str) -> None:
    """Send the customer nothing unasked for so many days."""
    until = datetime.combine(turn.facts.today + timedelta(days=days), time(), UTC)
    await turn.context.conversation.pause_contact(until, reason)


async def to_person_at_once(turn: Turn, reason: str, wording: str) -> None:
    """Pause everything, ask for a person, say the one thing that fits, and ask nothing."""
    await pause_everything(turn, PAUSE_UNTIL_PERSON_DAYS, reason)
    await turn.context.conversation.request_person(reason, {})
    turn.ask("none")
    turn.remember(offer=None, wish=None)
    turn.say(wording)


class HearHardship(DialogueAction):
    """No money, no work, ill: a pause, a person, free counselling; no amount."""

    title = "action_hear_hardship"

    async def act(self, turn: Turn) -> None:
        await to_person_at_once(turn, "hardship", "hardship_heard")


class HelpInCrisis(DialogueAction):
    """Danger to life: the numbers to call, everything paused, a person at once."""

    title = "action_help_in_crisis"

    async def act(self, turn: Turn) -> None:
        await to_person_at_once(turn, "crisis", "crisis_help")


class NoteInsolvency(DialogueAction):
    title = "action_note_insolvency"

    async def act(self, turn: Turn) -> None:
        await to_person_at_once(turn, "insolvency", "insolvency_noted")


class NoteBereavement(DialogueAction):
    title = "action_note_bereavement"

    async def act(self, turn: Turn) -> None:
        await to_person_at_once(turn, "bereavement", "bereavement_noted")


class NoteRepresentation(DialogueAction):
    """A lawyer or debt counsel speaks for the customer from now on."""

    title = "action_note_representation"

    async def act(self, turn: Turn) -> None:
        await to_person_at_once(turn, "represented", "represented_noted")


async def dispute(turn: Turn, reason: str, question: str | None) -> None:
    """The claim is not right: it is on hold at once, and a person looks into it.

    Heard and paused even before anything is proved; the proof only tells which claim it is.
    """
    if not turn.facts.verified:
        await _dispute_unverified(turn, reason)
        return
    found = await focus(turn)
    if found is None:
        turn.say("nothing_open")
        return
    claim_id = found.statement.claim_id
    session, now, until = turn.context.session, turn.context.now, check_ends(turn)
    await book.dispute(session, claim_id, reason, now=now)
    await book.pause(session, claim_id, reason, until=until, now=now)
    await turn.context.conversation.request_person(reason, {"claim": claim_id})
    turn.remember(offer=None)
    turn.ask("dispute_reason" if question else "none")
    turn.say(question or "dispute_noted", answer_by=until)


async def _dispute_unverified(turn: Turn, reason: str) -> None:
    await pause_everything(turn, turn.facts.policy.check_days, reason)
    proof = proof_in(turn.heard, turn.slot("given"), asked=False)
    if proof.numbers or turn.awaiting == "verification":
        await demand_proof(turn)
        return
    turn.remember(wish={**turn.heard.to_data(), "action": turn.action, "ready": False})
    if not await unprovable(turn):
        await turn.context.conversation.request_person(reason, {})
        ask_for_proof(turn, "concern_needs_proof")


class DisputeGoods(DialogueAction):
    """Returned, broken, never arrived."""

    title = "action_dispute_goods"

    async def act(self, turn: Turn) -> None:
        await dispute(turn, "dispute_goods", "dispute_ask")


class DisputeUnknown(DialogueAction):
    """Never ordered: perhaps somebody used the name."""

    title = "action_dispute_unknown"

    async def act(self, turn: Turn) -> None:
        await dispute(turn, "dispute_unknown", "dispute_unknown_ask")


class DisputeOther(DialogueAction):
    """Something else is not right; the customer has just said what."""

    title = "action_dispute_other"

    async def act(self, turn: Turn) -> None:
        await dispute(turn, "dispute_other", None)


class NoteDispute(DialogueAction):
    """What happened, in the customer's own words: it stands in the transcript for the person."""

    title = "action_note_dispute"
    discloses = True

    async def act(self, turn: Turn) -> None:
        turn.ask("none")
        turn.say("dispute_noted", answer_by=check_ends(turn))


class NoteWithdrawal(DialogueAction):
    """ "Ich widerrufe" counts as it is said (§ 355 BGB): kept with its moment, passed on."""

    title = "action_note_withdrawal"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        await port.note("withdrawal_declared", {"message": turn.context.message_id})
        await port.request_person("withdrawal", {"received": turn.context.now.isoformat()})
        await pause_everything(turn, turn.facts.policy.check_days, "withdrawal")
        found = await focus(turn) if turn.facts.verified else None
        if found is not None:
            session, now = turn.context.session, turn.context.now
            claim_id = found.statement.claim_id
            await book.dispute(session, claim_id, "withdrawal", now=now)
            await book.pause(session, claim_id, "withdrawal", until=check_ends(turn), now=now)
        turn.ask("none")
        turn.remember(offer=None)
        turn.say("withdrawal_noted", received=turn.facts.today)


class DropAddress(DialogueAction):
    """The wrong person: the address is dropped for this customer, nothing is disclosed."""

    title = "action_drop_address"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        await port.request_person("wrong_person", {})
        await port.drop_address("wrong_person")
        turn.ask("none")
        turn.remember(offer=None, wish=None, given=None, claim_id=None, claim_shown=None)
        turn.say("wrong_person_noted")


class AnswerThirdParty(DialogueAction):
    """Somebody else writes for the customer: nothing is disclosed, a person clarifies.

    Who shares a home shares letters and birthdays: their proof would prove nothing.
    """

    title = "action_answer_third_party"

    async def act(self, turn: Turn) -> None:
        await turn.context.conversation.refuse_proof("third_party")
        await turn.context.conversation.request_person("third_party", {})
        turn.ask("none")
        turn.remember(offer=None, wish=None, given=None)
        turn.say("third_party_noted")

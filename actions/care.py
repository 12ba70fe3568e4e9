"""When something else comes first: not right, not me, not well."""

import re
from typing import Any

from actions.claims import focus, say_nothing_to_do
from actions.dialogue_action import DialogueAction
from actions.documents import ask_person, dispute_reason, keep_documents
from actions.happened import TOLD
from actions.offers import back_to_offer, current_offer
from actions.proof import ask_for_proof, demand_proof, unprovable
from actions.reading import DOCUMENT, proof_in
from actions.rest import check_ends, pause_everything, rest_claims
from actions.turn import PERSON, Turn, button
from ledger import book
from ledger.claim import ClaimStatus
from negotiation.bounds import needs_person, obstacle

PAUSE_UNTIL_PERSON_DAYS = 365
"""Nothing goes out by itself after a crisis and its like: a person ends the pause."""


COUNTRIES_OF_HELP = frozenset({"DE", "AT", "CH", "GB", "US"})
"""Countries whose numbers for help are known to the wording catalogue (``phrases.yml``)."""


async def to_person_at_once(turn: Turn, reason: str, wording: str, **args: Any) -> None:
    """Pause everything, ask for a person, say the one thing that fits, and ask nothing."""
    await pause_everything(turn, PAUSE_UNTIL_PERSON_DAYS, reason)
    await turn.context.conversation.request_person(reason, {})
    turn.ask("none")
    turn.remember(offer=None, wish=None, spared=reason)
    turn.say(wording, **args)


def country_of_help(turn: Turn) -> str:
    """The code of the country whose places of help are named."""
    country = turn.facts.policy.contact_country
    return country if country in COUNTRIES_OF_HELP else "other"


class HearHardship(DialogueAction):
    """No money, no work, ill: a pause, a person, free counselling; no amount.

    Who has given the proof learns that it may also go slower, as far as policy lets it.
    """

    title = "action_hear_hardship"

    async def act(self, turn: Turn) -> None:
        if turn.slot("spared") == "hardship" and turn.facts.waiting:
            turn.say("person_already_coming")  # more about it: nothing needs to be said twice
            return
        slower = await self._slower(turn) if turn.facts.verified else []
        advice = country_of_help(turn)
        await to_person_at_once(turn, "hardship", "hardship_heard", advice=advice)
        if slower:
            turn.say("hardship_slower", buttons=[*slower, PERSON])

    async def _slower(self, turn: Turn) -> list[dict[str, Any]]:
        found, policy = await focus(turn, to_settle=True), turn.facts.policy
        if found is None or obstacle(policy, found.facts) or needs_person(policy, found.facts):
            return []
        ways = []
        if policy.deferral_days_max(found.facts.age_days) > 0:
            ways.append(button("more_time", "request_deferral"))
        if policy.instalment_count_max(found.open) > 1:
            ways.append(button("small_steps", "request_instalments"))
        return ways


class HelpInCrisis(DialogueAction):
    """Danger to life: the numbers to call, everything paused, a person at once."""

    title = "action_help_in_crisis"

    async def act(self, turn: Turn) -> None:
        where = country_of_help(turn)
        await to_person_at_once(turn, "crisis", "crisis_help", emergency=where, helpline=where)


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
        await say_nothing_to_do(turn)
        return
    claim_id = found.statement.claim_id
    session, now, until = turn.context.session, turn.context.now, check_ends(turn)
    await book.dispute(session, claim_id, reason, now=now)
    await book.pause(session, claim_id, reason, until=until, now=now)
    await ask_person(turn, reason, claim_id)
    turn.remember(offer=None)
    if found.facts.status is ClaimStatus.DISPUTED:
        question = None  # it was asked before; this is more of the answer
    turn.ask("dispute_reason" if question else "none")
    if question == "dispute_ask" and TOLD in turn.heard.marks:
        question = "dispute_told"
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
        found = await focus(turn)
        if found is not None and turn.heard.has(DOCUMENT):
            await ask_person(turn, dispute_reason(found), found.statement.claim_id)
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
    """The wrong person: the address is dropped for this customer, nothing is disclosed.

    Who has given the proof here is asked back once: the line may have been misread.
    """

    title = "action_drop_address"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        proved = turn.facts.verified or turn.facts.lapsed
        if proved and turn.awaiting != "wrong_person_check":
            turn.ask("wrong_person_check")
            choices = [button("not_me", "wrong_person"), button("me", "deny")]
            turn.say("wrong_person_check", buttons=choices)
            return
        await port.request_person("wrong_person", {})
        await port.drop_address("wrong_person")
        turn.ask("none")
        turn.remember(offer=None, wish=None, given=None, claim_id=None, claim_shown=None)
        turn.say("wrong_person_noted")


class KeepAddress(DialogueAction):
    """They are who we want to reach after all: everything is as before the question."""

    title = "action_keep_address"

    async def act(self, turn: Turn) -> None:
        waits = current_offer(turn) is not None and turn.facts.verified
        turn.ask("confirm_agreement" if waits else "none")
        turn.say("wrong_person_cleared")
        back_to_offer(turn)


class AnswerThirdParty(DialogueAction):
    """Somebody else writes for the customer: nothing is disclosed, a person clarifies.

    Who shares a home shares letters and birthdays: their proof would prove nothing.
    """

    title = "action_answer_third_party"

    async def act(self, turn: Turn) -> None:
        if somebody_else_ordered(turn.heard.text):
            turn.go_on_with("action_dispute_unknown")
            return
        await turn.context.conversation.refuse_proof("third_party")
        await turn.context.conversation.request_person("third_party", {})
        turn.ask("authority")
        turn.remember(offer=None, wish=None, given=None)
        turn.say("third_party_noted")


_FAMILY = (
    r"(?:mein|unser|my|our)\w*\s+(?:\w+\s+)?(?:sohn|tochter|kind|kinder|mann|frau|partner\w*|freund\w*"
    r"|bruder|schwester|mutter|vater|mitbewohner\w*|ex\b|son|daughter|kids?|child|children|husband"
    r"|wife|boyfriend|girlfriend|brother|sister|flatmate|roommate|mother|father)"
)
_SOMEBODY_ELSE_ORDERED = re.compile(
    rf"\b(?:das|es|die|den|dies\w*)?\s*(?:hat|haben)\s+(?:\w+\s+){{0,3}}?{_FAMILY}[^.?!]{{0,40}}"
    rf"\b(?:bestellt|gekauft|abgeschlossen)"
    rf"|{_FAMILY}\s+(?:hat|haben)[^.?!]{{0,40}}\b(?:bestellt|gekauft|abgeschlossen)"
    rf"|{_FAMILY}\s+(?:\w+\s+)?(?:ordered|bought|signed\sup)"
    rf"|\b(?:ordered|bought)\sby\s{_FAMILY}",
    re.IGNORECASE,
)


def somebody_else_ordered(text: str) -> bool:
    """Whether the customer says that one of the family ordered; that is nobody else writing."""
    return _SOMEBODY_ELSE_ORDERED.search(text) is not None


class NoteAuthority(DialogueAction):
    """Somebody says that they may act for the customer: a person looks at what shows it."""

    title = "action_note_authority"

    async def act(self, turn: Turn) -> None:
        if turn.heard.has("invoice_number", "birth_date", "postal_code"):
            turn.go_on_with("action_verify")  # that shows nothing about acting for somebody
            return
        if turn.heard.has("offer"):  # the button of a suggestion from before
            turn.go_on_with("action_take_yes")
            return
        facts = await keep_documents(turn)
        await turn.context.conversation.request_person(
            "third_party", {"authority": "claimed", **facts}
        )
        turn.ask("none")
        turn.say("authority_noted")


class MeetMinor(DialogueAction):
    """Not of age: nothing is disclosed, every claim rests, a person goes on."""

    title = "action_meet_minor"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        if turn.heard.intent == "opt_out":
            await port.opt_out()
        await port.refuse_proof("minor", until_person=True)
        await rest_claims(turn, "minor")
        turn.remember(claim_id=None, claim_shown=None, given=None, second=None)
        await to_person_at_once(turn, "minor", "minor_noted")

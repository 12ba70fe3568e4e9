"""Answers without a question that waits for them, and lines that were not understood."""

from actions.claims import focus
from actions.dialogue_action import DialogueAction
from actions.offers import (
    back_to_offer,
    current_offer,
    names_other_terms,
    pressed_old_button,
)
from actions.people import offer_person
from actions.remarks import asks_how_we_are, says_thanks, takes_back
from actions.turn import PERSON, Turn, button
from ledger.claim import ClaimStatus

MISUNDERSTOOD_MAX = 3
READINGS_SHOWN = 2
_LABELS = {
    "ask_claim": "claim",
    "ask_balance": "claim",
    "ask_sender": "is_it_real",
    "ask_bot": "is_it_real",
    "ask_costs": "costs",
    "pay_now": "pay_now",
    "request_bank_details": "pay_now",
    "ask_payment_options": "pay_now",
    "promise_payment": "later",
    "request_deferral": "later",
    "request_instalments": "instalments",
    "propose_amount": "instalments",
    "already_paid": "already_paid",
    "dispute_goods": "goods",
    "dispute_unknown": "unknown",
    "wrong_person": "not_me",
    "request_human": "person",
    "request_callback": "callback",
    "ask_agreement": "agreement",
    "opt_out": "stop",
    "not_now": "not_now",
}
"""Readings that can be offered as a button, by their intent."""
_PRESSED = {
    "claim": "ask_claim",
    "is_it_real": "ask_sender",
    "pay_now": "pay_now",
    "later": "request_deferral",
    "instalments": "request_instalments",
}
"""What pressing a label means where several intents share it."""


class TakeYes(DialogueAction):
    """A yes that answers no open question: an old button, or simply agreement."""

    title = "action_take_yes"

    async def act(self, turn: Turn) -> None:
        found = await focus(turn)
        agreed = found is not None and found.agreement is not None
        disputed = found is not None and found.facts.status is ClaimStatus.DISPUTED
        offer = current_offer(turn)
        person_coming = turn.facts.waiting and not (disputed or turn.facts.locked)
        if pressed_old_button(turn):
            # Pressed twice, most likely: what stands is told, not that nothing was put down.
            twice = agreed and offer is None
            turn.go_on_with("action_tell_agreement" if twice else "action_confirm_agreement")
        elif person_coming and turn.awaiting in ("none", "paid_more") and offer is None:
            # A person was announced, perhaps after bad news: nothing is asked or offered.
            turn.say("person_already_coming")
        elif not turn.facts.verified or turn.slot("claim_shown") is None:
            turn.go_on_with("action_explain_claim")
        elif offer is not None:
            # The question was lost over something else; a yes out of the blue posts nothing.
            turn.ask("confirm_agreement")
            back_to_offer(turn)
        elif agreed and turn.heard.has("date", "amount", "count", "period"):
            turn.go_on_with("action_change_agreement")  # "yes, but only from the 15th"
        elif agreed or (turn.awaiting == "none" and says_thanks(turn.heard.text)):
            turn.say("thanks_noted")  # "great, thanks" to the bank details
        else:
            turn.go_on_with("action_offer_ways")


class TakeNo(DialogueAction):
    """A no that answers no open question."""

    title = "action_take_no"

    async def act(self, turn: Turn) -> None:
        if pressed_old_button(turn):
            turn.go_on_with("action_change_offer")
        elif turn.awaiting == "way":
            offer_person(turn)
        elif takes_back(turn.heard.text) and await _agreed(turn):
            turn.go_on_with("action_change_agreement")  # "no wait", said to what was put down
        else:
            turn.say("anything_else", buttons=[PERSON])


async def _agreed(turn: Turn) -> bool:
    found = await focus(turn) if turn.facts.verified else None
    return found is not None and found.agreement is not None


class TakeNoThanks(DialogueAction):
    """The offer of help is declined."""

    title = "action_take_no_thanks"

    async def act(self, turn: Turn) -> None:
        turn.ask("none")
        turn.say("anything_else")


class TakeFact(DialogueAction):
    """A bare day, amount or number that no question asked for: read as what it most likely is."""

    title = "action_take_fact"

    async def act(self, turn: Turn) -> None:
        heard = turn.heard
        if not turn.facts.verified and heard.has("invoice_number", "birth_date", "postal_code"):
            turn.go_on_with("action_verify")
        elif heard.has("invoice_number") and not _names_terms(turn):
            turn.go_on_with("action_explain_claim")
        elif heard.has("amount", "count", "period"):
            turn.go_on_with("action_plan_instalments")
        elif heard.has("date"):
            turn.go_on_with("action_promise")
        elif heard.has("channel"):
            turn.go_on_with("action_choose_channel")
        elif heard.has("phone", "email"):
            turn.go_on_with("action_note_contact_change")
        elif not turn.facts.verified:
            turn.go_on_with("action_verify")
        else:
            turn.go_on_with("action_clarify")


def _names_terms(turn: Turn) -> bool:
    """Whether it is said when, or in how many parts, the named invoice will be paid.

    A past day and an amount rather say which invoice is meant.
    """
    day = turn.heard.day()
    return turn.heard.has("count", "period") or (day is not None and day >= turn.facts.today)


class Clarify(DialogueAction):
    """Not understood: ask once with the two likeliest readings, then offer a person."""

    title = "action_clarify"
    understood = False

    async def act(self, turn: Turn) -> None:
        if asks_how_we_are(turn.heard.text):
            turn.say("small_talk")
            back_to_offer(turn)
            return
        offer = current_offer(turn)
        if offer and turn.awaiting == "confirm_agreement" and names_other_terms(turn, offer):
            # Other figures, right after a suggestion, are about that suggestion.
            turn.go_on_with("action_revise_offer")
            return
        times = int(turn.slot("misunderstood") or 0) + 1
        if times >= MISUNDERSTOOD_MAX:
            requested = await turn.context.conversation.request_person(
                "not_understood", {}, promise=True
            )
            turn.remember(misunderstood=0)
            turn.ask("none")
            turn.say("clarify_given_up", answer_by=requested.answer)
            return
        turn.remember(misunderstood=times)
        if times > 1:
            offer_person(turn)
            return
        if turn.awaiting in ("none", "way"):
            turn.ask("clarify")
        turn.say("clarify", buttons=[*_readings(turn), PERSON])


_NAMES_NO_CLAIM = frozenset({"claim", "is_it_real", "not_me", "not_now", "callback", "stop"})
"""Labels that whoever holds the phone may read."""


def _readings(turn: Turn) -> list[dict[str, object]]:
    """The likeliest readings that a button can say; the usual ones where none can."""
    labels = [_LABELS[intent] for intent in turn.heard.ranking if intent in _LABELS]
    usual = ["claim", "later"] if turn.facts.verified else ["claim", "not_now"]
    chosen = [
        label
        for label in dict.fromkeys([*labels, *usual])
        if label != "person" and (turn.facts.verified or label in _NAMES_NO_CLAIM)
    ]
    intents = {label: intent for intent, label in _LABELS.items()}
    return [button(label, _PRESSED.get(label, intents[label])) for label in chosen[:READINGS_SHOWN]]

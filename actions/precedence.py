"""What goes before the action that the rules chose, and what follows it in the same turn.

Before: somebody who is not of age, what a person told us on giving back, the first of two wishes.
After: the second of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actions.claims import Turned, turned
from actions.contact_words import code_in, hours_wish
from actions.day_time import day_time
from actions.hints import hinted_wish
from actions.reading import DOCUMENT, Heard
from actions.remarks import (
    asks_what_waiting_costs,
    corrects_a_time,
    names_a_rate,
    names_what_goes_off,
    tells_how_paid,
)
from actions.turn import END_OF_TURN, Turn
from actions.two_wishes import two_wishes, wish_besides
from actions.underage import says_minor

_MINOR = "action_meet_minor"
_WORDS_UNDER_A_PHOTO = frozenset(
    {
        *("inform", "out_of_scope", "affirm", "thank", "greet"),
        *("request_receipt", "request_invoice_copy"),
    }
)
"""What "here is the receipt" may be taken for: with a file it is sent, not asked for."""
_MORE_THAN_A_PHOTO = frozenset(
    {
        *("crisis", "bereavement", "insolvency", "represented", "hardship", "opt_out"),
        *("wrong_person", "third_party", "withdraw_contract"),
        *("already_paid", "dispute_goods", "dispute_unknown", "request_human"),
    }
)
_TELLS_MORE = frozenset(
    {"dispute_reason", "objection", "objection_check", "paid_details", "paid_more"}
)
"""Questions whose answer may well name an invoice and say what happened."""
_SAID_BY_STOP = frozenset({"action_opt_out", "action_help_in_crisis", "action_drop_address"})
_NEVER_HOURS = frozenset(
    {"opt_out", "crisis", "bereavement", "request_callback", "request_human", "promise_payment"}
)
_ONE_DAY = frozenset({"action_defer", "action_promise", "action_note_postponement"})
"""All at once on a later day: who names a rate with it ("60 a month from January") wants a plan."""
_TAKEN_FOR_COSTS = frozenset(
    {"ask_costs", "ask_balance", "ask_consequences", "request_discount", "out_of_scope"}
)
"""What "does it cost more if I pay in January?" may be taken for; what it costs stands in the
suggestion of a day."""
_BEFORE_MINOR = frozenset({"action_help_in_crisis", "action_note_bereavement", _MINOR})


def with_documents(heard: Heard, message: Mapping[str, Any]) -> Heard:
    """What was heard, with the files that came along as entities."""
    kinds = (message.get("metadata") or {}).get("documents") or []
    files = [{"entity": DOCUMENT, "value": kind} for kind in kinds]
    return replace(heard, entities=[*heard.entities, *files]) if files else heard


async def goes_first(turn: Turn) -> bool:
    """Whether another action comes before this one; it is named as the next then.

    Asked once for each message, at its first action.
    """
    if turn.slot("second") and turn.awaiting != "verification":
        turn.remember(second=None)  # left over from a wish that was given up
    if says_minor(turn.heard.text) and turn.action not in _BEFORE_MINOR:
        turn.next_action = _MINOR
        return True
    there = None if turn.action in _SAID_BY_STOP else _about_contact(turn)
    if there is not None and there != turn.action:
        turn.next_action = there
        return True
    if _is_how_it_was_paid(turn):
        turn.next_action = "action_note_paid"
        return True
    if _moves_call(turn):
        turn.next_action = "action_note_callback"
        return True
    which = await _about_which_claim(turn)
    if which is not None and which != turn.action:
        turn.next_action = which
        return True
    if _is_about_a_file(turn):
        turn.next_action = "action_take_document"
        return True
    rather = _about_terms(turn)
    if rather is not None and rather != turn.action:
        turn.next_action = rather
        return True
    wish = hinted_wish(turn.context.hint, turn.heard)
    if wish is not None:
        turn.remember(wish=wish)
        turn.next_action = wish["action"]
        return True
    return await _first_of_two(turn)


def _about_contact(turn: Turn) -> str | None:
    """The action for a code or number that was asked for, or for the hours to be written to.

    All of them are words and digits that a classifier takes for something else.
    """
    if turn.awaiting == "channel" and (code_in(turn.heard.text) or turn.heard.has("phone")):
        return "action_choose_channel"
    if turn.heard.intent in _NEVER_HOURS or turn.heard.day() is not None:
        return None
    return "action_postpone" if hours_wish(turn.heard.text) is not None else None


_TAKEN_FOR_HOW = frozenset(
    {"request_bank_details", "third_party", "not_now", "ask_payment_options", "choose_channel"}
)
"""What "by transfer from my wife's account" may be taken for."""


def _is_how_it_was_paid(turn: Turn) -> bool:
    """Whether a line answers how something was paid, in one breath with the day or after it."""
    return (
        turn.awaiting in ("paid_details", "paid_more")
        and turn.action != "action_note_paid"
        and turn.heard.intent in _TAKEN_FOR_HOW
        and tells_how_paid(turn.heard.text)
    )


_BEFORE_ANY_CLAIM = frozenset(
    {
        *("crisis", "bereavement", "insolvency", "represented", "opt_out", "wrong_person"),
        *("third_party", "withdraw_contract", "request_human"),
    }
)
"""What is answered as it is, even where a line might turn to another invoice."""


async def _about_which_claim(turn: Turn) -> str | None:
    """The action for a line that turns to another invoice, or asks which there are.

    What such short lines are taken for says nothing, unless it is what always goes first. A wish
    goes on with the invoice that it names; one that names none waits until that is known, once.
    """
    waits = turn.slot("wish") if turn.awaiting == "which_claim" else None
    if waits is not None:
        turn.remember(wish=None)
    if not turn.facts.verified or turn.awaiting in _TELLS_MORE:
        return None
    if turn.heard.intent in _BEFORE_ANY_CLAIM:
        return None
    match await turned(turn):
        case Turned.LEAVES_OPEN if waits is None:
            turn.remember(wish={**turn.heard.to_data(), "action": turn.action, "ready": False})
            return "action_ask_which_claim"
        case Turned.ASKS:
            return "action_ask_which_claim"
        case Turned.TO_ONE if waits is not None:
            turn.remember(wish={**waits, "ready": True})
            return str(waits["action"])
        case Turned.TO_ONE:
            return "action_explain_claim"
        case _:
            return None


_LEAVES_CALL = frozenset({"affirm", "deny", "thank", "greet", "inform", "request_callback"})


def _moves_call(turn: Turn) -> bool:
    """Whether another time is named for the call that was noted just now.

    Whatever else is spoken of ends that: then "rather Monday" is about something else.
    """
    noted = turn.slot("number")
    if turn.awaiting != "none" or not isinstance(noted, dict):
        return False
    heard = turn.heard
    timed = heard.day() is not None or day_time(heard.text) is not None
    if timed and corrects_a_time(heard.text) and not heard.has("amount", "count", "period"):
        return True
    if heard.intent not in _LEAVES_CALL:
        turn.remember(number=None)
    return False


def _about_terms(turn: Turn) -> str | None:
    """The action for a rate that was named, or for what a later day costs."""
    heard = turn.heard
    if turn.action in _ONE_DAY and names_a_rate(heard.text, heard.entities):
        return "action_plan_instalments"
    if heard.intent == "propose_amount" and names_what_goes_off(heard.text, heard.entities):
        return "action_offer_discount"
    if heard.intent not in _TAKEN_FOR_COSTS or heard.has("amount", "count", "period"):
        return None
    waits = asks_what_waiting_costs(heard.text, day_named=heard.has("date"))
    return "action_defer" if waits else None


def _is_about_a_file(turn: Turn) -> bool:
    """Whether a message with a file has nothing else to say; a person who waits for it reads on."""
    if not turn.heard.has(DOCUMENT) or turn.action == "action_take_document":
        return False
    intent = turn.heard.intent
    return intent in _WORDS_UNDER_A_PHOTO or (
        turn.facts.waiting and intent not in _MORE_THAN_A_PHOTO
    )


async def _first_of_two(turn: Turn) -> bool:
    besides = wish_besides(turn.heard) if turn.awaiting not in _TELLS_MORE else None
    if besides is not None:
        intent, action = besides
        kept = {**turn.heard.to_data(), "intent": intent, "action": action, "ready": True}
        turn.remember(wish=kept)
        turn.next_action = action
        return True
    wishes = two_wishes(turn.heard)
    # An answer to a question that is open stays one, whatever else it says; but for a stop.
    if wishes is None or (turn.action not in wishes.actions and wishes.first != "opt_out"):
        return False
    first, second = wishes.actions
    if wishes.continued:
        kept = {**turn.heard.to_data(), "intent": wishes.then, "action": second}
        turn.remember(second=kept)
    else:
        await turn.context.conversation.note(
            "second_wish", {"first": wishes.first, "second": wishes.then}
        )
    if turn.heard.intent == wishes.first:
        return False
    turn.next_action = first
    return True


def goes_on_with_second(turn: Turn) -> None:
    """After the first wish the second, unless the proof is asked for: then after it."""
    second = turn.slot("second")
    if not second or turn.next_action != END_OF_TURN or turn.awaiting == "verification":
        return
    turn.remember(second=None, wish={**second, "ready": True})
    turn.next_action = second["action"]

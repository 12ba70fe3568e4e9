"""What a person should know at a glance: the mood, and the next step with its reason. Pure.

Codes only; whoever shows them to people has the words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conversation.handoff_urgency import known_as

MOOD_INTENTS: Final = 5
"""So many of the last messages tell the mood; a crisis counts wherever it stands."""


class Mood(StrEnum):
    """How the customer seems to be, from what they wrote last."""

    CALM = "calm"
    WORRIED = "worried"
    UPSET = "upset"
    CRISIS = "crisis"


_UPSET: Final = frozenset({"complaint", "refuse_to_pay", "dispute_unknown", "wrong_person"})
_WORRIED: Final = frozenset(
    {"hardship", "bereavement", "insolvency", "cannot_keep_agreement", "ask_consequences"}
)


def mood(intents: Sequence[str], reasons: Sequence[str] = ()) -> Mood:
    """The strongest mood of the last messages' intents, the newest first.

    `reasons` are those of the handoff: a button or a word that was settled without understanding
    leaves no intent.
    """
    if "crisis" in intents or "crisis" in reasons:
        return Mood.CRISIS
    lately = {*intents[:MOOD_INTENTS], *reasons}
    if lately & _UPSET:
        return Mood.UPSET
    return Mood.WORRIED if lately & _WORRIED else Mood.CALM


class Step(StrEnum):
    """What to do next."""

    LOOK_AFTER_THE_PERSON = "look_after_the_person"
    USE_ANOTHER_CHANNEL = "use_another_channel"
    EXPRESS_SYMPATHY = "express_sympathy"
    FIND_AN_EASIER_WAY = "find_an_easier_way"
    WRITE_TO_THE_REPRESENTATIVE = "write_to_the_representative"
    VERIFY_IDENTITY = "verify_identity"
    CHECK_DISPUTE = "check_dispute"
    CONFIRM_WITHDRAWAL = "confirm_withdrawal"
    FIND_THE_PAYMENT = "find_the_payment"
    DECIDE_THE_WISH = "decide_the_wish"
    CALL_BACK = "call_back"
    HEAR_THE_COMPLAINT = "hear_the_complaint"
    ANSWER_DATA_REQUEST = "answer_data_request"
    CORRECT_CONTACT = "correct_contact"
    ASK_FOR_AUTHORITY = "ask_for_authority"
    CONFIRM_FIGURES = "confirm_figures"
    SEND_DOCUMENT = "send_document"
    ANSWER_OPEN_MESSAGES = "answer_open_messages"
    ASK_WHAT_IS_NEEDED = "ask_what_is_needed"


_STEP_OF_REASON: Final[Mapping[str, Step]] = {
    "crisis": Step.LOOK_AFTER_THE_PERSON,
    "bereavement": Step.EXPRESS_SYMPATHY,
    "hardship": Step.FIND_AN_EASIER_WAY,
    "insolvency": Step.WRITE_TO_THE_REPRESENTATIVE,
    "represented": Step.WRITE_TO_THE_REPRESENTATIVE,
    "verification_locked": Step.VERIFY_IDENTITY,
    "verification_impossible": Step.VERIFY_IDENTITY,
    "withdrawal": Step.CONFIRM_WITHDRAWAL,
    "dispute_goods": Step.CHECK_DISPUTE,
    "dispute_unknown": Step.CHECK_DISPUTE,
    "dispute_other": Step.CHECK_DISPUTE,
    "payment_reported": Step.FIND_THE_PAYMENT,
    "decision": Step.DECIDE_THE_WISH,
    "agreement_broken": Step.FIND_AN_EASIER_WAY,
    "callback": Step.CALL_BACK,
    "complaint": Step.HEAR_THE_COMPLAINT,
    "data_request": Step.ANSWER_DATA_REQUEST,
    "contact_change": Step.CORRECT_CONTACT,
    "wrong_person": Step.CORRECT_CONTACT,
    "channel": Step.CORRECT_CONTACT,
    "minor": Step.ASK_FOR_AUTHORITY,
    "third_party": Step.ASK_FOR_AUTHORITY,
    "figures_not_confirmed": Step.CONFIRM_FIGURES,
    "bank_details": Step.SEND_DOCUMENT,
    "receipt": Step.SEND_DOCUMENT,
    "invoice_copy": Step.SEND_DOCUMENT,
    "delivery_failed": Step.USE_ANOTHER_CHANNEL,
    "bot_failure": Step.ANSWER_OPEN_MESSAGES,
    "not_understood": Step.ANSWER_OPEN_MESSAGES,
    "too_many_messages": Step.ANSWER_OPEN_MESSAGES,
    "asked_for_person": Step.ASK_WHAT_IS_NEEDED,
    "taken_over": Step.ANSWER_OPEN_MESSAGES,
}
"""In order of importance: of several reasons the first one listed here decides. ``decision``
stands for all of ``decision_…``: what the policy leaves to a person."""
REASONS: Final = tuple(_STEP_OF_REASON)
"""All reasons there are, as people know them."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A step, and the code of the reason that it follows from."""

    step: Step
    because: str


def next_step(reasons: Sequence[str], *, reachable: bool) -> Advice:
    """What to do next about a handoff with these reasons.

    `reachable`: whether a free text may be sent here now. A crisis goes before everything, and
    where nothing can be sent another channel goes before all else.
    """
    if "crisis" in reasons:
        return Advice(Step.LOOK_AFTER_THE_PERSON, "crisis")
    if not reachable:
        return Advice(Step.USE_ANOTHER_CHANNEL, "not_reachable_here")
    given = {known_as(each): each for each in reasons}
    for reason, step in _STEP_OF_REASON.items():
        if reason in given:
            return Advice(step, given[reason])
    return Advice(Step.ASK_WHAT_IS_NEEDED, next(iter(reasons), "asked_for_person"))

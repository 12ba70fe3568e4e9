"""Two wishes in one line: which goes first, and what becomes of the other.

The language understanding ranks its readings, but a reading may rank second only because it is
alike. So a second wish counts where both agree: it stands in the ranking, and its words in the
line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from actions.happened import TOLD
from actions.reading import Heard

_SEVERAL_THINGS = re.compile(
    r"[,.;!?:]\s*\S|\s(und|and|aber|but|außerdem|also|plus|sowie|dann|then|\+|&)\s", re.IGNORECASE
)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_SAID_IN: Mapping[str, re.Pattern[str]] = {
    "opt_out": _words(
        r"(?<!full\s)\bstopp?\b|in\sruhe\b|nie(mals)?\swieder|nicht\smehr\s(an)?schreib"
        r"|keine\s(nachrichten|sms)|hört?\sauf|hören\ssie\sauf|abmelden"
        r"|leave\sme\salone|no\smore\s(messages|texts)|unsubscribe"
        r"|stop\s(writing|texting|messaging|contacting)"
    ),
    "withdraw_contract": _words(r"\bwiderrufe?\b|\bwithdraw|trete\s.{0,30}zurück"),
    "wrong_person": _words(
        r"falsche\s(nummer|person)|wrong\s(number|person)|bin\sich\s(gar\s)?nicht"
    ),
    "hardship": _words(
        r"(job|arbeit|stelle)\b.{0,15}(verloren|weg)|arbeitslos|kein\sgeld|krankgeschrieben"
        r"|lost\smy\sjob|unemployed|no\smoney|been\slaid\soff"
    ),
    "already_paid": _words(
        r"\b(hab|habe|haben|ist|wurde)\b.{0,30}(bezahlt|überwiesen|gezahlt|beglichen|abgebucht)"
        r"|\b(schon|bereits|längst)\b.{0,20}(bezahlt|überwiesen|gezahlt|beglichen)"
        r"|already\b.{0,15}(paid|transferred|sent\sthe\smoney)|\b(have|'ve|i)\spaid\b"
    ),
    "dispute_goods": _words(
        r"kaputt|defekt|beschädigt|(nie|nicht)\sangekommen|zurückgeschickt"
        r"|broken|damaged|faulty|never\sarrived|sent\s(it|them)\sback"
    ),
    "data_request": _words(
        r"\bdaten\b.{0,25}lösch|lösch.{0,25}\bdaten\b|dsgvo|gdpr"
        r"|(delete|erase)\b.{0,20}(data|details)|copy\sof\smy\sdata"
    ),
    "request_human": _words(
        r"\bmit\s(einem|nem|'nem|einer)\b.{0,12}(mensch|mitarbeiter|person)|echten\smensch"
        r"|(speak|talk)\s(to|with)\b.{0,15}(person|human|someone)"
    ),
    "request_callback": _words(
        r"\bruf(en|t)?\b.{0,20}\b(mich|uns|an|zurück)\b|rückruf|\b(call|ring|phone)\sme\b"
    ),
    "request_invoice_copy": _words(
        r"rechnung\b.{0,25}(noch\s?mal|noch\seinmal|schick|kopie)|(schick|kopie)\b.{0,25}rechnung"
        r"|schickt?\b.{0,25}rechnung|(copy\sof|resend|send)\b.{0,20}invoice"
    ),
    "request_receipt": _words(r"quittung(?!\shab)|zahlungsbestätigung|\breceipt\b"),
    "change_contact": _words(
        r"neue[nrs]?\s(nummer|handynummer|adresse|anschrift|mail)|umgezogen"
        r"|new\s(number|address|email)|\bmoved\s(house|flat|to)\b"
    ),
    "ask_costs": _words(
        r"(warum|wieso|woher|wofür)\b.{0,25}(kosten|gebühr|zinsen)"
        r"|why\b.{0,25}(fees?|costs?|interest|charges?)"
    ),
    "ask_balance": _words(r"wie\s?viel\s.{0,20}offen|wie\shoch\sist|how\smuch\s(is|do\si)"),
    "request_instalments": _words(r"\braten\b|ratenzahlung|abstottern|instalments?|in\sparts"),
    "request_deferral": _words(r"mehr\szeit|später\szahlen|aufschub|more\stime|pay\s(it\s)?later"),
    "refuse_to_pay": _words(r"zahle?\s(gar\s|überhaupt\s)?(nicht|nichts|keinen)|(not|won't)\spay"),
}
"""What shows a wish in words, the weightier first."""

ERRANDS: Mapping[str, str] = {
    "withdraw_contract": "action_note_withdrawal",
    "data_request": "action_note_data_request",
    "change_contact": "action_note_contact_change",
    "request_receipt": "action_order_receipt",
    "request_invoice_copy": "action_order_invoice_copy",
    "ask_costs": "action_explain_costs",
    "ask_balance": "action_tell_balance",
    "request_human": "action_request_person",
}
"""Wishes that are granted without a question back: they go first."""
TALKS: Mapping[str, str] = {
    "wrong_person": "action_drop_address",
    "hardship": "action_hear_hardship",
    "already_paid": "action_ask_paid",
    "dispute_goods": "action_dispute_goods",
    "request_callback": "action_ask_callback_time",
    "request_instalments": "action_plan_instalments",
    "request_deferral": "action_defer",
    "refuse_to_pay": "action_answer_refusal",
}
"""Wishes that are talked over, the weightier first."""
_ACTIONS = {"opt_out": "action_opt_out", **ERRANDS, **TALKS}
_LEADS = ("opt_out", "wrong_person", "hardship", *ERRANDS)
"""What goes first whatever else is said, the first one listed before all."""
_ENDS_THE_TALK = frozenset({"crisis", "bereavement", "insolvency", "represented", "third_party"})
"""After these nothing else is taken up; what else was said stands in the transcript."""


@dataclass(frozen=True, slots=True)
class TwoWishes:
    """The intents of one line in the order in which they are answered."""

    first: str
    then: str

    @property
    def actions(self) -> tuple[str, str]:
        return _ACTIONS[self.first], _ACTIONS[self.then]

    @property
    def continued(self) -> bool:
        """Whether the second can be answered in the same breath; two talks at once cannot."""
        return self.first not in TALKS or self.then == "data_request"


PLEASANTRIES = frozenset({"greet", "thank", "goodbye"})


def wish_besides(heard: Heard) -> tuple[str, str] | None:
    """The intent and the action of a wish that came with a mere greeting, thanks, or a number."""
    if heard.intent == "inform" and heard.has("invoice_number") and TOLD in heard.marks:
        return ("dispute_goods", _ACTIONS["dispute_goods"])
    if heard.intent not in PLEASANTRIES or not _SEVERAL_THINGS.search(heard.text):
        return None
    other = _said_too(heard)
    return (other, _ACTIONS[other]) if other is not None else None


def two_wishes(heard: Heard) -> TwoWishes | None:
    """The two wishes of a line; None where there is one, or one that ends the talk."""
    chosen = heard.intent
    if chosen not in _ACTIONS or not _SEVERAL_THINGS.search(heard.text):
        return None
    ranked = [name for name in heard.ranking if name != chosen]
    if ranked and ranked[0] in _ENDS_THE_TALK:
        return None
    other = _said_too(heard)
    if other is None:
        return None
    first = next((name for name in _LEADS if name in (chosen, other)), chosen)
    return TwoWishes(first, other if first == chosen else chosen)


def _said_too(heard: Heard) -> str | None:
    ranked = [name for name in heard.ranking if name != heard.intent]
    return next(
        (name for name, said in _SAID_IN.items() if name in ranked and said.search(heard.text)),
        None,
    )

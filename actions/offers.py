"""Suggestions: what the customer asked for, judged by policy, put into words, and remembered.

The suggestion that waits for a yes is kept as data with all its facts; it is judged again when
the yes comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

from actions.claims import Focus, tell_once
from actions.roles import Role
from actions.turn import Turn, button
from ledger import book
from ledger.agreements import (
    AgreementTerms,
    Deferral,
    InstalmentPlan,
    Promise,
    Settlement,
    terms_from_data,
    terms_to_data,
)
from ledger.money import Money
from negotiation.offers import Accept, CounterOffer, Decision, Escalate, Reason

ALTERNATIVES_SHOWN_MAX = 2
_NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion on the table. `id` is new for every suggestion, buttons carry it."""

    id: str
    claim_id: int
    terms: AgreementTerms
    balance_minor: int
    shown: int
    """The message whose answer showed it last: only a yes right after that can mean it."""

    def to_data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "claim_id": self.claim_id,
            "terms": terms_to_data(self.terms),
            "balance_minor": self.balance_minor,
            "shown": self.shown,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Offer:
        return cls(
            data["id"],
            data["claim_id"],
            terms_from_data(data["terms"]),
            data["balance_minor"],
            data.get("shown", 0),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer named, to be repeated in a counter-offer."""

    amount: Money | None = None
    count: int | None = None
    day: date | None = None

    def args(self) -> dict[str, Any]:
        return {"asked_amount": self.amount, "asked_count": self.count, "asked_day": self.day}


def current_offer(turn: Turn) -> Offer | None:
    """The suggestion that waits for a yes."""
    data = turn.slot("offer")
    return Offer.from_data(data) if data else None


def names_other_terms(turn: Turn, offer: Offer) -> bool:
    """Whether figures were named that the suggestion does not have: those are a wish to change it.

    A refusal that repeats its figures ("50 a month is too much") is none.
    """
    heard, terms = turn.heard, offer.terms
    plan = terms if isinstance(terms, InstalmentPlan) else None
    count, amount = heard.count(), heard.amount(Money(offer.balance_minor, terms.total.currency))
    if count is not None and (plan is None or count != len(terms.instalments)):
        return True
    period, day = heard.period(), heard.day()
    if amount is not None and not heard.same_words("amount", "count"):
        named = {terms.total, *(part.amount for part in terms.instalments)}
        # "No, all of it on the 5th": the sum of a plan, but not in instalments.
        at_once = plan and amount == terms.total and (day or heard.intent == "deny")
        if amount not in named or (at_once and count is None and period is None):
            return True
    if plan is not None and (heard.other_rhythm() or period not in (None, plan.period)):
        return True
    days = {terms.instalments[0].due, plan.regulars[0].due if plan else None}
    return day is not None and day >= turn.facts.today and day not in days


def pressed_old_button(turn: Turn) -> bool:
    """Whether the message is a button of a suggestion that is no longer on the table."""
    pressed = turn.heard.one("offer")
    offer = turn.slot("offer")
    return pressed is not None and (offer is None or offer["id"] != pressed)


async def answer(turn: Turn, found: Focus, decision: Decision, asked: Asked) -> None:
    """Put a decision into words and remember what is on the table."""
    tell_once(turn, found)
    if isinstance(decision, Escalate):
        await leave_to_person(turn, found, decision.reason)
        return
    offer = lay_on_table(turn, found, decision.terms, shown=turn.context.message_id)
    if isinstance(decision, Accept):
        wording, extra = f"{_word(offer.terms)}_offer", _NOTHING
        others: Sequence[AgreementTerms] = ()
    else:
        wording, extra = _counter(decision, asked)
        others = decision.alternatives
    turn.say(
        wording,
        **term_args(found, offer.terms),
        **_to_come(turn, found, offer.terms),
        **extra,
        buttons=[
            button("put_down", "affirm", offer=offer.id),
            *_alternatives(others),
            button("other", "deny", offer=offer.id),
        ],
    )


def lay_on_table(turn: Turn, found: Focus, terms: AgreementTerms, *, shown: int = 0) -> Offer:
    """Remember what is suggested. Without `shown` no yes can mean it yet, only a change of it."""
    offer = Offer(
        id=f"{turn.context.message_id}",
        claim_id=found.statement.claim_id,
        terms=terms,
        balance_minor=found.open.minor,
        shown=shown,
    )
    turn.remember(offer=offer.to_data(), rhythm=None)
    turn.ask("confirm_agreement")
    return offer


def _counter(decision: CounterOffer, asked: Asked) -> tuple[str, dict[str, Any]]:
    word = _word(decision.terms)
    if decision.reason is Reason.OPEN_REQUEST and word == "plan":
        return "plan_example", {}
    # A deferral in place of a promise, on the very day: nothing that was asked for is missing.
    as_asked = (
        decision.reason is Reason.PROMISE_TOO_LATE
        and decision.terms.instalments[0].due == asked.day
    )
    if decision.reason is Reason.OPEN_REQUEST or as_asked:
        return f"{word}_offer", {}
    return f"{word}_counter", {"reason": decision.reason, **asked.args()}


async def leave_to_person(turn: Turn, found: Focus, reason: Reason) -> None:
    """What only a person may decide goes to one, with what was asked for."""
    asked = {
        entity["entity"]: entity.get("value")
        for entity in turn.heard.entities
        if entity["entity"] in ("amount", "date", "count", "period")
        and entity.get("role") != Role.OLD
    }
    await turn.context.conversation.request_person(
        f"decision_{reason.value}",
        {"claim": found.statement.claim_id, "wish": turn.heard.intent, "asked": asked},
    )
    await book.pause(
        turn.context.session,
        found.statement.claim_id,
        "person_decides",
        until=turn.facts.today + timedelta(days=turn.facts.policy.check_days),
        now=turn.context.now,
    )
    turn.ask("none")
    turn.remember(offer=None)
    turn.say("person_decides", reason=reason)


def _word(terms: AgreementTerms) -> str:
    """How the wordings call a kind of terms."""
    if isinstance(terms, InstalmentPlan):
        return "plan"
    return {Promise: "promise", Deferral: "deferral", Settlement: "settlement"}[type(terms)]


def term_args(found: Focus, terms: AgreementTerms) -> dict[str, Any]:
    """All facts of the terms, as arguments of a wording."""
    interest = found.interest_effect(terms)
    if isinstance(terms, InstalmentPlan):
        return {
            "rates": rates_of(terms),
            "rhythm": terms.rhythm,
            "total": terms.total,
            "charge": terms.charge,
            "interest": interest,
        }
    facts = {"amount": terms.total, "due": terms.instalments[0].due, "interest": interest}
    return {**facts, "waived": terms.waived} if isinstance(terms, Settlement) else facts


def _to_come(turn: Turn, found: Focus, terms: AgreementTerms) -> dict[str, Any]:
    """The interest that goes on under a plan that does not stop it, told before it is agreed."""
    if not isinstance(terms, InstalmentPlan):
        return {}
    coming = found.record.interest_ahead(terms, turn.context.now)
    return {"coming": coming or None}


def _in_short(terms: AgreementTerms) -> dict[str, Any]:
    """The terms as one sentence tells them: number, amount, rhythm and first day."""
    plan = terms if isinstance(terms, InstalmentPlan) else None
    regulars = plan.regulars if plan else terms.instalments
    down = plan.down_payment if plan else None
    each, last = regulars[0].amount, regulars[-1].amount
    return {
        **{"count": len(regulars), "each": each, "last": last if last != each else None},
        **{"rhythm": plan.rhythm if plan else None, "due": regulars[0].due},
        "last_due": regulars[-1].due,
        **{"down": down.amount if down else None, "down_due": down.due if down else None},
        "total": terms.total,
    }


def rates_of(terms: AgreementTerms, paid: Sequence[Money] = ()) -> list[dict[str, Any]]:
    """The payments of the terms, with what was `paid` on each of them so far."""
    return [
        {"number": part.number, "due": part.due, "amount": part.amount, "paid": done}
        for part, done in zip_longest(terms.instalments, paid)
    ]


def _alternatives(others: Sequence[AgreementTerms]) -> list[dict[str, Any]]:
    """Other allowed terms as buttons; pressing one asks for exactly that."""
    shown: list[dict[str, Any]] = []
    args: dict[str, Any]
    for terms in others:
        if isinstance(terms, InstalmentPlan):
            title, args = "button_count", {"count": terms.count}
            choice = button("count", "request_instalments", count=terms.count)
        elif isinstance(terms, Deferral | Promise):
            day = terms.instalments[0].due
            intent = "promise_payment" if isinstance(terms, Promise) else "request_deferral"
            title, args = "button_until", {"day": day.isoformat()}
            choice = button("until", intent, date=day.isoformat())
        else:
            continue
        shown.append({**choice, "title": title, "args": args})
    return shown[:ALTERNATIVES_SHOWN_MAX]


def back_to_offer(turn: Turn) -> bool:
    """After a question in between: remind of the suggestion that still waits for a yes, if any."""
    offer = current_offer(turn)
    if offer is None or turn.awaiting != "confirm_agreement" or not turn.facts.verified:
        return False
    turn.remember(offer=replace(offer, shown=turn.context.message_id).to_data())
    turn.say(
        "offer_back",
        **_in_short(offer.terms),
        buttons=[
            button("put_down", "affirm", offer=offer.id),
            button("other", "deny", offer=offer.id),
        ],
    )
    return True

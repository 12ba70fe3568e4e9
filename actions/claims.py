"""The claims of the customer in the conversation, and the one that is talked about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from actions.turn import PERSON, Turn, button
from actions.which_claim import (
    Choice,
    asks_for_all,
    names_other_claim,
    picks,
    turns_to_another,
    turns_to_first,
)
from ledger import book
from ledger.agreements import AgreementTerms, Promise, Settlement
from ledger.claim import ClaimFacts, ClaimStatus, is_fresh
from ledger.money import Money, total
from ledger.statement import AgreementRecord, Statement


@dataclass(frozen=True, slots=True)
class Focus:
    """The claim that is talked about, with what was charged and what is open.

    `others` is what is open on the customer's other claims; those in dispute are not counted.
    """

    record: book.ClaimRecord
    statement: Statement
    facts: ClaimFacts
    others: tuple[Money, ...]
    default: bool
    """Whether default interest runs: a default with its proof (§ 286 BGB)."""

    @property
    def open(self) -> Money:
        return self.facts.balance

    @property
    def credited(self) -> Money:
        """What payments and credit notes took off the sum of what was charged."""
        return self.statement.charged.total - self.open

    @property
    def agreement(self) -> AgreementRecord | None:
        """The agreement in force."""
        record = self.statement.agreement
        return record if record is not None and record.status == "active" else None

    def all_open(self) -> Money:
        return total([self.open, *self.others], self.statement.currency)

    def interest_effect(self, terms: AgreementTerms) -> str:
        """The code of what the agreement does to interest."""
        if not self.default or isinstance(terms, Settlement):
            return "none"
        if isinstance(terms, Promise):
            return "kept"
        return "stops" if terms.stops_interest else "runs"


async def focus(turn: Turn, *, to_settle: bool = False) -> Focus | None:
    """The claim in focus, else the oldest one that can be talked about; None: nothing is open.

    Claims in dispute come last; `to_settle` leaves one for another that is not, unless it is named.
    Time-barred claims, and what is too small to be pursued, stay out.
    """
    now = turn.context.now
    records = await _spoken_of(turn)
    if not records:
        return None
    chosen = _chosen(turn, records, to_settle)
    claim = chosen.claim
    if claim.id != turn.slot("claim_id"):
        turn.remember(claim_id=claim.id, offer=None)
    return Focus(
        record=chosen,
        statement=chosen.statement(),
        facts=chosen.facts(now),
        others=tuple(
            record.open.total
            for record in records
            if record is not chosen and record.claim.status == ClaimStatus.OPEN
        ),
        default=bool(claim.default_since and claim.default_proof),
    )


async def _spoken_of(turn: Turn) -> list[book.ClaimRecord]:
    """The claims that can be talked about, oldest first, those in dispute last."""
    today = turn.facts.today
    records = [
        record
        for record in await _records(turn)
        if record.open.total.minor > 0
        and not turn.facts.policy.lets_go(record.open.total)
        and not (record.claim.limitation_date and record.claim.limitation_date < today)
    ]
    records.sort(key=lambda record: record.claim.status != ClaimStatus.OPEN)
    return records


async def to_choose_from(turn: Turn) -> list[Choice]:
    """The invoices that a customer may choose from, in the order in which they are told.

    Not those in dispute, nor those whose figures the merchant has not confirmed in time.
    """
    return _choices(turn, await _spoken_of(turn))


def _choices(turn: Turn, records: Sequence[book.ClaimRecord]) -> list[Choice]:
    hours, now = turn.facts.policy.freshness_hours, turn.context.now
    return [
        Choice(record.claim.invoice_number, record.claim.description, record.open.total)
        for record in records
        if record.claim.status == ClaimStatus.OPEN
        and is_fresh(record.claim.confirmed_at, hours, now)
    ]


CHOICES_MAX = 6
"""So many invoices are told at once."""
_TOLD = frozenset({"claim_ok", "which_claim"})
"""Questions that follow when invoices were spoken of."""
_MAY_NAME_A_CLAIM = frozenset(
    {
        *("inform", "out_of_scope", "affirm", "deny", "greet", "thank"),
        *("ask_claim", "ask_balance", "ask_costs", "request_invoice_copy", "propose_amount"),
    }
)
"""What "the raincoat, please" may be taken for, as the answer to which invoice is meant."""


class Turned(Enum):
    """What a line does about which of several invoices is talked about."""

    TO_ONE = "to one"
    """It turns to another one, which is remembered as the one talked about."""
    PICKED = "picked"
    """It picks one from the list and says more; that is remembered likewise."""
    ASKS = "asks"
    """It asks which there are, or means another one of more than two."""
    LEAVES_OPEN = "leaves open"
    """It answers the list with a wish, and not with which one is meant."""


async def turned(turn: Turn) -> Turned | None:
    """Turn to the invoice that a line means; None where it is about none in particular."""
    text, listed = turn.heard.text, turn.awaiting == "which_claim"
    all_of_them, first = asks_for_all(text), turns_to_first(text)
    another = turns_to_another(text, told=turn.awaiting in _TOLD)
    if not (all_of_them or first or another or listed):
        return None
    records = await _spoken_of(turn)
    choices = _choices(turn, records)
    if all_of_them:
        return Turned.ASKS if len(choices) > 1 else None
    if listed:
        amounts = turn.heard.amounts()
        place = picks(text, amounts, choices, CHOICES_MAX)
        if place is not None:
            number = choices[place].invoice_number
            _turn_to(turn, next(r for r in records if r.claim.invoice_number == number))
            names = turn.heard.intent in _MAY_NAME_A_CLAIM
            more = turn.heard.has("date", "count", "period")
            more = more or not {choices[place].open}.issuperset(amounts)
            return Turned.TO_ONE if names and not more else Turned.PICKED
        if len(choices) > 1 and turn.heard.intent in _SETTLES | _OBJECTS:
            return Turned.LEAVES_OPEN
    if first and len(records) > 1:
        _turn_to(turn, _told_first(records))
        return Turned.TO_ONE
    if not another:
        return None
    held = turn.slot("claim_id") or (records[0].claim.id if records else None)
    others = [record for record in records if record.claim.id != held]
    others = [r for r in others if r.claim.status == ClaimStatus.OPEN] or others
    if len(others) == 1:
        _turn_to(turn, others[0])
        return Turned.TO_ONE
    return Turned.ASKS if len(choices) > 1 else None


def _told_first(records: Sequence[book.ClaimRecord]) -> book.ClaimRecord:
    return min(records, key=lambda record: (record.claim.due_date, record.claim.id))


def _turn_to(turn: Turn, record: book.ClaimRecord) -> None:
    turn.remember(claim_id=record.claim.id, offer=None)


def _chosen(turn: Turn, records: Sequence[book.ClaimRecord], to_settle: bool) -> book.ClaimRecord:
    """The claim whose invoice the customer names, else the one talked about, else the oldest.

    "The other invoice" is the one of two that was not talked about when the line was written.
    """
    named = {_bare(number) for number in turn.heard.values("invoice_number") if number}
    wanted = turn.slot("claim_id")
    for record in records:
        if _bare(record.claim.invoice_number) in named:
            return record
    held = next((record for record in records if record.claim.id == wanted), records[0])
    other = turn.context.first_of_turn and names_other_claim(turn.heard.text)
    other = other and turn.slots.get("awaiting") != "which_claim"  # there it is one of the list
    if other and len(records) == 2 and held.claim.id == turn.slots.get("claim_id"):
        return records[0] if held is records[1] else records[1]
    return records[0] if to_settle and held.claim.status != ClaimStatus.OPEN else held


def _bare(number: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", number.upper())


async def say_nothing_to_do(turn: Turn) -> None:
    """Why there is no claim to talk about: nothing is open, or what is open is not pursued."""
    today, old, small = turn.facts.today, 0, 0
    for record in await _records(turn):
        if record.open.total.minor <= 0:
            continue
        if record.claim.limitation_date and record.claim.limitation_date < today:
            old += 1
        else:
            small += 1
    if old or small:
        turn.say("nothing_to_do", old=old, small=small, buttons=[PERSON])
    else:
        turn.say("nothing_open")


async def _records(turn: Turn) -> Sequence[book.ClaimRecord]:
    if turn.facts.customer_id is None:
        return []
    return await book.records_of(turn.context.session, turn.facts.customer_id, now=turn.context.now)


async def focus_to_speak_of(turn: Turn) -> Focus | None:
    """The claim in focus if its figures may be told now; else the reason is said, and None.

    The freshness lock holds here too: figures that the merchant has not confirmed within policy's
    time are not told, a person looks.
    """
    found = await focus(turn, to_settle=True)
    if found is None:
        turn.ask("none")
        await say_nothing_to_do(turn)
        return None
    if found.facts.status is ClaimStatus.DISPUTED:
        if _wants_to_settle(turn, found):
            turn.remember(wish={**turn.heard.to_data(), "action": turn.action, "ready": False})
            turn.ask("objection_check")
            turn.say(
                "dispute_over_ask",
                invoice=found.statement.invoice_number,
                buttons=[button("not_right", "affirm"), button("all_right", "deny")],
            )
            return None
        turn.ask("none")
        say_being_checked(turn, found)
        return None
    hours = turn.facts.policy.freshness_hours
    if not is_fresh(found.statement.confirmed_at, hours, turn.context.now):
        await turn.context.conversation.request_person("figures_not_confirmed", {})
        turn.ask("none")
        turn.say("figures_being_updated")
        return None
    return found


def say_being_checked(turn: Turn, found: Focus) -> None:
    """That we are looking into the invoice, and until when."""
    turn.say(
        "claim_being_checked",
        invoice=found.statement.invoice_number,
        answer_by=found.statement.paused_until,
    )


_SETTLES = frozenset(
    {
        *("pay_now", "promise_payment", "request_deferral"),
        *("request_instalments", "propose_amount"),
    }
)
_OBJECTS = frozenset({"dispute_goods", "dispute_unknown", "already_paid"})
"""What is said against one invoice, so that it must be known which one."""
_TAKEN_BACK_HERE = frozenset({"dispute_goods", "dispute_unknown", "dispute_other"})
"""What the customer objected to in the chat and may take back there; a withdrawal is not."""


def _wants_to_settle(turn: Turn, found: Focus) -> bool:
    """Whether somebody who objected now says how to pay: is it cleared up, perhaps?"""
    return turn.heard.intent in _SETTLES and may_take_back(found)


def may_take_back(found: Focus) -> bool:
    """Whether the customer's word is enough to end the check of the claim."""
    disputed = found.facts.status is ClaimStatus.DISPUTED
    return disputed and found.statement.pause_reason in _TAKEN_BACK_HERE


def tell_once(turn: Turn, found: Focus) -> None:
    """Say in a line what the talk is about, unless the customer has seen it."""
    if turn.slot("claim_shown") == found.statement.claim_id:
        return
    statement = found.statement
    turn.remember(claim_shown=statement.claim_id)
    turn.say(
        "claim_short",
        what=statement.description,
        invoice=statement.invoice_number,
        invoice_date=statement.invoice_date,
        open=found.open,
        costs=statement.charged.costs,
        interest=statement.charged.interest,
    )

"""Posting a command where its value date belongs: interest before it, later things anew behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from ledger import rebooking
from ledger.chain import chained
from ledger.posting import (
    Movement,
    Posting,
    PostingKind,
    effective,
    interest_charge,
    open_amount,
    set_off,
)
from ledger.rebooking import Act, InterestTerms

MovementsFor = Callable[[Sequence[Posting]], Sequence[Movement]]
_DRAFTED_AT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Draft:
    """A claim's postings as they would be, with the movements that make them so.

    ``standing`` are those that count.
    """

    claim_id: int
    currency: str
    key: str
    terms: InterestTerms
    postings: list[Posting]
    standing: list[Posting]
    movements: list[Movement] = field(default_factory=list)

    def post(self, movements: Sequence[Movement], day: date) -> None:
        """Post movements; those without a value date of their own on that day."""
        dated = [replace(one, value_date=one.value_date or day) for one in movements]
        last = self.postings[-1] if self.postings else None
        made = chained(
            self.claim_id,
            last,
            dated,
            value_date=day,
            booked_at=_DRAFTED_AT,
            key=self.key,
            input_hash="",
        )
        self.postings += made
        self.standing += (one for one in made if one.kind is not PostingKind.REBOOKING)
        self.movements += dated

    def charge(self, through: date) -> None:
        """Charge the interest up to that day that is missing."""
        due = rebooking.interest_due(self.standing, self.terms, through, self.currency)
        if due.minor > 0:
            self.post(interest_charge(due), through)

    def set_off(self, day: date) -> None:
        """Bring both sides of the claim together."""
        self.post(set_off(open_amount(self.standing, self.currency)), day)

    def repeat(self, act: Act) -> None:
        """Post again what was taken back."""
        self.charge(act.value_date)
        open_ = open_amount(self.standing, self.currency)
        again = rebooking.again(act, self.standing, self.postings, open_)
        self.post(again, act.value_date)
        self.set_off(act.value_date)


def in_value_order(
    postings: Sequence[Posting],
    movements_for: MovementsFor,
    terms: InterestTerms,
    *,
    claim_id: int,
    value_date: date,
    currency: str,
    key: str,
    undoes: bool = False,
    charges_only: bool = False,
) -> tuple[Movement, ...]:
    """All that one command posts on a claim, each movement with its value date.

    First what has a later value date is taken back, then interest is charged up to the command's
    day, then come its own movements, then the rest anew. What ``undoes`` something takes effect
    on the day of that at the earliest; a command that ``charges_only`` interest goes behind
    everything. Raises what ``movements_for`` raises.
    """
    day = value_date
    if undoes:
        undone = {movement.reverses for movement in movements_for(postings)}
        day = max([day, *(one.value_date for one in postings if one.number in undone)])
    if charges_only:
        day = max(day, rebooking.last_day(postings) or day)
    tail, acts = rebooking.later(postings, day, terms, currency)
    taken_back = {posting.number for posting in tail}
    standing = [one for one in effective(postings) if one.number not in taken_back]
    draft = _Draft(claim_id, currency, key, terms, list(postings), standing)
    draft.post(rebooking.undoing(tail), day)
    for act in acts:
        if act.value_date <= day:
            draft.repeat(act)
    draft.charge(day)
    draft.post(movements_for(draft.postings), day)
    draft.set_off(day)
    for act in acts:
        if act.value_date > day:
            draft.repeat(act)
    if tail:
        draft.charge(max(day, tail[-1].value_date))
    return tuple(draft.movements)

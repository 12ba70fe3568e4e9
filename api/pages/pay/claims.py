"""A customer's claims as their page shows them: what they are, what is asked for, what was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from ledger.agreements import AgreementStatus, AgreementTerms, Settlement
from ledger.book import ClaimRecord
from ledger.claim import ClaimFacts, ClaimStatus, is_fresh
from ledger.interest import Interest
from ledger.itemised import credits
from ledger.money import Money, total
from ledger.statement import AgreementRecord, Statement
from negotiation.policy import Policy

PAYABLE = frozenset({"open", "paused"})


@dataclass(frozen=True, slots=True)
class Received:
    """Something that took off what is owed, or undid that; `amount` is negative then."""

    kind: str
    day: date
    amount: Money


@dataclass(frozen=True)
class ClaimView:
    """One claim, with what may be said and done about it now."""

    record: ClaimRecord
    statement: Statement
    facts: ClaimFacts
    state: str
    """``open``, ``paused``, ``disputed``, ``updating``, ``barred``, ``small``, ``settled``,
    ``recalled`` or ``written_off``."""

    @property
    def id(self) -> int:
        return self.statement.claim_id

    @property
    def payable(self) -> bool:
        """Whether it can be paid and agreed about here."""
        return self.state in PAYABLE

    @property
    def shows_figures(self) -> bool:
        """Whether its figures are told: not before the merchant has confirmed them, and not where
        nothing is asked for any more, lest somebody pays by mistake."""
        return self.state not in ("updating", "barred")

    @property
    def open(self) -> Money:
        return self.statement.open.total

    @cached_property
    def agreement(self) -> AgreementRecord | None:
        """The agreement in force."""
        record = self.statement.agreement
        return record if record and record.status is AgreementStatus.ACTIVE else None

    @cached_property
    def due_today(self) -> Money:
        """What should have been paid by the end of today."""
        today = self.facts.today
        if self.agreement is not None:
            parts = [p.missing for p in self.agreement.progress if p.instalment.due <= today]
            return min(total(parts, self.open.currency), self.open)
        return self.open if self.statement.due_date <= today else Money.zero(self.open.currency)

    @property
    def to_pay(self) -> Money:
        """What to transfer next: the coming instalment, or all that is open."""
        following = self.agreement.next_instalment if self.agreement else None
        return min(following.missing, self.open) if following else self.open

    @property
    def may_pay_all(self) -> bool:
        """Whether all at once is another amount than what comes next."""
        settles = self.agreement is not None and isinstance(self.agreement.terms, Settlement)
        return self.to_pay != self.open and not settles

    @cached_property
    def interest(self) -> Interest | None:
        """How the interest came about, where we reckoned it."""
        found = self.record.interest
        return found if found.amount and found.amount == self.statement.charged.interest else None

    def interest_effect(self, terms: AgreementTerms) -> str:
        """The code of what an agreement does to interest."""
        return self.record.interest_effect(terms)

    @cached_property
    def received(self) -> Sequence[Received]:
        """Payments, credit notes and what was let go, oldest first; each command is one line."""
        return [
            Received(one.kind.value, one.day, one.amount)
            for one in credits(self.record.postings, self.open.currency)
            if one.amount
        ]


def view_of(record: ClaimRecord, policy: Policy, now: datetime) -> ClaimView:
    """A claim as it is shown now."""
    facts = record.facts(now)
    return ClaimView(record, record.statement(), facts, _state(record, facts, policy, now))


def _state(record: ClaimRecord, facts: ClaimFacts, policy: Policy, now: datetime) -> str:
    claim = record.claim
    if facts.status not in (ClaimStatus.OPEN, ClaimStatus.DISPUTED):
        return facts.status.value
    if facts.status is ClaimStatus.DISPUTED:
        return "disputed"
    if facts.balance.minor <= 0:
        return "settled"
    if facts.time_barred:
        return "barred"
    if policy.lets_go(facts.balance):
        return "small"
    if not is_fresh(claim.confirmed_at, policy.freshness_hours, now):
        return "updating"
    paused = claim.paused_until is not None and claim.paused_until >= facts.today
    return "paused" if paused else "open"

"""How far an agreement is kept: what was paid since, spread over its instalments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise

from ledger.agreements import AgreementTerms, Instalment
from ledger.money import Money
from ledger.posting import Account, Posting

_FROM_THE_CUSTOMER = (Account.COSTS, Account.INTEREST, Account.PRINCIPAL, Account.OVERPAID)


class PartState(StrEnum):
    """How an instalment stands on a day."""

    PAID = "paid"
    PAID_EARLY = "paid_early"
    PARTLY_PAID = "partly_paid"
    LATE = "late"
    TO_PAY = "to_pay"


@dataclass(frozen=True, slots=True)
class InstalmentProgress:
    """How far an instalment is paid; payments fill the instalments in order.

    ``paid_on`` is the value date of the payment that completed it, ``noted_at`` when that payment
    was booked; both are empty while something is missing.
    """

    instalment: Instalment
    paid: Money
    paid_on: date | None = None
    noted_at: datetime | None = None

    @property
    def missing(self) -> Money:
        return self.instalment.amount - self.paid

    def overdue(self, today: date) -> bool:
        """Whether something is missing and the due day has passed."""
        return bool(self.missing) and self.instalment.due < today

    @property
    def paid_early(self) -> bool:
        """Whether it was complete before its day came."""
        return self.paid_on is not None and self.paid_on < self.instalment.due

    def state(self, today: date) -> PartState:
        """How it stands on a day."""
        if not self.missing:
            return PartState.PAID_EARLY if self.paid_early else PartState.PAID
        if self.overdue(today):
            return PartState.LATE
        return PartState.PARTLY_PAID if self.paid else PartState.TO_PAY


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid in all after one posting of money."""

    sum: Money
    value_date: date
    booked_at: datetime


def money_since(postings: Iterable[Posting], number: int, currency: str) -> tuple[Paid, ...]:
    """The sum of all money after posting ``number``, after each posting that moved some.

    Credit notes are no money: they change what was agreed (``ledger.repricing``).
    """
    paid, result = Money.zero(currency), []
    for posting in postings:
        if posting.number <= number:
            continue
        if posting.destination is Account.CASH and posting.source in _FROM_THE_CUSTOMER:
            paid += posting.amount
        elif posting.source is Account.CASH and posting.destination in _FROM_THE_CUSTOMER:
            paid -= posting.amount
        else:
            continue
        result.append(Paid(paid, posting.value_date, posting.booked_at))
    return tuple(result)


def progress(terms: AgreementTerms, payments: Sequence[Paid]) -> tuple[InstalmentProgress, ...]:
    """Spread what was paid since the agreement over its instalments, first one first."""
    zero = Money.zero(terms.total.currency)
    left = max(payments[-1].sum, zero) if payments else zero
    result, until = [], zero
    for instalment in terms.instalments:
        part = min(left, instalment.amount)
        left -= part
        until += instalment.amount
        by = _completed_by(payments, until) if part == instalment.amount else None
        result.append(
            InstalmentProgress(
                instalment, part, by.value_date if by else None, by.booked_at if by else None
            )
        )
    return tuple(result)


def _completed_by(payments: Sequence[Paid], needed: Money) -> Paid | None:
    """The payment by which the sum was reached for good; one that came back does not count."""
    sums = [Money.zero(needed.currency), *(payment.sum for payment in payments)]
    found = None
    for (was, now), payment in zip(pairwise(sums), payments, strict=True):
        if was < needed <= now:
            found = payment
    return found

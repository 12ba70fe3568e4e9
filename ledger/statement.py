"""What the book answers with: receipts of postings, agreements with progress, statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ledger.agreements import AgreementStatus, AgreementTerms, InstalmentPlan
from ledger.claim import ClaimStatus, OpenAmount
from ledger.interest import Interest
from ledger.money import Money
from ledger.posting import (
    Account,
    Posting,
    PostingKind,
    account_balance,
    effective,
    open_amount,
)
from ledger.progress import InstalmentProgress, money_since, progress
from ledger.schedule import Period


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one command posted, and what was open on the claim right after it."""

    claim_id: int
    postings: tuple[Posting, ...]
    open_after: OpenAmount

    @property
    def settled(self) -> bool:
        """Whether nothing was open any more."""
        return not self.open_after.total


@dataclass(frozen=True, slots=True)
class AgreementRecord:
    """An agreement as it stands in the ledger; ``progress`` fills its instalments in order.

    ``because`` says what made it take the place of an earlier one (``ledger.repricing.Because``).
    """

    id: int
    claim_id: int
    conversation_id: int | None
    status: AgreementStatus
    terms: AgreementTerms
    agreed_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    progress: tuple[InstalmentProgress, ...]
    because: str | None = None

    @property
    def rhythm(self) -> Period | None:
        """How often an instalment is due; None for what is no plan."""
        return self.terms.rhythm if isinstance(self.terms, InstalmentPlan) else None

    @property
    def next_instalment(self) -> InstalmentProgress | None:
        """The first instalment that is not fully paid."""
        return next((part for part in self.progress if part.missing), None)

    def overdue(self, today: date) -> tuple[InstalmentProgress, ...]:
        """Instalments whose due day has passed without being fully paid."""
        return tuple(part for part in self.progress if part.overdue(today))


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A posting as a line of a statement, with the whole open amount after it."""

    posting: Posting
    open_after: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything about one claim: its facts, each posting, totals and agreements.

    ``totals`` are the amounts per kind of posting, reversals not deducted, and what was booked
    anew counted once; ``charged`` is what
    was asked for by part, reversals deducted; ``paid`` is what was paid, returned payments
    deducted. ``interest`` is how default interest came about up to the day of the
    statement; ``accrued`` is the part of it that is not posted yet, and is contained in
    ``charged`` and ``open``. ``intact`` says whether the hash chain holds. ``agreement`` is the
    active one, or the last one where none is.
    """

    claim_id: int
    reference: str
    invoice_number: str
    order_number: str | None
    description: str
    customer_number: str
    rf_reference: str
    currency: str
    status: ClaimStatus
    invoice_date: date
    due_date: date
    default_since: date | None
    limitation_date: date | None
    costs_reason: str | None
    paused_until: date | None
    pause_reason: str | None
    confirmed_at: datetime | None
    lines: tuple[StatementLine, ...]
    charged: OpenAmount
    totals: Mapping[PostingKind, Money]
    paid: Money
    open: OpenAmount
    intact: bool
    interest: Interest
    accrued: Money
    agreement: AgreementRecord | None
    earlier_agreements: tuple[AgreementRecord, ...]


def statement_lines(postings: Sequence[Posting], currency: str) -> tuple[StatementLine, ...]:
    """Each posting with what was open after it."""
    return tuple(
        StatementLine(posting, open_amount(postings[:count], currency).total)
        for count, posting in enumerate(postings, 1)
    )


def charged(postings: Sequence[Posting], currency: str) -> OpenAmount:
    """What was asked for by part, before any payment."""
    return OpenAmount(
        costs=-account_balance(postings, Account.COSTS_CHARGED, currency),
        interest=-account_balance(postings, Account.INTEREST_CHARGED, currency),
        principal=-account_balance(postings, Account.REVENUE, currency),
        overpaid=Money.zero(currency),
    )


def totals(postings: Sequence[Posting], currency: str) -> dict[PostingKind, Money]:
    """The amounts per kind of posting; kinds that do not occur are left out."""
    result: dict[PostingKind, Money] = {}
    for posting in effective(postings):
        before = result.get(posting.kind, Money.zero(currency))
        result[posting.kind] = before + posting.amount
    return result


def agreement_progress(
    terms: AgreementTerms, postings: Sequence[Posting], after_posting: int
) -> tuple[InstalmentProgress, ...]:
    """The instalments with what was paid on the claim since the agreement."""
    return progress(terms, money_since(postings, after_posting, terms.total.currency))

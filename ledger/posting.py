"""Double-entry postings: what moves between which accounts.

A posting moves a positive amount from a source to a destination account. The balance of an
account is what arrived minus what left; nothing is ever edited, an undo is a reversed posting.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ledger.claim import OpenAmount
from ledger.errors import (
    AmountNotPositive,
    ReturnExceedsPayments,
    WaiverExceedsBalance,
)
from ledger.money import Money


class Account(StrEnum):
    """The accounts of a claim."""

    PRINCIPAL = "receivable:principal"
    COSTS = "receivable:costs"
    INTEREST = "receivable:interest"
    OVERPAID = "payable:overpaid"
    """What the customer gets back; its balance is zero or negative."""
    REVENUE = "revenue"
    COSTS_CHARGED = "revenue:costs"
    INTEREST_CHARGED = "revenue:interest"
    CASH = "cash"
    RETURNS = "returns"
    """Goods sent back and other reasons of a credit note."""
    GOODWILL = "goodwill"
    """What the merchant lets go."""


class PostingKind(StrEnum):
    """Why an amount moves."""

    OPENING = "opening"
    INTEREST = "interest"
    CHARGE = "charge"
    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    RETURN = "return"
    WAIVER = "waiver"
    REVERSAL = "reversal"
    SET_OFF = "set_off"
    """What was overpaid meets what is open (again)."""
    REMINDER_COSTS = "reminder_costs"
    LUMP_SUM = "lump_sum"
    """40 € from a business in default (§ 288 V BGB)."""
    LEGAL_COSTS = "legal_costs"
    TRANSIT_INTEREST = "transit_interest"
    """Interest of the days between an amount that was shown and its payment, let go."""
    SMALL_REST = "small_rest"
    """A small rest of default interest, let go."""
    REBOOKING = "rebooking"
    """Undoes what is booked anew right after: an earlier value date or another rate came in."""


LEFT_OVER = frozenset({PostingKind.TRANSIT_INTEREST, PostingKind.SMALL_REST})
"""What is let go because time alone left it open; see :mod:`ledger.left_over`."""
LET_GO = LEFT_OVER | {PostingKind.WAIVER}


class Marking(StrEnum):
    """What a payment is for.

    ``BY_LAW``: costs, interest, principal (§ 367 BGB). ``CONSUMER_LOAN``: costs, principal,
    interest (§ 497 III BGB). The others: as the customer marked it, the rest by law (a creditor
    who keeps a payment marked so accepts the marking, § 367 II BGB). ``AS_STATED`` is no
    payment's: the merchant's own books named the parts of a correction.
    """

    BY_LAW = "by_law"
    CONSUMER_LOAN = "consumer_loan"
    PRINCIPAL_FIRST = "principal_first"
    INTEREST_FIRST = "interest_first"
    AS_STATED = "as_stated"


_ORDERS = {
    Marking.BY_LAW: (Account.COSTS, Account.INTEREST, Account.PRINCIPAL),
    Marking.CONSUMER_LOAN: (Account.COSTS, Account.PRINCIPAL, Account.INTEREST),
    Marking.PRINCIPAL_FIRST: (Account.PRINCIPAL, Account.COSTS, Account.INTEREST),
    Marking.INTEREST_FIRST: (Account.INTEREST, Account.COSTS, Account.PRINCIPAL),
}
# Costs and interest of a claim fall with its price, so a credit note takes the price first.
_CREDIT_NOTE_ORDER = (Account.PRINCIPAL, Account.COSTS, Account.INTEREST)
WAIVER_ORDER = (Account.INTEREST, Account.COSTS, Account.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount that is to move from ``source`` to ``destination``.

    ``reverses`` is the number of the posting that it undoes, where it undoes one; ``marking``,
    ``rebooks`` and ``value_date`` are the posting's, the last one where it is not the command's.
    """

    kind: PostingKind
    source: Account
    destination: Account
    amount: Money
    reverses: int | None = None
    marking: Marking | None = None
    rebooks: int | None = None
    value_date: date | None = None

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise AmountNotPositive(str(self.amount))
        if self.source == self.destination:
            raise ValueError("an amount moves between two accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A movement that was posted: the ``number``-th of its claim, sealed by ``hash``.

    ``reverses`` is the number of the posting that this one undoes, ``rebooks`` that of the first
    posting of an earlier command whose effect this one books anew. Several postings of one
    command share ``input_hash`` and the first part of their ``idempotency_key``.
    """

    claim_id: int
    number: int
    kind: PostingKind
    source: Account
    destination: Account
    amount: Money
    value_date: date
    booked_at: datetime
    reverses: int | None
    idempotency_key: str
    input_hash: str
    previous_hash: str
    hash: str
    marking: Marking | None = None
    rebooks: int | None = None

    @property
    def command_key(self) -> str:
        """The idempotency key of the command that made this posting."""
        return self.idempotency_key.rpartition("#")[0]


def account_balance(postings: Iterable[Posting], account: Account, currency: str) -> Money:
    """What arrived on the account minus what left it."""
    balance = Money.zero(currency)
    for posting in postings:
        if posting.destination is account:
            balance += posting.amount
        elif posting.source is account:
            balance -= posting.amount
    return balance


def open_amount(postings: Sequence[Posting], currency: str) -> OpenAmount:
    """What is open on a claim after these postings."""
    return OpenAmount(
        costs=account_balance(postings, Account.COSTS, currency),
        interest=account_balance(postings, Account.INTEREST, currency),
        principal=account_balance(postings, Account.PRINCIPAL, currency),
        overpaid=-account_balance(postings, Account.OVERPAID, currency),
    )


def _part(open_: OpenAmount, account: Account) -> Money:
    return {
        Account.COSTS: open_.costs,
        Account.INTEREST: open_.interest,
        Account.PRINCIPAL: open_.principal,
    }[account]


def opening(principal: Money, costs: Money, interest: Money) -> tuple[Movement, ...]:
    """The first movements of a claim: its price, and costs and interest where there are any.

    Raises ``AmountNotPositive`` unless the price is positive and the others are not negative.
    """
    if principal.minor <= 0 or costs.minor < 0 or interest.minor < 0:
        raise AmountNotPositive("a claim opens with a positive price, and no negative part")
    parts = (
        (Account.REVENUE, Account.PRINCIPAL, principal),
        (Account.COSTS_CHARGED, Account.COSTS, costs),
        (Account.INTEREST_CHARGED, Account.INTEREST, interest),
    )
    return tuple(Movement(PostingKind.OPENING, *part) for part in parts if part[2])


def _spread(
    amount: Money, open_: OpenAmount, order: Sequence[Account]
) -> tuple[list[tuple[Account, Money]], Money]:
    parts = []
    for account in order:
        taken = min(amount, _part(open_, account))
        if taken.minor > 0:
            parts.append((account, taken))
            amount -= taken
    return parts, amount


def _require_positive(amount: Money) -> None:
    if amount.minor <= 0:
        raise AmountNotPositive(str(amount))


def payment(
    amount: Money, open_: OpenAmount, marking: Marking = Marking.BY_LAW
) -> tuple[Movement, ...]:
    """Allocate a payment within its claim (§ 367 BGB); what is too much is kept as overpaid."""
    _require_positive(amount)
    parts, left = _spread(amount, open_, _ORDERS[marking])
    if left:
        parts.append((Account.OVERPAID, left))
    kept = None if marking is Marking.BY_LAW else marking
    return tuple(
        Movement(PostingKind.PAYMENT, account, Account.CASH, part, marking=kept)
        for account, part in parts
    )


def credit_note(amount: Money, open_: OpenAmount) -> tuple[Movement, ...]:
    """Take a credit note off the price, then costs, then interest; the rest is overpaid."""
    _require_positive(amount)
    parts, left = _spread(amount, open_, _CREDIT_NOTE_ORDER)
    if left:
        parts.append((Account.OVERPAID, left))
    return tuple(
        Movement(PostingKind.CREDIT_NOTE, account, Account.RETURNS, part) for account, part in parts
    )


def waiver(
    amount: Money,
    open_: OpenAmount,
    order: Sequence[Account] = WAIVER_ORDER,
    *,
    kind: PostingKind = PostingKind.WAIVER,
) -> tuple[Movement, ...]:
    """Let an amount go: interest, then costs, then principal; ``kind`` says why.

    Raises ``WaiverExceedsBalance`` when more should be let go than the ``order`` names.
    """
    _require_positive(amount)
    parts, left = _spread(amount, open_, order)
    if left:
        raise WaiverExceedsBalance(f"{amount} of {open_.total}")
    return tuple(Movement(kind, account, Account.GOODWILL, part) for account, part in parts)


def interest_charge(amount: Money) -> tuple[Movement, ...]:
    """Add default interest that has accrued."""
    _require_positive(amount)
    return (Movement(PostingKind.INTEREST, Account.INTEREST_CHARGED, Account.INTEREST, amount),)


def plan_charge(amount: Money) -> tuple[Movement, ...]:
    """Add what an instalment plan costs."""
    _require_positive(amount)
    return (Movement(PostingKind.CHARGE, Account.COSTS_CHARGED, Account.COSTS, amount),)


def costs_charge(kind: PostingKind, amount: Money) -> tuple[Movement, ...]:
    """Add costs of default: of a reminder, the lump sum, or of the pursuit at law."""
    _require_positive(amount)
    return (Movement(kind, Account.COSTS_CHARGED, Account.COSTS, amount),)


def costs_credit(kind: PostingKind, amount: Money) -> tuple[Movement, ...]:
    """Take costs of default back in part."""
    _require_positive(amount)
    return (Movement(kind, Account.COSTS, Account.COSTS_CHARGED, amount),)


def returned_payment(
    amount: Money, paid: Sequence[Posting], undone: Mapping[int, Money]
) -> tuple[Movement, ...]:
    """Take back a payment that bounced: its latest parts first, each to where it came from.

    ``paid`` are the postings of the payment (or of all payments), ``undone`` what was taken back
    of each posting number before. Raises ``ReturnExceedsPayments``.
    """
    _require_positive(amount)
    movements = []
    for posting in reversed(paid):
        left = posting.amount - undone.get(posting.number, Money.zero(amount.currency))
        taken = min(amount, left)
        if taken.minor > 0:
            movements.append(
                Movement(PostingKind.RETURN, Account.CASH, posting.source, taken, posting.number)
            )
            amount -= taken
    if amount:
        raise ReturnExceedsPayments(f"{amount} more than was paid")
    return tuple(movements)


def effective(postings: Sequence[Posting]) -> list[Posting]:
    """The postings without those that were booked anew, and without their undoing."""
    gone: set[int] = set()
    for posting in postings:
        if posting.kind is PostingKind.REBOOKING:
            gone.add(posting.number)
            if posting.reverses is not None:
                gone.add(posting.reverses)
    return [posting for posting in postings if posting.number not in gone]


def undone_amounts(postings: Iterable[Posting]) -> dict[int, Money]:
    """How much of each posting number later postings took back."""
    undone: dict[int, Money] = {}
    for posting in postings:
        if posting.reverses is not None:
            before = undone.get(posting.reverses, Money.zero(posting.amount.currency))
            undone[posting.reverses] = before + posting.amount
    return undone


def reversal(postings: Sequence[Posting]) -> tuple[Movement, ...]:
    """Undo the postings of one command: the same amounts the other way, last one first."""
    return tuple(
        Movement(
            PostingKind.REVERSAL,
            posting.destination,
            posting.source,
            posting.amount,
            posting.number,
        )
        for posting in reversed(postings)
    )


def set_off(open_: OpenAmount) -> tuple[Movement, ...]:
    """Bring both sides of a claim together, so that it is never open and overpaid at once.

    A part that fell below zero (what was charged was paid, then undone) becomes overpaid; what
    is overpaid pays what is open; what was given back too much is open again.
    """
    movements = []
    overpaid = open_.overpaid
    parts = {account: _part(open_, account) for account in _ORDERS[Marking.BY_LAW]}
    for account, part in parts.items():
        if part.minor < 0:
            movements.append(Movement(PostingKind.SET_OFF, Account.OVERPAID, account, -part))
            overpaid -= part
            parts[account] = Money.zero(part.currency)
    if overpaid.minor < 0:
        movements.append(
            Movement(PostingKind.SET_OFF, Account.OVERPAID, Account.PRINCIPAL, -overpaid)
        )
        return tuple(movements)
    for account, part in parts.items():
        taken = min(part, overpaid)
        if taken.minor > 0:
            movements.append(Movement(PostingKind.SET_OFF, account, Account.OVERPAID, taken))
            overpaid -= taken
    return tuple(movements)


def money_received(postings: Iterable[Posting], currency: str) -> Money:
    """What the customer paid, returned payments deducted; credit notes are not money."""
    return account_balance(postings, Account.CASH, currency)

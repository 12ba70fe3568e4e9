"""A claim item by item: what was asked for, and what was set off against it.

Both sides are made of the postings that count, so they add up to what is open: what was booked
anew appears once, and costs that were taken back lower what was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.claim import OpenAmount
from ledger.money import Money, total
from ledger.posting import Account, Posting, PostingKind, effective, open_amount
from ledger.rebooking import first_numbers, origin

ASKED_BY = {
    Account.REVENUE: Account.PRINCIPAL,
    Account.COSTS_CHARGED: Account.COSTS,
    Account.INTEREST_CHARGED: Account.INTEREST,
}


@dataclass(frozen=True, slots=True)
class Charge:
    """Something that is asked for; what was taken back of it has a negative ``amount``."""

    kind: PostingKind
    part: Account
    day: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Credit:
    """What one command took off the parts of a claim; negative where it gave something back."""

    kind: PostingKind
    day: date
    parts: OpenAmount

    @property
    def amount(self) -> Money:
        """All parts together, also what was too much."""
        return self.parts.total + self.parts.overpaid


def charges(postings: Sequence[Posting]) -> list[Charge]:
    """What was asked for, in the order of value dates."""
    found = []
    for posting in effective(postings):
        if part := ASKED_BY.get(posting.source):
            found.append(Charge(posting.kind, part, posting.value_date, posting.amount))
        elif part := ASKED_BY.get(posting.destination):
            found.append(Charge(posting.kind, part, posting.value_date, -posting.amount))
    return sorted(found, key=lambda charge: charge.day)


def credits(postings: Sequence[Posting], currency: str) -> list[Credit]:
    """What was paid, let go and given back, each command once, in the order of value dates."""
    firsts = first_numbers(postings)
    commands: dict[tuple[date, int, PostingKind], list[Posting]] = {}
    for posting in effective(postings):
        if not {posting.source, posting.destination} & ASKED_BY.keys():
            key = (posting.value_date, origin(posting, firsts), posting.kind)
            commands.setdefault(key, []).append(posting)
    found = []
    for day, number, kind in sorted(commands, key=lambda key: key[:2]):
        left = open_amount(commands[day, number, kind], currency)
        parts = OpenAmount(-left.costs, -left.interest, -left.principal, left.overpaid)
        found.append(Credit(kind, day, parts))
    return found


def asked_for(found: Sequence[Charge], part: Account, currency: str) -> Money:
    """What the charges of one part come to."""
    return total((charge.amount for charge in found if charge.part is part), currency)

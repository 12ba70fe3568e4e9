"""What time alone leaves open after a payment, and whether it is let go (pure).

An amount is shown on one day and arrives on another, and interest goes on meanwhile. Nobody who
paid what they were shown shall be asked for the cents of those days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from ledger.claim import OpenAmount
from ledger.money import Money, total
from ledger.posting import (
    LEFT_OVER,
    Movement,
    Posting,
    PostingKind,
    effective,
    reversal,
    undone_amounts,
    waiver,
)
from ledger.rebooking import InterestTerms, interest_asked

TRANSIT_DAYS: Final = 7
"""Time for a letter's QR code to be scanned and a transfer to arrive over a weekend."""
SMALL_REST_BELOW_MINOR: Final = 1_00
"""Less than asking for it costs, by the cheapest letter."""


@dataclass(frozen=True, slots=True)
class LettingGo:
    """What a merchant lets go: the interest of so many days, and rests of interest below this."""

    transit_days: int = TRANSIT_DAYS
    small_rest_below_minor: int = SMALL_REST_BELOW_MINOR

    @classmethod
    def of_policy(cls, data: Mapping[str, Any]) -> "LettingGo":
        """Out of the merchant's policy as it is stored, which names only what is not usual."""
        return cls(
            data.get("transit_days", TRANSIT_DAYS),
            data.get("small_rest_below_minor", SMALL_REST_BELOW_MINOR),
        )


def let_go(
    postings: Sequence[Posting], open_: OpenAmount, terms: InterestTerms, policy: LettingGo
) -> tuple[Movement, ...]:
    """What a payment that was just posted leaves open and nobody shall be asked for.

    The whole rest, where the amount was complete on one of the ``transit_days`` before it arrived:
    then it is no more than the interest of those days. A small rest too, where it is no more than
    the interest that was charged in all. Price and costs are never let go.
    """
    rest, currency = open_.total, open_.principal.currency
    standing = effective(postings)
    undone = undone_amounts(standing)
    paid_on = [
        posting.value_date
        for posting in standing
        if posting.kind is PostingKind.PAYMENT and posting.amount != undone.get(posting.number)
    ]
    if not rest or not paid_on:
        return ()
    if rest <= on_the_way(standing, terms, max(paid_on), policy, currency):
        return waiver(rest, open_, kind=PostingKind.TRANSIT_INTEREST)
    charged = total(
        (posting.amount for posting in standing if posting.kind is PostingKind.INTEREST), currency
    )
    if rest <= charged and rest < Money(policy.small_rest_below_minor, currency):
        return waiver(rest, open_, kind=PostingKind.SMALL_REST)
    return ()


def on_the_way(
    postings: Sequence[Posting],
    terms: InterestTerms,
    arrived: date,
    policy: LettingGo,
    currency: str,
) -> Money:
    """The interest of the days before ``arrived`` on which an amount may have been shown."""
    shown = arrived - timedelta(days=policy.transit_days)
    return interest_asked(postings, terms, arrived, currency) - interest_asked(
        postings, terms, shown, currency
    )


def taken_back(postings: Sequence[Posting]) -> tuple[Movement, ...]:
    """What undoes all that was let go so: the payment that had left it did not stay."""
    standing = effective(postings)
    undone = undone_amounts(standing)
    return reversal([p for p in standing if p.kind in LEFT_OVER and p.number not in undone])

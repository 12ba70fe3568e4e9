"""Which claim a payment is for when a customer has several: § 366 BGB."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from ledger.money import Money, total


@dataclass(frozen=True, slots=True)
class OwedClaim:
    """What the order of several claims depends on."""

    claim_id: int
    open: Money
    due_date: date
    limitation_date: date | None
    bears_interest: bool
    on_the_way: Money | None = None
    """What of it is let go where nothing else is missing (:mod:`ledger.left_over`)."""


def allocate_payment(
    amount: Money, claims: Sequence[OwedClaim], *, today: date, chosen: int | None = None
) -> dict[int, Money]:
    """Spread a payment over a customer's claims, by claim id; nothing goes to claims left out.

    The claim that the customer chose comes first (§ 366 I). Then what is due, of that what is safe
    for the shortest time (limitation), then what bears interest, then the oldest; claims alike in
    all share in proportion (§ 366 II). What is time-barred is not pursued, so it comes last. More
    than everything goes on the last claim that was reached. Where no more is missing than what is
    let go on all claims together, each misses its own part. Raises ``ValueError`` without claims.
    """
    if not claims:
        raise ValueError("a payment needs a claim to go to")
    missing = total((claim.open for claim in claims), amount.currency) - amount
    if 0 < missing.minor <= sum(claim.on_the_way.minor for claim in claims if claim.on_the_way):
        return _each_short_of_its_own(missing, claims)

    def rank(claim: OwedClaim) -> tuple[bool, bool, bool, date, bool, date]:
        barred = claim.limitation_date is not None and claim.limitation_date < today
        return (
            claim.claim_id != chosen,
            barred,
            claim.due_date > today,
            claim.limitation_date or date.max,
            not claim.bears_interest,
            claim.due_date,
        )

    shares: dict[int, Money] = {}
    left = amount
    ordered = sorted(claims, key=lambda claim: (rank(claim), claim.claim_id))
    for _, alike in groupby(ordered, key=rank):
        for claim_id, share in _in_proportion(left, [*alike]).items():
            shares[claim_id] = share
            left -= share
        if not left:
            break
    if left:
        last = ordered[-1].claim_id
        shares[last] = shares.get(last, Money.zero(amount.currency)) + left
    return {claim_id: share for claim_id, share in shares.items() if share}


def _each_short_of_its_own(missing: Money, claims: Sequence[OwedClaim]) -> dict[int, Money]:
    """All that is open, less what was on the way, as far as that is missing."""
    shares = {}
    for claim in claims:
        short = min(missing, claim.on_the_way or Money.zero(missing.currency))
        shares[claim.claim_id] = claim.open - short
        missing -= short
    return {claim_id: share for claim_id, share in shares.items() if share}


def _in_proportion(amount: Money, claims: Sequence[OwedClaim]) -> dict[int, Money]:
    """Shares of claims alike, together at most what is open on them; no cent is lost."""
    open_ = sum(claim.open.minor for claim in claims)
    given = min(amount.minor, open_)
    shares: dict[int, Money] = {}
    for claim in claims:
        # Each takes its part of what is left, so the last one gets exactly the remainder.
        part = given * claim.open.minor // open_ if open_ else 0
        shares[claim.claim_id] = Money(part, amount.currency)
        given -= part
        open_ -= claim.open.minor
    return shares

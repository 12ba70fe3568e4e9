"""Default interest that is still to come under terms that do not stop it: an outlook."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ledger.agreements import AgreementTerms, InstalmentPlan, Promise, Settlement
from ledger.claim import OpenAmount
from ledger.interest import PrincipalChange, default_interest
from ledger.money import Money
from ledger.posting import Account, Posting, PostingKind, effective
from ledger.rebooking import InterestTerms, principal_changes


def interest_ahead(
    postings: Sequence[Posting],
    owed: OpenAmount,
    terms: InterestTerms,
    agreed: AgreementTerms,
    today: date,
) -> Money:
    """What is added until the last agreed day, if each amount arrives on its own.

    ``owed`` is what is open today. Payments go to costs, interest and principal in this order
    (§ 367 I BGB); interest that the merchant had charged before counts first. Nothing where the
    terms stop interest, or let it go once they are kept, as a promise and a settlement do.
    """
    currency = owed.principal.currency
    zero = Money.zero(currency)
    let_go = agreed.stops_interest or isinstance(agreed, Promise | Settlement)
    if let_go or terms.default_since is None:
        return zero
    # What stops it now ends with the agreement that these terms would replace.
    stopped = tuple(
        replace(span, last=min(span.last, today)) for span in terms.stopped if span.first <= today
    )
    opened = zero
    for posting in effective(postings):
        if posting.kind is PostingKind.OPENING and posting.destination is Account.INTEREST:
            opened += posting.amount
    changes = principal_changes(postings)

    def grown(through: date) -> Money:
        reckoned = default_interest(
            changes,
            default_since=terms.default_since,
            through=through,
            points=terms.points,
            stopped=stopped,
            currency=currency,
            rates=terms.rates,
        )
        return max(reckoned.amount - opened, zero)

    before = grown(today)
    costs = owed.costs + (agreed.charge if isinstance(agreed, InstalmentPlan) else zero)
    interest = owed.interest - before  # with what has grown by a day: what is open then
    for part in agreed.instalments:
        left = part.amount
        paid = min(left, costs)
        costs, left = costs - paid, left - paid
        paid = max(min(left, interest + grown(part.due)), zero)
        interest, left = interest - paid, left - paid
        if left.minor > 0:
            changes.append(PrincipalChange(part.due, -left))
    return grown(agreed.instalments[-1].due) - before

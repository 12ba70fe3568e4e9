"""What becomes of an agreement when less, or more, is owed than when it was made."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from ledger.agreements import AgreementTerms, InstalmentPlan, Settlement
from ledger.money import Money
from ledger.progress import InstalmentProgress


class Because(StrEnum):
    """Why an agreement took the place of another; the other one ended with it as its reason."""

    CHANGED = "changed"
    """The customer wished something else, in time."""
    MISSED_DAY = "missed_day"
    """A day had passed, and a new one was found."""
    LESS_OWED = "less_owed"
    """A return or credit note took something off."""
    MORE_OWED = "more_owed"
    """What had been taken off was put back."""


REPRICED = frozenset({Because.LESS_OWED, Because.MORE_OWED})
"""Nobody asked for these: they are no new agreements of the customer's."""


def unpriced(
    terms: AgreementTerms, progress: Sequence[InstalmentProgress], open_total: Money
) -> Money:
    """How much more the terms still ask for than is open; below zero: how much less."""
    asked = sum((part.missing for part in progress), start=Money.zero(open_total.currency))
    if isinstance(terms, Settlement):
        asked += terms.waived
    return asked - open_total


def repriced(
    terms: AgreementTerms, progress: Sequence[InstalmentProgress], less: Money
) -> AgreementTerms | None:
    """The terms with ``less`` to pay (below zero: more); None where nothing is left to pay.

    A plan keeps its days and amounts, and shrinks from its end: what comes next is what the
    customer has planned for, a standing order stays right, and it is over sooner. Nothing falls
    below what is paid on it. What is owed more joins the last instalment.
    """
    if not isinstance(terms, InstalmentPlan):
        amount = terms.amount - less
        return replace(terms, amount=amount) if amount.minor > 0 else None
    amounts = [part.instalment.amount for part in progress]
    if less.minor < 0:
        amounts[-1] -= less
    for place in reversed(range(len(amounts))):
        taken = min(max(less, Money.zero(less.currency)), progress[place].missing)
        amounts[place] -= taken
        less -= taken
    parts = tuple(
        replace(instalment, amount=amount)
        for instalment, amount in zip(terms.instalments, amounts, strict=True)
        if amount
    )
    if not parts:
        return None
    if terms.starts_apart and len(parts) == 1:
        return replace(terms, instalments=parts, first=parts[0].due, starts_apart=False)
    return replace(terms, instalments=parts)

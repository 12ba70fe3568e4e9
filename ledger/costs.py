"""Costs of default beside interest: reminders, the lump sum of businesses, pursuit at law."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ledger.errors import CostsRefused
from ledger.money import Money, total
from ledger.posting import (
    Account,
    Movement,
    Posting,
    PostingKind,
    costs_charge,
    costs_credit,
    undone_amounts,
)

LUMP_SUM = Money(40_00, "EUR")
"""§ 288 V BGB."""
LETTER_MINOR_MAX = 1_50
"""Print and postage of one letter: 0.95 € for a standard letter (Deutsche Post, since 2025), the
rest for paper, envelope and printing. Work and overheads are nothing that a reminder costs."""
LETTER_MINOR: Final = 0
"""What a letter costs unless the merchant's policy says otherwise."""
_TOO_VAGUE: Final = frozenset(
    (
        *("mahnkosten", "mahngebühr", "mahngebühren", "gebühr", "gebühren", "kosten", "auslagen"),
        *("costs", "cost", "fee", "fees", "reminder fee", "reminder fees", "charges"),
    )
)
COSTS_OF_DEFAULT: Final = frozenset(
    (PostingKind.REMINDER_COSTS, PostingKind.LUMP_SUM, PostingKind.LEGAL_COSTS)
)
_BETWEEN_REASONS: Final = "; "


class CostKind(StrEnum):
    """Costs that a merchant may want to charge."""

    LETTER = "letter"
    """Print and postage of a reminder by letter."""
    ELECTRONIC_REMINDER = "electronic_reminder"
    """A reminder by mail or messenger, which costs nothing."""
    LUMP_SUM = "lump_sum"
    """40 € from a business (§ 288 V BGB)."""
    LEGAL_COSTS = "legal_costs"
    """Pursuit at law."""


@dataclass(frozen=True, slots=True)
class CostsPolicy:
    """What the merchant itself allows: the most that a letter costs, in cents."""

    letter_minor: int = LETTER_MINOR

    @classmethod
    def of_policy(cls, data: Mapping[str, Any]) -> "CostsPolicy":
        """Out of the merchant's policy as it is stored, which names only what is not usual."""
        return cls(data.get("reminder_letter_minor", LETTER_MINOR))


@dataclass(frozen=True, slots=True)
class CostFacts:
    """What costs depend on: who owes, whether default is proved, and what was charged before.

    ``lump_sum`` is what is left of it after crediting.
    """

    business: bool
    in_default: bool
    lump_sum_charged: bool
    lump_sum: Money
    legal_costs: Money


def cost_facts(
    postings: Iterable[Posting], *, business: bool, in_default: bool, currency: str
) -> CostFacts:
    """Read from a claim's effective postings what was charged and not undone."""
    held = list(postings)
    undone = undone_amounts(held)
    zero = Money.zero(currency)

    def moved(kind: PostingKind, destination: Account) -> Money:
        return total(
            (
                posting.amount - undone.get(posting.number, zero)
                for posting in held
                if posting.kind is kind and posting.destination is destination
            ),
            currency,
        )

    lump = moved(PostingKind.LUMP_SUM, Account.COSTS)
    return CostFacts(
        business,
        in_default,
        bool(lump),
        lump - moved(PostingKind.LUMP_SUM, Account.COSTS_CHARGED),
        moved(PostingKind.LEGAL_COSTS, Account.COSTS),
    )


def charge(
    kind: CostKind, amount: Money, facts: CostFacts, policy: CostsPolicy
) -> tuple[Movement, ...]:
    """What charges these costs; nothing where they come to nothing. Raises ``CostsRefused``."""
    if kind is CostKind.LETTER:
        costing = letter_costs(amount, facts, policy)
        return costs_charge(PostingKind.REMINDER_COSTS, costing) if costing else ()
    if kind is CostKind.ELECTRONIC_REMINDER:
        if amount:
            raise CostsRefused("an electronic reminder costs nothing")
        return ()
    if kind is CostKind.LUMP_SUM:
        if amount != LUMP_SUM:
            raise CostsRefused(f"the lump sum is {LUMP_SUM} (§ 288 V BGB)")
        left = lump_sum(facts)
        return costs_charge(PostingKind.LUMP_SUM, left) if left else ()
    credit = lump_sum_credit(amount, facts)
    charged = costs_charge(PostingKind.LEGAL_COSTS, amount)
    return (*charged, *costs_credit(PostingKind.LUMP_SUM, credit)) if credit else charged


def letter_costs(amount: Money, facts: CostFacts, policy: CostsPolicy) -> Money:
    """What a reminder by letter costs the customer: print and postage, and only in default.

    The reminder that brings default about is free. Raises ``CostsRefused``.
    """
    if not facts.in_default:
        raise CostsRefused("the reminder that brings default about is free")
    if not 0 <= amount.minor <= LETTER_MINOR_MAX:
        raise CostsRefused(f"a letter costs print and postage, at most {LETTER_MINOR_MAX} cents")
    if amount.minor > policy.letter_minor:
        raise CostsRefused(f"the policy asks for at most {policy.letter_minor} cents a letter")
    return amount


def lump_sum(facts: CostFacts) -> Money:
    """The 40 € of § 288 V BGB: once, from a business in default, beside legal costs the rest.

    Raises ``CostsRefused``.
    """
    if not facts.business:
        raise CostsRefused("the lump sum is owed by businesses only (§ 288 V BGB)")
    if not facts.in_default:
        raise CostsRefused("the lump sum needs default")
    if facts.lump_sum_charged:
        raise CostsRefused("the lump sum was charged before")
    return max(LUMP_SUM - facts.legal_costs, Money.zero(LUMP_SUM.currency))


def lump_sum_credit(amount: Money, facts: CostFacts) -> Money:
    """What of the lump sum falls away beside legal costs of ``amount`` (§ 288 V 3 BGB).

    Raises ``CostsRefused`` without default: costs of pursuit are damage of it (§§ 280, 286 BGB).
    """
    if not facts.in_default:
        raise CostsRefused("costs of pursuit are damage of default (§§ 280, 286 BGB)")
    return min(amount, facts.lump_sum)


def charged_by(postings: Iterable[Posting], currency: str) -> Money:
    """What these postings charge, less what they credit against it."""
    charged = Money.zero(currency)
    for posting in postings:
        if posting.kind in COSTS_OF_DEFAULT:
            grows = posting.destination is Account.COSTS
            charged += posting.amount if grows else -posting.amount
    return charged


def clear_reason(reason: str) -> str:
    """The reason in one line; raises ``CostsRefused`` where it does not say what costs are for."""
    told = " ".join(reason.split())
    if not told or told.casefold().strip(".:") in _TOO_VAGUE:
        raise CostsRefused("say what the costs are for; a word such as “Mahnkosten” does not")
    return told


def with_reason(held: str | None, reason: str) -> str:
    """The reasons of a claim's costs with one more; the same one stands there once."""
    if not held:
        return reason
    apart = _BETWEEN_REASONS  # a reason may hold it itself, so nothing is split by it
    known = f"{apart}{reason}{apart}" in f"{apart}{held}{apart}"
    return held if known else f"{held}{apart}{reason}"

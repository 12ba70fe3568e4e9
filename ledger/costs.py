"""Costs of default beside interest: reminders, the lump sum of businesses, pursuit at law."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import CostsRefused
from ledger.money import Money, total
from ledger.posting import Account, Posting, PostingKind, undone_amounts

LUMP_SUM = Money(40_00, "EUR")
"""§ 288 V BGB."""
LETTER_MINOR_MAX = 1_50
"""Print and postage of one letter: 0.95 € for a standard letter (Deutsche Post, since 2025), the
rest for paper, envelope and printing. Work and overheads are nothing that a reminder costs."""


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


def letter_costs(amount: Money, facts: CostFacts) -> Money:
    """What a reminder by letter costs the customer: print and postage, and only in default.

    The reminder that brings default about is free, and so is every electronic one (they are
    never charged at all). Raises ``CostsRefused``.
    """
    if not facts.in_default:
        raise CostsRefused("the reminder that brings default about is free")
    if not 0 <= amount.minor <= LETTER_MINOR_MAX:
        raise CostsRefused(f"a letter costs print and postage, at most {LETTER_MINOR_MAX} cents")
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

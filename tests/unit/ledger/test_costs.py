"""What reminders and pursuit may cost (§§ 286, 288 V BGB)."""

import pytest

from ledger.costs import (
    LETTER_MINOR_MAX,
    CostFacts,
    CostsPolicy,
    clear_reason,
    letter_costs,
    lump_sum,
    lump_sum_credit,
    with_reason,
)
from ledger.errors import CostsRefused
from ledger.money import Money

ALL = CostsPolicy(LETTER_MINOR_MAX)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def facts(
    *, business: bool = True, in_default: bool = True, lump: int = 0, legal: int = 0
) -> CostFacts:
    return CostFacts(business, in_default, bool(lump), eur(lump), eur(legal))


def test_a_letter_costs_print_and_postage_at_most() -> None:
    assert letter_costs(eur(1_50), facts(business=False), ALL) == eur(1_50)
    with pytest.raises(CostsRefused, match="print and postage"):
        letter_costs(eur(1_51), facts(business=False), ALL)


def test_the_reminder_that_brings_default_about_is_free() -> None:
    with pytest.raises(CostsRefused, match="free"):
        letter_costs(eur(1_00), facts(in_default=False), ALL)


def test_the_lump_sum_is_for_businesses_in_default_and_once() -> None:
    assert lump_sum(facts()) == eur(40_00)
    for refused in (facts(business=False), facts(in_default=False), facts(lump=40_00)):
        with pytest.raises(CostsRefused):
            lump_sum(refused)


def test_the_lump_sum_is_credited_against_legal_costs_whichever_came_first() -> None:
    assert lump_sum_credit(eur(100_00), facts(lump=40_00)) == eur(40_00)
    assert lump_sum_credit(eur(30_00), facts(lump=40_00)) == eur(30_00)
    assert lump_sum_credit(eur(30_00), facts(lump=10_00, legal=30_00)) == eur(10_00)
    assert lump_sum_credit(eur(100_00), facts()) == eur(0)
    assert lump_sum(facts(legal=25_00)) == eur(15_00)
    assert lump_sum(facts(legal=100_00)) == eur(0)


def test_a_merchant_charges_no_letters_unless_its_policy_says_so() -> None:
    assert CostsPolicy.of_policy({}) == CostsPolicy(0)
    with pytest.raises(CostsRefused, match="policy"):
        letter_costs(eur(1_00), facts(), CostsPolicy.of_policy({"reminder_letter_minor": 99}))


def test_a_reason_says_what_for_and_stands_once() -> None:
    with pytest.raises(CostsRefused):
        clear_reason(" Mahnkosten: ")
    assert clear_reason(" Brief   vom 3. Mai ") == "Brief vom 3. Mai"
    assert with_reason(None, "a") == "a"
    assert with_reason("a", "b") == with_reason("a; b", "b") == "a; b"
    assert with_reason("a; b; c", "b; c") == "a; b; c", "told again, it stands there once"
    assert with_reason("Brief 12", "Brief 1") == "Brief 12; Brief 1"

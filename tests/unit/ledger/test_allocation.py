"""Which of several claims a payment is for (§ 366 BGB)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.allocation import OwedClaim, allocate_payment
from ledger.money import Money, total

TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def owed(
    claim_id: int,
    open_: int,
    *,
    due: int = -30,
    limitation: int | None = 900,
    interest: bool = False,
) -> OwedClaim:
    return OwedClaim(
        claim_id,
        eur(open_),
        TODAY + timedelta(days=due),
        None if limitation is None else TODAY + timedelta(days=limitation),
        interest,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (owed(2, 50), owed(1, 50, due=5)),
        (owed(2, 50, limitation=30), owed(1, 50, limitation=900)),
        (owed(2, 50, limitation=30), owed(1, 50, limitation=None)),
        (owed(2, 50, limitation=0), owed(1, 50, limitation=-1)),
        (owed(2, 50, limitation=900), owed(1, 50, limitation=-1, interest=True)),
        (owed(2, 50, interest=True), owed(1, 50, due=-60)),
        (owed(2, 50, due=-60), owed(1, 50)),
    ],
)
def test_order_of_the_law(first: OwedClaim, second: OwedClaim) -> None:
    shares = allocate_payment(eur(70), [second, first], today=TODAY)
    assert shares == {first.claim_id: eur(50), second.claim_id: eur(20)}


def test_the_customers_choice_comes_first() -> None:
    claims = [owed(1, 50, due=-60), owed(2, 50)]
    assert allocate_payment(eur(30), claims, today=TODAY, chosen=2) == {2: eur(30)}
    both = allocate_payment(eur(60), claims, today=TODAY, chosen=2)
    assert both == {2: eur(50), 1: eur(10)}


def test_claims_alike_share_in_proportion() -> None:
    claims = [owed(1, 100), owed(2, 200)]
    assert allocate_payment(eur(100), claims, today=TODAY) == {1: eur(33), 2: eur(67)}


claims = st.lists(
    st.tuples(
        st.integers(0, 500), st.integers(-3, 3), st.sampled_from([None, 5, 9]), st.booleans()
    ),
    min_size=1,
    max_size=6,
).map(
    lambda parts: [
        owed(number, open_, due=due, limitation=limitation, interest=interest)
        for number, (open_, due, limitation, interest) in enumerate(parts, 1)
    ]
)


@given(st.integers(1, 4000), claims, st.none() | st.integers(1, 6))
def test_every_cent_goes_somewhere_and_only_a_full_customer_is_overpaid(
    minor: int, owing: list[OwedClaim], chosen: int | None
) -> None:
    shares = allocate_payment(eur(minor), owing, today=TODAY, chosen=chosen)
    assert total(shares.values(), "EUR") == eur(minor)
    assert all(share.minor > 0 for share in shares.values())
    open_of = {claim.claim_id: claim.open for claim in owing}
    if minor <= sum(amount.minor for amount in open_of.values()):
        assert all(share <= open_of[claim_id] for claim_id, share in shares.items())


def test_without_claims_there_is_nowhere_to_go() -> None:
    with pytest.raises(ValueError, match="needs a claim"):
        allocate_payment(eur(1), [], today=TODAY)


def test_what_only_time_left_open_is_missing_on_each_claim_for_itself() -> None:
    claims = [
        replace(owed(1, 1005, due=-60), on_the_way=eur(5)),
        replace(owed(2, 803), on_the_way=eur(3)),
    ]
    assert allocate_payment(eur(1800), claims, today=TODAY) == {1: eur(1000), 2: eur(800)}
    assert allocate_payment(eur(1804), claims, today=TODAY) == {1: eur(1001), 2: eur(803)}
    # Where more is missing, the order of the law says where.
    assert allocate_payment(eur(1799), claims, today=TODAY) == {1: eur(1005), 2: eur(794)}
    assert allocate_payment(eur(1809), claims, today=TODAY) == {1: eur(1005), 2: eur(804)}

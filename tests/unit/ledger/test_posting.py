"""Postings: balances are sums, undoing is a posting, and the chain shows tampering."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import posting as movements
from ledger.chain import chained, first_broken, input_hash
from ledger.claim import OpenAmount, is_fresh
from ledger.errors import AmountNotPositive, ReturnExceedsPayments, WaiverExceedsBalance
from ledger.money import Money
from ledger.posting import (
    Account,
    Marking,
    Movement,
    Posting,
    PostingKind,
    account_balance,
    open_amount,
)
from ledger.reference import ReferenceInvalid, printed_rf, read_rf, rf_reference

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def post(postings: list[Posting], made: tuple[Movement, ...], key: str) -> None:
    last = postings[-1] if postings else None
    postings += chained(
        7, last, made, value_date=TODAY, booked_at=NOW, key=key, input_hash=input_hash(key)
    )


def opened(principal: int = 100_00, costs: int = 5_00, interest: int = 2_00) -> list[Posting]:
    postings: list[Posting] = []
    post(postings, movements.opening(eur(principal), eur(costs), eur(interest)), "open")
    return postings


@pytest.mark.parametrize(
    ("marking", "left"),
    [
        (Marking.BY_LAW, (0, 0, 99_00)),
        (Marking.CONSUMER_LOAN, (0, 2_00, 97_00)),
        (Marking.PRINCIPAL_FIRST, (5_00, 2_00, 92_00)),
        (Marking.INTEREST_FIRST, (0, 0, 99_00)),
    ],
)
def test_order_of_allocation(marking: Marking, left: tuple[int, int, int]) -> None:
    postings = opened()
    post(postings, movements.payment(eur(8_00), open_amount(postings, "EUR"), marking), "p")
    open_ = open_amount(postings, "EUR")
    assert (open_.costs.minor, open_.interest.minor, open_.principal.minor) == left


def test_opening_needs_a_price() -> None:
    with pytest.raises(AmountNotPositive):
        movements.opening(eur(0), eur(1), eur(0))
    with pytest.raises(AmountNotPositive):
        movements.opening(eur(1), eur(-1), eur(0))


def test_nothing_is_posted_of_zero_or_less() -> None:
    open_ = open_amount(opened(), "EUR")
    for minor in (0, -1):
        for made in (movements.payment, movements.credit_note, movements.waiver):
            with pytest.raises(AmountNotPositive):
                made(eur(minor), open_)


def test_returned_payment_takes_its_latest_part_back_first() -> None:
    postings = opened()
    post(postings, movements.payment(eur(10_00), open_amount(postings, "EUR")), "p")
    paid = [posting for posting in postings if posting.kind is PostingKind.PAYMENT]
    undone = movements.undone_amounts(postings)
    post(postings, movements.returned_payment(eur(4_00), paid, undone), "r")
    open_ = open_amount(postings, "EUR")
    assert (open_.costs.minor, open_.interest.minor, open_.principal.minor) == (0, 1_00, 100_00)
    with pytest.raises(ReturnExceedsPayments):
        movements.returned_payment(eur(6_01), paid, movements.undone_amounts(postings))


commands = st.lists(
    st.tuples(
        st.sampled_from(["payment", "credit_note", "waiver", "return", "reverse", "interest"]),
        st.integers(1, 60_00),
    ),
    max_size=12,
)


@given(commands)
def test_whatever_happens_both_sides_agree(made: list[tuple[str, int]]) -> None:
    """Money is neither made nor lost, and a claim is never open and overpaid at once."""
    postings = opened(principal=80_00)
    done: list[str] = []
    for number, (command, minor) in enumerate(made):
        open_ = open_amount(postings, "EUR")
        try:
            match command:
                case "payment":
                    moved = movements.payment(eur(minor), open_)
                case "credit_note":
                    moved = movements.credit_note(eur(minor), open_)
                case "waiver":
                    moved = movements.waiver(eur(minor), open_)
                case "interest":
                    moved = movements.interest_charge(eur(minor))
                case "return":
                    paid = [p for p in postings if p.kind is PostingKind.PAYMENT]
                    undone = movements.undone_amounts(postings)
                    moved = movements.returned_payment(eur(minor), paid, undone)
                case _:
                    if not done:
                        continue
                    key = done[minor % len(done)]
                    undone = movements.undone_amounts(postings)
                    group = [p for p in postings if p.command_key == key]
                    if any(p.number in undone or p.reverses for p in group):
                        continue
                    moved = movements.reversal(group)
        except (WaiverExceedsBalance, ReturnExceedsPayments):
            continue
        post(postings, moved, f"c{number}")
        post(postings, movements.set_off(open_amount(postings, "EUR")), f"s{number}")
        done.append(f"c{number}")

        open_ = open_amount(postings, "EUR")
        assert min(open_.costs, open_.interest, open_.principal, open_.overpaid) >= eur(0)
        assert not (open_.total and open_.overpaid)
        assert sum(account_balance(postings, account, "EUR").minor for account in Account) == 0
    assert first_broken(7, postings) is None


changes: dict[str, Callable[[Posting], object]] = {
    "claim_id": lambda p: p.claim_id + 1,
    "number": lambda p: p.number + 1,
    "kind": lambda p: next(kind for kind in PostingKind if kind is not p.kind),
    "source": lambda p: next(
        account for account in Account if account not in (p.source, p.destination)
    ),
    "destination": lambda p: next(
        account for account in Account if account not in (p.source, p.destination)
    ),
    "amount": lambda p: p.amount + eur(1),
    "value_date": lambda p: p.value_date + timedelta(days=1),
    "booked_at": lambda p: p.booked_at + timedelta(microseconds=1),
    "reverses": lambda p: (p.reverses or 0) + 1,
    "input_hash": lambda p: p.input_hash[::-1],
    "previous_hash": lambda p: p.previous_hash[::-1],
    "hash": lambda p: p.hash[::-1],
    "marking": lambda p: Marking.PRINCIPAL_FIRST,
    "rebooks": lambda p: (p.rebooks or 0) + 1,
}


def test_every_field_of_the_postings_is_sealed_but_the_key() -> None:
    """The key is the caller's (a bank's reference may stand in it), so it is not in the hash."""
    assert {field.name for field in fields(Posting)} - set(changes) == {"idempotency_key"}


@given(st.sampled_from(sorted(changes)), st.integers(0, 5))
def test_a_changed_field_breaks_the_chain(name: str, position: int) -> None:
    postings = opened()
    post(postings, movements.payment(eur(10_00), open_amount(postings, "EUR")), "p")
    value = changes[name](postings[position])
    postings[position] = replace(postings[position], **{name: value})  # type: ignore[arg-type]
    broken = first_broken(7, postings)
    assert broken is not None
    assert broken <= position + 2


@given(st.permutations(range(6)))
def test_a_changed_order_breaks_the_chain(order: list[int]) -> None:
    postings = opened()
    post(postings, movements.payment(eur(10_00), open_amount(postings, "EUR")), "p")
    assert (first_broken(7, [postings[n] for n in order]) is None) == (order == list(range(6)))


@given(st.integers(0, 4))
def test_a_missing_posting_breaks_the_chain(missing: int) -> None:
    postings = opened()
    post(postings, movements.payment(eur(10_00), open_amount(postings, "EUR")), "p")
    del postings[missing]
    assert first_broken(7, postings) == missing + 1


def test_money_received_is_what_was_paid_less_what_came_back() -> None:
    postings = opened()
    post(postings, movements.payment(eur(30_00), open_amount(postings, "EUR")), "p")
    post(postings, movements.credit_note(eur(5_00), open_amount(postings, "EUR")), "c")
    paid = [posting for posting in postings if posting.command_key == "p"]
    post(postings, movements.returned_payment(eur(8_00), paid, {}), "r")
    assert movements.money_received(postings, "EUR") == eur(22_00)


def test_input_hash_tells_commands_apart() -> None:
    one = input_hash("payment", amount=eur(1), value_date=TODAY)
    assert one == input_hash("payment", value_date=TODAY, amount=eur(1))
    assert one != input_hash("payment", amount=eur(2), value_date=TODAY)
    assert one != input_hash("waiver", amount=eur(1), value_date=TODAY)


@given(st.integers(1, 10**15))
def test_rf_references_check_out(number: int) -> None:
    reference = rf_reference(number)
    assert read_rf(printed_rf(reference).lower()) == reference


def test_a_mistyped_rf_reference_is_refused() -> None:
    good = rf_reference(12)
    with pytest.raises(ReferenceInvalid):
        read_rf(good[:-1] + str((int(good[-1]) + 1) % 10))


def test_freshness_ends_with_its_last_hour() -> None:
    assert is_fresh(NOW - timedelta(hours=24), 24, NOW)
    assert not is_fresh(NOW - timedelta(hours=24, seconds=1), 24, NOW)
    assert not is_fresh(None, 24, NOW)


def test_open_total_leaves_out_what_is_overpaid() -> None:
    assert OpenAmount(eur(1), eur(2), eur(3), eur(9)).total == eur(6)

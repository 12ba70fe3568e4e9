"""Policy as data: complete defaults, all errors at once."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Money
from negotiation.policy import DeferralBand, InstalmentBand, Policy, PolicyInvalid
from negotiation.policy_data import policy_from_data, policy_to_data


def test_nothing_is_a_policy() -> None:
    assert policy_from_data({}) == Policy()


def test_data_is_read_back() -> None:
    policy = policy_from_data(
        {
            "instalment_periods": ["weekly"],
            "instalment_bands": [
                {"up_to_minor": 5000, "count_max": 2},
                {"up_to_minor": None, "count_max": 6},
            ],
            "shift_due_days_land": "BY",
            "opening_hours": {"saturday": "10:00-14:00"},
        }
    )
    assert policy_from_data(policy_to_data(policy)) == policy
    assert policy.instalment_count_max(Money(5000)) == 2
    assert policy.instalment_count_max(Money(5001)) == 6


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({"no_such": 1}, ["no_such"]),
        ({"authority_minor": 1.5}, ["authority_minor"]),
        ({"authority_minor": True}, ["authority_minor"]),
        ({"promise_days_max": -1, "plan_stops_interest": 1}, ["promise_days_max", "plan_stops"]),
        ({"instalment_periods": []}, ["instalment_periods"]),
        ({"instalment_periods": ["daily"]}, ["instalment_periods"]),
        ({"instalment_periods": ["weekly", "weekly"]}, ["instalment_periods"]),
        ({"discount_costs_percent": 101}, ["discount_costs_percent"]),
        ({"currency": "DM"}, ["currency"]),
        ({"currency": []}, ["currency"]),
        ({"shift_due_days_land": "XX"}, ["shift_due_days_land"]),
        ({"opening_hours": {}}, ["opening_hours"]),
        ({"opening_hours": {"monday": "17:00-09:00"}}, ["opening_hours.monday"]),
        (
            {"opening_hours": {"montag": "09:00-17:00", "friday": "9-17"}},
            ["opening_hours.montag", "opening_hours.friday"],
        ),
        ({"deferral_bands": []}, ["deferral_bands"]),
        (
            {"deferral_bands": [{"up_to_days": 5, "days_max": 500}]},
            ["deferral_bands[0].up_to_days", "deferral_bands[0].days_max"],
        ),
        (
            {
                "instalment_bands": [
                    {"up_to_minor": 500, "count_max": 2},
                    {"up_to_minor": 500, "count_max": 3},
                    {"up_to_minor": None, "count_max": 3},
                ]
            },
            ["instalment_bands[1].up_to_minor"],
        ),
        ({"instalment_first_days_usual": 40}, ["instalment_first_days_usual"]),
    ],
)
def test_every_error_is_named(data: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        policy_from_data(data)
    found = [error.field for error in refused.value.errors]
    assert len(found) == len(paths)
    for path in paths:
        assert any(field.startswith(path) for field in found)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["up_to_minor", "count_max", "up_to_days", "days_max", "x"]), inner
        )
    ),
)


@given(st.dictionaries(st.sampled_from([*policy_to_data(Policy()), "x"]), json))
def test_any_data_is_a_policy_or_is_refused_by_name(data: dict[str, Any]) -> None:
    policy, wrong = Policy(), set()
    try:
        policy = policy_from_data(data)
    except PolicyInvalid as refused:
        wrong = {re.split(r"[.\[]", error.field)[0] for error in refused.errors}
    assert wrong <= {*data, "instalment_first_days_usual"}
    assert policy_from_data(policy_to_data(policy)) == policy


def test_bands_count_up_to_and_including_their_limit() -> None:
    policy = Policy(
        instalment_bands=(InstalmentBand(100, 2), InstalmentBand(None, 3)),
        deferral_bands=(DeferralBand(30, 10), DeferralBand(None, 5)),
    )
    assert policy.instalment_count_max(Money(100)) == 2
    assert policy.instalment_count_max(Money(101)) == 3
    assert policy.deferral_days_max(30) == 10
    assert policy.deferral_days_max(31) == 5


def test_small_balances_are_let_go() -> None:
    policy = Policy(let_go_below_minor=200)
    assert policy.lets_go(Money(199))
    assert not policy.lets_go(Money(200))

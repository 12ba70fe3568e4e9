"""The one order of what waits at the desk."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conversation.desk_order import STEP, Standing, place

DAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
moments = st.integers(0, 48 * 60).map(lambda minutes: DAY + timedelta(minutes=minutes))


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    return Standing(
        id=draw(st.integers(1, 10**9)),
        crisis=draw(st.booleans()),
        requested_at=draw(moments),
        waiting_since=draw(st.none() | moments),
        due=draw(st.none() | moments),
        open_minor=draw(st.sampled_from([0, 500, 84_90, 1_000_000_00])),
        promise_at_risk=draw(st.booleans()),
    )


def before(one: Standing, other: Standing) -> bool:
    return place(one) < place(other)


@given(st.lists(standings(), max_size=30, unique_by=lambda one: one.id), st.randoms())
def test_the_order_is_the_same_however_the_rows_come(
    rows: list[Standing], chance: random.Random
) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    assert sorted(mixed, key=place) == sorted(rows, key=place)


@given(standings(), standings())
def test_a_crisis_goes_before_everything(one: Standing, other: Standing) -> None:
    assert before(replace(one, crisis=True), replace(other, crisis=False))


@given(standings(), standings(), moments)
def test_who_waits_for_us_goes_before_who_has_our_answer(
    one: Standing, other: Standing, since: datetime
) -> None:
    one, other = (replace(each, crisis=False) for each in (one, other))
    assert before(replace(one, waiting_since=since), replace(other, waiting_since=None))


@given(standings(), moments, st.integers(1, 40))
def test_what_is_due_a_step_earlier_goes_first_whatever_the_amount(
    one: Standing, due: datetime, steps: int
) -> None:
    later = replace(one, id=1, due=due + steps * STEP, open_minor=10**9, promise_at_risk=True)
    assert before(replace(one, due=due), later)
    assert before(later, replace(one, due=None))


@given(standings(), moments)
def test_due_at_about_the_same_time_the_wait_decides_then_the_amount_then_the_promise(
    one: Standing, since: datetime
) -> None:
    one = replace(one, waiting_since=since, open_minor=100, promise_at_risk=False)
    longer = replace(one, waiting_since=since - STEP)
    more = replace(one, open_minor=200)
    at_risk = replace(one, promise_at_risk=True)
    assert sorted([one, at_risk, more, longer], key=place) == [longer, more, at_risk, one]


@given(standings(), st.integers(1, 10**9))
def test_of_two_that_stand_alike_the_older_number_goes_first(one: Standing, more: int) -> None:
    assert before(one, replace(one, id=one.id + more))

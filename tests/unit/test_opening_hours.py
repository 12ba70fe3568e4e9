"""The honest time for an answer: open, early enough, and no holiday."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.opening_hours import NeverOpen, OpeningHours, answer_by, answer_time
from ledger.schedule import is_holiday
from negotiation.policy import Policy
from negotiation.policy_data import LAENDER

BERLIN = ZoneInfo("Europe/Berlin")
USUAL = OpeningHours.of(Policy(), "Europe/Berlin", "BE")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "by"),
    [
        ("2026-11-27T10:00", "2026-11-27T17:00"),  # a Friday, open
        ("2026-11-27T07:00", "2026-11-27T17:00"),  # before opening
        ("2026-11-27T16:00", "2026-11-27T17:00"),  # just early enough
        ("2026-11-27T16:01", "2026-11-30T17:00"),  # too late for today, and then the weekend
        ("2026-12-24T18:00", "2026-12-28T17:00"),  # Christmas on Friday and Saturday
        ("2027-03-25T20:00", "2027-03-30T17:00"),  # Good Friday and Easter Monday
        ("2026-03-07T12:00", "2026-03-09T17:00"),  # Women's Day of Berlin is a Sunday
        ("2027-03-07T12:00", "2027-03-09T17:00"),  # and next year a Monday
    ],
)
def test_the_answer_comes_by_the_end_of_the_next_open_period(now: str, by: str) -> None:
    assert answer_by(local(now), USUAL) == local(by)


def test_the_holidays_are_those_of_the_land() -> None:
    bavarian = OpeningHours.of(Policy(), "Europe/Berlin", "BY")
    epiphany = local("2027-01-06T08:00")
    assert answer_by(epiphany, USUAL) == local("2027-01-06T17:00")
    assert answer_by(epiphany, bavarian) == local("2027-01-07T17:00")


def test_a_period_that_has_not_begun_counts_however_short_it_is() -> None:
    policy = Policy(opening_hours={"friday": "12:00-12:30"}, answer_minutes=60)
    hours = OpeningHours.of(policy, "Europe/Berlin", "BE")
    assert answer_by(local("2026-11-27T11:59"), hours) == local("2026-11-27T12:30")
    assert answer_by(local("2026-11-27T12:01"), hours) == local("2026-12-04T12:30")


def test_a_desk_that_never_opens_is_named() -> None:
    with pytest.raises(NeverOpen):
        answer_by(local("2026-11-27T10:00"), OpeningHours({}, BERLIN, "BE", timedelta()))


def test_as_an_argument_it_names_local_days_and_times() -> None:
    open_now = local("2026-11-27T10:00")
    assert answer_time(open_now, USUAL).to_args(open_now, BERLIN) == {
        "today": "2026-11-27",
        "day": "2026-11-27",
        "opens": None,
        "closes": "17:00",
    }
    saturday = local("2026-11-28T23:30").astimezone(UTC)
    assert answer_time(saturday, USUAL).to_args(saturday, BERLIN) == {
        "today": "2026-11-28",
        "day": "2026-11-30",
        "opens": "09:00",
        "closes": "17:00",
    }


clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))
windows = st.tuples(clocks, clocks).filter(lambda pair: pair[0] < pair[1])
desks = st.builds(
    OpeningHours,
    windows=st.dictionaries(st.integers(0, 6), windows, min_size=1),
    zone=st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")]),
    land=st.sampled_from([None, *sorted(LAENDER)]),
    answer_within=st.integers(0, 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
START = datetime(2025, 1, 1, tzinfo=UTC)
clock_changes = [
    datetime(2026, month, day, hour, tzinfo=UTC)
    for month, day, hour in ((3, 29, 1), (10, 25, 1), (3, 8, 7))
]
moments = st.one_of(
    st.integers(0, 6 * 366 * 1440).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(clock_changes),
        st.integers(-3 * 1440, 3 * 1440),
    ),
)


@given(moments, desks)
def test_an_answer_is_promised_for_an_open_hour_only(now: datetime, hours: OpeningHours) -> None:
    try:
        found = answer_time(now, hours)
    except NeverOpen:
        # Weekly, with long needs, and a holiday or a skipped hour in the way of each: not usual.
        assert len(hours.windows) == 1
        return
    assert found.opens < found.by
    assert now < found.by
    assert now <= found.opens or found.by - now >= hours.answer_within
    day = found.by.astimezone(hours.zone).date()
    assert not is_holiday(day, hours.land)
    opens, closes = hours.windows[day.weekday()]
    shown = found.by.astimezone(hours.zone).time()
    # Where the clocks skip the closing time, the desk closes behind the gap.
    assert shown == closes or closes < shown <= time(4, 0)
    assert found.opens.astimezone(hours.zone).time() >= opens


@given(moments, st.integers(0, 14 * 1440), desks)
def test_who_asks_later_is_never_promised_an_earlier_time(
    now: datetime, minutes: int, hours: OpeningHours
) -> None:
    later = now + timedelta(minutes=minutes)
    try:
        assert answer_by(now, hours) <= answer_by(later, hours)
    except NeverOpen:
        assert len(hours.windows) == 1

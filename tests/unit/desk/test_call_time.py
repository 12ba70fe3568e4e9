"""When a call is welcome: never in the past, never on a Sunday, in the customer's hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from conversation.call_time import USUAL, best_call_time

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@given(
    now=st.integers(0, 365 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes)),
    begin=st.none() | st.integers(0, 20).map(time),
    rests=st.none() | st.integers(0, 7 * 24).map(lambda hours: timedelta(hours=hours)),
)
def test_it_lies_ahead_on_a_workday_in_the_hours(
    now: datetime, begin: time | None, rests: timedelta | None
) -> None:
    until = now + rests if rests is not None else None
    found = best_call_time(now, BERLIN, hours=(begin, None), rests_until=until)
    assert found is not None
    assert now <= found.start < found.end
    assert found.start.astimezone(BERLIN).weekday() != 6
    assert found.start.astimezone(BERLIN).time() >= (begin or USUAL[0])
    assert until is None or found.start >= until
    assert found.now == (found.start == now)


def test_there_is_none_while_contact_rests_for_long() -> None:
    assert best_call_time(MONDAY, BERLIN, rests_until=MONDAY + timedelta(days=8)) is None


def test_it_follows_when_messages_come_but_not_into_the_night() -> None:
    evening = [MONDAY.replace(hour=16) - timedelta(days=day) for day in range(5)]
    found = best_call_time(MONDAY, BERLIN, written=evening)
    assert found is not None
    assert (found.why, found.start.hour, found.end.hour) == ("habit", 16, 18)
    night = [one.replace(hour=1) for one in evening]
    found = best_call_time(MONDAY, BERLIN, written=night)
    assert found is not None
    assert found.why == "usual"
    assert found.now

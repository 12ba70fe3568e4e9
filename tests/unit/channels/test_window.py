from datetime import UTC, datetime, timedelta, timezone

import pytest

from channels.window import window_open

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "is_open"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=58), True),
        (timedelta(hours=23, minutes=59), False),
        (timedelta(hours=24), False),
        (timedelta(days=30), False),
    ],
)
def test_the_window_is_24_hours_less_a_margin(since: timedelta, is_open: bool) -> None:
    assert window_open(NOW - since, NOW) is is_open


def test_who_never_wrote_has_no_window() -> None:
    assert not window_open(None, NOW)


def test_a_clock_that_runs_ahead_does_not_close_it() -> None:
    assert window_open(NOW + timedelta(seconds=3), NOW)


def test_zones_do_not_matter() -> None:
    berlin = timezone(timedelta(hours=1))
    assert window_open((NOW - timedelta(hours=23)).astimezone(berlin), NOW)


@pytest.mark.parametrize(
    ("last", "now"), [(NOW, NOW.replace(tzinfo=None)), (NOW.replace(tzinfo=None), NOW)]
)
def test_naive_times_are_refused(last: datetime, now: datetime) -> None:
    with pytest.raises(ValueError, match="aware"):
        window_open(last, now)

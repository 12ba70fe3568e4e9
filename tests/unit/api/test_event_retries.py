"""How long an event is tried: eleven times in three days, never all at the same moment."""

from datetime import timedelta

from api.merchant_events.delivery import JITTER, WAITS


def test_the_attempts_are_spread_over_three_days() -> None:
    whole = sum(WAITS, timedelta())
    assert timedelta(hours=71) < whole <= timedelta(days=3)
    assert whole * (1 - JITTER) > timedelta(hours=64)


def test_each_wait_is_at_least_as_long_as_the_one_before() -> None:
    assert list(WAITS) == sorted(WAITS)

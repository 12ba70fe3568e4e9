"""When a customer wants to be called."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.callbacks import span_of
from tests.conftest import NOW

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.mark.parametrize(
    ("wish", "start", "end"),
    [
        ({}, "2026-11-23T10:00", None),
        ({"day": "2026-11-23"}, "2026-11-23T10:00", None),
        ({"day": "2026-11-24"}, "2026-11-24T08:00", "2026-11-24T20:00"),
        ({"day": "2026-11-24", "day_part": "morning"}, "2026-11-24T08:00", "2026-11-24T12:00"),
        ({"day_part": "evening"}, "2026-11-23T17:00", "2026-11-23T20:00"),
        ({"time": "09:00", "time_bound": "at"}, "2026-11-24T09:00", "2026-11-24T09:30"),
        ({"time": "18:00", "time_bound": "from"}, "2026-11-23T18:00", "2026-11-23T20:00"),
        ({"time": "21:00", "time_bound": "from"}, "2026-11-23T21:00", "2026-11-23T21:00"),
        ({"time": "12:00", "time_bound": "until"}, "2026-11-23T08:00", "2026-11-23T12:00"),
        (
            {"time": "14:00", "time_end": "16:00", "time_bound": "between", "day": "2026-12-01"},
            "2026-12-01T14:00",
            "2026-12-01T16:00",
        ),
        ({"day": "soon", "time": "later"}, "2026-11-23T10:00", None),
    ],
)
def test_a_wish_is_a_span_in_the_customers_own_time(
    wish: dict[str, Any], start: str, end: str | None
) -> None:
    # 10:00 in Lisbon, where it is as late as in UTC.
    found = span_of(wish, NOW, LISBON)
    assert found.start == datetime.fromisoformat(start).replace(tzinfo=LISBON)
    assert found.end == (datetime.fromisoformat(end).replace(tzinfo=LISBON) if end else None)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "day": st.dates().map(str) | st.text() | st.integers(),
            "day_part": st.sampled_from(["morning", "noon", "afternoon", "evening", "night"]),
            "time": st.times().map(lambda at: f"{at:%H:%M}") | st.text(),
            "time_end": st.times().map(lambda at: f"{at:%H:%M}"),
            "time_bound": st.sampled_from(["at", "from", "until", "between", "x"]),
        },
    )
)
def test_whatever_was_noted_is_a_span(wish: dict[str, Any]) -> None:
    found = span_of(wish, NOW, LISBON)
    assert found.end is None or found.end >= found.start

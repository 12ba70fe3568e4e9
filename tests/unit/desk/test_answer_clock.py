"""How soon a person is to answer, while the desk is open."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.answer_clock import (
    DEFAULTS,
    Awaited,
    Target,
    Targets,
    clock,
    due_after,
    open_between,
    opens_next,
)
from conversation.handoff_urgency import Urgency
from conversation.opening_hours import OpeningHours
from negotiation.policy import Policy

BERLIN = ZoneInfo("Europe/Berlin")
USUAL = OpeningHours.of(Policy(), "Europe/Berlin", "BE")
NEVER = OpeningHours({}, BERLIN, None, timedelta(hours=1))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-27T10:00", 60, "2026-11-27T11:00"),  # a Friday, open
        ("2026-11-27T07:00", 60, "2026-11-27T10:00"),  # counted from the opening on
        ("2026-11-27T16:30", 60, "2026-11-30T09:30"),  # half today, half on Monday
        ("2026-11-27T16:00", 60, "2026-11-27T17:00"),  # up to the last minute
        ("2026-11-28T12:00", 1, "2026-11-30T09:01"),  # a Saturday
        ("2026-12-24T16:59", 2, "2026-12-28T09:01"),  # Christmas, and the weekend
        ("2026-11-23T09:00", 16 * 60, "2026-11-24T17:00"),  # two whole days
    ],
)
def test_only_open_time_counts(start: str, minutes: int, due: str) -> None:
    assert due_after(local(start), timedelta(minutes=minutes), USUAL) == local(due)


moments = st.integers(0, 700 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
spans = st.integers(1, 60 * 40).map(lambda minutes: timedelta(minutes=minutes))


@given(moments, spans)
def test_what_is_due_lies_exactly_so_much_open_time_ahead(
    start: datetime, within: timedelta
) -> None:
    due = due_after(start, within, USUAL)
    assert due is not None
    assert open_between(start, due, USUAL) == within


@given(moments, spans, spans)
def test_more_time_is_due_later(start: datetime, one: timedelta, more: timedelta) -> None:
    sooner, later = due_after(start, one, USUAL), due_after(start, one + more, USUAL)
    assert sooner is not None
    assert later is not None
    assert sooner < later


@given(moments, moments)
def test_no_open_time_lies_before_the_start(one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    assert timedelta() <= open_between(start, end, USUAL) <= end - start
    assert open_between(end, start, USUAL) == timedelta()


def test_a_desk_that_never_opens_has_nothing_due() -> None:
    assert due_after(local("2026-11-27T10:00"), timedelta(minutes=1), NEVER) is None
    assert opens_next(local("2026-11-27T10:00"), NEVER) is None


def test_when_it_opens_is_told_while_it_is_closed() -> None:
    assert opens_next(local("2026-11-27T10:00"), USUAL) is None
    assert opens_next(local("2026-11-27T08:59"), USUAL) == local("2026-11-27T09:00")
    assert opens_next(local("2026-11-27T17:00"), USUAL) == local("2026-11-30T09:00")


def test_the_clock_of_the_first_answer_goes_by_the_honest_time_where_that_is_earlier() -> None:
    asked, by = local("2026-11-27T10:00"), local("2026-11-27T10:30")
    target = Target(timedelta(hours=1), timedelta(minutes=30))
    facts = {"requested_at": asked, "answered_at": None, "asked_at": None}
    running = clock(target, USUAL, answer_by=by, **facts)  # type: ignore[arg-type]
    assert running is not None
    assert (running.awaited, running.due) == (Awaited.FIRST, by)
    running = clock(target, USUAL, answer_by=None, **facts)  # type: ignore[arg-type]
    assert running is not None
    assert running.due == local("2026-11-27T11:00")


def test_after_an_answer_the_clock_runs_again_when_the_customer_writes() -> None:
    target = Target(timedelta(hours=1), timedelta(minutes=30))
    asked, answered = local("2026-11-27T10:00"), local("2026-11-27T10:20")
    wrote = local("2026-11-27T12:00")

    def at(asked_at: datetime | None) -> object:
        return clock(
            target, USUAL, requested_at=asked, answer_by=local("2026-11-27T17:00"),
            answered_at=answered, asked_at=asked_at,
        )  # fmt: skip

    assert at(None) is None
    running = at(wrote)
    assert (running.awaited, running.since, running.due) == (  # type: ignore[attr-defined]
        Awaited.NEXT,
        wrote,
        local("2026-11-27T12:30"),
    )


def test_a_reason_goes_by_what_the_merchant_set_else_by_its_urgency() -> None:
    own = Target(timedelta(minutes=5), timedelta(minutes=5))
    targets = Targets({"complaint": own})
    assert targets.of("complaint") == own
    assert targets.of("hardship") == DEFAULTS[Urgency.URGENT]
    assert targets.of("crisis").first < targets.of("hardship").first < targets.of("receipt").first

"""When default may begin, and when limitation ends."""

from datetime import date

import pytest

from ledger.default import DefaultGround, default_earliest
from ledger.limitation import limitation_by_law, restarted


@pytest.mark.parametrize(
    ("due", "land", "earliest"),
    [
        (date(2026, 8, 14), None, date(2026, 8, 15)),
        # Saturday, then the Assumption, a holiday in Bavaria's Catholic parishes and Saarland only
        (date(2026, 8, 1), None, date(2026, 8, 4)),
        (date(2025, 8, 15), "SL", date(2025, 8, 19)),
        (date(2025, 8, 15), "BE", date(2025, 8, 16)),
        # Good Friday to Easter Monday
        (date(2026, 4, 3), "NW", date(2026, 4, 8)),
    ],
)
def test_the_last_day_to_pay_is_a_working_day_and_is_not_counted(
    due: date, land: str | None, earliest: date
) -> None:
    """§ 193 and § 187 I BGB."""
    assert default_earliest(due, land, ground=DefaultGround.CALENDAR_DATE) == earliest
    assert default_earliest(due, land) == earliest


def test_a_reminder_counts_from_the_day_after_it_came_and_not_before_the_due_day() -> None:
    due = date(2026, 8, 14)
    late = default_earliest(due, None, ground=DefaultGround.REMINDER, received=date(2026, 9, 1))
    early = default_earliest(due, None, ground=DefaultGround.REMINDER, received=date(2026, 8, 10))
    assert (late, early) == (date(2026, 9, 2), date(2026, 8, 15))


def test_thirty_days_after_due_day_and_invoice() -> None:
    """3 October 2026 is a holiday and a Saturday: the last day to pay is Monday."""
    ground = DefaultGround.NOTICED_30_DAYS
    assert default_earliest(date(2026, 9, 3), None, ground=ground) == date(2026, 10, 6)
    later = default_earliest(date(2026, 9, 3), None, ground=ground, received=date(2026, 9, 10))
    assert later == date(2026, 10, 13)


def test_limitation_ends_with_the_third_year_after() -> None:
    assert limitation_by_law(date(2026, 1, 2)) == date(2029, 12, 31)
    assert limitation_by_law(date(2026, 12, 31)) == date(2029, 12, 31)


@pytest.mark.parametrize(
    ("acknowledged", "until"),
    [
        (date(2026, 11, 23), date(2029, 12, 31)),  # never shorter than it was
        (date(2028, 2, 29), date(2031, 2, 28)),
        (date(2029, 12, 31), date(2032, 12, 31)),
        (date(2030, 1, 1), date(2029, 12, 31)),  # what is time-barred stays so
    ],
)
def test_an_acknowledgment_begins_limitation_anew(acknowledged: date, until: date) -> None:
    assert restarted(date(2029, 12, 31), acknowledged) == until

"""A period in whole months and days, and charts whose lengths begin at zero."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.overview import spans
from api.pages.console.overview_charts import HEIGHT, bars, columns, zero
from api.pages.console.period import period_of

DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))


def each_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@given(DAYS, st.integers(0, 400))
def test_every_day_is_in_exactly_one_part(first: date, more: int) -> None:
    last = first + timedelta(days=more)
    parts = spans(first, last)
    assert [day for _, *part in parts for day in each_day(part[0], part[1])] == each_day(
        first, last
    )
    for grain, begins, ends in parts:
        if grain == "month":
            assert (begins.day, (ends + timedelta(days=1)).day) == (1, 1)
        else:
            assert (ends - begins).days < 60


@given(DAYS, st.integers(0, 400), st.data())
def test_columns_hold_all_that_came_in_and_stay_in_the_picture(
    first: date, more: int, data: st.DataObject
) -> None:
    last = first + timedelta(days=more)
    days = data.draw(
        st.dictionaries(
            st.integers(0, more).map(lambda n: first + timedelta(days=n)),
            st.integers(-(10**9), 10**9),
            max_size=20,
        )
    )
    found = columns(days, first, last)
    assert sum(one.minor for one in found) == sum(days.values())
    assert len(found) <= 33
    assert (found[0].first, found[-1].last) == (first, last)
    base = zero(found)
    for one in found:
        assert -0.001 <= one.top <= one.top + one.height <= HEIGHT + 0.001
        if one.minor:
            assert abs((one.top + one.height if one.minor > 0 else one.top) - base) < 0.001


def test_bars_are_shares_of_the_longest() -> None:
    assert [one.share for one in bars([("sent", 4), ("read", 1), ("paid", 0)])] == [100, 25, 0]
    assert [one.share for one in bars([("sent", 0)])] == [0]


def test_a_period_is_what_its_words_say() -> None:
    today = date(2026, 11, 23)
    assert period_of("today", "", "", today).first == today
    assert period_of("7", "", "", today).first == date(2026, 11, 17)
    assert period_of("x", "", "", today).name == "30"
    own = period_of("own", "2026-02-01", "2026-02-28", today)
    assert (own.first, own.last, own.wrong) == (date(2026, 2, 1), date(2026, 2, 28), "")
    assert period_of("own", "2026-11-01", "9999-12-31", today).last == today
    for words, wrong in (
        (("", ""), "day"),
        (("2026-02-30", "2026-03-01"), "day"),
        (("2026-03-02", "2026-03-01"), "order"),
        (("2025-01-01", "2026-03-01"), "early"),
        (("2026-11-24", "2026-12-01"), "ahead"),
    ):
        assert period_of("own", *words, today).wrong == wrong

"""Quiet hours, rest days, holidays, spacing: nothing goes out when it must not."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.rules import (
    Allowed,
    ContactRules,
    InvalidContactRules,
    NotBefore,
    UnknownCountry,
    UnknownTimezone,
    WaitReason,
    Window,
    may_contact,
    rules_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
GERMANY = rules_of("DE")
LAENDER = list(holidays.Germany.subdivisions[:16])
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]


def berlin(text: str) -> datetime:
    """A wall-clock time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def ask(
    now: datetime,
    *,
    land: str | None = "BE",
    rules: ContactRules = GERMANY,
    history: list[datetime] | None = None,
) -> Allowed | NotBefore:
    return may_contact(now, "Europe/Berlin", land, rules, history or [])


@pytest.mark.parametrize(
    ("now", "opens", "reason"),
    [
        ("2026-11-23T08:59:59", "2026-11-23T09:00", WaitReason.QUIET_HOURS),
        ("2026-11-23T20:00:00", "2026-11-24T09:00", WaitReason.QUIET_HOURS),
        ("2026-11-27T21:00:00", "2026-11-28T10:00", WaitReason.QUIET_HOURS),
        ("2026-11-28T18:00:00", "2026-11-30T09:00", WaitReason.QUIET_HOURS),
        ("2026-11-29T12:00:00", "2026-11-30T09:00", WaitReason.REST_DAY),
        ("2026-12-25T12:00:00", "2026-12-28T09:00", WaitReason.PUBLIC_HOLIDAY),
    ],
)
def test_waits_until_the_next_opening(now: str, opens: str, reason: WaitReason) -> None:
    assert ask(berlin(now)) == NotBefore(berlin(opens), reason)


@pytest.mark.parametrize(
    "now",
    ["2026-11-23T09:00", "2026-11-23T19:59:59", "2026-11-28T10:00", "2026-11-28T17:59:59"],
)
def test_allows_within_the_window(now: str) -> None:
    assert ask(berlin(now)) == Allowed()


@pytest.mark.parametrize(
    ("day", "resting", "working"),
    [
        ("2026-06-04", ["BY", "NW", "SL"], ["BE", "HH"]),  # Corpus Christi
        ("2026-11-18", ["SN"], ["BE", "BY"]),  # Day of Repentance
        ("2027-03-08", ["BE", "MV"], ["BY", "HH"]),  # Women's Day
        ("2025-08-15", ["BY", "SL"], ["BE", "NW"]),  # Assumption: in parts of Bavaria
    ],
)
def test_holidays_are_those_of_the_land(day: str, resting: list[str], working: list[str]) -> None:
    noon = berlin(f"{day}T12:00")
    for land in resting:
        answer = ask(noon, land=land)
        assert isinstance(answer, NotBefore)
        assert answer.reason is WaitReason.PUBLIC_HOLIDAY
    for land in working:
        assert ask(noon, land=land) == Allowed()


@pytest.mark.parametrize("land", ["DE-BY", "Bayern", "BY"])
def test_knows_a_land_by_code_and_name(land: str) -> None:
    assert isinstance(ask(berlin("2027-01-06T12:00"), land=land), NotBefore)
    assert ask(berlin("2027-03-08T12:00"), land=land) == Allowed()


@pytest.mark.parametrize("land", [None, "", "Nowhere"])
def test_an_unknown_land_rests_on_the_holidays_of_all(land: str | None) -> None:
    for day in ("2027-01-06", "2027-03-08", "2026-11-18", "2026-12-25"):
        assert isinstance(ask(berlin(f"{day}T12:00"), land=land), NotBefore)


def test_opening_time_is_local_on_both_sides_of_a_clock_change() -> None:
    before = ask(berlin("2026-10-23T22:00"))
    after = ask(berlin("2026-10-25T22:00"))
    assert isinstance(before, NotBefore)
    assert isinstance(after, NotBefore)
    assert before.at == datetime(2026, 10, 24, 8, 0, tzinfo=UTC)
    assert after.at == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    spring = ask(berlin("2027-03-29T23:00"))  # the Tuesday after Easter and the change
    assert isinstance(spring, NotBefore)
    assert spring.at == datetime(2027, 3, 30, 7, 0, tzinfo=UTC)


def test_an_hour_shown_twice_belongs_to_the_window_both_times() -> None:
    rules = _rules(sunday=Window(time(2, 0), time(2, 30)))
    first = may_contact(datetime(2026, 10, 25, 0, 45, tzinfo=UTC), "Europe/Berlin", "BE", rules, [])
    assert first == NotBefore(datetime(2026, 10, 25, 1, 0, tzinfo=UTC), WaitReason.QUIET_HOURS)


def test_a_window_that_the_clocks_skip_opens_a_week_later() -> None:
    rules = _rules(sunday=Window(time(2, 15), time(2, 45)))
    answer = ask(berlin("2027-03-28T00:30"), rules=rules)
    assert isinstance(answer, NotBefore)
    assert answer.at == berlin("2027-04-04T02:15")


def test_keeps_the_spacing() -> None:
    answer = ask(berlin("2026-11-24T10:00"), history=[berlin("2026-11-23T10:00")])
    assert answer == NotBefore(berlin("2026-11-25T10:00"), WaitReason.SPACING)


def test_keeps_the_weekly_maximum() -> None:
    history = [berlin("2026-11-16T12:00"), berlin("2026-11-18T12:00")]
    answer = ask(berlin("2026-11-21T12:00"), history=history)
    assert answer == NotBefore(berlin("2026-11-23T12:00"), WaitReason.WEEK_FULL)
    assert ask(berlin("2026-11-23T12:00"), history=history) == Allowed()


def test_rest_after_messages_ends_inside_the_window() -> None:
    answer = ask(berlin("2026-11-27T12:00"), history=[berlin("2026-11-26T19:59")])
    assert answer == NotBefore(berlin("2026-11-30T09:00"), WaitReason.SPACING)


def test_american_rules_have_no_rest_days() -> None:
    christmas = datetime(2026, 12, 25, 21, 0, tzinfo=ZoneInfo("America/New_York"))
    rules = rules_of("US")
    early = christmas - timedelta(minutes=1)
    assert may_contact(early, "America/New_York", "NY", rules, []) == Allowed()
    assert isinstance(may_contact(christmas, "America/New_York", "NY", rules, []), NotBefore)


def test_british_rules_know_bank_holidays() -> None:
    boxing_day_observed = datetime(2026, 12, 28, 12, 0, tzinfo=ZoneInfo("Europe/London"))
    answer = may_contact(boxing_day_observed, "Europe/London", "ENG", rules_of("GB"), [])
    assert isinstance(answer, NotBefore)


def test_a_merchant_can_only_tighten() -> None:
    own = {"weekday": "07:00-18:00", "per_week_max": 5, "spacing_hours_min": 72, "saturday": ""}
    rules = rules_of("DE", own)
    assert rules.weekday == Window(time(9), time(18))
    assert rules.saturday is None
    assert rules.per_week_max == GERMANY.per_week_max
    assert rules.spacing_hours_min == 72
    assert rules.holidays == GERMANY.holidays
    assert rules_of("US", {"holidays": ["public"]}).holidays == {"public"}
    assert rules_of("DE", {"sunday": "10:00-12:00"}).sunday is None


@pytest.mark.parametrize(
    "own",
    [
        {"weekdays": "09:00-10:00"},
        {"weekday": "9 to 5"},
        {"weekday": "18:00-09:00"},
        {"weekday": "06:00-07:00", "saturday": ""},
        {"weekday": 9},
        {"per_week_max": 0},
        {"per_week_max": "2"},
        {"spacing_hours_min": True},
        {"holidays": "public"},
    ],
)
def test_refuses_rules_that_make_no_sense(own: dict[str, object]) -> None:
    with pytest.raises(InvalidContactRules):
        rules_of("DE", own)


def test_names_what_is_unknown() -> None:
    with pytest.raises(UnknownCountry):
        rules_of("XX")
    with pytest.raises(UnknownTimezone):
        may_contact(berlin("2026-11-23T12:00"), "Mars/Olympus", "BE", GERMANY, [])


def _rules(
    *,
    weekday: Window | None = None,
    saturday: Window | None = None,
    sunday: Window | None = None,
    spacing_hours_min: int = 0,
    per_week_max: int = 100,
) -> ContactRules:
    return ContactRules(
        "DE", weekday, saturday, sunday, frozenset({"public"}), spacing_hours_min, per_week_max
    )


# Every second of three years, clock changes included.
moments = st.integers(0, 3 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    minutes = draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=2, unique=True))
    opens, closes = sorted(minutes)
    return Window(time(opens // 60, opens % 60), time(closes // 60, closes % 60))


@st.composite
def contact_rules(draw: st.DrawFn) -> ContactRules:
    # The weekday window lies outside clock changes, so that at least one day always opens.
    return _rules(
        weekday=Window(time(draw(st.integers(6, 12))), time(draw(st.integers(13, 23)))),
        saturday=draw(st.none() | windows()),
        sunday=draw(st.none() | windows()),
        spacing_hours_min=draw(st.integers(0, 200)),
        per_week_max=draw(st.integers(1, 8)),
    )


@given(
    now=moments,
    zone=st.sampled_from(ZONES),
    land=st.sampled_from([None, *LAENDER]),
    rules=contact_rules(),
    ages=st.lists(st.timedeltas(timedelta(0), timedelta(days=20)), max_size=10),
)
def test_the_moment_named_is_itself_allowed(
    now: datetime, zone: str, land: str | None, rules: ContactRules, ages: list[timedelta]
) -> None:
    history = [now - age for age in ages]
    answer = may_contact(now, zone, land, rules, history)
    if isinstance(answer, NotBefore):
        assert answer.at > now
        assert may_contact(answer.at, zone, land, rules, history) == Allowed()


@given(
    now=moments,
    zone=st.sampled_from(ZONES),
    rules=contact_rules(),
    ages=st.lists(st.timedeltas(timedelta(0), timedelta(days=20)), max_size=10),
)
def test_what_is_allowed_keeps_every_rule(
    now: datetime, zone: str, rules: ContactRules, ages: list[timedelta]
) -> None:
    history = [now - age for age in ages]
    answer = may_contact(now, zone, "BE", rules, history)
    at = answer.at if isinstance(answer, NotBefore) else now
    local = at.astimezone(ZoneInfo(zone))
    window = rules.window_on(local.date())
    assert window is not None
    assert window.opens <= local.time() < window.closes
    assert (local.month, local.day) not in {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}
    assert all(at - sent >= timedelta(hours=rules.spacing_hours_min) for sent in history)
    assert sum(at - sent < timedelta(days=7) for sent in history) < rules.per_week_max


@given(now=moments, land=st.sampled_from(LAENDER))
def test_german_defaults_hold_in_every_land(now: datetime, land: str) -> None:
    answer = ask(now, land=land)
    at = answer.at if isinstance(answer, NotBefore) else now
    local = at.astimezone(BERLIN)
    assert local.date().weekday() != 6
    opens, closes = (10, 18) if local.date().weekday() == 5 else (9, 20)
    assert opens <= local.hour < closes
    assert local.date() not in {date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 14)}


@given(now=moments)
def test_no_earlier_moment_was_possible(now: datetime) -> None:
    answer = ask(now)
    if isinstance(answer, NotBefore):
        minutes = int((answer.at - now).total_seconds() // 60)
        step = max(1, minutes // 40)
        for passed in range(0, minutes, step):
            assert ask(now + timedelta(minutes=passed)) != Allowed()


@given(st.times(), st.times(), st.integers(0, 365 * 24 * 60))
def test_wished_hours_only_ever_narrow_the_rules(
    earliest: time, latest: time, minutes: int
) -> None:
    """Whatever is wished, what is then allowed is allowed anyway, and lies in the wish."""
    rules = rules_of("DE")
    wished = rules.kept_to(earliest, latest)
    if wished is None:
        return
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    if isinstance(may_contact(now, "Europe/Berlin", "BE", wished, []), Allowed):
        assert isinstance(may_contact(now, "Europe/Berlin", "BE", rules, []), Allowed)
        local = now.astimezone(ZoneInfo("Europe/Berlin")).time()
        assert earliest <= local < latest

"""Whose turn it is, and which team something goes to."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from conversation.desk_moves import TAG_CHARACTERS_MAX, TAGS_MAX, tags_of
from conversation.desk_seats import Seat, next_in_turn
from conversation.desk_teams import Takes, team_for
from tests.conftest import NOW


def seat(person_id: int, **facts: object) -> Seat:
    return replace(Seat(person_id, f"P{person_id}", here=True), **facts)


def test_nobody_who_is_away_or_full_is_given_anything() -> None:
    assert next_in_turn([]) is None
    assert next_in_turn([seat(1, here=False), seat(2, held=5), seat(3, capacity=1, held=1)]) is None


def test_who_was_given_none_for_longest_is_next() -> None:
    waited = NOW - timedelta(hours=2)
    found = next_in_turn([seat(1, given_at=NOW), seat(2, given_at=waited), seat(3, given_at=NOW)])
    assert found is not None
    assert found.person_id == 2
    found = next_in_turn([seat(1, given_at=waited), seat(2)])
    assert found is not None
    assert found.person_id == 2, "who was never given one goes first"


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 40))
def test_in_turn_everybody_gets_as_many_until_they_are_full(
    capacities: list[int], many: int
) -> None:
    people = [seat(n, capacity=most) for n, most in enumerate(capacities, 1)]
    for step in range(many):
        chosen = next_in_turn(people)
        if chosen is None:
            break
        at: datetime = NOW + timedelta(seconds=step)
        people = [
            replace(one, held=one.held + 1, given_at=at) if one is chosen else one for one in people
        ]
        room = [one.held for one in people if one.held < one.capacity]
        assert all(one.held <= one.capacity for one in people)
        assert not room or max(one.held for one in people) - min(room) <= 1
    assert sum(one.held for one in people) == min(many, sum(capacities))


def test_the_team_that_names_most_of_it_takes_it() -> None:
    anything = Takes(1)
    english = Takes(2, languages=frozenset({"en"}))
    hardship = Takes(3, reasons=frozenset({"hardship", "crisis"}))
    both = Takes(4, reasons=frozenset({"hardship"}), languages=frozenset({"en"}))
    teams = [anything, english, hardship, both]
    assert team_for(teams, "receipt", "de") == 1
    assert team_for(teams, "receipt", "en") == 2
    assert team_for(teams, "crisis", "en") == 3
    assert team_for(teams, "hardship", "en") == 4
    assert team_for([english, hardship], "receipt", "de") is None
    assert team_for([english], "receipt", None) is None
    assert team_for([], "receipt", "de") is None


@given(st.lists(st.text(max_size=60), max_size=30))
def test_tags_are_few_short_and_each_there_once(given_: list[str]) -> None:
    tags = tags_of(given_)
    assert tags == sorted(set(tags))
    assert len(tags) <= TAGS_MAX
    assert all(tag and len(tag) <= TAG_CHARACTERS_MAX and tag == tag.strip() for tag in tags)
    assert tags_of(tags) == tags


def test_a_tag_is_the_same_however_it_is_written() -> None:
    assert tags_of(["  VIP ", "vip", "Zweite  Mahnung"]) == ["vip", "zweite mahnung"]

"""What a turn is told of a long conversation."""

from typing import Any, Dict, List

from pipeline.history import EVENTS_MAX, recent


def turn(number: int) -> List[Dict[str, Any]]:
    return [
        {"event": "action", "name": "action_listen"},
        {"event": "user", "text": str(number)},
        {"event": "slot", "name": "awaiting", "value": number},
        {"event": "bot"},
    ]


def test_short_conversations_are_kept_whole() -> None:
    events = turn(1) + turn(2)
    assert recent(events) == events


def test_cut_at_a_turn_with_the_last_slot_values_in_front() -> None:
    events = [{"event": "slot", "name": "claim_id", "value": 3}]
    for number in range(30):
        events += turn(number)
    kept = recent(events)
    assert len(kept) <= EVENTS_MAX + 2
    assert kept[0] == {"event": "slot", "name": "claim_id", "value": 3}
    assert kept[1]["name"] == "awaiting"
    assert kept[2] == {"event": "action", "name": "action_listen"}
    assert kept[1]["value"] == int(kept[3]["text"]) - 1
    assert kept[-4:] == turn(29)


def test_only_the_last_loop_stays() -> None:
    events: List[Dict[str, Any]] = [
        {"event": "active_loop", "name": "some_form"},
        {"event": "active_loop", "name": None},
    ]
    for number in range(30):
        events += turn(number)
    loops = [event for event in recent(events) if event["event"] == "active_loop"]
    assert loops == [{"event": "active_loop", "name": None}]

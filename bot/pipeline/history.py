"""How much of a conversation a turn looks at.

Rasa's work grows with each event that it is given. Rules look one turn back; whatever must be
known for longer is in slots, whose last values stay.
"""

from functools import lru_cache
from typing import Any, Dict, List

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import Event

# Two or three turns with an action each.
EVENTS_MAX = 24


def recent(events: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return the last turns, led by the last value of each slot and loop set before them.

    Cut where the assistant listens, so that no turn is torn; at most `EVENTS_MAX` events and one
    for each slot.
    """
    start = len(events) - EVENTS_MAX
    if start <= 0:
        return events
    while start < len(events) and events[start].get("name") != ACTION_LISTEN_NAME:
        start += 1
    kept: Dict[Any, Dict[str, Any]] = {}
    for event in events[:start]:
        if event["event"] in ("slot", "active_loop"):
            # Slots are told apart by their name; of loops only one is active.
            kept[(event["event"], event["name"] if event["event"] == "slot" else None)] = event
    return [*kept.values(), *events[start:]]


def install() -> None:
    """Look the class of an event's type up once; Rasa walks through all classes for each event."""
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))

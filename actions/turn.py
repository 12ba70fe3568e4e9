"""One action call: what was heard, what is remembered, what to say, what comes next.

Every action of ours ends the turn, or names the action that goes on, by itself: so no rule has to
foresee which slots an action changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.context import ConversationFacts, TurnContext
from actions.reading import Heard
from ledger.money import Money

END_OF_TURN = "action_listen"


def button(title: str, intent: str, **entities: Any) -> dict[str, Any]:
    """A button: its label is the wording ``button_<title>``, pressing it means `intent`."""
    return {"title": f"button_{title}", "intent": intent, "entities": entities}


PERSON = button("person", "request_human")
PAY_NOW = button("pay_now", "pay_now")
LATER = button("later", "request_deferral")
INSTALMENTS = button("instalments", "request_instalments")


@dataclass
class Turn:
    """The call an action handles. `slots` are as they were before; `remember` changes them."""

    action: str
    context: TurnContext
    facts: ConversationFacts
    heard: Heard
    slots: Mapping[str, Any]
    dispatcher: CollectingDispatcher
    resumed: bool = False
    """Whether a wish from before the proof is continued: then `heard` is that wish."""
    changes: dict[str, Any] = field(default_factory=dict)
    next_action: str = END_OF_TURN

    @property
    def awaiting(self) -> str:
        """The question that the bot asked last."""
        return self.slot("awaiting") or "none"

    def slot(self, name: str) -> Any:
        return self.changes[name] if name in self.changes else self.slots.get(name)

    def remember(self, **slots: Any) -> None:
        self.changes.update(slots)

    def ask(self, question: str) -> None:
        """Note what the next message may answer; ``none`` for nothing."""
        self.remember(awaiting=question)

    def say(self, wording: str, *, buttons: Sequence[Mapping[str, Any]] = (), **args: Any) -> None:
        """Say a wording with its arguments; money and days travel as plain data."""
        data = {name: plain(value) for name, value in args.items() if value is not None}
        message = {"say": wording, "args": data, "buttons": [plain(b) for b in buttons]}
        self.dispatcher.utter_message(json_message=message)

    def go_on_with(self, action: str) -> None:
        """Let another action of this turn continue, with the same thing heard."""
        if self.resumed:
            self.remember(wish={**self.heard.to_data(), "action": action, "ready": True})
        self.next_action = action

    def events(self) -> list[dict[str, Any]]:
        """What Rasa is told about this call."""
        slots = [SlotSet(name, value) for name, value in self.changes.items()]
        return [*slots, FollowupAction(self.next_action)]


def plain(value: Any) -> Any:
    """Values as JSON: money as minor units, days as ISO days, codes as strings."""
    if isinstance(value, Money):
        return value.to_json()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value

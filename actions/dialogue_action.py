"""The base of all actions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.context import current
from actions.precedence import goes_first, goes_on_with_second, with_documents
from actions.proof import demand_proof
from actions.reading import Heard
from actions.turn import Turn


class DialogueAction(Action, ABC):  # type: ignore[misc]  # rasa_sdk carries no types
    """Base of all actions: `act` reads the turn, gives one command, and says what to say.

    `discloses` marks actions that speak of a claim: an unverified person is asked for proof first
    and the wish is continued with, in the same turn, once the proof is there.
    """

    title: ClassVar[str]
    discloses: ClassVar[bool] = False
    understood: ClassVar[bool] = True

    def name(self) -> str:
        return self.title

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Run within the turn that the edge has set. Raises what the ledger raises."""
        context = current.get()
        turn = Turn(
            action=self.title,
            context=context,
            facts=await context.conversation.facts(),
            heard=with_documents(
                Heard.from_message(tracker.latest_message), tracker.latest_message
            ),
            slots=tracker.slots,
            dispatcher=dispatcher,
        )
        if self.understood and turn.slot("misunderstood"):
            turn.remember(misunderstood=0)
        wish = turn.slot("wish")
        if wish and wish.get("ready") and wish["action"] == self.title:
            turn.heard, turn.resumed = Heard.from_data(wish), True
            turn.remember(wish=None)
        if context.first_of_turn and await goes_first(turn):
            return turn.events()
        if self.discloses and not turn.facts.verified:
            await demand_proof(turn)
        else:
            await self.act(turn)
        goes_on_with_second(turn)
        return turn.events()

    @abstractmethod
    async def act(self, turn: Turn) -> None:
        """Do what the action is for."""

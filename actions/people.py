"""Whatever a person has to do: take over, call back, look into something."""

import re

from actions.day_time import DayTime, day_time
from actions.dialogue_action import DialogueAction
from actions.offers import back_to_offer
from actions.turn import PERSON, Turn, button


class RequestPerson(DialogueAction):
    """A person takes over; nothing has to be repeated."""

    title = "action_request_person"

    async def act(self, turn: Turn) -> None:
        requested = await turn.context.conversation.request_person(
            "asked_for_person", {"awaiting": turn.awaiting}, promise=True
        )
        turn.ask("none")
        wording = "person_coming" if requested.new else "person_already_coming"
        turn.say(wording, answer_by=requested.answer)


class OfferPerson(DialogueAction):
    """None of the readings was right: shall a person help?"""

    title = "action_offer_person"

    async def act(self, turn: Turn) -> None:
        offer_person(turn)


def offer_person(turn: Turn) -> None:
    turn.ask("handoff_offer")
    turn.say("clarify_person", buttons=[button("yes", "affirm"), button("no", "deny")])


class AskCallbackTime(DialogueAction):
    title = "action_ask_callback_time"

    async def act(self, turn: Turn) -> None:
        if turn.heard.has("date") or day_time(turn.heard.text) is not None:
            turn.go_on_with("action_note_callback")
            return
        turn.ask("callback_time")
        turn.say("callback_ask")


class NoteCallback(DialogueAction):
    """The wish for a call with its day and time of day, repeated so that it can be put right."""

    title = "action_note_callback"

    async def act(self, turn: Turn) -> None:
        day = turn.heard.day()
        if day is not None and day < turn.facts.today:
            day = None
        named = (day_time(turn.heard.text) or DayTime()).to_data()
        await turn.context.conversation.request_person(
            "callback", {"day": day.isoformat() if day else None, **named}
        )
        turn.ask("none")
        turn.say(
            "callback_noted",
            day=day,
            bound=named.get("time_bound"),
            clock=named.get("time"),
            clock_end=named.get("time_end"),
            # "Tomorrow evening after 6" needs the evening no more.
            part=named.get("day_part") if "time" not in named else None,
        )


_COMPLAINS = re.compile(r"beschwer|reklam|vorgesetzt|complain|supervisor|manager", re.IGNORECASE)


class HearComplaint(DialogueAction):
    """Anger: stay calm and offer a person; a complaint, or anger again, goes to one."""

    title = "action_hear_complaint"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        if turn.slot("upset") or _COMPLAINS.search(turn.heard.text):
            await port.request_person("complaint", {})
            turn.ask("none")
            turn.say("complaint_heard")
            return
        await port.note("anger_heard", {"message": turn.context.message_id})
        turn.remember(upset=True)
        turn.ask("handoff_offer")
        turn.say("anger_heard", buttons=[PERSON])


class NoteDataRequest(DialogueAction):
    """Access or erasure (GDPR Art. 15, 17): kept with its day, answered within a month."""

    title = "action_note_data_request"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        await port.note("data_request", {"message": turn.context.message_id})
        await port.request_person("data_request", {"received": turn.facts.today.isoformat()})
        turn.say("data_request_noted")
        back_to_offer(turn)


class NoteContactChange(DialogueAction):
    """A new number or address is entered by a person: chat alone must not move contact."""

    title = "action_note_contact_change"

    async def act(self, turn: Turn) -> None:
        await turn.context.conversation.request_person("contact_change", {})
        turn.say("contact_change_noted")
        back_to_offer(turn)

"""Whatever a person has to do: take over, call back, look into something."""

import re
from datetime import date

from actions.channels import DIGITS_SHOWN
from actions.day_time import DayTime, day_time
from actions.dialogue_action import DialogueAction
from actions.offers import back_to_offer
from actions.opening import tell_source
from actions.remarks import asks_where_from
from actions.turn import PERSON, Turn, button
from channels.message import PHONE_CHANNELS


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
        number = await _number(turn)
        turn.remember(number=number)
        turn.ask("callback_time")
        known = await turn.context.conversation.own_number() if number == "known" else None
        if known is not None:
            turn.say("callback_ask_known", ending=known[-DIGITS_SHOWN:])
        else:
            turn.say("callback_ask", here=int(number is not None))


async def _number(turn: Turn) -> str | None:
    """Which number to call, as a code; the number itself stands in the transcript or with the
    customer. What we know is spoken of only after the proof."""
    if turn.heard.has("phone"):
        return "named"
    told = turn.slot("number")
    if isinstance(told, str):
        return told
    if isinstance(told, dict) and told.get("number", "unknown") != "unknown":
        return str(told["number"])
    if turn.facts.channel in PHONE_CHANNELS:
        return "chat"
    if turn.facts.verified and await turn.context.conversation.own_number() is not None:
        return "known"
    return None


class NoteCallback(DialogueAction):
    """The wish for a call with its day and time of day, repeated so that it can be put right."""

    title = "action_note_callback"

    async def act(self, turn: Turn) -> None:
        day = turn.heard.day()
        if day is not None and day < turn.facts.today:
            day = None
        number = await _number(turn)
        kept = turn.slot("number")
        told = kept if isinstance(kept, dict) else {}  # what was said before about this call
        at = (day_time(turn.heard.text) or DayTime()).to_data()
        known = {"day", "wished_day"} if at else told.keys() - {"number"}
        # What is told is what is done: on a closed day nobody would call.
        possible = await turn.context.conversation.open_day(day) if day is not None else None
        when = {
            **{name: value for name, value in told.items() if name in known},
            **_days(day, possible),
            **at,
        }
        await turn.context.conversation.request_person(
            # What was said before and holds no more is taken back on the desk, too.
            "callback",
            {**dict.fromkeys(told.keys() - when.keys()), **when, "number": number or "unknown"},
        )
        if number is None and turn.awaiting != "callback_number" and "number" not in told:
            turn.ask("callback_number")
            turn.remember(number=when)
            turn.say("callback_ask_number")
            return
        turn.ask("none")
        turn.remember(number={**when, "number": number or "unknown"})
        turn.say(
            "callback_noted",
            day=date.fromisoformat(when["day"]) if "day" in when else None,
            closed=date.fromisoformat(when["wished_day"]) if when.get("wished_day") else None,
            bound=when.get("time_bound"),
            clock=when.get("time"),
            clock_end=when.get("time_end"),
            # "Tomorrow evening after 6" needs the evening no more.
            part=when.get("day_part") if "time" not in when else None,
        )


def _days(wished: date | None, possible: date | None) -> dict[str, str | None]:
    """The day of a call, and the one that was wished for where that is another."""
    if wished is None or possible is None:
        return {}
    other = wished.isoformat() if wished != possible else None
    return {"day": possible.isoformat(), "wished_day": other}


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
        if asks_where_from(turn.heard.text):
            await tell_source(turn)
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

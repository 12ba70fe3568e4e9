"""First words, who we are, and everything about contact itself."""

from datetime import UTC, datetime, time, timedelta

from actions.dialogue_action import DialogueAction
from actions.offers import back_to_offer, current_offer
from actions.turn import PERSON, Turn, button

POSTPONED_DAYS_MAX = 60
POSTPONED_DAYS_USUAL = 7


class Greet(DialogueAction):
    """A hello, or the first answer: proof first, then what it is about."""

    title = "action_greet"

    async def act(self, turn: Turn) -> None:
        if not turn.facts.verified or turn.slot("claim_shown") is None:
            turn.go_on_with("action_explain_claim")
        elif current_offer(turn) is not None and turn.awaiting == "confirm_agreement":
            back_to_offer(turn)
        else:
            turn.ask("none")
            turn.say(
                "welcome",
                buttons=[
                    button("claim", "ask_claim"),
                    button("agreement", "ask_agreement"),
                    PERSON,
                ],
            )


class ExplainSender(DialogueAction):
    """Is this real? Proof on the shop's own page; no data is asked for."""

    title = "action_explain_sender"

    async def act(self, turn: Turn) -> None:
        turn.say("who_we_are", buttons=[button("claim", "ask_claim"), PERSON])


class ExplainBot(DialogueAction):
    title = "action_explain_bot"

    async def act(self, turn: Turn) -> None:
        turn.say("yes_automated", buttons=[PERSON])
        back_to_offer(turn)


class Thank(DialogueAction):
    title = "action_thank"

    async def act(self, turn: Turn) -> None:
        turn.say("thanks_noted")
        back_to_offer(turn)


class SayGoodbye(DialogueAction):
    title = "action_say_goodbye"

    async def act(self, turn: Turn) -> None:
        turn.say("goodbye")


class OptOut(DialogueAction):
    """No more messages: done at once, confirmed once."""

    title = "action_opt_out"

    async def act(self, turn: Turn) -> None:
        await turn.context.conversation.opt_out()
        turn.ask("none")
        turn.remember(offer=None, wish=None)
        turn.say("opt_out_confirmed")


class ChangeLanguage(DialogueAction):
    """Deutsch or English, by button, by name, or the other one than now."""

    title = "action_change_language"

    async def act(self, turn: Turn) -> None:
        language = _language(turn)
        if language is None:
            turn.say(
                "language_unavailable",
                buttons=[
                    button("german", "change_language", language="de"),
                    button("english", "change_language", language="en"),
                ],
            )
            return
        await turn.context.conversation.set_language(language)
        turn.remember(language=language)
        turn.say("language_changed", language=language)
        back_to_offer(turn)


_NAMES = {
    "de": ("deutsch", "german", "auf deutsch"),
    "en": ("english", "englisch", "inglés", "ingilizce"),
}


def _language(turn: Turn) -> str | None:
    pressed = turn.heard.one("language")
    if pressed in _NAMES:
        return pressed
    text = turn.heard.text.casefold()
    named = [code for code, names in _NAMES.items() if any(name in text for name in names)]
    return named[0] if len(named) == 1 else None


class Postpone(DialogueAction):
    """Busy now: when may we write again?"""

    title = "action_postpone"

    async def act(self, turn: Turn) -> None:
        if turn.heard.day() is not None:
            turn.go_on_with("action_note_postponement")
            return
        turn.ask("postpone_date")
        turn.say("not_now_ask")


class NotePostponement(DialogueAction):
    """Nothing is sent before the day that was named; without one, for a few days."""

    title = "action_note_postponement"

    async def act(self, turn: Turn) -> None:
        today = turn.facts.today
        day = turn.heard.day()
        if day is None or day <= today:
            day = today + timedelta(days=POSTPONED_DAYS_USUAL)
        day = min(day, today + timedelta(days=POSTPONED_DAYS_MAX))
        until = datetime.combine(day, time(), UTC)
        await turn.context.conversation.pause_contact(until, "not_now")
        turn.ask("none")
        turn.say("not_now_noted", until=day)

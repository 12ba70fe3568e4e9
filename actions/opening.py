"""First words, who we are, and everything about contact itself."""

from datetime import timedelta

from actions.channels import keep_hours
from actions.claims import focus_to_speak_of
from actions.contact_words import hours_wish
from actions.dialogue_action import DialogueAction
from actions.new_day import missed, suggest_new_day
from actions.offers import back_to_offer, current_offer
from actions.proof import demand_proof
from actions.remarks import asks_how_we_are, asks_where_from, says_yes
from actions.rest import pause_everything
from actions.turn import INSTALMENTS, LATER, PAY_NOW, PERSON, Turn, button
from channels.optout import stops_all

POSTPONED_DAYS_MAX = 60
POSTPONED_DAYS_USUAL = 7


async def tell_source(turn: Turn) -> None:
    """Where the address comes from, and how to object or have it erased (GDPR Art. 14, 17, 21)."""
    source = await turn.context.conversation.address_source()
    turn.say("address_source", source=source, buttons=[button("not_me", "wrong_person"), PERSON])


class Greet(DialogueAction):
    """A hello, or the first answer: proof first, then what it is about, or where we were."""

    title = "action_greet"

    async def act(self, turn: Turn) -> None:
        if asks_how_we_are(turn.heard.text):
            turn.say("small_talk")
        if turn.slot("spared"):
            turn.ask("none")
            turn.say("welcome", buttons=[PERSON])
        elif turn.slot("claim_shown") is None:
            turn.go_on_with("action_explain_claim")
        elif not turn.facts.verified:
            await demand_proof(turn)
        elif current_offer(turn) is not None:
            turn.ask("confirm_agreement")
            back_to_offer(turn)
        elif turn.facts.waiting or turn.slot("refused"):
            # Who has trouble, or does not want to pay, is not asked for money with a hello.
            turn.ask("none")
            choices = [button("claim", "ask_claim"), button("agreement", "ask_agreement")]
            turn.say("welcome", buttons=[*choices, PERSON])
        else:
            await _where_we_were(turn)


async def _where_we_were(turn: Turn) -> None:
    found = await focus_to_speak_of(turn)
    if found is None:
        return
    if (agreement := found.agreement) is None:
        turn.ask("way")
        turn.say(
            "welcome_back",
            invoice=found.statement.invoice_number,
            open=found.open,
            buttons=[PAY_NOW, LATER, INSTALMENTS],
        )
        return
    turn.ask("none")
    late, upcoming = missed(turn, found), agreement.next_instalment
    if late is not None:
        suggest_new_day(turn, found, late)
        return
    turn.say(
        "welcome_back_agreement",
        due=upcoming.instalment.due if upcoming else None,
        amount=upcoming.missing if upcoming else None,
        buttons=[button("agreement", "ask_agreement"), PERSON],
    )


class ExplainSender(DialogueAction):
    """Is this real? Proof on the shop's own page; no data is asked for."""

    title = "action_explain_sender"

    async def act(self, turn: Turn) -> None:
        if asks_where_from(turn.heard.text):
            await tell_source(turn)
            back_to_offer(turn)
            return
        turn.say("who_we_are", buttons=[button("claim", "ask_claim"), PERSON])


class ExplainBot(DialogueAction):
    title = "action_explain_bot"

    async def act(self, turn: Turn) -> None:
        turn.say("yes_automated", buttons=[PERSON])
        back_to_offer(turn)


class Thank(DialogueAction):
    """Thanks; "yes, that's good, thanks" to a suggestion is a yes."""

    title = "action_thank"

    async def act(self, turn: Turn) -> None:
        if turn.awaiting == "confirm_agreement" and says_yes(turn.heard.text):
            turn.go_on_with("action_confirm_agreement")
            return
        turn.say("thanks_noted")
        back_to_offer(turn)


class SayGoodbye(DialogueAction):
    title = "action_say_goodbye"

    async def act(self, turn: Turn) -> None:
        turn.say("goodbye")


class OptOut(DialogueAction):
    """No more messages: done at once, confirmed once.

    What else was said goes on where it needs no question; else a person has it.
    """

    title = "action_opt_out"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        about = turn.heard.one("channel")
        second = turn.slot("second")
        # Whoever holds a wrong number cannot speak for the customer's other addresses.
        stranger = second is not None and second["intent"] == "wrong_person"
        everywhere = about is None and not stranger and stops_all(turn.heard.text)
        await port.opt_out(channel=about, everywhere=everywhere)
        turn.ask("none")
        turn.remember(offer=None, wish=None)
        if everywhere:
            turn.say("opt_out_everywhere_confirmed")
        elif about in (None, turn.facts.channel):
            turn.say("opt_out_confirmed")
        else:
            turn.say("opt_out_channel_confirmed", channel=about)
        asks_back = stranger and (turn.facts.verified or turn.facts.lapsed)
        if not second or (second["intent"] in _ANSWERED_AFTER_STOP and not asks_back):
            return
        turn.remember(second=None)
        reason = _REASON_AFTER_STOP.get(second["intent"])
        if reason is None:
            return
        await pause_everything(turn, turn.facts.policy.check_days, reason)
        await port.request_person(reason, {"after": "opt_out"})
        turn.say("passed_on_after_stop")


_ANSWERED_AFTER_STOP = frozenset(
    {"wrong_person", "data_request", "withdraw_contract", "change_contact", "request_receipt"}
)
_REASON_AFTER_STOP = {
    "wrong_person": "wrong_person",
    "already_paid": "payment_reported",
    "dispute_goods": "dispute_goods",
    "hardship": "hardship",
    "request_callback": "callback",
    "request_human": "asked_for_person",
    "request_invoice_copy": "invoice_copy",
    "request_instalments": "asked_for_person",
    "request_deferral": "asked_for_person",
}
"""A wish that came with a stop → why a person gets it. A refusal or a question asks for none."""


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
    """Busy now: when may we write again? Or at which times of the day at all."""

    title = "action_postpone"

    async def act(self, turn: Turn) -> None:
        hours = hours_wish(turn.heard.text) if turn.heard.day() is None else None
        if hours is not None:
            await keep_hours(turn, hours)
            return
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
        if day == today:  # "this evening": the customer writes again, we do not before tomorrow
            day = today + timedelta(days=1)
        elif day is None or day < today:
            day = today + timedelta(days=POSTPONED_DAYS_USUAL)
        day = min(day, today + timedelta(days=POSTPONED_DAYS_MAX))
        await turn.context.conversation.pause_contact(day, "not_now")
        turn.ask("none")
        turn.say("not_now_noted", until=day)

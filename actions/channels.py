"""Where and when the customer wants to hear from us: another channel, times of the day."""

from datetime import time

from actions.contact_words import code_in, mobile
from actions.day_time import DayTime
from actions.dialogue_action import DialogueAction
from actions.offers import back_to_offer
from actions.proof import demand_proof
from actions.turn import PERSON, Turn, button

CHANNELS = ("sms", "whatsapp", "telegram")
DIGITS_SHOWN = 3
NEW_CODE = button("new_code", "choose_channel", channel="sms")


class ChooseChannel(DialogueAction):
    """How the customer wants to hear from us; they are led there, and the dialogue goes along.

    To SMS by a code that is typed here, to Telegram and WhatsApp by a one-time link.
    """

    title = "action_choose_channel"

    async def act(self, turn: Turn) -> None:
        port = turn.context.conversation
        channel = turn.heard.one("channel")
        awaited = turn.awaiting == "channel"
        if awaited and (code := code_in(turn.heard.text)) and await port.has_open_code():
            await _take_code(turn, code)
            return
        if channel is None and awaited and turn.heard.has("phone"):
            channel = "sms"  # the number that was asked for
        if channel in CHANNELS:
            await _go_to(turn, channel)
        elif channel is not None or (awaited and not await port.has_open_code()):
            await port.request_person("channel", {"channel": channel})
            turn.ask("none")
            turn.say("task_for_team")
        elif awaited:
            turn.say("channel_code_ask", buttons=[NEW_CODE, PERSON])
        else:
            turn.ask("channel")
            turn.say("channel_ask", buttons=[_channel(name) for name in CHANNELS])


async def _go_to(turn: Turn, channel: str) -> None:
    port = turn.context.conversation
    way = await port.way_to(channel)
    if way.kind != "closed":
        await port.prefer_channel(channel)
    if way.kind == "number":
        await _ask_number(turn)
        return
    if way.kind == "closed":
        await port.note("channel_refused", {"channel": channel, "reason": way.obstacle})
        open_ones = [name for name in CHANNELS if (await port.way_to(name)).kind != "closed"]
        turn.ask("channel")
        others = [_channel(name) for name in open_ones if name != turn.facts.channel]
        turn.say("channel_closed", channel=channel, buttons=[*others, PERSON])
        return
    if turn.awaiting == "channel":
        turn.ask("none")
    if way.kind == "here":
        turn.say("channel_noted", channel=channel)
        back_to_offer(turn)
    elif way.kind == "known":
        await port.go_on_at(channel)
        turn.say("channel_left", channel=channel)
    else:
        turn.say("channel_link", channel=channel, link=await port.link_to(channel))


async def _ask_number(turn: Turn) -> None:
    """A code goes only to whom has proved who they are: anybody could have us write to anybody."""
    if not turn.facts.verified:
        await demand_proof(turn)
        return
    port = turn.context.conversation
    given = turn.heard.one("phone")
    turn.ask("channel")
    if given is None:
        known = await port.own_number()
        if known is None:
            turn.say("channel_number_ask", buttons=[PERSON])
        else:
            turn.say(
                "channel_number_confirm",
                digits=known[-DIGITS_SHOWN:],
                buttons=[button("yes", "choose_channel", channel="sms", phone=known), PERSON],
            )
        return
    number = mobile(given)
    if number is None:
        turn.say("channel_number_again", buttons=[PERSON])
        return
    sent = await port.send_code(number)
    if sent == "sent":
        turn.say("channel_code_sent", digits=number[-DIGITS_SHOWN:])
        return
    await port.note("channel_refused", {"channel": "sms", "reason": sent})
    turn.say("channel_number_refused", buttons=[PERSON])


async def _take_code(turn: Turn, code: str) -> None:
    tried = await turn.context.conversation.try_code(code)
    if tried == "right":
        turn.ask("none")
        turn.say("channel_left", channel="sms")
    elif tried == "wrong":
        turn.say("channel_code_wrong")
    else:
        turn.say("channel_code_over", buttons=[NEW_CODE, PERSON])


def _channel(name: str) -> dict[str, object]:
    return button(name, "choose_channel", channel=name)


async def keep_hours(turn: Turn, wish: DayTime) -> None:
    """Note the hours; outreach keeps to them inside the hours that the law leaves."""
    earliest = wish.start if wish.bound != "until" else None
    latest = wish.end if wish.bound == "between" else None
    if wish.bound == "until":
        latest = wish.start
    await turn.context.conversation.keep_hours(earliest, latest)
    turn.say(
        "hours_noted",
        bound=wish.bound,
        clock=_clock(wish.start),
        clock_end=_clock(wish.end),
    )
    back_to_offer(turn)


def _clock(at: time | None) -> str | None:
    return f"{at:%H:%M}" if at is not None else None

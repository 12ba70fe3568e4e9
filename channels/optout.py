"""Opt-out and opt-in words, recognised in code before any model sees the message.

Only a message that *is* the request counts ("STOP", "Bitte keine Nachrichten mehr!"), not one that
mentions it ("Stop, ich habe eine Frage"): that one is for the dialogue, which knows `opt_out` too.
"""

from __future__ import annotations

import re
import unicodedata

from channels.message import Channel, ContactWish

_LENGTH_MAX = 80

_STOP = frozenset(
    {
        "stop", "stopp", "optout", "opt out", "unsubscribe", "unsubscribe me", "abmelden",
        "abmeldung", "abbestellen", "austragen", "mich abmelden", "melden sie mich ab",
        "melde mich ab", "ich möchte mich abmelden", "ich will mich abmelden", "keine sms mehr",
        "opt me out",
    }
)  # fmt: skip
# Who speaks of messages as a whole means every channel, not just the one they write on.
_STOP_ALL = frozenset(
    {
        "stopall", "stop all", "alles stoppen", "stop nachrichten", "nachrichten stoppen",
        "keine nachricht mehr", "keine nachrichten", "keine nachrichten mehr",
        "keine weiteren nachrichten", "keine weiteren nachrichten mehr", "keine mitteilungen mehr",
        "gar keine nachrichten mehr", "überhaupt keine nachrichten mehr",
        "keine nachrichten mehr senden", "keine nachrichten mehr schicken",
        "ich will keine nachrichten mehr", "ich möchte keine nachrichten mehr",
        "ich will keine nachrichten mehr bekommen", "ich möchte keine nachrichten mehr bekommen",
        "ich will keine nachrichten mehr erhalten", "ich möchte keine nachrichten mehr erhalten",
        "ich will keine weiteren nachrichten", "ich möchte keine weiteren nachrichten",
        "senden sie mir keine nachrichten mehr", "schicken sie mir keine nachrichten mehr",
        "schick mir keine nachrichten mehr", "sende mir keine nachrichten mehr",
        "schreiben sie mir nicht mehr", "schreib mir nicht mehr", "nicht mehr schreiben",
        "schreibt mir nicht mehr", "hören sie auf mir zu schreiben", "hör auf mir zu schreiben",
        "hört auf mir zu schreiben", "kontaktieren sie mich nicht mehr", "nicht mehr kontaktieren",
        "kontaktiert mich nicht mehr", "lassen sie mich in ruhe", "lass mich in ruhe",
        "lasst mich in ruhe", "no more messages", "no more texts", "no further messages",
        "no messages", "no messages at all", "stop all messages", "stop everything",
        "stop messages", "stop messaging", "stop messaging me", "stop texting",
        "stop texting me", "stop contacting me", "stop writing me", "stop writing to me",
        "do not contact me", "dont contact me", "do not contact me again", "dont contact me again",
        "do not text me", "dont text me", "do not message me", "dont message me",
        "i dont want any more messages", "i do not want any more messages",
        "i want no more messages", "leave me alone", "remove me",
        "take me off your list", "remove me from your list",
    }
)  # fmt: skip
# Twilio's default keywords for SMS: its answer to the next message is 21610, so ours is the same.
# Elsewhere "cancel" and "end" may well mean a plan or the conversation.
_STOP_SMS = frozenset({"cancel", "end", "quit", "revoke"})
_START = frozenset(
    {
        "start", "unstop", "subscribe", "anmelden", "wieder anmelden", "opt in", "optin",
        "ich möchte wieder nachrichten", "wieder nachrichten", "nachrichten wieder erlauben",
        "start again", "resume messages",
    }
)  # fmt: skip
_COURTESY = frozenset(
    {
        "bitte", "danke", "please", "thanks", "thank", "you", "hallo", "hi", "hey", "hello", "ok",
        "okay", "jetzt", "sofort", "endlich", "now", "immediately",
    }
)  # fmt: skip

_APOSTROPHES = re.compile(r"['’‘`´]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_NOT_WORDS = re.compile(r"[^\w?]+|_+")


def contact_wish(text: str, channel: Channel | None = None) -> ContactWish | None:
    """STOP, STOP_ALL or START when the whole message says just that, else None.

    Case, punctuation, emoji, repetition and courtesies ("bitte", "please") do not matter; a
    question ("Stop?") is never one. `channel` adds the words that mean it on that channel only.
    """
    if len(text) > _LENGTH_MAX:
        return None
    phrase = _phrase(text)
    if phrase in _STOP or (channel is Channel.SMS and phrase in _STOP_SMS):
        return ContactWish.STOP
    if phrase in _STOP_ALL:
        return ContactWish.STOP_ALL
    return ContactWish.START if phrase in _START else None


_HERE = re.compile(
    r"\b(?:sms|whats\s?app|wa|telegram|hier|hierüber|hierher|diese[nmr]?\s(?:weg|kanal|nummer|chat)"
    r"|here|this\s(?:number|chat|channel)|text\smessages?)\b",
    re.IGNORECASE,
)


_AT_ALL = re.compile(
    r"\b(?:nachricht\w*|schreib\w*|geschrieben|kontakt\w*|meld\w*|in\s+ruhe|nie\s+wieder|nichts\s+mehr"
    r"|hör\w*\b.*\bauf|lasst?\s+mich|messag\w*|contact\w*|writ\w*|text(?:ing|s)?\s|alone|never|bother\w*"
    r"|all\s+channels|überall|auf\s+(?:allen|keinem))\b",
    re.IGNORECASE,
)


def stops_all(text: str) -> bool:
    """Whether a sentence that asks us to stop means every channel.

    It does where it speaks of being written to as a whole, and not of this channel; a "stop"
    beside something else is this channel's.
    """
    return _AT_ALL.search(text) is not None and _HERE.search(text) is None


def _phrase(text: str) -> str:
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).lower()
    phrase = _NOT_WORDS.sub(" ", _APOSTROPHES.sub("", plain)).replace("ab sofort", " ")
    words = [word for word in phrase.split() if word not in _COURTESY]
    if len(set(words)) == 1:
        words = words[:1]
    return " ".join(words)

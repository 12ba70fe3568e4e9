"""Twilio's error codes in the terms of the closed set of send errors.

Source: Twilio's error dictionary. The same codes come at once, when a send is refused, and later
in status callbacks. Twilio's own error texts are never passed on: they quote phone numbers.
"""

from __future__ import annotations

from channels.message import (
    ContactStopped,
    GiveUp,
    Retry,
    SendError,
    Throttled,
    Uncertain,
    WindowClosed,
    WrongAddress,
)

RETRY_AFTER_SECONDS = 1.0

_RETRY_AFTER_SECONDS = {
    21611: 60.0,  # our number's queue is full
    30001: 60.0,  # queue overflow
    63017: 60.0,  # channel rate limit
    63018: 60.0,  # channel rate limit
    30023: 3600.0,  # a carrier's daily cap
    63038: 3600.0,  # the account's daily limit
}

_KINDS: dict[int, tuple[type[SendError], str]] = {
    **dict.fromkeys(
        (20429, 14107, 21611, 30001, 30022, 30023, 30027, 63017, 63018, 63038),
        (Throttled, "too many messages"),
    ),
    **dict.fromkeys((21610, 30004), (ContactStopped, "the person unsubscribed or blocked us")),
    **dict.fromkeys((63014, 63033), (ContactStopped, "the person blocked us on WhatsApp")),
    63016: (WindowClosed, "outside the 24-hour window only a template may be sent"),
    **dict.fromkeys(
        (21211, 21214, 21217, 21604, 21612, 21614, 30005, 30006, 30014, 63003, 63024),
        (WrongAddress, "the number does not exist or cannot receive this"),
    ),
    **dict.fromkeys(
        (30017, 63009, 63010, 63012),
        (Retry, "the network or the channel failed for the moment"),
    ),
    **dict.fromkeys(
        (20003, 20005, 20403, 20404, 30002),
        (GiveUp, "the Twilio account was refused"),
    ),
    **dict.fromkeys(
        (21654, 21655, 21656, 63027, 63028, 63040, 63041),
        (GiveUp, "the template or its variables were refused"),
    ),
    **dict.fromkeys(
        (21212, 21603, 21606, 63002, 63007),
        (GiveUp, "our sender may not be used for this"),
    ),
    **dict.fromkeys((21602, 21605, 21617), (GiveUp, "the text is empty or too long")),
    21609: (GiveUp, "the status callback URL was refused"),
    30003: (GiveUp, "the handset is off or out of reach"),
    30007: (GiveUp, "a carrier filtered the message"),
}


def send_error(status: int, code: int | None, retry_after_seconds: float | None) -> SendError:
    """What a refused send means. `status` is HTTP's, `code` Twilio's where it gave one.

    Any 5xx is Uncertain: Twilio does not say whether the message exists, its message list does.
    """
    shown = str(code if code is not None else status)
    if status >= 500:
        return Uncertain("Twilio failed while handling the message", provider_code=shown)
    kind, reason = _KINDS.get(code or 0, (GiveUp, "the message was refused"))
    if status == 429 or kind is Throttled:
        seconds = retry_after_seconds or _RETRY_AFTER_SECONDS.get(code or 0, RETRY_AFTER_SECONDS)
        return Throttled("too many messages", retry_after_seconds=seconds, provider_code=shown)
    if status == 408:
        return Uncertain("Twilio gave up waiting", provider_code=shown)
    return kind(reason, provider_code=shown)


def failure(code: int | None) -> type[SendError]:
    """What a failed delivery, told by a status callback, means for the next message."""
    return _KINDS.get(code or 0, (GiveUp, ""))[0]

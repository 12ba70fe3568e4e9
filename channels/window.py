"""WhatsApp's customer service window."""

from __future__ import annotations

from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
MARGIN = timedelta(minutes=1)
"""The provider judges when it handles the message, not when we decide to send it."""


def window_open(last_inbound_at: datetime | None, now: datetime) -> bool:
    """Whether a free text may be sent on WhatsApp; if not, only an approved template.

    The window opens with each message or button press of the customer and lasts 24 hours (Meta,
    WhatsApp Business messaging policy; Twilio answers 63016 outside it). Both times are aware;
    raises ValueError otherwise. None means that the customer never wrote.
    """
    if now.tzinfo is None or (last_inbound_at is not None and last_inbound_at.tzinfo is None):
        raise ValueError("times must be aware")
    return last_inbound_at is not None and now - last_inbound_at < WINDOW - MARGIN

"""Choices on channels without buttons of their own: lettered lines under the text."""

from __future__ import annotations

from collections.abc import Sequence

from channels.message import Channel

LETTERS = "ABCDEFGHIJ"
LETTERED_CHANNELS = frozenset({Channel.SMS, Channel.WHATSAPP})
"""SMS has no buttons, and WhatsApp through Twilio has them only inside approved templates."""


def lettered(text: str, titles: Sequence[str]) -> str:
    """The text with one line ``A = title`` per choice; GSM-7 if text and titles are.

    Letters rather than numbers, since a bare "3" has to stay free to mean three instalments. What
    an answered "B" means only the conversation knows: it resolves it against the choices it
    offered last. Raises ValueError for more choices than there are letters (10).
    """
    if len(titles) > len(LETTERS):
        raise ValueError(f"at most {len(LETTERS)} choices have a letter")
    lines = [f"{letter} = {title}" for letter, title in zip(LETTERS, titles, strict=False)]
    return "\n".join([text, *lines])

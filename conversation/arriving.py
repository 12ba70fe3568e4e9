"""Arriving by a one-time link: whose chat it becomes, and where the dialogue behind it goes on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from conversation.consent import MayGuess, bind_start_token, token_in
from conversation.moving import How, Wake, move
from storage.tables import Conversation, Message


@dataclass
class Arrival:
    """How the customer came to the conversation with this message."""

    may_guess: MayGuess
    by_link: bool = False
    wake: Wake = field(default_factory=Wake)
    """Other conversations that have something to send because of it."""


async def come_by_link(
    session: AsyncSession,
    conversation: Conversation,
    message: Message,
    now: datetime,
    arrival: Arrival,
) -> bool:
    """Bind the chat to whom a one-time link was made for, and go on here with what was said.

    False for a link that binds nobody (any more); True without a link, too.
    """
    token = message.args.get("start_token") if message.kind == "start" else None
    token = token or token_of(message, conversation.channel)
    if token is None:
        return True
    arrival.by_link = True
    if not await arrival.may_guess(f"link:{conversation.id}"):
        return False
    found = await bind_start_token(session, conversation, token, now)
    if found is None:
        return False
    origin = None
    if found.from_conversation_id is not None:
        origin = await session.get(Conversation, found.from_conversation_id)
    await move(session, conversation, now, How.LINK, arrival.wake, origin=origin)
    return True


class Written(Protocol):
    """A message as far as a link's token may stand in it."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


def token_of(message: Written, channel: str) -> str | None:
    """The token of a WhatsApp link, which stands in the text that it had ready."""
    if channel != Channel.WHATSAPP or message.kind != "message":
        return None
    return token_in(message.text)

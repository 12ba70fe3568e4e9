"""What a person's words need to be sent, and what is ready to be sent: once more, or as a template.

Like ``conversation/desk.py`` what writes works in a transaction that holds the conversation's lock
and commits nothing.
"""

from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.delivery import hindrance
from conversation.handoff_held import (
    AddressOptedOut,
    By,
    Held,
    TemplateNeeded,
    answered,
    held_handoff,
)
from conversation.outbox import Scene, queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Handoff, Message


def refuse_unsendable(conversation: Conversation, now: datetime) -> None:
    """Refuse what cannot be sent on this channel now. Raises AddressOptedOut, TemplateNeeded."""
    if conversation.opted_out_at is not None:
        raise AddressOptedOut("the customer wants no messages at this address")
    if hindrance(conversation, now, template=None) is not None:
        raise TemplateNeeded("more than 24 hours since the customer's last message")


async def announce_person(session: AsyncSession, held: Held, where: Scene, now: datetime) -> None:
    """Say once for this handoff that a person writes from here on."""
    if await _has_written(session, held.handoff):
        return
    notice = Reply("agent_took_over")
    await queue(session, where, where.speaker(verified=False), [notice], now, author="system")


async def send_again(
    session: AsyncSession, handoff_id: int, by: By, message_id: int, now: datetime
) -> bool:
    """Put a copy of a person's message that was not delivered into the outbox, once.

    False where there is no such message, or where it was sent again before.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken, AddressOptedOut,
        TemplateNeeded
    """
    held = await held_handoff(session, handoff_id)
    held.of(by)
    failed = await session.scalar(
        select(Message).where(
            Message.id == message_id,
            Message.conversation_id == held.conversation.id,
            Message.author == "agent",
            Message.status == "failed",
            Message.wording.is_(None),
        )
    )
    key = f"again:{message_id}"
    if failed is None or await known_reply(session, held.conversation.id, key) is not None:
        return False
    refuse_unsendable(held.conversation, now)
    session.add(
        Message(
            merchant_id=held.conversation.merchant_id,
            conversation_id=held.conversation.id,
            channel_account_id=held.conversation.channel_account_id,
            direction="out",
            author="agent",
            kind="message",
            text=failed.text,
            args=by.signature,
            status="queued",
            idempotency_key=key,
            created_at=now,
        )
    )
    return True


async def send_template(
    session: AsyncSession, handoff_id: int, by: By, wording: str, now: datetime, *, key: str
) -> bool:
    """Send a wording that the provider has approved as a template and that discloses nothing.

    False where the account has no such template. The same wording with the same `key` is sent once.

    Raises:
        HandoffUnknown, HandoffClosed, HandoffNotTaken, HandoffTaken, AddressOptedOut,
        conversation.wording.DisclosureRefused
    """
    held = await held_handoff(session, handoff_id)
    held.of(by)
    if held.conversation.opted_out_at is not None:
        raise AddressOptedOut("the customer wants no messages at this address")
    where = await scene(session, held.conversation.id)
    speaker = where.speaker(verified=False)
    if not speaker.template_of(wording):
        return False
    known = f"template:{handoff_id}:{wording}:{key}"
    if await known_reply(session, held.conversation.id, known) is not None:
        return True
    (queued,) = await queue(
        session, where, speaker, [Reply(wording, by.signature)], now, author="agent"
    )
    await session.execute(
        update(Message).where(Message.id == queued.message_id).values(idempotency_key=known)
    )
    answered(held.handoff, now)
    return True


async def known_reply(
    session: AsyncSession, conversation_id: int, key: str | None
) -> Message | None:
    """The message that was written with this key, if any."""
    if key is None:
        return None
    return await session.scalar(
        select(Message).where(
            Message.conversation_id == conversation_id, Message.idempotency_key == key
        )
    )


async def _has_written(session: AsyncSession, handoff: Handoff) -> bool:
    """Whether a person has written since this handoff was asked for."""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    Message.conversation_id == handoff.conversation_id,
                    Message.author == "agent",
                    Message.created_at >= handoff.requested_at,
                )
            )
        )
    )

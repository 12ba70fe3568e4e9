"""Writing on the customer's page: the same dialogue, read and answered behind the page's proof.

The page is no channel of its own: it has no address that could be written to unasked. What is
written there goes into the conversation in which the customer's dialogue goes on, answers to it
are shown there, and everything else goes to that conversation's channel as before. A message keeps
whose page it belongs to, so that whoever comes to that conversation later never reads it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from conversation import page_visit
from conversation.delivery import hindrance
from conversation.identity import proof_holds
from conversation.inbox import holds_card
from conversation.masking import masked_storable
from conversation.outbox import Scene, queue, scene
from conversation.speaker import Reply
from storage.tables import Conversation, Customer, Message

SHOWN_MAX = 30
"""Messages of the exchange that the page shows; the whole of it is the transcript."""
UNREAD_AFTER = timedelta(minutes=5)
"""So long a person's answer may wait on the page before the customer is told of it elsewhere."""
TOLD_WITHIN = timedelta(days=1)
NOTICE = "page_answer"
PAGE_FORM = "page_form"
# Literals: with parameters a prepared statement may not find the partial index.
IS_UNREAD = and_(
    Message.author == literal_column("'agent'"),
    Message.page_customer_id.is_not(None),
    Message.read_at.is_(None),
)


@dataclass(frozen=True)
class Written:
    """What a customer wrote or pressed on their page; `nonce` is the form's, new for each."""

    text: str
    nonce: str
    button: str | None = None


async def write(
    session: AsyncSession,
    conversation: Conversation,
    customer_id: int,
    written: Written,
    now: datetime,
) -> bool:
    """Put it into the inbox, numbers of cards and accounts masked; False where it is known.

    The same form with the same words counts once. The caller holds the conversation's lock.
    Nothing is said of the channel by it: neither its window nor a wish to be written to there.
    """
    text = masked_storable(written.text)
    said = hashlib.sha256(f"{written.button}\n{written.text}".encode()).hexdigest()[:16]
    made = await session.execute(
        insert(Message)
        .values(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="in",
            author="customer",
            kind="button" if written.button else "message",
            text=text,
            buttons=[{"id": written.button}] if written.button else [],
            args={"card_masked": True} if holds_card(written.text) else {},
            provider_message_id=f"page:{customer_id}:{written.nonce}:{said}",
            page_customer_id=customer_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Message.id)
    )
    return made.scalar_one_or_none() is not None


async def pressed(session: AsyncSession, customer_id: int, button: str) -> str | None:
    """The title of a button that was shown on the customer's page; None for any other."""
    asked = await session.scalar(
        select(Message)
        .where(
            Message.page_customer_id == customer_id,
            Message.direction == "out",
            Message.buttons.contains([{"id": button}]),
        )
        .limit(1)
    )
    shown: Sequence[Mapping[str, str]] = asked.buttons if asked is not None else ()
    return next((one["title"] for one in shown if one["id"] == button), None)


async def exchange(session: AsyncSession, customer_id: int, now: datetime) -> list[Message]:
    """What was said on the customer's page, newest last; from now on it is read."""
    newest = await session.scalars(
        select(Message)
        .where(Message.page_customer_id == customer_id)
        .order_by(Message.id.desc())
        .limit(SHOWN_MAX)
    )
    found = list(reversed(newest.all()))
    unread = [one.id for one in found if one.direction == "out" and one.read_at is None]
    if unread:
        await session.execute(
            update(Message)
            .where(Message.id.in_(unread))
            .values(status="read", read_at=now)
            .execution_options(synchronize_session=False)
        )
    return found


async def place_of_answer(session: AsyncSession, where: Scene, now: datetime) -> Scene:
    """Where a person's words are read: the page, or the conversation's channel as it is.

    The page, where the customer has last written there and still visits it. A visit that is over
    changes that only where the chat has a proof of its own: what a person writes to somebody who
    has proved who they are must not arrive at a phone of which nothing is known.
    """
    last = (
        await session.execute(
            select(Message.page_customer_id)
            .where(
                Message.conversation_id == where.conversation_id,
                Message.direction == "in",
                Message.author == "customer",
                Message.outcome.is_distinct_from(PAGE_FORM),
            )
            .order_by(Message.id.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if last is None or last != where.customer_id:
        return where
    over = not await page_visit.is_visiting(session, last, now)
    if over and proof_holds(where.customer_id, where.verified_at, where.policy, now):
        return where
    return where.at_page_of(last)


async def tell_of_answer(
    session: AsyncSession, conversation: Conversation, now: datetime, public_url: str
) -> bool:
    """Say on the channel that a person has answered on the page, without a word of it.

    Not where the customer wants no messages or the provider would take none: then it is read at
    the next visit. By "system": a question of the bot stays the newest one.
    """
    held = await scene(session, conversation.id)
    speaker = held.speaker(verified=False)
    template = speaker.template_of(NOTICE)
    if conversation.opted_out_at is not None or hindrance(held, now, template=template):
        return False
    await queue(
        session, held, speaker, [Reply(NOTICE)], now, author="system", public_url=public_url
    )
    return True


async def unread(session: AsyncSession, now: datetime, limit: int) -> list[tuple[int, int]]:
    """Merchant and conversation of the customers for whom a person's answer waits on their page
    unread, and who were not told since: the conversation is where their dialogue goes on."""
    told, held = aliased(Message), aliased(Conversation)
    found = await session.execute(
        select(Message.merchant_id, Conversation.id)
        .join(Customer, Customer.id == Message.page_customer_id)
        .join(held, held.id == Message.conversation_id)
        .join(
            Conversation,
            Conversation.id == func.coalesce(Customer.active_conversation_id, held.id),
        )
        .where(
            IS_UNREAD,
            Message.created_at.between(now - TOLD_WITHIN, now - UNREAD_AFTER),
            Conversation.customer_id == Customer.id,
            Conversation.opted_out_at.is_(None),
            ~exists().where(
                told.conversation_id == Conversation.id,
                told.id > Message.id,
                told.wording == NOTICE,
            ),
        )
        .distinct()
        .limit(limit)
    )
    return [(row.merchant_id, row.id) for row in found]

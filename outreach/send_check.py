"""The last look before an outreach message leaves: much can change between plan and sending.

The freshness lock has its decision here: no message goes out on account of a claim whose open
amount the merchant has not confirmed within the policy's time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from outreach.customer_facts import read_customers, read_sender
from outreach.decision import ON_ITS_WAY, Wait, contact_ground, still_said, wait_for_time
from outreach.facts import (
    JOURNEY,
    STEP_OF_WORDING,
    AttemptFacts,
    CustomerFacts,
    SkipReason,
    Step,
)
from outreach.rules import Allowed
from outreach.watch import NEVER_ARRIVED
from storage.tables import ContactAttempt, Conversation, Customer


class NotAnOutreachWording(ValueError):
    """The message is no outreach message; replies are not subject to this check."""


@dataclass(frozen=True)
class Refused:
    """The message must not go out now."""

    reason: SkipReason
    not_before: datetime | None = None
    """Aware; when the reason passes by itself."""


async def still_allowed(
    session: AsyncSession,
    *,
    customer_id: int,
    conversation_id: int,
    message_id: int,
    message_wording: str,
    now: datetime,
) -> Allowed | Refused:
    """Whether a queued outreach message may still go out, judged on what is true ``now``.

    For messages that Kulanz sends of its own accord; an answer to a customer is never held back.
    A refused message is to be cancelled: a cancelled one counts as never sent, and the next plan
    decides anew.

    Args:
        customer_id: whom the message is for.
        conversation_id: where it is queued.
        message_id: the message.
        message_wording: its name in the catalogue, such as ``first_contact``.
        now: aware.

    Raises:
        NotAnOutreachWording: for any other wording.
    """
    step = STEP_OF_WORDING.get(message_wording)
    if step is None:
        raise NotAnOutreachWording(message_wording)
    conversation = await session.get(Conversation, conversation_id, populate_existing=True)
    if conversation is None or conversation.customer_id != customer_id:
        return Refused(SkipReason.OTHER_CUSTOMER)
    if conversation.opted_out_at is not None:
        return Refused(SkipReason.OPTED_OUT)

    sender = await read_sender(session, conversation.merchant_id)
    customers = await read_customers(session, sender, [customer_id])
    if not customers:
        return Refused(SkipReason.OTHER_CUSTOMER)
    (facts,) = customers
    customer = await session.get_one(Customer, customer_id, populate_existing=True)
    if customer.active_conversation_id not in (None, conversation_id):
        return Refused(SkipReason.MOVED)
    about = await _about(session, message_id)
    ground = (
        contact_ground(facts, sender, now)
        if step in JOURNEY
        else still_said(facts, sender, now, step, about)
    )
    if isinstance(ground, Wait):
        return Refused(ground.reason, ground.not_before)
    if not _address_usable(facts, conversation):
        return Refused(SkipReason.NO_CHANNEL)
    if _answered(facts, step, about):
        return Refused(SkipReason.ANSWERED)
    wait = wait_for_time(facts, sender, now, _sent(facts.attempts))
    return Refused(wait.reason, wait.not_before) if wait is not None else Allowed()


async def _about(session: AsyncSession, message_id: int) -> str:
    about = await session.scalar(
        select(ContactAttempt.about).where(ContactAttempt.message_id == message_id)
    )
    return about or ""


def _address_usable(facts: CustomerFacts, conversation: Conversation) -> bool:
    return any(
        point.channel.value == conversation.channel
        and point.address == conversation.address
        and not point.invalid
        and not point.opted_out
        and (point.consented or point.channel is not Channel.WHATSAPP)
        for point in facts.points
    )


def _answered(facts: CustomerFacts, step: Step, about: str) -> bool:
    """Whether the customer wrote since the message was decided, or since the one it reminds of."""
    asked = Step.FIRST_CONTACT if step is Step.REMINDER else step
    moments = [
        attempt.at
        for attempt in facts.attempts
        if attempt.step is asked
        and attempt.about == about
        and attempt.message_status not in NEVER_ARRIVED
    ]
    last_inbound = facts.talk.last_inbound_at
    return bool(moments) and last_inbound is not None and last_inbound >= max(moments)


def _sent(attempts: Sequence[AttemptFacts]) -> list[datetime]:
    """When earlier messages left; the one to be sent is itself among those on their way."""
    waiting = NEVER_ARRIVED | ON_ITS_WAY
    return [attempt.at for attempt in attempts if attempt.message_status not in waiting]

"""Addresses that are not, or no longer, a customer's; and the number that takes their place."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.consent import cancel_unasked
from conversation.identity import lock_customer
from ledger.contact import PhoneNumber
from storage.tables import ContactPoint, Conversation, Customer

_PHONE_CHANNELS = ("sms", "whatsapp", "phone")


async def drop_address(
    session: AsyncSession, customer_id: int, address: str, reason: str, now: datetime
) -> None:
    """Never use this address for this customer again, on no channel.

    Conversations there lose the customer and the proof, so nothing can be disclosed in them; what
    waits there unasked, or by a person's hand, is not sent any more.
    """
    customer = await _hold(session, customer_id, Conversation.address == address)
    await session.execute(
        update(ContactPoint)
        .where(
            ContactPoint.customer_id == customer_id,
            ContactPoint.address == address,
            ContactPoint.invalid_at.is_(None),
        )
        .values(invalid_at=now, invalid_reason=reason)
    )
    found = await session.scalars(
        update(Conversation)
        .where(Conversation.customer_id == customer_id, Conversation.address == address)
        .values(
            customer_id=None, verified_at=None, verification_tries=0, verification_locked_at=None
        )
        .returning(Conversation.id)
    )
    left = list(found)
    await cancel_unasked(session, left, "address_dropped")
    if customer.active_conversation_id in left:
        customer.active_conversation_id = None


async def replace_phone(
    session: AsyncSession, customer_id: int, number: PhoneNumber, now: datetime
) -> None:
    """The merchant knows another number: the ones it had named before are dropped.

    Whoever has written STOP from the new number stays left alone.
    """
    customer = await _hold(session, customer_id)
    former = await session.scalars(
        select(ContactPoint.address)
        .distinct()
        .where(
            ContactPoint.customer_id == customer_id,
            ContactPoint.channel.in_(_PHONE_CHANNELS),
            ContactPoint.source == "merchant_import",
            ContactPoint.address != number.e164,
            ContactPoint.invalid_at.is_(None),
        )
    )
    for address in former.all():
        await drop_address(session, customer_id, address, "replaced", now)
    channel = "sms" if number.mobile else "phone"
    stopped = await session.scalar(
        select(func.max(ContactPoint.opted_out_at)).where(
            ContactPoint.merchant_id == customer.merchant_id,
            ContactPoint.channel == channel,
            ContactPoint.address == number.e164,
        )
    )
    row = insert(ContactPoint).values(
        merchant_id=customer.merchant_id,
        customer_id=customer_id,
        channel=channel,
        address=number.e164,
        source="merchant_import",
        opted_out_at=stopped,
        created_at=now,
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["merchant_id", "customer_id", "channel", "address"],
            set_={"invalid_at": None, "invalid_reason": None},
        )
    )


async def _hold(session: AsyncSession, customer_id: int, *which: ColumnElement[bool]) -> Customer:
    """The customer, held after their conversations: in the order in which a turn takes them."""
    held = select(Conversation.id).where(Conversation.customer_id == customer_id, *which)
    await session.execute(held.order_by(Conversation.id).with_for_update())
    return await lock_customer(session, customer_id)

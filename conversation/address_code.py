"""A code by SMS that proves a new number: sent there, typed where the customer is known already.

Six digits are few, so what protects them is the counting: TRIES_MAX a code and CODES_PER_DAY_MAX
codes a day, both in the database, in the transaction that judges. A rate limit in front
(``api/limits.py``) keeps a flood away from the database; without it the counts still hold.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from conversation import audit
from conversation.inbox import Account, open_conversation
from conversation.outbox import queue, scene
from conversation.speaker import Reply
from storage.tables import AddressCode, ChannelAccount, ContactPoint, Conversation

CODE_VALID = timedelta(minutes=10)
TRIES_MAX = 5
CODES_PER_DAY_MAX = 5
"""For one customer, and to one number."""


class Sent(StrEnum):
    """What became of the wish for a code."""

    SENT = "sent"
    OPTED_OUT = "opted_out"
    TAKEN = "of_another_customer"
    INVALID = "invalid"
    TOO_MANY = "too_many_codes"


class Tried(StrEnum):
    """How a try ended."""

    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"
    """No code counts any more: too old, too many tries, or none was asked for."""


async def send_code(
    session: AsyncSession,
    conversation: Conversation,
    account: ChannelAccount,
    number: str,
    now: datetime,
) -> tuple[Sent, int | None]:
    """Send a code to an E.164 number; also the conversation whose outbox has it.

    A number that nobody knew is bound to nobody before the code comes back.
    """
    held_by = Account(account.id, account.merchant_id, account.channel)
    target = await session.get_one(
        Conversation, await open_conversation(session, held_by, number, now)
    )
    refusal = await _refusal(session, conversation, target, now)
    if refusal is not None:
        return refusal, None
    await _end_open(session, conversation.id, "replaced", now)
    code, salt = f"{secrets.randbelow(1_000_000):06}", secrets.token_hex(16)
    session.add(
        AddressCode(
            merchant_id=conversation.merchant_id,
            customer_id=conversation.customer_id,
            from_conversation_id=conversation.id,
            to_conversation_id=target.id,
            salt=salt,
            hash=_hash(salt, code),
            created_at=now,
            expires_at=now + CODE_VALID,
        )
    )
    target.language = target.language or conversation.language
    held = await scene(session, target.id)
    speaker = held.speaker(verified=False, language=conversation.language)
    await queue(session, held, speaker, [Reply("channel_code", {"code": code})], now)
    _note(session, conversation, "code_sent", now)
    return Sent.SENT, target.id


async def try_code(
    session: AsyncSession, conversation: Conversation, code: str, now: datetime
) -> tuple[Tried, Conversation | None]:
    """Judge a code that was typed in the conversation that asked for it.

    The row's lock puts tries at the same moment one after the other; each counts before it is
    compared. With RIGHT the conversation at the new number is now the customer's.
    """
    found = await session.scalar(
        select(AddressCode)
        .where(
            AddressCode.from_conversation_id == conversation.id,
            AddressCode.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or found.customer_id != conversation.customer_id:
        return Tried.OVER, None
    if found.expires_at <= now:
        _end(found, "expired", now)
        return Tried.OVER, None
    found.tries += 1
    if not hmac.compare_digest(found.hash, _hash(found.salt, code)):
        _note(session, conversation, "code_refused", now)
        if found.tries < TRIES_MAX:
            return Tried.WRONG, None
        _end(found, "too_many_tries", now)
        return Tried.OVER, None
    _end(found, "right", now)
    target = await session.get_one(
        Conversation, found.to_conversation_id, with_for_update=True, populate_existing=True
    )
    if target.customer_id not in (None, conversation.customer_id):
        return Tried.OVER, None
    target.customer_id = conversation.customer_id
    return Tried.RIGHT, target


async def has_open_code(session: AsyncSession, conversation_id: int) -> bool:
    """Whether a code is waited for in this conversation."""
    found = await session.scalar(
        select(AddressCode.id).where(
            AddressCode.from_conversation_id == conversation_id, AddressCode.ended_at.is_(None)
        )
    )
    return found is not None


async def _refusal(
    session: AsyncSession, conversation: Conversation, target: Conversation, now: datetime
) -> Sent | None:
    """Why no code goes to this number. A stop or a block there holds for a code as well."""
    points = (
        await session.execute(
            select(
                func.bool_or(ContactPoint.opted_out_at.is_not(None)),
                func.bool_or(ContactPoint.invalid_at.is_not(None)),
            ).where(
                ContactPoint.merchant_id == conversation.merchant_id,
                ContactPoint.channel == Channel.SMS.value,
                ContactPoint.address == target.address,
            )
        )
    ).one()
    today = await session.scalar(
        select(func.count())
        .select_from(AddressCode)
        .where(
            or_(
                AddressCode.customer_id == conversation.customer_id,
                AddressCode.to_conversation_id == target.id,
            ),
            AddressCode.created_at > now - timedelta(days=1),
        )
    )
    checks = (
        (target.customer_id not in (None, conversation.customer_id), Sent.TAKEN),
        (target.opted_out_at is not None or bool(points[0]), Sent.OPTED_OUT),
        (bool(points[1]), Sent.INVALID),
        ((today or 0) >= CODES_PER_DAY_MAX, Sent.TOO_MANY),
    )
    return next((reason for present, reason in checks if present), None)


async def _end_open(
    session: AsyncSession, conversation_id: int, outcome: str, now: datetime
) -> None:
    found = await session.scalar(
        select(AddressCode)
        .where(AddressCode.from_conversation_id == conversation_id, AddressCode.ended_at.is_(None))
        .with_for_update()
    )
    if found is not None:
        _end(found, outcome, now)
        await session.flush()  # before the next one: at most one is open


def _end(code: AddressCode, outcome: str, now: datetime) -> None:
    code.ended_at, code.outcome = now, outcome


def _hash(salt: str, code: str) -> str:
    return hashlib.sha256(f"{salt}:{code}".encode()).hexdigest()


def _note(session: AsyncSession, conversation: Conversation, kind: str, now: datetime) -> None:
    audit.note(session, conversation, kind, now, {"channel": Channel.SMS.value})

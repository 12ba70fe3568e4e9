"""Proof that a message is genuine: a code in its text, and what may be said to whoever holds it.

The code is for the person with the phone in their hand, who need not be the customer. So it opens
nothing but what the message says itself: which shop wrote (under the name that the message used),
on which day, from which number.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.wording import MerchantVoice
from storage.tables import ChannelAccount, GenuineCode, Merchant, Message

LETTERS = "23456789bcdfghjkmnpqrstvwxz"
"""No vowels, so that no word comes about, and nothing that looks like another one (0 o, 1 l i)."""
CHARACTERS = 10
"""27^10 codes are 2 * 10^14: guessing is hopeless even before it is slowed down."""
CODE_LENGTH = CHARACTERS + 1
"""As it is written, with its hyphen."""
VALID_DAYS = 90
PAGES = {"de": "echt", "en": "genuine"}
"""The page's name in each language, as it stands in the message."""
_HALF = CHARACTERS // 2
_CODE = re.compile(f"[{LETTERS}]{{{CHARACTERS}}}")
_VOICE = ("name", "alias", "phone", "email", "website")
_ARRIVED = ("sending", "sent", "delivered", "read", "unknown")
"""A message with one of these may be in somebody's hand."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """What the page says of a message; no more than the message itself gives away."""

    shop: str
    day: date
    channel: str
    sender: str
    """The account that wrote: an E.164 number, or a bot's id."""
    bot: str | None
    """Of a Telegram bot: its name as a phone shows it, without the @."""
    direct: str
    """The shop's own phone or mail, as first messages name it; may be empty."""


def new_code() -> str:
    """A random code, in two halves to be read aloud: ``k7qmt-2rtxh``."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(CHARACTERS))
    return f"{drawn[:_HALF]}-{drawn[_HALF:]}"


def link(code: str, voice: MerchantVoice, language: str, public_url: str) -> str:
    """Where a code is checked: on the shop's own address where it has one, else with us.

    The code follows a slash, or directly where the shop's address ends with ``=``.
    """
    base = voice.check_url or f"{public_url}/{PAGES.get(language, PAGES['de'])}"
    return f"{base}{code}" if base.endswith(("=", "/")) else f"{base}/{code}"


def keep(
    session: AsyncSession, code: str, *, merchant_id: int, message_id: int, now: datetime
) -> None:
    """Remember the code of a message that has just been queued; commits nothing."""
    session.add(
        GenuineCode(
            code=normal(code), merchant_id=merchant_id, message_id=message_id, created_at=now
        )
    )


def normal(typed: str) -> str:
    """A code as it is kept, whatever its spelling; "" for what cannot be one."""
    bare = re.sub(r"[\s.\-‐‑‒–—_]", "", typed[:64]).lower()
    return bare if _CODE.fullmatch(bare) else ""


async def find(
    session: AsyncSession, typed: str, *, shop: str | None, now: datetime
) -> Genuine | None:
    """What may be said about the message with this code; None for every other code alike.

    ``session`` is the operator's: whose code it is, is not known before. With `shop` (a merchant's
    key) only that shop's codes count. A malformed code takes the same way as a wrong one.
    """
    wanted: Any = (
        select(
            func.coalesce(Message.sent_at, Message.claimed_at, Message.created_at).label("at"),
            Merchant.timezone,
            ChannelAccount.channel,
            ChannelAccount.address.label("sender"),
            ChannelAccount.public_name.label("bot"),
            *(getattr(Merchant, name) for name in _VOICE),
        )
        .select_from(GenuineCode)
        .join(Message, Message.id == GenuineCode.message_id)
        .join(ChannelAccount, ChannelAccount.id == Message.channel_account_id)
        .join(Merchant, Merchant.id == GenuineCode.merchant_id)
        .where(
            GenuineCode.code == normal(typed),
            GenuineCode.created_at > now - timedelta(days=VALID_DAYS),
            or_(Message.status.in_(_ARRIVED), Message.sent_at.is_not(None)),
        )
    )
    if shop is not None:
        wanted = wanted.where(Merchant.key == shop)
    found = (await session.execute(wanted)).one_or_none()
    if found is None:
        return None
    voice = MerchantVoice(**{name: getattr(found, name) for name in _VOICE})
    return Genuine(
        shop=voice.public_name,
        day=found.at.astimezone(ZoneInfo(found.timezone)).date(),
        channel=found.channel,
        sender=found.sender,
        bot=found.bot,
        direct=voice.direct,
    )


async def embedder(session: AsyncSession, shop: str) -> str | None:
    """The address of the shop that may show the page in a frame of its own; None for nobody's."""
    found: str | None = await session.scalar(select(Merchant.check_url).where(Merchant.key == shop))
    return found

"""Links to the customer's page: made with the message that carries them, typed or followed.

A link alone opens nothing: it is one factor, like the phone it was sent to. Where the chat has the
other one already, the link written right then counts for a first visit soon after.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.genuine import LETTERS
from conversation.identity import proof_holds
from storage.tables import AuditEvent, Conversation, Merchant, PageLink

PATH = "p"
CHARACTERS = 12
"""27^12 are 1.5 * 10^17: guessing is hopeless before it is slowed down, typing is not."""
VALID = timedelta(days=90)
TRUSTED = timedelta(minutes=15)
"""After a proof in the chat; whoever reads that chat by then has read the figures there."""
_GROUP = 4
_CODE = re.compile(f"[{LETTERS}]{{{CHARACTERS}}}")


def new_code() -> str:
    """A random code, in groups to be typed: ``k7qm-t2rt-xh4p``."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(CHARACTERS))
    return "-".join(drawn[start : start + _GROUP] for start in range(0, CHARACTERS, _GROUP))


def address(code: str, public_url: str) -> str:
    """The link with this code."""
    return f"{public_url}/{PATH}/{code}"


def normal(typed: str) -> str:
    """A code as it is looked up, whatever its spelling; "" for what cannot be one."""
    bare = re.sub(r"[\s.\-‐‑‒–—_]", "", typed[:64]).lower()
    return bare if _CODE.fullmatch(bare) else ""


def hashed(typed: str) -> str:
    """What is kept of a code; of a malformed one, what no code has."""
    return hashlib.sha256(normal(typed).encode()).hexdigest()


def with_message(code: str, now: datetime, *, verified: bool) -> dict[str, str | None]:
    """What the outbox keeps of a link that a message carries, ready for JSON; `verified` says
    whether the conversation has a proof of identity at this moment."""
    return {
        "hash": hashed(code),
        "expires_at": (now + VALID).isoformat(),
        "trusted_until": (now + TRUSTED).isoformat() if verified else None,
    }


def keep(
    session: AsyncSession, code: str, conversation: tuple[int, int, int], now: datetime
) -> PageLink:
    """Remember a link that no message of ours carries; commits nothing.

    `conversation` is its id, its merchant's and its customer's.
    """
    conversation_id, merchant_id, customer_id = conversation
    link = PageLink(
        hash=hashed(code),
        merchant_id=merchant_id,
        customer_id=customer_id,
        conversation_id=conversation_id,
        created_at=now,
        expires_at=now + VALID,
    )
    session.add(link)
    return link


async def find(session: AsyncSession, typed: str, now: datetime) -> PageLink | None:
    """The link with this code; None for an unknown, expired, revoked or malformed one alike.

    ``session`` is the operator's: whose link it is, is not known before.
    """
    found: PageLink | None = await session.scalar(
        select(PageLink)
        .join(Conversation, Conversation.id == PageLink.conversation_id)
        .where(
            PageLink.hash == hashed(typed),
            PageLink.expires_at > now,
            PageLink.revoked_at.is_(None),
            Conversation.customer_id == PageLink.customer_id,
        )
    )
    return found


async def is_trusted(session: AsyncSession, link: PageLink, now: datetime) -> bool:
    """Whether the link may be followed without a further proof, once.

    The chat must still hold the proof it had when the link was written.
    """
    if link.used_at is not None or link.trusted_until is None or link.trusted_until <= now:
        return False
    row = (
        await session.execute(
            select(
                Conversation.customer_id,
                Conversation.verified_at,
                Conversation.verification_locked_at,
                Merchant.policy,
            )
            .join(Merchant, Merchant.id == Conversation.merchant_id)
            .where(Conversation.id == link.conversation_id)
        )
    ).one()
    return row.verification_locked_at is None and proof_holds(
        row.customer_id, row.verified_at, row.policy, now
    )


async def revoke_all(session: AsyncSession, customer_id: int, now: datetime) -> int:
    """End all links to a customer's page, and with them who is visiting; how many there were."""
    ended = (
        await session.scalars(
            update(PageLink)
            .where(
                PageLink.customer_id == customer_id,
                PageLink.revoked_at.is_(None),
                PageLink.expires_at > now,
            )
            .values(revoked_at=now)
            .returning(PageLink.merchant_id)
        )
    ).all()
    if ended:
        session.add(
            AuditEvent(
                merchant_id=ended[0],
                kind="page_links_revoked",
                at=now,
                customer_id=customer_id,
                facts={"links": len(ended)},
            )
        )
    return len(ended)

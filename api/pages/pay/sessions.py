"""Who is visiting: a link, what proves its holder, then a session that a cookie names."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import identity, page_link, page_visit
from storage.tables import AuditEvent, Conversation, Customer, PageLink, PageSession

COOKIE = "kulanz_page"
FORM_COOKIE = "kulanz_page_form"
_NOTED_EVERY = timedelta(minutes=1)
"""How often a session's last visit is written down."""
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has proved who they are; `csrf` is what their forms send back."""

    token_hash: str
    csrf: str
    merchant_id: int
    customer_id: int
    conversation_id: int
    """Where the dialogue goes on: what is done on the page is said there."""
    language: str


def new_token() -> str:
    """A random value for a cookie."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def csrf_of(token: str) -> str:
    """What a form made for this cookie has to send back."""
    return hmac.new(token.encode(), b"page form", hashlib.sha256).hexdigest()


def is_ours(token: str | None, given: str) -> bool:
    """Whether a form was made by us for this cookie."""
    return bool(token) and hmac.compare_digest(csrf_of(token or "").encode(), given.encode())


async def prove(
    session: AsyncSession, link: PageLink, given: identity.Given, now: datetime
) -> tuple[identity.Check, str | None]:
    """Try to prove to be the link's customer: how it ended, and the fact that did it.

    Tries count together with those of all the customer's chats. The chat itself is not verified by
    it: another person may hold that phone.
    """
    conversation = await _locked(session, link)
    if conversation.customer_id != link.customer_id:
        return identity.Check.LOCKED, None
    outcome, fact = await identity.judge(session, conversation, given, now, at="page")
    return outcome, fact.value if fact is not None else None


async def trust(session: AsyncSession, link: PageLink, now: datetime) -> bool:
    """Take the chat's proof for this first visit; of two at once one wins."""
    await _locked(session, link)
    await session.refresh(link, with_for_update=True)
    return await page_link.is_trusted(session, link, now)


async def _locked(session: AsyncSession, link: PageLink) -> Conversation:
    return await session.get_one(
        Conversation, link.conversation_id, with_for_update=True, populate_existing=True
    )


def begin(
    session: AsyncSession, link: PageLink, proved_with: str, language: str, now: datetime
) -> str:
    """Begin a session; returns the cookie's token. Commits nothing."""
    token = new_token()
    link.used_at = link.used_at or now
    session.add(
        PageSession(
            hash=_hashed(token),
            merchant_id=link.merchant_id,
            link_hash=link.hash,
            customer_id=link.customer_id,
            language=language,
            proved_with=proved_with,
            created_at=now,
            seen_at=now,
        )
    )
    session.add(
        AuditEvent(
            merchant_id=link.merchant_id,
            kind="page_entered",
            at=now,
            customer_id=link.customer_id,
            conversation_id=link.conversation_id,
            facts={"with": proved_with},
        )
    )
    return token


async def visitor(
    session: AsyncSession,
    token: str | None,
    now: datetime,
    language: str = "",
    *,
    noted: bool = True,
) -> Visitor | None:
    """Whose session this cookie names; None for none, an idle, an old or an ended one.

    It ends with its link, and where the conversation of the link has lost its customer. A
    `language` is kept for all that follows. A look that nobody has clicked for is not `noted`,
    so that it does not prolong the visit.
    """
    if not token:
        return None
    found = (
        await session.execute(
            select(
                PageSession,
                PageLink.conversation_id,
                Customer.active_conversation_id,
            )
            .join(PageLink, PageLink.hash == PageSession.link_hash)
            .join(Customer, Customer.id == PageSession.customer_id)
            .join(Conversation, Conversation.id == PageLink.conversation_id)
            .where(
                PageSession.hash == _hashed(token),
                page_visit.lives(now),
                Conversation.customer_id == PageSession.customer_id,
            )
        )
    ).one_or_none()
    if found is None:
        return None
    held: PageSession = found[0]
    late = noted and held.seen_at < now - _NOTED_EVERY
    if late or (language and language != held.language):
        held.seen_at, held.language = now, language or held.language
    return Visitor(
        token_hash=held.hash,
        csrf=csrf_of(token),
        merchant_id=held.merchant_id,
        customer_id=held.customer_id,
        conversation_id=found.active_conversation_id or found.conversation_id,
        language=held.language,
    )


async def leave(session: AsyncSession, token: str, now: datetime) -> None:
    """End the session that this cookie names."""
    await session.execute(
        update(PageSession)
        .where(PageSession.hash == _hashed(token), PageSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _hashed(token: str) -> str:
    """A plain hash will do: the token holds 256 random bits, there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()

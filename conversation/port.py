"""What the dialogue's actions may know and do about their conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import BigInteger, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.message import Channel
from conversation import address_code, addresses, audit, consent, identity, page_visit, ways
from conversation.consent import MayGuess, may_always
from conversation.handoff import Requested, opening_hours, request_handoff
from conversation.moving import How, Wake, move
from conversation.opening_hours import NeverOpen
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data
from storage.tables import (
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
)

ADDRESS_SOURCES = frozenset({"merchant_import", "customer", "deep_link"})


@dataclass(frozen=True, slots=True)
class Facts:
    """The conversation at one moment; see ``actions.context.ConversationFacts``."""

    customer_id: int | None
    channel: str
    verified: bool
    lapsed: bool
    locked: bool
    askable: tuple[str, ...]
    today: date
    policy: Policy
    has_bank_details: bool
    waiting: bool


@dataclass
class Port:
    """One conversation in one transaction; nothing here commits."""

    session: AsyncSession
    conversation: Conversation
    timezone: ZoneInfo
    has_bank_details: bool
    policy: Policy
    now: datetime
    may_guess: MayGuess = may_always
    page_customer_id: int | None = None
    """Whose page the message was written on, if it was."""
    wake: Wake = field(default_factory=Wake)
    """Other conversations that have work once this transaction is committed."""

    async def facts(self) -> Facts:
        """Everything an action decides by."""
        held = self.conversation
        verified = self._verified()
        by_chat = self.page_customer_id is None
        if verified and by_chat and not self._verified(identity.lapse(self.policy) / 2):
            held.verified_at = self.now  # as storing the turn does; the proof has to last till then
        askable: tuple[str, ...] = ()
        if held.customer_id is not None and not verified:
            known = await identity.known_facts(self.session, held.customer_id)
            askable = tuple(fact.value for fact in known.askable())
        return Facts(
            customer_id=held.customer_id,
            channel=held.channel,
            verified=verified,
            lapsed=held.verified_at is not None and not verified,
            locked=held.verification_locked_at is not None,
            askable=askable,
            today=self.now.astimezone(self.timezone).date(),
            policy=self.policy,
            has_bank_details=self.has_bank_details,
            waiting=held.state in ("waiting", "agent"),
        )

    def _verified(self, lapses_after: timedelta | None = None) -> bool:
        held = self.conversation
        if self.page_customer_id is not None:
            return identity.proved_at_page(
                held.customer_id, self.page_customer_id, held.verification_locked_at
            )
        return identity.is_verified(
            held.customer_id,
            held.verified_at,
            self.now,
            lapses_after or identity.lapse(self.policy),
        )

    async def verify(
        self, *, numbers: Sequence[str], birth_date: str | None, postal_code: str | None
    ) -> str:
        """Try a proof of identity; the answer is a code of ``identity.Check``."""
        given = identity.Given(tuple(numbers), birth_date, postal_code)
        outcome = await identity.check(self.session, self.conversation, given, self.now)
        if outcome is identity.Check.VERIFIED:
            held = self.conversation
            await self.session.execute(
                update(ContactPoint)
                .where(
                    ContactPoint.customer_id == held.customer_id,
                    ContactPoint.channel == held.channel,
                    ContactPoint.address == held.address,
                    ContactPoint.verified_at.is_(None),
                )
                .values(verified_at=self.now)
            )
        return outcome.value

    async def refuse_proof(self, reason: str, *, until_person: bool = False) -> None:
        """Whoever writes has said that they are somebody else, or not of age.

        A proof given before ends; the customer, back at the phone or misunderstood, may give it
        again. Where there was none, or with `until_person`, none counts any more until a person
        reopens it. Visits to the page end with a proof that was given there.
        """
        if until_person or not self._verified():
            self.conversation.verification_locked_at = (
                self.conversation.verification_locked_at or self.now
            )
        self.conversation.verified_at = None
        if self.page_customer_id is not None:
            await page_visit.end_all(self.session, self.page_customer_id, self.now)
        await self.note("proof_refused", {"reason": reason})

    async def request_person(
        self, reason: str, summary: Mapping[str, Any], *, promise: bool = False
    ) -> Requested:
        """Put the conversation on the desk; with `promise` the answer's time will be told."""
        return await request_handoff(
            self.session,
            conversation_id=self.conversation.id,
            reason=reason,
            summary=summary,
            now=self.now,
            promise=promise,
        )

    async def open_day(self, day: date) -> date:
        """The day itself where people answer on it, else the next on which they do."""
        hours = await opening_hours(self.session, self.conversation.merchant_id)
        try:
            return hours.open_day(day)
        except NeverOpen:
            return day

    async def opt_out(self, *, channel: str | None = None, everywhere: bool = False) -> None:
        """Stop our messages to this address, to those on a channel, or to all."""
        if everywhere:
            await consent.opt_out_everywhere(self.session, self.conversation, self.now)
        else:
            about = channel or self.conversation.channel
            await consent.opt_out_channel(self.session, self.conversation, about, self.now)

    async def drop_address(self, reason: str) -> None:
        """The address is not the customer's: it is never used for them again, on no channel.

        The conversation loses its customer and its proof, so nothing can be disclosed in it.
        """
        held = self.conversation
        await self.note("address_dropped", {"reason": reason})
        if held.customer_id is not None:
            await addresses.drop_address(
                self.session, held.customer_id, held.address, reason, self.now
            )

    async def pause_contact(self, day: date, reason: str) -> None:
        """Send the customer nothing unasked before this day, theirs; a longer pause is kept."""
        customer = await self._customer()
        if customer is None:
            return
        until = datetime.combine(day, time(), _zone(customer.timezone) or self.timezone)
        if customer.contact_paused_until is None or customer.contact_paused_until < until:
            customer.contact_paused_until = until
            customer.contact_pause_reason = reason
        await self.note("contact_paused", {"reason": reason, "until": until.isoformat()})

    async def set_language(self, language: str) -> None:
        """Remember the language that the customer chose."""
        self.conversation.language = language
        customer = await self._customer()
        if customer is not None:
            customer.language = language

    async def address_source(self) -> str:
        """``merchant_import``, ``customer`` or ``deep_link``; ``other`` where none of them."""
        held = self.conversation
        source = await self.session.scalar(
            select(ContactPoint.source).where(
                ContactPoint.merchant_id == held.merchant_id,
                ContactPoint.customer_id == held.customer_id,
                ContactPoint.channel == held.channel,
                ContactPoint.address == held.address,
            )
        )
        return source if source in ADDRESS_SOURCES else "other"

    async def prefer_channel(self, channel: str) -> None:
        """Remember how the customer wants to hear from us."""
        customer = await self._customer()
        if customer is not None:
            customer.preferred_channel = channel

    async def way_to(self, channel: str) -> ways.Way:
        """Which way leads from here to a channel; nothing is done yet."""
        return await ways.way_to(self.session, self.conversation, Channel(channel), self.now)

    async def link_to(self, channel: str) -> str:
        """A one-time link to a channel. Raises ValueError where there is no account."""
        account = (await self.way_to(channel)).account
        if account is None:
            raise ValueError("there is no account to link to")
        return await ways.link_to(self.session, self.conversation, account, self.now)

    async def go_on_at(self, channel: str) -> None:
        """Go on at an address that was proved before. Raises ValueError where there is none."""
        target = (await self.way_to(channel)).target
        if target is None:
            raise ValueError("no address of this channel was proved")
        await move(self.session, target, self.now, How.KNOWN, self.wake, origin=self.conversation)

    async def own_number(self) -> str | None:
        """The number that we may take for the customer's own."""
        return await ways.number_of(self.session, self.conversation)

    async def send_code(self, number: str) -> str:
        """Send a code to an E.164 number; a code of ``address_code.Sent``."""
        account = (await self.way_to(Channel.SMS)).account
        if account is None:
            raise ValueError("there is no account to send from")
        sent, there = await address_code.send_code(
            self.session, self.conversation, account, number, self.now
        )
        if there is not None:
            self.wake.deliveries.add(there)
        return sent.value

    async def has_open_code(self) -> bool:
        """Whether a code that was sent elsewhere is waited for."""
        return await address_code.has_open_code(self.session, self.conversation.id)

    async def try_code(self, code: str) -> str:
        """Try a code; the answer is a code of ``address_code.Tried``. With the right one the
        dialogue goes on at the new number."""
        if not await self.may_guess(f"code:{self.conversation.id}"):
            return address_code.Tried.OVER.value
        tried, target = await address_code.try_code(self.session, self.conversation, code, self.now)
        if target is not None:
            await move(
                self.session, target, self.now, How.CODE, self.wake, origin=self.conversation
            )
        return tried.value

    async def keep_hours(self, earliest: time | None, latest: time | None) -> None:
        """Keep at which times of the day, theirs, the customer wants to hear from us."""
        customer = await self._customer()
        if customer is not None:
            customer.contact_from, customer.contact_until = earliest, latest
        named = {"from": earliest, "until": latest}
        await self.note(
            "contact_hours", {name: f"{at:%H:%M}" for name, at in named.items() if at is not None}
        )

    async def note(
        self, kind: str, facts: Mapping[str, Any], *, claim_id: int | None = None
    ) -> None:
        """Keep an audit event; codes and figures only."""
        audit.note(self.session, self.conversation, kind, self.now, facts, claim_id=claim_id)

    async def _customer(self) -> Customer | None:
        if self.conversation.customer_id is None:
            return None
        return await self.session.get_one(Customer, self.conversation.customer_id)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):  # as a merchant's file had it
        return None


_HELD = (
    select(Conversation, Merchant.timezone, Merchant.iban, Merchant.policy)
    .join(Merchant, Merchant.id == Conversation.merchant_id)
    .where(Conversation.id == bindparam("conversation_id", type_=BigInteger))
    .execution_options(populate_existing=True)
)


async def conversation_port(
    session: AsyncSession,
    conversation_id: int,
    now: datetime,
    *,
    may_guess: MayGuess = may_always,
    page_customer_id: int | None = None,
) -> Port:
    """The port of one conversation, read afresh from the database.

    With `page_customer_id` it acts for a message that was written on that customer's page.

    Raises:
        sqlalchemy.exc.NoResultFound: there is no such conversation.
    """
    asked = {"conversation_id": conversation_id}
    conversation, timezone, iban, policy = (await session.execute(_HELD, asked)).one()
    return Port(
        session,
        conversation,
        ZoneInfo(timezone),
        bool(iban),
        policy_from_data(policy),
        now,
        may_guess,
        page_customer_id,
    )

"""What an action may know and do besides its slots: the turn it belongs to.

The edge sets `current` around each action call. Everything happens in the turn's transaction,
which only the edge commits.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from negotiation.policy import Policy


class ConversationFacts(Protocol):
    """The conversation as the database knows it at this moment."""

    @property
    def customer_id(self) -> int | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def verified(self) -> bool:
        """Whether the person has proved who they are, and recently enough."""

    @property
    def lapsed(self) -> bool:
        """Whether they had proved it, too long ago."""

    @property
    def locked(self) -> bool:
        """Whether too many wrong tries locked the proof."""

    @property
    def askable(self) -> Sequence[str]:
        """Codes of the facts that an unverified customer can prove themselves with; empty: none."""

    @property
    def today(self) -> date:
        """The calendar day at the merchant."""

    @property
    def policy(self) -> Policy: ...
    @property
    def has_bank_details(self) -> bool: ...
    @property
    def waiting(self) -> bool:
        """Whether a person was already asked for."""


class PersonRequested(Protocol):
    """What became of asking for a person."""

    @property
    def new(self) -> bool:
        """False where the conversation waited for one already."""

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """The honest time for the answer as an argument of a wording; None: name none."""


class WayTo(Protocol):
    """How the dialogue gets to another channel."""

    @property
    def kind(self) -> str:
        """``here``, ``known``, ``link``, ``number`` or ``closed``."""

    @property
    def obstacle(self) -> str | None:
        """Why it is closed."""


class ConversationPort(Protocol):
    """What actions may do to the conversation they are part of. Nothing is committed."""

    async def facts(self) -> ConversationFacts: ...

    async def verify(
        self, *, numbers: Sequence[str], birth_date: str | None, postal_code: str | None
    ) -> str:
        """Try a proof: ``verified``, ``wrong`` or ``locked``."""

    async def refuse_proof(self, reason: str, *, until_person: bool = False) -> None:
        """End the proof; where there was none, or with `until_person`, take none until a person
        reopens it."""

    async def request_person(
        self, reason: str, summary: Mapping[str, Any], *, promise: bool = False
    ) -> PersonRequested:
        """Put the conversation on the desk; `promise`: the customer is told the answer's time."""

    async def open_day(self, day: date) -> date:
        """The day itself where people answer on it, else the next on which they do."""

    async def opt_out(self, *, channel: str | None = None, everywhere: bool = False) -> None:
        """Stop our messages to this address, to those on a channel, or to all."""

    async def drop_address(self, reason: str) -> None:
        """This address does not belong to the customer: never use it for them again."""

    async def pause_contact(self, day: date, reason: str) -> None:
        """Send the customer nothing unasked before this day, theirs; a longer pause is kept."""

    async def set_language(self, language: str) -> None: ...

    async def address_source(self) -> str:
        """The code of where the address of this conversation comes from."""

    async def prefer_channel(self, channel: str) -> None: ...

    async def way_to(self, channel: str) -> WayTo:
        """Which way leads from here to a channel; nothing is done yet."""

    async def link_to(self, channel: str) -> str:
        """A one-time link that brings the customer there."""

    async def go_on_at(self, channel: str) -> None:
        """Go on at once at the address there that was proved before."""

    async def own_number(self) -> str | None:
        """The number that we may take for the customer's own, E.164."""

    async def send_code(self, number: str) -> str:
        """Send a code there by text message: ``sent``, or why not."""

    async def has_open_code(self) -> bool: ...

    async def try_code(self, code: str) -> str:
        """Try a code: ``right`` (we go on at the new number), ``wrong`` or ``over``."""

    async def keep_hours(self, earliest: time | None, latest: time | None) -> None:
        """Keep at which times of the day the customer wants to hear from us."""

    async def note(
        self, kind: str, facts: Mapping[str, Any], *, claim_id: int | None = None
    ) -> None:
        """Keep an audit event; codes and figures only, no message texts."""


@dataclass(frozen=True)
class TurnContext:
    """One action call of one turn.

    `key` makes the call's effects idempotent (append ``:<n>`` for several commands); `now` is
    aware UTC; `session` is scoped to the merchant and never committed or rolled back here.
    """

    session: AsyncSession
    now: datetime
    merchant_id: int
    conversation_id: int
    message_id: int
    key: str
    conversation: ConversationPort
    follows: int | None = None
    """The message that our message right before this one answered; None where none of ours stands
    right before it, as when the customer had not seen it yet."""
    hint: Mapping[str, Any] = field(default_factory=dict)
    """What a person who has just given the conversation back tells the bot; see `hints`."""

    @property
    def first_of_turn(self) -> bool:
        """Whether this is the first action that the message leads to."""
        return self.key.endswith(":0")


current: ContextVar[TurnContext] = ContextVar("current_turn")

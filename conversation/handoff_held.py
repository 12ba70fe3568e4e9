"""A handoff with its conversation, and the facts that it refuses a person's wish with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import audit
from storage.tables import Conversation, Handoff


class Outcome(StrEnum):
    """How a handoff ended."""

    SOLVED = "solved"
    AGREED = "agreed"
    PAID = "paid"
    NO_ANSWER = "no_answer"
    NOT_REACHABLE = "not_reachable"
    PASSED_ON = "passed_on"
    OTHER = "other"


class HandoffError(Exception):
    """Base of all facts that a handoff refuses something with; `facts` holds codes and names."""

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class HandoffUnknown(HandoffError):
    """The merchant has no such handoff."""


class HandoffTaken(HandoffError):
    """Another person has it; ``taken_by`` says who."""


class HandoffNotTaken(HandoffError):
    """Whoever writes, gives back or closes has to take it first."""


class HandoffClosed(HandoffError):
    """It has ended; ``outcome`` says how."""


class AddressOptedOut(HandoffError):
    """The customer wants no messages at this address."""


class TemplateNeeded(HandoffError):
    """WhatsApp takes no free text more than 24 hours after the customer's last message."""


class CustomerNotVerified(HandoffError):
    """Nothing about a claim may be named: whoever writes has not proved who they are."""


class CallerNotVerified(HandoffError):
    """Whoever is on the telephone has not proved who they are."""


class SomethingNewer(HandoffError):
    """Somebody has written since the writer looked; ``by`` says who: customer or colleague."""


class ReplyKeyReused(HandoffError):
    """The idempotency key was used before, for another text."""


class Taken(Protocol):
    """A handoff, as far as it says who has it."""

    @property
    def taken_by(self) -> str | None:
        """By name."""

    @property
    def person_id(self) -> int | None:
        """Their account."""


@dataclass(frozen=True, slots=True)
class By:
    """Who of the merchant's people does something: their name, and their account if any."""

    name: str
    person_id: int | None = None

    def has(self, handoff: Taken) -> bool:
        """Whether the handoff is theirs. Names alone tell people apart who have no account."""
        if self.person_id is not None and handoff.person_id is not None:
            return self.person_id == handoff.person_id
        return handoff.taken_by == self.name

    @property
    def signature(self) -> dict[str, Any]:
        """What stands at their messages: the name to be shown, and the account."""
        account = {"person_id": self.person_id} if self.person_id is not None else {}
        return {"agent": self.name, **account}


@dataclass(frozen=True)
class Held:
    """A handoff with its conversation."""

    session: AsyncSession
    handoff: Handoff
    conversation: Conversation

    def of(self, by: By) -> None:
        """Refuse unless it is open and this person has it."""
        if self.handoff.closed_at is not None:
            raise closed(self.handoff)
        if self.handoff.taken_by is None:
            raise HandoffNotTaken("take the handoff first")
        if not by.has(self.handoff):
            raise taken(self.handoff)
        if self.handoff.taken_at is None:
            raise HandoffNotTaken("it was given to this person; take the handoff first")

    def still_with(self, whom: By | None) -> None:
        """Refuse unless that person still has it, or nobody."""
        if self.handoff.taken_by is None or (whom is not None and whom.has(self.handoff)):
            return
        raise taken(self.handoff)

    def ended_as(self, outcome: str, by: By) -> bool:
        """Whether the same person has ended it like that already: a repeated request."""
        ended = self.handoff.closed_at is not None
        return ended and self.handoff.outcome == outcome and by.has(self.handoff)

    def note(self, kind: str, now: datetime, *, by: By | None = None, **facts: Any) -> None:
        """Keep an audit event; codes, names of people at the desk and figures only."""
        about = {"handoff": self.handoff.id, **facts}
        person, person_id = (by.name, by.person_id) if by is not None else (None, None)
        audit.note(
            self.session, self.conversation, kind, now, about, person=person, person_id=person_id
        )


async def held_handoff(session: AsyncSession, handoff_id: int) -> Held:
    """The handoff as it is now; the caller holds the conversation's lock.

    Raises ``HandoffUnknown``.
    """
    found = (
        await session.execute(
            select(Handoff, Conversation)
            .join(Conversation, Conversation.id == Handoff.conversation_id)
            .where(Handoff.id == handoff_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise HandoffUnknown(f"there is no handoff {handoff_id}")
    handoff, conversation = found
    return Held(session, handoff, conversation)


async def open_handoff(session: AsyncSession, handoff_id: int) -> Held:
    """The same; raises ``HandoffClosed`` where it has ended."""
    held = await held_handoff(session, handoff_id)
    if held.handoff.closed_at is not None:
        raise closed(held.handoff)
    return held


def taken(handoff: Handoff) -> HandoffTaken:
    """Another person has it."""
    return HandoffTaken(f"{handoff.taken_by} has it", taken_by=handoff.taken_by)


def closed(handoff: Handoff) -> HandoffClosed:
    """It has ended."""
    return HandoffClosed("the handoff has ended", outcome=handoff.outcome)


def answered(handoff: Handoff, now: datetime) -> None:
    """A person has answered: from here on it is the customer's turn, and nothing is put aside."""
    handoff.first_answer_at = handoff.first_answer_at or now
    handoff.answered_at = now
    handoff.snoozed_at = handoff.snoozed_until = None

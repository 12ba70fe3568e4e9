"""For whom the page of one conversation is read, who else has it open, and what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request

from api.pages.console.page import language_of, parts_of
from api.people.sessions import SignedIn
from api.presence import Presence, Seen, member


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not done, beside what it is about, with what was filled in."""

    where: str
    text: str
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom the page is read, and which of it."""

    person: SignedIn
    language: str
    now: datetime
    uncovered: bool
    seen: Seen
    problem: Problem | None = None
    with_lines: bool = True


async def asked_of(
    request: Request, person: SignedIn, handoff_id: int, *, people: bool = True, **more: Any
) -> Asked:
    """Who asks for the page, now."""
    presence = presence_of(request, person)
    return Asked(
        person,
        language_of(request),
        parts_of(request).clock.now(),
        await presence.is_uncovered(handoff_id, person.session),
        await presence.look(handoff_id) if people else Seen(),
        **more,
    )


def presence_of(request: Request, person: SignedIn) -> Presence:
    """Who is at the merchant's handoffs."""
    return Presence(parts_of(request).events.redis, person.merchant_id)


def me(person: SignedIn) -> str:
    """Who it is among those who have a handoff open."""
    return member(person.operator, person.person_id)

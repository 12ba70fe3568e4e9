"""Everything open at a merchant's desk, in the desk's order, with what a row of the list shows.

Read with few statements of few columns: the list is read anew with every message that comes in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause

from conversation.answer_clock import Clock, Targets, clock
from conversation.answer_targets import targets
from conversation.desk_order import Standing, place
from conversation.handoff_held import By
from conversation.handoff_urgency import Urgency, known_as
from conversation.known import known_from
from conversation.opening_hours import OpeningHours
from conversation.redaction import Known, Redaction
from ledger.book_standing import standings
from ledger.money import Money
from negotiation.policy_data import policy_from_data
from storage.statement import Statement
from storage.tables import (
    Conversation,
    Customer,
    DeskTeam,
    Handoff,
    Merchant,
    Message,
)

OPEN_MAX: Final = 500
"""So many open handoffs are looked at; of more, those that have waited longest."""
LINE_CHARACTERS_MAX: Final = 400
"""So much of the last message is read: a row shows far less."""


class View(StrEnum):
    """Which handoffs somebody looks at."""

    OWN = "own"
    UNASSIGNED = "unassigned"
    TEAM = "team"
    ALL = "all"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True)
class Line:
    """The last message of a conversation, as it was written."""

    author: str
    kind: str
    text: str
    at: datetime


class Waiting(NamedTuple):
    """What a row needs of its handoff."""

    id: int
    reason: str
    further: Sequence[str] | None
    """The reasons that came to it."""
    requested_at: datetime
    answer_by: datetime | None
    answered_at: datetime | None
    taken_at: datetime | None
    taken_by: str | None
    person_id: int | None
    team_id: int | None
    tags: Sequence[str]
    snoozed_at: datetime | None
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """An open handoff."""

    handoff: Waiting
    customer_id: int | None
    customer_number: str | None
    channel: str
    address: str
    language: str | None
    urgency: Urgency
    team: str | None
    clock: Clock | None
    """Runs while somebody waits for our answer."""
    unread: int
    """How much the customer has written since a person answered, or was asked for."""
    asleep: bool
    last: Line | None
    open: Sequence[Money]
    promise_at_risk: bool

    @property
    def standing(self) -> Standing:
        """What decides about its place."""
        return Standing(
            id=self.handoff.id,
            crisis=self.urgency is Urgency.CRISIS,
            requested_at=self.handoff.requested_at,
            waiting_since=self.clock.since if self.clock is not None else None,
            due=self.clock.due if self.clock is not None else None,
            open_minor=max((one.minor for one in self.open), default=0),
            promise_at_risk=self.promise_at_risk,
        )

    @property
    def reasons(self) -> Sequence[str]:
        """Why, as people know it; the main reason first."""
        given = (self.handoff.reason, *(self.handoff.further or ()))
        return list(dict.fromkeys(map(known_as, given)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody wants to see: a view, kept to a reason, channel, tag and language."""

    view: View = View.UNASSIGNED
    reason: str = ""
    channel: str = ""
    tag: str = ""
    language: str = ""

    def fits(self, row: Row) -> bool:
        """Whether a row is of what was chosen besides the view."""
        return (
            (not self.reason or self.reason in row.reasons)
            and (not self.channel or self.channel == row.channel)
            and (not self.tag or self.tag in row.handoff.tags)
            and (not self.language or self.language == row.language)
        )


@dataclass(frozen=True, slots=True)
class Queue:
    """All that is open, in order, and whether there is more than was looked at."""

    rows: Sequence[Row]
    hours: OpeningHours
    more: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and the teams they are in."""

    by: By
    teams: frozenset[int] = field(default_factory=frozenset)

    def sees(self, row: Row, view: View) -> bool:
        """Whether a row belongs to this view of theirs."""
        if row.asleep or view is View.SNOOZED:
            return row.asleep and view is View.SNOOZED
        if view is View.OWN:
            return self.by.has(row.handoff)
        if view is View.UNASSIGNED:
            return row.handoff.taken_by is None
        if view is View.TEAM:
            return row.handoff.team_id in self.teams
        return True

    def waits_for(self, row: Row) -> bool:
        """Whether this person is to look: nobody has it, or it is theirs and says something new."""
        if row.asleep:
            return False
        if row.handoff.taken_by is None:
            return not self.teams or row.handoff.team_id in (None, *self.teams)
        return self.by.has(row.handoff) and (row.unread > 0 or row.handoff.taken_at is None)


async def queue(session: AsyncSession, merchant_id: int, now: datetime) -> Queue:
    """All open handoffs of a merchant, in the order of :func:`conversation.desk_order.place`."""
    hours, wanted = await _hours(session, merchant_id), await targets(session, merchant_id)
    found = await _OPEN.run(session, merchant_id=merchant_id)
    customers = [one.customer_id for one in found if one.customer_id is not None]
    today = now.astimezone(hours.zone).date()
    money = await standings(session, customers, today)
    rows = []
    for one in found[:OPEN_MAX]:
        handoff = Waiting._make(one[: len(Waiting._fields)])
        standing = money.get(one.customer_id) if one.customer_id is not None else None
        last = Line(one.author, one.kind, one.text, one.created_at) if one.author else None
        rows.append(
            Row(
                handoff=handoff,
                customer_id=one.customer_id,
                customer_number=one.number,
                channel=one.channel,
                address=one.address,
                language=one.language or one.customer_language,
                urgency=Urgency.of(handoff.reason),
                team=one.team,
                clock=_clock(handoff, one.asked_at, wanted, hours),
                unread=one.unread,
                asleep=_asleep(handoff, one.newest_at, now),
                last=last,
                open=standing.open if standing is not None else (),
                promise_at_risk=standing is not None and standing.promise_at_risk,
            )
        )
    rows.sort(key=lambda row: place(row.standing))
    return Queue(rows, hours, more=len(found) > OPEN_MAX)


async def clock_of(session: AsyncSession, merchant_id: int, handoff_id: int) -> Clock | None:
    """The clock of one open handoff, as the list shows it; None while nobody waits for us."""
    found = await _ASKED.run(session, handoff_id=handoff_id)
    if not found:
        return None
    hours, wanted = await _hours(session, merchant_id), await targets(session, merchant_id)
    return _clock(found[0], found[0].asked_at, wanted, hours)


async def _hours(session: AsyncSession, merchant_id: int) -> OpeningHours:
    (merchant,) = await _MERCHANT.run(session, merchant_id=merchant_id)
    return OpeningHours.of(policy_from_data(merchant.policy), merchant.timezone, merchant.land)


def _clock(
    handoff: Any, asked_at: datetime | None, wanted: Targets, hours: OpeningHours
) -> Clock | None:
    return clock(
        wanted.of(handoff.reason),
        hours,
        requested_at=handoff.requested_at,
        answer_by=handoff.answer_by,
        answered_at=handoff.answered_at,
        asked_at=asked_at,
    )


def _asleep(handoff: Waiting, newest_at: datetime | None, now: datetime) -> bool:
    """Whether it is put aside: not yet time, and the customer has written nothing since."""
    if handoff.snoozed_at is None:
        return False
    if handoff.snoozed_until is not None and handoff.snoozed_until <= now:
        return False
    return newest_at is None or newest_at <= handoff.snoozed_at


def _asked() -> LateralFromClause:
    """What the customer has written since a person answered, or was asked for."""
    return (
        select(
            func.count().label("unread"),
            func.min(Message.created_at).label("asked_at"),
            func.max(Message.created_at).label("newest_at"),
        )
        .where(
            Message.conversation_id == Handoff.conversation_id,
            Message.direction == "in",
            Message.kind != "edit",
            Message.created_at > func.coalesce(Handoff.answered_at, Handoff.requested_at),
        )
        .lateral("asked")
    )


def _open() -> Select[Any]:
    last = (
        select(
            Message.author,
            Message.kind,
            func.left(Message.text, LINE_CHARACTERS_MAX).label("text"),
            Message.created_at,
        )
        .where(Message.conversation_id == Handoff.conversation_id)
        .order_by(Message.id.desc())
        .limit(1)
        .lateral("last")
    )
    asked = _asked()
    further = Handoff.summary["reasons"].label("further")
    return (
        select(
            *(further if name == "further" else getattr(Handoff, name) for name in Waiting._fields),
            Conversation.channel,
            Conversation.address,
            Conversation.language,
            Conversation.customer_id,
            Customer.number,
            Customer.language.label("customer_language"),
            DeskTeam.name.label("team"),
            *last.c,
            *asked.c,
        )
        .join(Conversation, Conversation.id == Handoff.conversation_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .outerjoin(DeskTeam, DeskTeam.id == Handoff.team_id)
        .outerjoin(last, true())
        .join(asked, true())
        .where(
            Handoff.merchant_id == bindparam("merchant_id", type_=BigInteger),
            Handoff.closed_at.is_(None),
        )
        .order_by((Handoff.reason != "crisis"), Handoff.requested_at, Handoff.id)
        .limit(OPEN_MAX + 1)
    )


def _asked_of_one() -> Select[Any]:
    asked = _asked()
    columns = (Handoff.reason, Handoff.requested_at, Handoff.answer_by, Handoff.answered_at)
    return (
        select(*columns, asked.c.asked_at)
        .join(asked, true())
        .where(Handoff.id == bindparam("handoff_id", type_=BigInteger), Handoff.closed_at.is_(None))
    )


_OPEN: Final = Statement(_open())
_ASKED: Final = Statement(_asked_of_one())
_MERCHANT: Final = Statement(
    select(Merchant.policy, Merchant.timezone, Merchant.land).where(
        Merchant.id == bindparam("merchant_id", type_=BigInteger)
    )
)
_KNOWN: Final = Statement(
    text(
        """
    SELECT customer.id, customer.first_name, customer.name, customer.birth_date,
        customer.postal_code, merchant.phone, merchant.email,
        ARRAY(
            SELECT address FROM contact_point
            WHERE contact_point.customer_id = customer.id ORDER BY contact_point.id
        ) AS addresses
    FROM customer JOIN merchant ON merchant.id = customer.merchant_id
    WHERE customer.id = ANY(:customers)
    """
    ).bindparams(bindparam("customers", type_=ARRAY(BigInteger)))
)


async def known_of_rows(session: AsyncSession, rows: Sequence[Row]) -> Mapping[int, Known]:
    """What is to be covered in the last messages of these rows, by handoff."""
    ids = sorted({row.customer_id for row in rows if row.customer_id is not None})
    people = {one.id: one for one in await _KNOWN.run(session, customers=ids)}
    found = {}
    for row in rows:
        one = people.get(row.customer_id or 0)
        addresses = tuple(dict.fromkeys((row.address, *(one.addresses if one else ()))))
        known = known_from(one, one, addresses) if one else Known(addresses=addresses)
        found[row.handoff.id] = known
    return found


@lru_cache(maxsize=2 * OPEN_MAX)
def covered(known: Known, labels: tuple[tuple[str, str], ...], text: str) -> str:
    """A last message with what is known covered; kept, as the list is read again and again."""
    return Redaction(known, dict(labels)).cover(text)

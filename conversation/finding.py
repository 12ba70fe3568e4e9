"""Conversations found by what was said and by what is known of them, the newest first.

Words and marks are rows that are found by equality, since row-level security lets an index serve
nothing else of full-text search (migration 0016). Each page looks at a bounded number of
conversations: where much fits each condition and little all of them, it says how far it came.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.listing import MARKS_OF_MESSAGES, list_waiting
from conversation.sought import Sought, Tokens, array, has_stem, in_a_row, sought
from storage.tables import (
    Conversation,
    Customer,
    Message,
    OverviewCase,
    Transcript,
    TranscriptToken,
)

LISTED_MAX = 50
FOUND_MAX = 25
"""So many where words are looked for: each shows its line, which has to be read for them."""
DRIVEN_MAX = 2_000
"""A condition that fewer conversations fit is looked up; else the newest are looked through."""
WALKED_MAX = 4_000
PHRASED_MAX = 150
"""So many conversations are read for words in a row, some at a time."""
PHRASED_AT_ONCE = 75
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation stands in the list."""

    at: datetime
    conversation: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}_{self.conversation}"

    @classmethod
    def read(cls, given: str) -> Self | None:
        """From an address; None where it is none."""
        found = re.fullmatch(r"(\d{1,17})_(\d{1,18})", given, re.ASCII)
        if found is None:
            return None
        try:
            return cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Behind:
    """The conversations behind a figure of the overview, once for each time that it counts them."""

    figure: str
    channel: str = ""
    band: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Which conversations are wanted; everything given has to fit."""

    text: str = ""
    marks: tuple[str, ...] = ()
    """As in `storage.tables.TranscriptToken`."""
    since: datetime | None = None
    """The newest message was written from then on …"""
    until: datetime | None = None
    """… and before then."""
    behind: Behind | None = None
    """Those that a figure counts; from when and until when then say when it was."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The newest message of a conversation that has what was looked for."""

    message_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in the list, by its newest message."""

    id: int
    message_id: int
    at: datetime
    author: str
    status: str | None
    channel: str
    state: str
    language: str | None
    address: str
    customer_id: int | None
    customer_number: str | None
    hit: Hit | None = None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.at, self.id)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the list."""

    rows: Sequence[Listed] = ()
    further: Place | None = None
    """Where the next page goes on."""
    stopped: bool = False
    """There may be more than is shown here: it was not looked any further."""
    sought: Sought = field(default_factory=Sought)


async def find(
    session: AsyncSession,
    merchant_id: int,
    question: Question,
    *,
    before: Place | None = None,
    limit: int | None = None,
) -> Found:
    """A page of conversations, the one that was written in last first.

    ``session`` is the merchant's: what is another's is not there.
    """
    words = await sought(session, question.text) if question.text.strip() else Sought()
    if question.text.strip() and not words.words:
        return Found()
    limit = limit or (FOUND_MAX if words.words else LISTED_MAX)
    search = _Search(session, merchant_id, question, words)
    places, further = await search.page(before, limit)
    rows = await _listed(session, [place.conversation for place in places])
    if words.words:
        rows = await _with_hits(session, rows, words)
    stopped = further is not None and len(places) < limit
    return Found(rows, further, stopped, words)


async def newest_fitting(
    session: AsyncSession, merchant_id: int, question: Question, limit: int
) -> list[int]:
    """Conversations that fit, the newest first; at most so many, and as far as a page looks."""
    places, _ = await _Search(session, merchant_id, question, Sought()).page(None, limit)
    return [place.conversation for place in places]


class _Search:
    """One question, asked a page at a time."""

    def __init__(
        self, session: AsyncSession, merchant_id: int, question: Question, words: Sought
    ) -> None:
        self.session, self.merchant_id = session, merchant_id
        self.question, self.words = question, words
        self.groups: list[Tokens] = [*words.words, *((mark,) for mark in question.marks)]
        self.listed = listed = Transcript if question.behind is None else OverviewCase
        """By whose time conversations stand in the list."""
        self.span: list[ColumnElement[bool]] = [listed.merchant_id == merchant_id]
        if question.since is not None:
            self.span.append(listed.at >= question.since)
        if question.until is not None:
            self.span.append(listed.at < question.until)
        if behind := question.behind:
            self.span.append(OverviewCase.figure == behind.figure)
            if behind.channel:
                self.span.append(OverviewCase.channel == behind.channel)
            if behind.band:
                self.span.append(OverviewCase.band == behind.band)

    async def page(self, before: Place | None, limit: int) -> tuple[list[Place], Place | None]:
        """At most so many places, and where it goes on."""
        marks = self.question.marks
        if self.words.words or any(mark.startswith(MARKS_OF_MESSAGES) for mark in marks):
            await list_waiting(self.session, self.merchant_id)  # what was written just now
        rarest = await self._rarest()
        if not self.words.phrases:
            places, stopped_at = await self._candidates(before, limit + 1, rarest)
            if len(places) > limit:
                return places[:limit], places[limit - 1]
            return places, stopped_at
        fitting: list[Place] = []
        for _ in range(PHRASED_MAX // PHRASED_AT_ONCE):
            places, stopped_at = await self._candidates(before, PHRASED_AT_ONCE, rarest)
            said = await self._said(places)
            fitting += [place for place in places if place.conversation in said]
            if len(fitting) > limit:
                return fitting[:limit], fitting[limit - 1]
            if len(places) < PHRASED_AT_ONCE:
                return fitting, stopped_at
            before = places[-1]
        return fitting, before

    async def _rarest(self) -> Tokens | None:
        """The condition that the fewest conversations fit, if they are few."""
        if not self.groups:
            return None
        counts = [
            select(func.count())
            .select_from(
                select(literal_column("1"))
                .where(self._has(group))
                .limit(DRIVEN_MAX + 1)
                .subquery()
            )
            .scalar_subquery()
            for group in self.groups
        ]  # fmt: skip
        found = list((await self.session.execute(select(*counts))).one())
        least = min(found)
        return self.groups[found.index(least)] if least <= DRIVEN_MAX else None

    async def _candidates(
        self, before: Place | None, limit: int, rarest: Tokens | None
    ) -> tuple[list[Place], Place | None]:
        """Places of conversations that have all words and marks; where it was looked no further."""
        span = list(self.span)
        at, talk = self.listed.at, self.listed.conversation_id
        if before is not None:
            span.append(tuple_(at, talk) < tuple_(before.at, before.conversation))
        place = select(at, talk.label("talk")).where(*span).order_by(at.desc(), talk.desc())
        if not self.groups:
            return await self._places(place.limit(limit)), None
        if rarest is not None:
            # As an array, so that each is looked up, and not all of the merchant's looked through.
            having = select(TranscriptToken.conversation_id).where(self._has(rarest))
            wanted = func.array(having.scalar_subquery(), type_=ARRAY(BigInteger()))
            looked = place.where(talk == any_(wanted)).offset(0).subquery()
        else:
            looked = place.limit(WALKED_MAX).subquery()
        # Newest first, and no further than to the last one of the page.
        fitting = (
            select(looked.c.at, looked.c.talk)
            .where(*(self._also(one, looked.c.talk) for one in self.groups if one != rarest))
            .order_by(looked.c.at.desc(), looked.c.talk.desc())
            .limit(limit)
        )
        places = await self._places(fitting)
        if rarest is not None or len(places) == limit:
            return places, None
        last = place.offset(WALKED_MAX - 1).limit(1)
        reached = await self._places(last)
        return places, reached[0] if reached else None

    def _has(self, group: Tokens) -> ColumnElement[bool]:
        return and_(TranscriptToken.merchant_id == self.merchant_id, _one_of(group))

    def _also(self, group: Tokens, talk: Any) -> ColumnElement[bool]:
        return (
            select(literal_column("1"))
            .select_from(TranscriptToken)
            .where(self._has(group), TranscriptToken.conversation_id == talk)
            .exists()
        )

    async def _places(self, wanted: Select[datetime, int]) -> list[Place]:
        return [Place(at, talk) for at, talk in await self.session.execute(wanted)]

    async def _said(self, places: Sequence[Place]) -> set[int]:
        """Those of some conversations in which the words stand in a row."""
        talks = [place.conversation for place in places]
        wanted = (
            select(Message.conversation_id)
            .where(_of(talks, Message.conversation_id), in_a_row(self.words.phrases))
            .distinct()
        )
        return set(await self.session.scalars(wanted))


def _one_of(tokens: Tokens) -> ColumnElement[bool]:
    return TranscriptToken.token == any_(array(tokens, Text()))


def _of(talks: Sequence[int], column: Any) -> ColumnElement[bool]:
    fits: ColumnElement[bool] = column == any_(array(talks, BigInteger()))
    return fits


async def _listed(session: AsyncSession, talks: Sequence[int]) -> list[Listed]:
    """The rows of these conversations, in their order."""
    if not talks:
        return []
    wanted = (
        select(
            Conversation.id,
            Transcript.message_id,
            Transcript.at,
            Message.author,
            Message.status,
            Conversation.channel,
            Conversation.state,
            Conversation.language,
            Conversation.address,
            Conversation.customer_id,
            Customer.number.label("customer_number"),
        )
        .join(Transcript, Transcript.conversation_id == Conversation.id)
        .join(Message, Message.id == Transcript.message_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(_of(talks, Conversation.id))
    )
    rows = {row.id: Listed(**row._mapping) for row in await session.execute(wanted)}
    return [rows[talk] for talk in talks if talk in rows]


async def _with_hits(session: AsyncSession, rows: Sequence[Listed], words: Sought) -> list[Listed]:
    """The same rows, each with its newest message that has the first word, or all in a row."""
    first = has_stem(Message.text, words.words[0])
    wanted = in_a_row(words.phrases) if words.phrases else first
    talk = func.unnest(array([row.id for row in rows], BigInteger())).column_valued("talk")
    newest = (
        select(Message.id, Message.text)
        .where(Message.conversation_id == talk, wanted)
        .order_by(Message.id.desc())
        .limit(1)
        .lateral("newest")
    )
    found = select(talk, newest.c.id, newest.c.text).join(newest, literal(True))
    hits = {of: Hit(id_, text) for of, id_, text in await session.execute(found)}
    return [replace(row, hit=hits.get(row.id)) for row in rows]

"""The words that somebody looks for: read from what was typed, and compared with texts.

The database takes words to their stems, those of messages and those looked for alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from channels.payload import storable
from storage.tables import Message

TYPED_CHARACTERS_MAX = 200
WORDS_MAX = 12
Tokens = tuple[str, ...]
_READ = text(
    """
    SELECT word, kulanz_words(word) AS stems,
        ARRAY(SELECT kulanz_plain(one) FROM unnest(:quoted) AS one) AS phrases
    FROM unnest(string_to_array(kulanz_plain(:typed), ' ')) WITH ORDINALITY AS given (word, place)
    ORDER BY place
    """
).bindparams(bindparam("typed", type_=Text), bindparam("quoted", type_=ARRAY(Text)))
_QUOTED = re.compile(r'["„“”»«]([^"„“”»«]+)["„“”»«]')


@dataclass(frozen=True, slots=True)
class Sought:
    """The words of a question as the database compares them."""

    words: tuple[Tokens, ...] = ()
    """Each word by the stems that it may have."""
    phrases: tuple[str, ...] = ()
    """Words in a row, as `kulanz_plain` writes them."""

    @property
    def tokens(self) -> list[str]:
        """All stems."""
        return [stem for word in self.words for stem in word]


async def sought(session: AsyncSession, typed: str) -> Sought:
    """Read what somebody typed: words in any form, and words in a row between quotes."""
    typed = storable(typed)[:TYPED_CHARACTERS_MAX]
    asked = {"typed": typed, "quoted": _QUOTED.findall(typed)[:WORDS_MAX]}
    rows = (await session.execute(_READ, asked)).all()
    stems = {row.word: tuple(row.stems) for row in rows if row.stems}
    phrases = tuple(filter(None, rows[0].phrases)) if rows else ()
    return Sought(tuple(stems.values())[:WORDS_MAX], phrases)


async def matching_words(session: AsyncSession, words: set[str], sought: Sought) -> frozenset[str]:
    """Those of some words that were looked for, whatever their form."""
    if not words or not sought.words:
        return frozenset()
    word = func.unnest(array(sorted(words), Text())).column_valued("word")
    return frozenset(await session.scalars(select(word).where(has_stem(word, sought.tokens))))


def in_a_row(phrases: Sequence[str]) -> ColumnElement[bool]:
    """A message has each of these as words in a row."""
    plain = func.concat(" ", func.kulanz_plain(Message.text), " ")
    rows = [func.strpos(plain, f" {phrase} ") > 0 for phrase in phrases]
    looks = [may_say(Message.text, [max(phrase.split(), key=len)]) for phrase in phrases]
    return case((and_(*looks), and_(*rows)), else_=False)


def has_stem(said: Any, stems: Sequence[str]) -> ColumnElement[bool]:
    """A text has a word with one of these stems, all but the last two letters of which it has."""
    begun = may_say(said, [stem[: max(1, len(stem) - 2)] for stem in stems])
    return case((begun, func.kulanz_words(said).op("&&")(array(stems, Text()))), else_=False)


def may_say(said: Any, parts: Sequence[str]) -> ColumnElement[bool]:
    """A text may have one of these in it, as `kulanz_plain` writes it; else it has none.

    It costs far less than to be sure.
    """
    patterns = array([f"%{part}%" for part in dict.fromkeys(parts)], Text())
    return func.kulanz_may_say(said, patterns, type_=Boolean)


def array(values: Sequence[Any], of: Any) -> ColumnElement[Any]:
    """One parameter for all of them, so that the statement is the same for however many."""
    return cast(literal(list(values), ARRAY(of)), ARRAY(of))

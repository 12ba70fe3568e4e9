"""The words that somebody looks for: read from what was typed, and compared with texts.

The database takes words to their stems, those of messages and those looked for alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.payload import storable
from storage.tables import Message

TYPED_CHARACTERS_MAX = 200
WORDS_MAX = 12
Tokens = tuple[str, ...]
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


async def sought(session: AsyncSession, text: str) -> Sought:
    """Read what somebody typed: words in any form, and words in a row between quotes."""
    typed = storable(text)[:TYPED_CHARACTERS_MAX]
    row = (
        await session.execute(
            select(
                func.kulanz_plain(typed),
                *(func.kulanz_plain(phrase) for phrase in _QUOTED.findall(typed)[:WORDS_MAX]),
            )
        )
    ).one()
    plain, *phrases = row
    words = list(dict.fromkeys(plain.split()))[:WORDS_MAX]
    if not words:
        return Sought()
    stems = (await session.execute(select(*(func.kulanz_words(word) for word in words)))).one()
    return Sought(tuple(tuple(one) for one in stems if one), tuple(one for one in phrases if one))


async def matching_words(session: AsyncSession, words: set[str], sought: Sought) -> frozenset[str]:
    """Those of some words that were looked for, whatever their form."""
    if not words or not sought.words:
        return frozenset()
    word = func.unnest(array(sorted(words), Text())).column_valued("word")
    wanted = select(word).where(func.kulanz_words(word).op("&&")(array(sought.tokens, Text())))
    return frozenset(await session.scalars(wanted))


def in_a_row(phrases: Sequence[str]) -> list[ColumnElement[bool]]:
    """A message has each of these as words in a row."""
    plain = func.concat(" ", func.kulanz_plain(Message.text), " ")
    return [func.strpos(plain, f" {phrase} ") > 0 for phrase in phrases]


def array(values: Sequence[Any], of: Any) -> ColumnElement[Any]:
    """One parameter for all of them, so that the statement is the same for however many."""
    return cast(literal(list(values), ARRAY(of)), ARRAY(of))

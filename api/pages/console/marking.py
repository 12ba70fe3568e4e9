"""Words that were looked for, marked in what a page shows; only after personal data is covered."""

import re
from collections.abc import Iterable

from markupsafe import Markup, escape
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.sought import Sought, matching_words

SHOWN_CHARACTERS = 180
_WORD = re.compile(r"\w+")


class Marking:
    """Marks some words, and cuts a text to where they stand."""

    def __init__(self, words: frozenset[str] = frozenset()) -> None:
        self._words = words

    @classmethod
    async def of(cls, session: AsyncSession, texts: Iterable[str], sought: Sought) -> "Marking":
        """For the words of these texts that were looked for, in whatever form."""
        if not sought.words:
            return cls()
        words = {word for text in texts for word in _WORD.findall(text)}
        return cls(await matching_words(session, words, sought))

    def marked(self, text: str) -> Markup:
        """The text with each such word marked."""
        if not self._words:
            return escape(text)
        parts, behind = [], 0
        for found in self._found(text):
            parts += [escape(text[behind : found.start()]), Markup("<mark>"), escape(found[0])]
            parts.append(Markup("</mark>"))
            behind = found.end()
        return Markup("").join([*parts, escape(text[behind:])])

    def excerpt(self, text: str) -> Markup:
        """The part of a text around the first such word, in one line, marked."""
        line = " ".join(text.split())
        first = next(iter(self._found(line)), None)
        middle = first.start() if first else 0
        begin = max(0, min(middle - SHOWN_CHARACTERS // 3, len(line) - SHOWN_CHARACTERS))
        if begin:
            begin = line.find(" ", begin, middle) + 1 or begin
        end = begin + SHOWN_CHARACTERS
        if end < len(line):
            end = max(line.rfind(" ", middle, end), middle + 1) if " " in line[middle:end] else end
        before, after = "… " if begin else "", " …" if end < len(line) else ""
        return Markup("{}{}{}").format(before, self.marked(line[begin:end]), after)

    def _found(self, text: str) -> list[re.Match[str]]:
        return [one for one in _WORD.finditer(text) if one[0] in self._words]

"""Replies kept ready: texts under a shortcut, with placeholders that are filled and nothing more.

A placeholder is a name in braces. There is no template language in it: a text can name what stands
in the table below, and cannot reckon, choose or call. What names facts of a claim is refused while
the customer has not proved who they are, by the same rule as the wordings.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.wording import DisclosureRefused
from storage.tables import CannedReply

CHARACTERS_MAX: Final = 1500
SHORTCUT: Final = re.compile(r"[a-z0-9äöüß-]{1,20}")
LISTED_MAX: Final = 200
NAMES: Final[Mapping[str, str]] = {
    "vorname": "first_name",
    "name": "name",
    "firma": "shop",
    "ich": "agent",
    "betrag": "amount",
    "rechnung": "invoice",
    "faellig": "due",
    "first_name": "first_name",
    "shop": "shop",
    "me": "agent",
    "amount": "amount",
    "invoice": "invoice",
    "due": "due",
}
"""What a text may call a fact, in either language."""
DISCLOSING: Final = frozenset({"amount", "invoice", "due", "name", "first_name"})
"""Facts that only who has proved who they are may read. A name is one: whoever holds the phone
would learn whom we look for."""
_PLACE = re.compile(r"\{([^{}]*)\}")


class CannedRefused(ValueError):
    """A reply cannot be kept; ``code`` says why, ``name`` what is meant."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.name = name


class FactMissing(LookupError):
    """A fact that the text names is not known here; ``names`` says which."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply as it was typed."""

    shortcut: str
    text_de: str
    text_en: str

    def checked(self) -> "Draft":
        """The same, tidied. Raises CannedRefused."""
        shortcut = self.shortcut.strip().lstrip("/").casefold()
        german, english = self.text_de.strip(), self.text_en.strip()
        if not SHORTCUT.fullmatch(shortcut):
            raise CannedRefused("shortcut")
        if not (german or english) or max(len(german), len(english)) > CHARACTERS_MAX:
            raise CannedRefused("text")
        for name in _PLACE.findall(german + english):
            if name not in NAMES:
                raise CannedRefused("variable", "{" + name + "}")
        return Draft(shortcut, german, english)


def filled(
    text: str,
    facts: Mapping[str, str],
    *,
    verified: bool,
    later: frozenset[str] = frozenset(),
) -> str:
    """The text with its placeholders filled, but those of `later`, which are filled in sending.

    Braces around anything else are left as they are.

    Raises:
        DisclosureRefused: it names a fact of a claim, and the customer is not verified.
        FactMissing: a fact is not known.
    """
    named = [name for name in _PLACE.findall(text) if name in NAMES]
    if not verified and any(NAMES[name] in DISCLOSING for name in named):
        raise DisclosureRefused(text)
    missing = [name for name in named if not facts.get(NAMES[name])]
    if missing:
        raise FactMissing(missing)

    def fact(found: re.Match[str]) -> str:
        name = NAMES.get(found.group(1))
        return found.group() if name is None or name in later else facts[name]

    return _PLACE.sub(fact, text)


async def all_ready(session: AsyncSession, merchant_id: int) -> Sequence[CannedReply]:
    """The merchant's replies by their shortcut."""
    found = await session.scalars(
        select(CannedReply)
        .where(CannedReply.merchant_id == merchant_id)
        .order_by(CannedReply.shortcut)
        .limit(LISTED_MAX)
    )
    return found.all()


async def save(
    session: AsyncSession,
    merchant_id: int,
    draft: Draft,
    by: str,
    now: datetime,
    *,
    reply_id: int | None = None,
) -> CannedReply | None:
    """Keep a new reply, or change one; None where there is none with this number.

    Raises CannedRefused.
    """
    kept = await _one(session, merchant_id, reply_id) if reply_id is not None else CannedReply()
    if kept is None:
        return None
    draft = draft.checked()
    same = await session.scalar(
        select(CannedReply).where(
            CannedReply.merchant_id == merchant_id, CannedReply.shortcut == draft.shortcut
        )
    )
    if same is not None and same.id != kept.id:
        raise CannedRefused("taken")
    kept.merchant_id, kept.shortcut = merchant_id, draft.shortcut
    kept.text_de, kept.text_en = draft.text_de, draft.text_en
    kept.changed_by, kept.changed_at = by, now
    session.add(kept)
    await session.flush()
    return kept


async def remove(session: AsyncSession, merchant_id: int, reply_id: int) -> bool:
    """Delete a reply; False where there is none."""
    kept = await _one(session, merchant_id, reply_id)
    if kept is not None:
        await session.delete(kept)
    return kept is not None


async def _one(session: AsyncSession, merchant_id: int, reply_id: int) -> CannedReply | None:
    return await session.scalar(
        select(CannedReply).where(
            CannedReply.id == reply_id, CannedReply.merchant_id == merchant_id
        )
    )

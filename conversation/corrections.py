"""What messages should have been understood as: proposed by one person, decided by another.

Accepted ones become training data in Rasa's format. Personal data stands behind placeholders from
the moment of the proposal; in what is trained with, invented words stand in their place.
Commits nothing. ``session`` is the merchant's: what is another's is not there.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from channels.payload import storable
from conversation.redaction import (
    ADDRESS,
    BIRTH_DATE,
    EMAIL,
    KINDS,
    NAME,
    PERSONAL_ENTITIES,
    PHONE,
    Known,
    Redaction,
)
from storage.statement import Statement
from storage.tables import Correction, Message, Turn

LISTED_MAX = 50
TEXT_CHARACTERS_MAX = 500
PROPOSED, ACCEPTED, REJECTED = "proposed", "accepted", "rejected"
STATES = (PROPOSED, ACCEPTED, REJECTED)
_BATCH = 500
_PLACEHOLDERS: Final = {kind: kind.upper() for kind in KINDS}
_STAND_INS: Final = {
    NAME: "Kim Muster",
    PHONE: "0123 456",
    EMAIL: "kim@example.com",
    BIRTH_DATE: "1.1.1980",
    ADDRESS: "Musterweg 1",
}


_PLACEHOLDER = re.compile(r"\[(?:" + "|".join(_PLACEHOLDERS.values()) + r")\]")
_BRACKETS = re.compile(_PLACEHOLDER.pattern + r"|[\[\]{}()]")
"""Brackets mark values in training data."""


class CorrectionRefused(Exception):
    """A correction cannot be proposed or decided like that; `why` is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def learnable(text: str, known: Known) -> str:
    """A message in one line, with placeholders for personal data, without marks of a format."""
    plain = _BRACKETS.sub(lambda found: found[0] if len(found[0]) > 1 else " ", storable(text))
    covered = Redaction(known, _PLACEHOLDERS).cover(plain)
    return " ".join(covered.split())[:TEXT_CHARACTERS_MAX]


async def propose(
    session: AsyncSession,
    message: Message,
    known: Known,
    proposal: tuple[str, str, Sequence[tuple[str, str]]],
    who: tuple[str, int | None],
    now: datetime,
) -> Correction:
    """Propose what a message means: its text to learn from, intent, and values with their words.

    Raises:
        CorrectionRefused: ``text``, ``words`` (they are not in the text, or personal), or
            ``there`` (another one is).
    """
    given, intent, values = proposal
    text = learnable(given, known)
    if not re.search(r"[^\W\d_]", _PLACEHOLDER.sub("", text)):
        raise CorrectionRefused("text")
    marked = []
    for entity, words in values:
        words = " ".join(words.split())
        if entity in PERSONAL_ENTITIES or not words or not _stand_apart(words, text):
            raise CorrectionRefused("words")
        marked.append({"entity": entity, "words": words})
    turn = await session.get(Turn, message.id)
    understanding = turn.understanding if turn is not None else {}
    language = understanding.get("language")
    person, person_id = who
    added: Correction | None = await session.scalar(
        insert(Correction)
        .values(
            merchant_id=message.merchant_id, conversation_id=message.conversation_id,
            message_id=message.id, text=text, language=language if language == "en" else "de",
            understood=understanding.get("intent"), intent=intent, entities=marked, state=PROPOSED,
            person=person, person_id=person_id, proposed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Correction)
    )  # fmt: skip
    if added is None:
        raise CorrectionRefused("there")
    return added


async def decide(
    session: AsyncSession,
    correction: int,
    who: tuple[str, int | None],
    now: datetime,
    *,
    accept: bool,
    also_own: bool,
) -> tuple[Correction, bool] | None:
    """Accept or reject a proposal, and whether that is new; None where there is none.

    Deciding again as before changes nothing. Nobody decides about what they proposed, unless
    `also_own`.

    Raises:
        CorrectionRefused: ``own``, or ``decided`` (otherwise, before).
    """
    held = await session.get(Correction, correction, with_for_update=True)
    if held is None:
        return None
    state = ACCEPTED if accept else REJECTED
    if held.state == state:
        return held, False
    if held.state != PROPOSED:
        raise CorrectionRefused("decided")
    if not also_own and is_own(held, who):
        raise CorrectionRefused("own")
    held.state, held.decided_by, held.decided_at = state, who[0], now
    return held, True


def is_own(held: Correction, who: tuple[str, int | None]) -> bool:
    """Whether somebody proposed it themselves."""
    person, person_id = who
    return held.person_id == person_id and (person_id is not None or held.person == person)


async def listed(
    session: AsyncSession,
    merchant_id: int,
    state: str,
    *,
    before: int | None = None,
    limit: int = LISTED_MAX,
) -> tuple[Sequence[Correction], int | None]:
    """Corrections of a state, the newest first, and where the next page goes on."""
    wanted = select(Correction).where(
        Correction.merchant_id == merchant_id, Correction.state == state
    )
    if before is not None:
        wanted = wanted.where(Correction.id < before)
    rows = (await session.scalars(wanted.order_by(Correction.id.desc()).limit(limit + 1))).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


async def accepted(session: AsyncSession, merchant_id: int) -> list[Correction]:
    """All that was accepted, in the order of the proposals."""
    rows: list[Correction] = []
    while True:
        after = rows[-1].id if rows else 0
        more = await session.scalars(
            select(Correction)
            .where(
                Correction.merchant_id == merchant_id,
                Correction.state == ACCEPTED,
                Correction.id > after,
            )
            .order_by(Correction.id)
            .limit(_BATCH)
        )
        batch = more.all()
        rows += batch
        if len(batch) < _BATCH:
            return rows


async def of_messages(session: AsyncSession, messages: Sequence[int]) -> dict[int, Any]:
    """The correction in force of each of some messages: its state, intent, text and person."""
    rows = await _IN_FORCE.run(session, messages=list(messages))
    return {row.message_id: row for row in rows}


_IN_FORCE: Final = Statement(
    select(
        Correction.message_id,
        Correction.state,
        Correction.intent,
        Correction.text,
        Correction.person,
    ).where(
        Correction.message_id == any_(bindparam("messages", type_=ARRAY(BigInteger))),
        Correction.state != literal_column(f"'{REJECTED}'"),
    )
)


def training_data(corrections: Iterable[Correction]) -> str:
    """Accepted corrections as Rasa's training data in YAML, each line once.

    Whatever personal data is recognised by its looks is covered once more.
    """
    lines: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for one in corrections:
        lines[one.intent, one.language][_line(one)] = None
    parts = ['version: "3.1"\n\nnlu:\n']
    for (intent, language), examples in sorted(lines.items()):
        parts.append(f"  - intent: {intent}\n    metadata: {{language: {language}}}\n")
        parts.append("    examples: |\n")
        parts += [f"      - {example}\n" for example in examples]
    if not lines:
        parts[0] = 'version: "3.1"\n\nnlu: []\n'
    return "".join(parts)


def _stand_apart(words: str, text: str) -> bool:
    """Whether they stand in a text outside of its placeholders."""
    return any(words in part for part in _PLACEHOLDER.split(text))


def _marked(text: str, words: str, marked: str) -> str:
    """The text with the first of these words marked that is no part of a placeholder."""
    behind = 0
    for placeholder in [*_PLACEHOLDER.finditer(text), None]:
        end = placeholder.start() if placeholder else len(text)
        at = text.find(words, behind, end)
        if at >= 0:
            return text[:at] + marked + text[at + len(words) :]
        behind = placeholder.end() if placeholder else end
    return text


def _line(one: Correction) -> str:
    text = learnable(one.text, Known())
    for value in one.entities:
        words, entity = value["words"], value["entity"]
        text = _marked(text, words, f"[{words}]({entity})")
    for kind, placeholder in _PLACEHOLDERS.items():
        text = re.sub(rf"\[{placeholder}\](?!\()", _STAND_INS[kind], text)  # no marked value
    return text

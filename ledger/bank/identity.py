"""Which movement is which, so that overlapping and repeated files post nothing twice (pure).

A bank's reference names a movement where it is unique. Without one it is account, days, amount
and text, and the place among those that are alike in all of it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ledger.bank.entry import BankStatement, Movement
from ledger.bank.writing import squeezed


@dataclass(frozen=True, slots=True)
class Identified:
    """A movement with what tells it from others.

    ``content`` is a hash of all that formats agree about, ``reference`` a hash of the bank's
    reference, where it has one that no other movement of the file has.
    """

    movement: Movement
    statement: BankStatement
    account: str
    content: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A movement that is known from an earlier file."""

    id: int
    account: str
    booked: date
    amount_minor: int
    content: str
    reference: str | None
    payer_iban: str | None
    format: str


class Acquaintance(StrEnum):
    """Whether a movement is known."""

    NEW = "new"
    KNOWN = "known"
    PERHAPS = "perhaps"
    """It may be a known one in other words; a person has to say."""


def together(statements: Sequence[BankStatement]) -> list[list[BankStatement]]:
    """The statements in groups within which equal movements are different ones.

    The pages of one statement are a group. The same page again, or another statement, may say
    again what was said before.
    """
    groups: list[list[BankStatement]] = []
    for statement in statements:
        last = groups[-1] if groups else []
        of_one = last and (last[0].account, last[0].format, last[0].number) == (
            statement.account,
            statement.format,
            statement.number,
        )
        if of_one and statement.page not in {page.page for page in last}:
            last.append(statement)
        else:
            groups.append([statement])
    return groups


def identified(statements: Iterable[tuple[str, BankStatement]]) -> list[Identified]:
    """Every movement of one group with its identity, in the file's order; accounts as IBANs."""
    listed = [
        (account, statement, movement)
        for account, statement in statements
        for movement in statement.movements
    ]
    references = Counter(
        (account, movement.bank_reference)
        for account, _, movement in listed
        if movement.bank_reference
    )
    return [
        Identified(
            movement,
            statement,
            account,
            _content(account, movement),
            _hash(account, movement.bank_reference, str(movement.amount.minor))
            if movement.bank_reference and references[account, movement.bank_reference] == 1
            else None,
        )
        for account, statement, movement in listed
    ]


def _content(account: str, movement: Movement) -> str:
    return _hash(
        account,
        movement.booked.isoformat(),
        movement.value_date.isoformat(),
        str(movement.amount),
        str(movement.reversal),
        movement.payer_iban or "",
        squeezed(movement.end_to_end_id or ""),
        squeezed(movement.joined or movement.text),
    )


def _hash(*facts: str) -> str:
    return hashlib.sha256("\x00".join(facts).encode()).hexdigest()[:32]


class Register:
    """The movements that are known, by all that a new one may be recognised by."""

    def __init__(self, stored: Iterable[Stored]) -> None:
        self._by_reference: dict[str, Stored] = {}
        self._by_content: dict[str, list[Stored]] = defaultdict(list)
        self._by_day: dict[tuple[str, date, int], list[Stored]] = defaultdict(list)
        for known in stored:
            self.add(known)

    def add(self, known: Stored) -> None:
        """Count a movement as known."""
        if known.reference is not None:
            self._by_reference[known.reference] = known
        self._by_content[known.content].append(known)
        self._by_day[known.account, known.booked, known.amount_minor].append(known)

    def alike(self, content: str) -> int:
        """How many known movements are alike in this content."""
        return len(self._by_content.get(content, ()))

    def sort(
        self, movements: Sequence[Identified]
    ) -> list[tuple[Identified, Acquaintance, Stored | None]]:
        """Each movement of one group, with the known one that it is, or may be.

        A known movement is met by one of the group at most, first by those who know it surest.
        Two with different references of the bank are two. Where a known one is in other words in
        another format, or has another reference but is alike in all else, nobody but a person
        can tell.
        """
        met: set[int] = set()
        sorted_: dict[int, tuple[Acquaintance, Stored | None]] = {}
        for acquaintance, candidates in (
            (Acquaintance.KNOWN, self._with_reference),
            (Acquaintance.KNOWN, self._with_content),
            (Acquaintance.PERHAPS, self._of_day),
        ):
            for place, item in enumerate(movements):
                if place in sorted_:
                    continue
                known = next((one for one in candidates(item) if one.id not in met), None)
                if known is not None:
                    met.add(known.id)
                    sorted_[place] = acquaintance, known
        return [
            (item, *sorted_.get(place, (Acquaintance.NEW, None)))
            for place, item in enumerate(movements)
        ]

    def _with_reference(self, item: Identified) -> Iterator[Stored]:
        if item.reference is not None and item.reference in self._by_reference:
            yield self._by_reference[item.reference]

    def _with_content(self, item: Identified) -> Iterator[Stored]:
        for known in self._by_content.get(item.content, ()):
            if item.reference is None or known.reference is None:
                yield known

    def _of_day(self, item: Identified) -> Iterator[Stored]:
        movement = item.movement
        key = item.account, movement.booked, movement.amount.minor
        for known in self._by_day.get(key, ()):
            if _may_be(item, known):
                yield known


def _may_be(item: Identified, known: Stored) -> bool:
    if item.content == known.content:
        return True
    ibans = {item.movement.payer_iban, known.payer_iban} - {None}
    return known.format != item.statement.format and len(ibans) < 2

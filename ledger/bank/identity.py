"""Which movement is which, so that overlapping and repeated files post nothing twice (pure).

A bank's reference names a movement where it is unique. Without one it is account, days, amount
and text, and the place among those that are alike in all of it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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


@dataclass
class _Alike:
    """Stored movements of one content; each is met by one movement of a file at most."""

    stored: list[Stored] = field(default_factory=list)

    def meet(self, reference: str | None) -> Stored | None:
        for place, known in enumerate(self.stored):
            if reference is None or known.reference is None:
                return self.stored.pop(place)
        return None


def acquainted(
    movements: Sequence[Identified], stored: Iterable[Stored]
) -> Iterator[tuple[Identified, Acquaintance, Stored | None]]:
    """Each movement, and the stored one that it is, or may be.

    Two movements with different references of the bank are two. Where a known one is in other
    words in another format, or has another reference but is alike in all else and comes in
    another file, nobody but a person can tell.
    """
    by_reference: dict[str, Stored] = {}
    alike: dict[str, _Alike] = defaultdict(_Alike)
    for known in stored:
        if known.reference is not None:
            by_reference[known.reference] = known
        alike[known.content].stored.append(known)
    met: set[int] = set()
    answers: dict[int, tuple[Acquaintance, Stored | None]] = {}
    for place, item in enumerate(movements):
        known_by = by_reference.get(item.reference) if item.reference else None
        if known_by is not None and known_by.id not in met:
            met.add(known_by.id)
            of_content = alike[known_by.content].stored
            of_content[:] = [other for other in of_content if other.id != known_by.id]
            answers[place] = Acquaintance.KNOWN, known_by
    for place, item in enumerate(movements):
        if place not in answers and (known_by := alike[item.content].meet(item.reference)):
            met.add(known_by.id)
            answers[place] = Acquaintance.KNOWN, known_by
    left: dict[tuple[str, date, int], list[Stored]] = defaultdict(list)
    for group in alike.values():
        for known in group.stored:
            if known.id not in met:
                left[known.account, known.booked, known.amount_minor].append(known)
    for place, item in enumerate(movements):
        if place in answers:
            yield item, *answers[place]
            continue
        key = item.account, item.movement.booked, item.movement.amount.minor
        may_be = next((known for known in left.get(key, ()) if _may_be(item, known)), None)
        if may_be is None:
            yield item, Acquaintance.NEW, None
        else:
            left[key].remove(may_be)
            yield item, Acquaintance.PERHAPS, may_be


def _may_be(item: Identified, known: Stored) -> bool:
    if item.content == known.content:
        return True
    ibans = {item.movement.payer_iban, known.payer_iban} - {None}
    return known.format != item.statement.format and len(ibans) < 2

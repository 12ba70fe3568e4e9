"""Finding the numbers of claims in the text of a transfer, however they were typed (pure)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from ledger.bank.writing import (
    looks_like_day,
    runs,
    squeezed,
    with_one_less,
    within_one_edit,
    without_zeros,
)

WINDOW_RUNS_MAX = 6
STRONG_LETTERS_MIN = 6
STRONG_DIGITS_MIN = 4
SHORT_DIGITS_MIN = 3
TYPO_LETTERS_MIN = 7
TEXT_LETTERS_MAX = 600
"""More than four times what a transfer can say; what is longer is not searched to its end."""
_BEFORE_A_NUMBER = re.compile(
    "R|RE|RG|RNR|RENR|RGNR|RECHN.*|NR|NO|NUMMER|NUMBER|INV|INVOICE|BELEG|AUFTRAG|BESTELLUNG|ORDER"
)


class Found(StrEnum):
    """By what a claim was found in a text, the surest first."""

    RF = "rf_reference"
    NUMBER = "invoice_or_claim_number"
    ORDER = "order_number"
    TYPO = "number_with_one_typo"
    SHORT = "end_of_a_number"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one claim."""

    claim_id: int
    rf_reference: str
    reference: str
    invoice_number: str
    order_number: str | None


class NumberIndex:
    """Claims by every way in which their numbers may stand in a text."""

    def __init__(self, claims: Iterable[Numbers]) -> None:
        self._rf: dict[str, int] = {}
        self._exact: dict[str, set[tuple[Found, int]]] = defaultdict(set)
        self._short: dict[str, set[int]] = defaultdict(set)
        for claim in claims:
            self._rf[squeezed(claim.rf_reference)] = claim.claim_id
            for number in {claim.reference, claim.invoice_number}:
                self._add(Found.NUMBER, number, claim.claim_id)
            if claim.order_number:
                self._add(Found.ORDER, claim.order_number, claim.claim_id)
        self._rf_lengths = sorted({len(reference) for reference in self._rf}, reverse=True)
        self._lengths = sorted({len(key) for key in self._exact}, reverse=True)
        self._typos: dict[str, set[str]] | None = None

    def _add(self, kind: Found, number: str, claim_id: int) -> None:
        parts = runs(number)
        spellings = {"".join(parts), without_zeros(parts)}
        if parts and parts[0].isalpha():  # the letters before a number are often left out
            spellings |= {"".join(parts[1:]), without_zeros(parts[1:])}
        for spelling in spellings:
            if _strong(spelling):
                self._exact[spelling].add((kind, claim_id))
        last = parts[-1].lstrip("0") if parts and parts[-1].isdigit() else ""
        if len(last) >= SHORT_DIGITS_MIN and kind is Found.NUMBER:
            self._short[last].add(claim_id)

    def find(self, *texts: str | None) -> dict[int, Found]:
        """The claims that these spellings of one text name, each with the surest way.

        Only the surest kinds are told: where a number stands as it is, no typo is looked for.
        """
        given = dict.fromkeys(text[:TEXT_LETTERS_MAX] for text in texts if text)
        found: dict[int, Found] = {}
        for text in given:
            for claim_id in self._references(squeezed(text)):
                found[claim_id] = Found.RF
        cut = [runs(text) for text in given]
        for parts in cut:
            self._windows(parts, found)
        if not found:
            for text in given:
                self._anywhere(squeezed(text), found)
        if not found:
            for parts in cut:
                self._short_numbers(parts, found)
        if not found:
            for parts in cut:
                self._mistyped(parts, found)
        sure = {Found.RF, Found.NUMBER} & set(found.values())
        return {c: kind for c, kind in found.items() if kind in sure} if sure else found

    def _references(self, text: str) -> Iterable[int]:
        start = text.find("RF")
        while start >= 0:
            for length in self._rf_lengths:
                claim_id = self._rf.get(text[start : start + length])
                if claim_id is not None:
                    yield claim_id
                    break
            start = text.find("RF", start + 1)

    def _windows(self, parts: list[str], found: dict[int, Found]) -> None:
        """Whole runs that are a number together, the longest first."""
        shortened = [without_zeros([part]) for part in parts]
        spellings = (parts, shortened) if shortened != parts else (parts,)
        digits = [part.isdigit() for part in parts]
        place = 0
        while place < len(parts):
            for size in range(min(WINDOW_RUNS_MAX, len(parts) - place), 0, -1):
                end = place + size
                if not any(digits[place:end]):
                    break
                written = ("".join(spelling[place:end]) for spelling in spellings)
                hits = next(filter(None, map(self._exact.get, written)), None)
                if hits:
                    _note(found, hits)
                    place += size - 1
                    break
            place += 1

    def _anywhere(self, text: str, found: dict[int, Found]) -> None:
        """A number that is glued to what stands around it, but not to other digits."""
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                hits = self._exact.get(text[start : start + length])
                if hits and _apart(text, start, start + length):
                    _note(found, hits)

    def _short_numbers(self, parts: list[str], found: dict[int, Found]) -> None:
        """``Rechnung 1042`` for RE-2026-1042."""
        for before, number in pairwise(parts):
            if number.isdigit() and _BEFORE_A_NUMBER.fullmatch(before):
                for claim_id in self._short.get(number.lstrip("0"), ()):
                    found.setdefault(claim_id, Found.SHORT)

    def _mistyped(self, parts: list[str], found: dict[int, Found]) -> None:
        typos = self._typo_index()
        for place in range(len(parts)):
            for size in range(1, WINDOW_RUNS_MAX + 1):
                typed = "".join(parts[place : place + size])
                if place + size > len(parts) or len(typed) > 40:
                    break
                if not _strong(typed) or len(typed) < TYPO_LETTERS_MIN - 1:
                    continue
                for variant in with_one_less(typed):
                    for key in typos.get(variant, ()):
                        if within_one_edit(typed, key):
                            for claim_id in self._claims_of(key):
                                found.setdefault(claim_id, Found.TYPO)

    def _claims_of(self, key: str) -> Iterable[int]:
        if key in self._rf:
            yield self._rf[key]
        for _, claim_id in self._exact.get(key, ()):
            yield claim_id

    def _typo_index(self) -> dict[str, set[str]]:
        """Numbers by themselves with a letter less; made when the first typo is looked for."""
        if self._typos is None:
            self._typos = defaultdict(set)
            for key in (*self._exact, *self._rf):
                if len(key) >= TYPO_LETTERS_MIN:
                    for variant in with_one_less(key):
                        self._typos[variant].add(key)
        return self._typos


def _note(found: dict[int, Found], hits: Iterable[tuple[Found, int]]) -> None:
    order = list(Found)
    for kind, claim_id in hits:
        before = found.get(claim_id)
        if before is None or order.index(kind) < order.index(before):
            found[claim_id] = kind


def _strong(key: str) -> bool:
    """Whether a text that has this by chance is unlikely."""
    digits = sum(letter.isdigit() for letter in key)
    return (
        len(key) >= STRONG_LETTERS_MIN and digits >= STRONG_DIGITS_MIN and not looks_like_day(key)
    )


def _apart(text: str, start: int, end: int) -> bool:
    starts_in_digits = start > 0 and text[start - 1].isdigit() and text[start].isdigit()
    ends_in_digits = end < len(text) and text[end - 1].isdigit() and text[end].isdigit()
    return not (starts_in_digits or ends_in_digits)

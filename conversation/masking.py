"""Card numbers and account numbers (IBANs) never reach the store, a log or the dialogue engine.

Both are looked for the way a person reads a line: whatever script or font its digits are in, with
invisible characters passed over, and with any common separator between the groups.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from stdnum import iban as iban_number
from stdnum import numdb

from channels.payload import storable

_DIGITS_MIN = 7
"""The shortest IBAN (Malta's may end in letters) has so many; shorter texts are passed over."""
_GAP_MAX = 3
"""Separators between two characters of one number."""
_CARD_DIGITS_MIN, _CARD_DIGITS_MAX = 13, 19
_CARD = re.compile(
    r"(?:4\d{12}|4\d{15}|4\d{18}"  # Visa
    r"|3[47]\d{13}|3[0689]\d{12}|3[0-9]\d{14}"  # American Express, Diners, JCB
    r"|(?:5|6)\d{15,18}|2[2-7]\d{14})"  # Mastercard, Maestro, Discover, UnionPay, Mir
)
_MOBILE = re.compile(r"491[567]\d{8,9}")
"""A German mobile number without its plus has as many digits as Visa's first cards."""
_PHONE_DIGITS_MAX = 15
_IBAN_CHARACTERS_MIN, _IBAN_CHARACTERS_MAX = 15, 34
_SEPARATOR, _BREAK = " ", "\n"


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as it is read: ASCII digits and capitals, separators, breaks; with their places."""

    plain: str
    places: Sequence[int]

    def cut(self, text: str, spans: Sequence[tuple[int, int, str]]) -> str:
        """`text` with each span of the reading (first, behind the last) replaced."""
        parts, position = [], 0
        for start, end, mask in spans:
            parts += [text[position : self.places[start]], mask]
            position = self.places[end - 1] + 1
        return "".join([*parts, text[position:]])


def _read(text: str) -> _Reading:
    plain, places = [], []
    for place, character in enumerate(text):
        read = _as_read(character)
        if read:
            plain.append(read)
            places.append(place)
    return _Reading("".join(plain), places)


@lru_cache(maxsize=2048)
def _as_read(character: str) -> str:
    """The digit or capital that a character shows, a separator, a break, or nothing."""
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):  # zero-width, direction marks, soft hyphens, keycaps
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    shown = unicodedata.normalize("NFKC", character).upper()
    if len(shown) == 1 and shown.isascii() and shown.isalpha():
        return shown
    if category[0] in "PZ" or character in "\t\n\r+|~^`":
        return _SEPARATOR
    return _BREAK


def mask_cards(text: str) -> str:
    """Replace every payment card number by asterisks and its last four digits.

    A card number has 13 to 19 digits, a known beginning and a valid check digit
    (ISO/IEC 7812-1). Digits of an IBAN are left alone.
    """
    if not _has_digits(text, _CARD_DIGITS_MIN):
        return text
    reading = _read(text)
    inside = [(start, end) for start, end, _ in _ibans(reading)]
    found: list[tuple[int, int]] = []
    for start, end in _cards(text, reading):
        if any(start < taken_end and taken < end for taken, taken_end in inside):
            continue
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    digits = [re.sub(r"\D", "", reading.plain[start:end])[-4:] for start, end in found]
    spans = [(start, end, f"**** {last}") for (start, end), last in zip(found, digits, strict=True)]
    return reading.cut(text, spans)


def _cards(text: str, reading: _Reading) -> Iterator[tuple[int, int]]:
    """Every run of whole groups of digits that is a card number; runs may overlap."""
    groups = list(re.finditer(r"\d+", reading.plain))
    for first, group in enumerate(groups):
        if _is_inside_code(reading.plain, group.start()):
            continue
        digits = ""
        for place in range(first, len(groups)):
            part = groups[place]
            between = reading.plain[groups[place - 1].end() : part.start()] if digits else ""
            if between != _SEPARATOR * len(between) or len(between) > _GAP_MAX:
                break
            digits += part.group()
            if len(digits) > _CARD_DIGITS_MAX:
                break
            if len(digits) >= _CARD_DIGITS_MIN and _is_card(digits):
                is_phone = _is_international(text, reading, group.start())
                if not (is_phone and len(digits) <= _PHONE_DIGITS_MAX):
                    yield group.start(), part.end()


def _is_card(digits: str) -> bool:
    return (
        _CARD.fullmatch(digits) is not None and _MOBILE.fullmatch(digits) is None and _luhn(digits)
    )


def _is_inside_code(plain: str, start: int) -> bool:
    """Whether the digits go on with letters and digits before them, as in a provider's id."""
    place = start
    while place and plain[place - 1].isalpha():
        place -= 1
    return place < start and place > 0 and plain[place - 1].isdigit()


def _is_international(text: str, reading: _Reading, start: int) -> bool:
    place = reading.places[start]
    return place > 0 and text[place - 1] in "+＋"


def _luhn(digits: str) -> bool:
    """Check digit of ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def mask_ibans(text: str) -> str:
    """Replace every IBAN by its country, a letter x for each hidden character, and its last four.

    One word of letters and digits, so that nobody reads an amount out of the last four. A German
    or other all-digit IBAN with a typing error is masked too.
    """
    if not _has_digits(text, _DIGITS_MIN):
        return text
    reading = _read(text)
    return reading.cut(text, list(_ibans(reading)))


def _ibans(reading: _Reading) -> Iterator[tuple[int, int, str]]:
    """Where IBANs stand in a reading, in order and apart, with their masks."""
    behind = 0
    for found in re.finditer(r"(?=[A-Z] {0,3}[A-Z] {0,3}\d {0,3}\d)", reading.plain):
        if found.start() < behind:
            continue
        characters = _following(reading.plain, found.start())
        country = "".join(reading.plain[place] for place in characters[:2])
        length, all_digits = _iban_shape(country)
        if not length or len(characters) < length:
            continue
        number = "".join(reading.plain[place] for place in characters[:length])
        if iban_number.is_valid(number) or (
            all_digits and number[2:].isdigit() and _is_whole(reading.plain, characters, length)
        ):
            behind = characters[length - 1] + 1
            hidden = "x" * (length - 6)
            yield found.start(), behind, f"{country}{hidden}{number[-4:]}"


def _following(plain: str, start: int) -> list[int]:
    """The places of the letters and digits from `start` on that may belong to one IBAN."""
    places: list[int] = []
    gap = 0
    for place in range(start, len(plain)):
        if plain[place] == _SEPARATOR:
            gap += 1
        elif plain[place] != _BREAK:
            places.append(place)
            gap = 0
        if plain[place] == _BREAK or gap > _GAP_MAX or len(places) == _IBAN_CHARACTERS_MAX + 1:
            break
    return places


def _is_whole(plain: str, characters: Sequence[int], length: int) -> bool:
    """Whether a number with a wrong checksum looks like nothing but an IBAN.

    Its country stands at once before its digits, single spaces at most part them, and it ends
    where such a number ends.
    """
    spaced = all(later - earlier <= 2 for earlier, later in pairwise(characters[:length]))
    end = characters[length - 1] + 1
    starts_word = characters[0] == 0 or not plain[characters[0] - 1].isalnum()
    return (
        spaced
        and starts_word
        and characters[1] == characters[0] + 1
        and not plain[end : end + 1].isalnum()
    )


@lru_cache(maxsize=1024)
def _iban_shape(country: str) -> tuple[int, bool]:
    """How long a country's IBANs are (0: it has none), and whether they are digits throughout."""
    ((_, facts),) = numdb.get("iban").info(country)
    parts = re.findall(r"(\d+)!([nac])", facts.get("bban", ""))
    length = sum(int(count) for count, _ in parts)
    return (length + 4 if length else 0), all(kind == "n" for _, kind in parts)


def _has_digits(text: str, least: int) -> bool:
    """Whether a text has so many digits of any script; most strings of a payload have not."""
    return len(text) >= least and sum(map(str.isdigit, text)) >= least


def masked_storable(text: str) -> str:
    """Make a customer's text fit for the database.

    Cards and IBANs are masked, NUL and lone surrogates are gone.
    """
    return mask_cards(mask_ibans(storable(text)))

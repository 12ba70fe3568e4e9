"""Numbers in words and digits, German and English, with everyday spellings."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, Iterator, List, NamedTuple, Optional, Union

from text_to_num import text2num

Value = Union[Dict[str, object], int, str]


@dataclass(frozen=True)
class ValueSpan:
    """A value of one entity at a place of the text."""

    entity: str
    start: int
    end: int
    value: Value


# Colloquial numbers that no library knows.
_SLANG = {
    "fuffzig": 50, "fuffzich": 50, "fuffi": 50, "fuffie": 50, "fuffziger": 50, "fünfziger": 50,
    "fuenfziger": 50, "zwanni": 20, "zwanzger": 20, "zwanziger": 20, "zehner": 10,
    "hunni": 100, "hunderter": 100, "hunnert": 100, "tausender": 1000, "zwo": 2, "zwee": 2,
    "dreisig": 30, "dreissich": 30, "zwanzich": 20, "vierzich": 40, "sechzich": 60,
    "fiver": 5, "tenner": 10, "fünfer": 5, "fuffzger": 50, "füfziger": 50, "fuenfer": 5,
    "dreißiger": 30, "vierziger": 40, "sechziger": 60,
    "fourty": 40, "fourtyfive": 45, "fivety": 50, "dozen": 12, "dutzend": 12,
    "half a dozen": 6, "halbes dutzend": 6, "anderthalbtausend": 1500, "eineinhalbtausend": 1500,
    "fivers": 5, "tenners": 10, "twenties": 20, "fifties": 50, "grand": 1000,
}  # fmt: skip
# "a" and "ein" count only where a unit follows; the caller asks for them.
ARTICLES = frozenset(
    [
        "ein",
        "eine",
        "einen",
        "einem",
        "einer",
        "eines",
        "nen",
        "'nen",
        "ne",
        "'ne",
        "nem",
        "'nem",
        "ner",
        "'ner",
        "a",
        "an",
        "one",
    ]
)
_UMLAUTS = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"))
# Colloquial parts of longer numbers: "hundertfuffzig".
_PARTS = {
    "fuffzig": "fünfzig",
    "fuffzich": "fünfzig",
    "fuchzig": "fünfzig",
    "fuffzehn": "fünfzehn",
    "zwo": "zwei",
    "hunnert": "hundert",
}
_COLLOQUIAL = re.compile("|".join(_PARTS))
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_RUN_LENGTH_MAX = 6


@lru_cache(maxsize=4096)
def word_value(words: str) -> Optional[int]:
    """Return the whole number that the words say ("zwölf", "two hundred and ten"), or None."""
    words = words.lower()
    if words in _SLANG:
        return _SLANG[words]
    for spelling in _spellings(words):
        for language in ("de", "en"):
            try:
                return int(text2num(spelling, language))
            except ValueError:
                continue
    return None


def _spellings(words: str) -> List[str]:
    found = [words, _COLLOQUIAL.sub(lambda part: _PARTS[part.group()], words)]
    umlauts = words
    for plain, umlaut in _UMLAUTS:
        umlauts = umlauts.replace(plain, umlaut)
    if umlauts != words:
        found.append(umlauts)
    if "ss" in umlauts:
        found.append(umlauts.replace("ss", "ß"))
    if words.startswith("a ") and len(words) > 2:
        found.append("one " + words[2:])
    return found


def in_small_letters(text: str) -> str:
    """Return the text in small letters, each at its place ("İ" alone would become two).

    A pattern of small letters on such a text is twice as quick as one that ignores case.
    """
    small = text.lower()
    if len(small) == len(text):
        return small
    letters = ((letter, letter.lower()) for letter in text)
    return "".join(small if len(small) == 1 else letter for letter, small in letters)


def small_number(token: str) -> Optional[int]:
    """Return the value of digits, a number word or an article, or None."""
    token = token.lower()
    if token.isdecimal():  # "²" and "①" are digits, but no number can be made of them
        return int(token)
    if token in ARTICLES:
        return 1
    return word_value(token)


class WordNumber(NamedTuple):
    """A number in words at a place of the text."""

    start: int
    end: int
    value: int


def word_numbers(text: str) -> Iterator[WordNumber]:
    """Yield the numbers in words, longest runs first come, without bare articles."""
    words = list(_WORD.finditer(text))
    index = 0
    while index < len(words):
        for size in range(min(_RUN_LENGTH_MAX, len(words) - index), 0, -1):
            first, last = words[index], words[index + size - 1]
            run = text[first.start() : last.end()]
            if size == 1 and run.lower() in ARTICLES:
                continue
            if not _may_start_number(first.group()) or "\n" in run:
                break
            value = word_value(run)
            if value is not None:
                yield WordNumber(first.start(), last.end(), value)
                index += size - 1
                break
        index += 1


_STARTS = re.compile(
    r"^(?:ein|zwei|zwo|zwee|drei|vier|f(?:ü|ue|u)nf|fuff|sech|sieb|acht|neun|zehn|zehner|elf|zw(?:ö|oe)lf"
    r"|zwan|drei|hun|tausend|dutz|null|a$|an$|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|thir|fif|twen|fort?|eigh|nine|sixt|seve|thousand|dozen|half|halb|ander|grand)",
    re.IGNORECASE,
)  # fmt: skip


def _may_start_number(word: str) -> bool:
    return _STARTS.match(word) is not None


def parse_decimal(digits: str) -> int:
    """Return hundredths of a number written the German or the English way.

    "1.234,56" and "1,234.56" are both 123456; a single separator with three digits behind it
    groups thousands, else it separates the decimals.
    """
    digits = re.sub(r"[\s']", "", digits)
    digits = re.sub(r"[.,](?:-+|–)$", "", digits)
    whole, decimals = digits, ""
    last = max(digits.rfind("."), digits.rfind(","))
    if last >= 0:
        tail = digits[last + 1 :]
        separators = {character for character in digits if character in ".,"}
        groups = len(tail) == 3 and (len(separators) == 1)
        if not groups:
            whole, decimals = digits[:last], tail
    whole = re.sub(r"[.,]", "", whole) or "0"
    return int(whole) * 100 + int((decimals + "00")[:2])

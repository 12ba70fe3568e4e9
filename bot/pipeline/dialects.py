"""Words of dialects, of learners and of keyboards without umlauts, as the written standard.

A message is understood in its standard form; `Standard.place` leads back to what was written.
Words that are also English or standard German ("i", "do", "keen") are only read as dialect where
another word of the message is nothing else. The words themselves are in `dialects.yml`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Tuple

import yaml

from pipeline.word_forms import is_dialect, regular

WORDS = Path(__file__).with_name("dialects.yml")


def _words() -> Tuple[Dict[str, str], Dict[str, str], Dict[str, str]]:
    """Return the standard of each form: clear, everyday and unclear ones."""
    lists = yaml.load(WORDS.read_text(encoding="utf-8"), yaml.BaseLoader)
    clear, everyday, unclear = (
        {
            form.replace("_", " "): standard
            for standard, forms in lists[name].items()
            for form in forms.split()
        }
        for name in ("clear", "everyday", "unclear")
    )
    return clear, everyday, unclear


_CLEAR, _EVERYDAY, _UNCLEAR = _words()
# "über die Sache", "Koennen Sie": an umlaut written out, where the word can be no other.
_WRITTEN_OUT = re.compile(
    r"^(?:ueber|fuer|koenn|moecht|moegl|waer|haett|wuerd|naech|muess|zurueck|hoech|spaet|gehoer|erklaer|kuend|loesch|hoer|"
    r"haelft|schaeft|beschaed|gewaehr|verspaet|aend|bestaet|verfueg|pruef|gebuehr|guenst|natuerl|persoenl|schoen|gruess|"
    r"ausfuehr|rueck|laeng|staend|zustaend|traeg|betraeg|faell|aelter|fuenf|zwoelf|maerz|jaehr|taegl|woechentl|drueck|glueck|duerf|vertraeg|einverstaend)",
    re.IGNORECASE,
)
_VOWELS = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("Ae", "Ä"), ("Oe", "Ö"), ("Ue", "Ü"))
# No part of an address, of a number or of a name with a dot.
_WORD = re.compile(r"(?<![\w@.+/-])[^\W\d_]+(?:['’][^\W\d_]+)*(?![\w@/]|[.-]\w)")
_CLITIC = re.compile(r"^([dsz])['’](?=\w\w)", re.IGNORECASE)
_CLITICS = {"d": "die ", "s": "das ", "z": "zu "}
_PHRASE_LENGTH_MAX = 3


@dataclass(frozen=True)
class Standard:
    """A text in standard words, and where its changed words stood: (start, end) new and old."""

    text: str
    moves: Tuple[Tuple[int, int, int, int], ...] = ()

    def place(self, position: int, *, is_end: bool = False) -> int:
        """Return the place in the original text of a place in the standard text."""
        shift = 0
        for start, end, old_start, old_end in self.moves:
            if position < start or (position == start and not is_end):
                break
            if position < end or (position == end and is_end):
                return old_end if is_end else old_start
            shift = old_end - end
        return position + shift


def _replacement(words: List[str], unclear: bool) -> Tuple[int, str]:
    """Return how many of the words are to be replaced, and by what; 0 for none."""
    for size in range(min(_PHRASE_LENGTH_MAX, len(words)), 0, -1):
        form = " ".join(words[:size]).lower().replace("’", "'")
        if form in _CLEAR or form in _EVERYDAY:
            return size, _CLEAR.get(form) or _EVERYDAY[form]
        if unclear and form in _UNCLEAR:
            return size, _UNCLEAR[form]
        plain_form = regular(form) if size == 1 else None
        if plain_form:
            return 1, plain_form
    word = words[0]
    clitic = _CLITIC.match(word) if unclear else None
    if clitic:
        rest = word[clitic.end() :]
        _, plain = _replacement([rest], unclear)
        return 1, _CLITICS[clitic.group(1).lower()] + (plain or rest)
    if _WRITTEN_OUT.match(word):
        for plain, umlaut in _VOWELS:
            word = word.replace(plain, umlaut)
        return 1, word
    return 0, ""


@lru_cache(maxsize=256)
def standard(text: str) -> Standard:
    """Return the text in standard words."""
    words = list(_WORD.finditer(text))
    forms = [word.group() for word in words]
    lower = [form.lower() for form in forms]
    unclear = any(form in _CLEAR or is_dialect(form) for form in lower)
    pieces: List[str] = []
    moves: List[Tuple[int, int, int, int]] = []
    length = position = index = 0
    while index < len(words):
        following = [forms[index]]
        for left, right in zip(words[index:], words[index + 1 : index + 3]):  # noqa: B905
            if text[left.end() : right.start()] != " ":
                break
            following.append(right.group())
        size, plain = _replacement(following, unclear)
        if size and plain != text[words[index].start() : words[index + size - 1].end()]:
            start, end = words[index].start(), words[index + size - 1].end()
            pieces += [text[position:start], plain]
            length += start - position
            moves.append((length, length + len(plain), start, end))
            length += len(plain)
            position = end
        index += max(size, 1)
    return Standard("".join([*pieces, text[position:]]), tuple(moves))

"""How numbers and names are written on transfers, brought to one form (pure)."""

import re
import unicodedata

_RUNS = re.compile(r"[A-Z]+|\d+")
_PAIRS = (("AE", "A"), ("OE", "O"), ("UE", "U"))
_NO_NAME = re.compile(
    "GMBH|MBH|AG|KG|KGAA|OHG|UG|GBR|EK|EV|EG|SE|CO|INC|LTD|LLC|SARL|HAFTUNGSBESCHRANKT"
    "|HERR|FRAU|HERRN|DR|PROF|DIPL|ING|MR|MRS|MS|UND|AND|VON|DE"
)


def plain(text: str) -> str:
    """Upper case without accents; ä is A and ß is SS."""
    if text.isascii():
        return text.upper()
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ẞ", "SS"))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


def runs(text: str) -> list[str]:
    """The runs of letters and of digits, everything else left out."""
    return _RUNS.findall(plain(text))


def squeezed(text: str) -> str:
    """Letters and digits only."""
    return "".join(runs(text))


def without_zeros(parts: list[str]) -> str:
    """The runs together, numbers without the zeros they start with."""
    return "".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


def name_words(name: str) -> frozenset[str]:
    """The words of a name, umlauts in whichever spelling; legal forms and titles left out."""
    words = set()
    for word in re.findall(r"[A-Z]+", plain(name)):
        for pair, single in _PAIRS:
            word = word.replace(pair, single)
        if len(word) > 1 and not _NO_NAME.fullmatch(word):
            words.add(word)
    return frozenset(words)


def within_one_edit(one: str, other: str) -> bool:
    """Whether one letter more, less or else, or two swapped, makes one text of the other."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    if short[same + 1 :] == long[same + 1 :]:
        return True
    swapped = short[same : same + 2][::-1] == long[same : same + 2]
    return swapped and short[same + 2 :] == long[same + 2 :]


def with_one_less(text: str) -> set[str]:
    """The text, and the text without each of its letters in turn."""
    return {text, *(text[:place] + text[place + 1 :] for place in range(len(text)))}


def looks_like_day(digits: str) -> bool:
    """Whether eight digits may be a date, so that they say nothing of an invoice."""
    if len(digits) != 8 or not digits.isdigit():
        return False
    readings = (
        (digits[:4], digits[4:6], digits[6:]),
        (digits[4:], digits[2:4], digits[:2]),
    )
    return any(
        "1990" <= year <= "2099" and "01" <= month <= "12" and "01" <= day <= "31"
        for year, month, day in readings
    )

"""What stands in the text of a payment: SEPA keywords and structured fields (pure).

German banks put ``EREF+``, ``SVWZ+`` … into one running text and cut that into pieces of 27
letters without regard to words or keywords; others write ``/EREF/…/REMI/…`` as SWIFT has it.
"""

import re
from collections.abc import Iterable

_SEPA = "EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|MDAT|SQTP|ORCR|ORMR|DDAT"
# A keyword may be glued to the letters before it, but two keywords never overlap.
_PLUS = re.compile(f"({_SEPA})\\+")
_COLON = re.compile(rf"(?<![A-Za-z0-9])({_SEPA}): ?")
_SLASHED = (
    "EREF|PREF|MARF|CSID|CNTP|REMI|USTD|STRD|CUE|RTRN|PURP|ORDP|BENM|NAME|IBAN|BIC|TRTP|TRCD|SVCL|"
    "UDTR|ULTC|ULTD|IREF|ISDT"
)
_SLASH = re.compile(f"/({_SLASHED})(?=/)")
_AS_SEPA = {"PREF": "KREF", "MARF": "MREF", "CSID": "CRED"}
NOTHING = frozenset({"", "NOTPROVIDED", "NONREF", "NOTAVAILABLE", "NICHTANGEGEBEN"})


def stated(value: str | None) -> str | None:
    """The value, or None where it only says that there is none."""
    if value is None:
        return None
    value = value.strip()
    return None if value.upper().replace(" ", "") in NOTHING else value


def keywords(joined: str) -> dict[str, str]:
    """The parts of a text by keyword; what stands before the first one is under ``""``.

    A text without keywords is one part under ``SVWZ``. A keyword that comes twice keeps both
    values, one after the other.
    """
    pattern = _PLUS if _PLUS.search(joined) else _COLON
    found = list(pattern.finditer(joined))
    if not any(hit[1] in ("SVWZ", "EREF", "KREF", "MREF") for hit in found):
        return {"SVWZ": joined.strip()}
    parts = {"": joined[: found[0].start()].strip()}
    ends = [*(hit.start() for hit in found[1:]), len(joined)]
    for hit, end in zip(found, ends, strict=True):
        value = joined[hit.end() : end].strip()
        parts[hit[1]] = f"{parts[hit[1]]} {value}" if hit[1] in parts else value
    return parts


def slashed(joined: str) -> dict[str, str]:
    """The same for ``/EREF/…/REMI/USTD//…``; empty where the text is not written so."""
    found = list(_SLASH.finditer(joined))
    if not found or joined[: found[0].start()].strip(" 0123456789"):
        return {}
    parts: dict[str, str] = {}
    ends = [*(hit.start() for hit in found[1:]), len(joined)]
    for hit, end in zip(found, ends, strict=True):
        value = joined[hit.end() : end].strip(" /")
        if hit[1] == "CNTP":
            account, _, rest = value.partition("/")
            parts["IBAN"] = account.strip()
            parts["NAME"] = rest.partition("/")[2].strip(" /")
        elif hit[1] in ("REMI", "USTD", "STRD", "CUE"):
            parts["SVWZ"] = f"{parts.get('SVWZ', '')} {value}".strip()
        else:
            parts[_AS_SEPA.get(hit[1], hit[1])] = value
    return parts


def joined_lines(lines: Iterable[str]) -> str:
    """Pieces of a text that was cut at a width, put together again."""
    return "".join(line.strip("\r\n") for line in lines).strip()

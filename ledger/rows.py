"""What a cell of an imported row may hold: readers that return a value or say why not."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from ledger.money import EXPONENTS, AmountUnreadable, Money, Notation, parse_amount

REFERENCE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 500
AMOUNT_MINOR_MAX = 10**12

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
FORMULA = re.compile(r"[=@\t\r]|[+\-][^0-9 ]*[(|!=]|[+\-]\d+[+*/^]")
SPREADSHEET_ERROR = re.compile(
    r"#(REF!|BEZUG!|N/A|NV|NAME\?|WERT!|VALUE!|DIV/0!|NULL!|ZAHL!|NUM!)|#{3,}"
)
SCIENTIFIC = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?: 00:00(?::00)?)?")
GERMAN_MOMENT = re.compile(r"(\d{1,2}\.\d{1,2}\.\d{4})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?: Uhr)?")
YEAR_MIN, YEAR_MAX = 1900, 2200

TWO_READINGS = re.compile(r"\d{1,3}[.,]\d{3}")
GERMAN_ONLY = re.compile(r"\d+,\d{1,2}|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
ENGLISH_ONLY = re.compile(r"\d+\.\d{1,2}|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
CURRENCY_MARK = re.compile(r"^(?:€|EUR)\s*|\s*(?:€|EUR)$", re.IGNORECASE)

YES = frozenset({"yes", "y", "ja", "j", "true", "wahr", "1", "x"})
NO = frozenset({"no", "n", "nein", "false", "falsch", "0"})
LANGUAGES = {
    "de": "de",
    "deutsch": "de",
    "german": "de",
    "ger": "de",
    "deu": "de",
    "en": "en",
    "englisch": "en",
    "english": "en",
    "eng": "en",
}
LAENDER = frozenset(
    {"BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV"}
    | {"NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be taken: its line (from 1), the column's name, and the reason."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "file"
        return (
            f"{place}, {self.column}: {self.reason}" if self.column else f"{place}: {self.reason}"
        )


class CellRefused(ValueError):
    """A cell cannot be read; the text is the reason, and never repeats personal data."""


def plain(text: str) -> str:
    """Return a cell's text in one form (NFC, single spaces, no invisible characters).

    Raises:
        CellRefused: control characters, a broken encoding, a formula or a spreadsheet's error.
    """
    if FORMULA.match(text):
        raise CellRefused("looks like a spreadsheet formula; export values only")
    if text.isascii() and text.isprintable() and "#" not in text and "  " not in text:
        return text.strip()
    text = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    text = " ".join(text.split())
    if SPREADSHEET_ERROR.fullmatch(text):
        raise CellRefused(f"holds the spreadsheet error {text}")
    if "\ufffd" in text or _mojibake(text):
        raise CellRefused("letters are broken: the file was saved in another encoding before")
    if CONTROLS.search(text):
        raise CellRefused("holds control characters")
    return text


def _mojibake(text: str) -> bool:
    """Whether UTF-8 was read as Windows-1252 once before ("MÃ¼ller")."""
    if not any(lead in text for lead in "ÃÂâ"):
        return False
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def short_text(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return a plain text of at most ``length_max`` characters.

    Raises:
        CellRefused: too long, or see :func:`plain`.
    """
    text = plain(text)
    if len(text) > length_max:
        raise CellRefused(f"{len(text)} characters, at most {length_max} are allowed")
    return text


def reference(text: str) -> str:
    """Return a customer's, claim's, invoice's or order's number.

    Raises:
        CellRefused: too long, or damaged by a spreadsheet (``4,91E+12``).
    """
    text = short_text(text, REFERENCE_LENGTH_MAX)
    if SCIENTIFIC.fullmatch(text):
        raise CellRefused("a spreadsheet has rounded this number; format the column as text")
    return text


def notation_of(text: str) -> Notation | None:
    """Say which notation an amount can only have been written in; None where it may be either."""
    digits = CURRENCY_MARK.sub("", text.strip())
    if GERMAN_ONLY.fullmatch(digits):
        return Notation.GERMAN
    if ENGLISH_ONLY.fullmatch(digits):
        return Notation.ENGLISH
    return None


def amount(text: str, currency: str, notation: Notation) -> Money:
    """Read an amount of money, zero or more.

    ``notation`` is the file's; ``EITHER`` means that each amount must be clear by itself.

    Raises:
        CellRefused: not an amount, negative, too many decimals, or readable in two ways.
    """
    digits = CURRENCY_MARK.sub("", text.strip())
    if notation is Notation.EITHER and TWO_READINGS.fullmatch(digits):
        raise CellRefused(
            f'"{digits}" can be read in two ways: write two decimals, or say how the file '
            "writes amounts (--amounts german or english)"
        )
    try:
        found = parse_amount(text, currency=currency, notation=notation)
    except AmountUnreadable as error:
        told = "" if notation is Notation.EITHER else f" in {notation} notation"
        raise CellRefused(f"not an amount of {currency}{told}") from error
    if found.minor < 0:
        raise CellRefused("must not be negative; send a credit note as an open item")
    if found.minor > AMOUNT_MINOR_MAX:
        raise CellRefused("too large for an invoice")
    return found


def day(text: str) -> date:
    """Read a date, ``2026-12-31`` or ``31.12.2026``.

    Raises:
        CellRefused: another form, a day that does not exist, or a year out of range.
    """
    text = text.strip()
    if match := ISO_DATE.fullmatch(text):
        year, month, number = (int(part) for part in match.groups())
    elif match := GERMAN_DATE.fullmatch(text):
        number, month, year = (int(part) for part in match.groups())
    elif "/" in text:
        raise CellRefused("dates with / can be read in two ways: write 2026-12-31 or 31.12.2026")
    elif re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{2}", text):
        raise CellRefused("write the year with four digits")
    else:
        raise CellRefused("not a date: write 2026-12-31 or 31.12.2026")
    try:
        found = date(year, month, number)
    except ValueError as error:
        raise CellRefused("there is no such day") from error
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise CellRefused(f"the year {year} cannot be meant")
    return found


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a time; without offset it is the merchant's wall clock. Returns aware UTC.

    A date alone is the beginning of that day.

    Raises:
        CellRefused: neither a date nor a time.
    """
    text = text.strip()
    if match := GERMAN_MOMENT.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in match.groups()[1:])
        try:
            clock = time(hour, minute, second)
        except ValueError as error:
            raise CellRefused("there is no such time") from error
        found = datetime.combine(day(match[1]), clock)
    elif len(text) > 10 and text[:4].isdigit():
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise CellRefused("not a time: write 2026-12-31T08:30 or 31.12.2026 08:30") from error
    else:
        found = datetime.combine(day(text), time())
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise CellRefused(f"the year {found.year} cannot be meant")
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC)


def yes_no(text: str) -> bool:
    """Read yes or no, in German, English or as 1 and 0.

    Raises:
        CellRefused: neither.
    """
    word = text.strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise CellRefused("write yes or no")


def language(text: str) -> str:
    """Read a language that the service speaks; return ``de`` or ``en``.

    Raises:
        CellRefused: another language.
    """
    word = text.strip().casefold()
    found = LANGUAGES.get(word) or LANGUAGES.get(re.split("[-_]", word)[0])
    if found is None:
        raise CellRefused("write de or en, or leave it empty")
    return found


def address_form(text: str) -> str:
    """Read how the customer is addressed in German; return ``sie`` or ``du``.

    Raises:
        CellRefused: neither.
    """
    word = text.strip().casefold()
    if word not in {"sie", "du"}:
        raise CellRefused("write sie or du, or leave it empty")
    return word


def land(text: str) -> str:
    """Read one of Germany's Länder by its code (``BY`` or ``DE-BY``), for its holidays.

    Raises:
        CellRefused: no such code.
    """
    code = text.strip().upper().removeprefix("DE-")
    if code not in LAENDER:
        raise CellRefused(f"not one of {', '.join(sorted(LAENDER))}")
    return code


def currency_code(text: str) -> str:
    """Read an ISO 4217 currency code.

    Raises:
        CellRefused: not three letters, or not a currency that the ledger keeps.
    """
    code = text.strip().upper().replace("€", "EUR")
    if code not in EXPONENTS:
        raise CellRefused("not a currency that the ledger keeps; write EUR")
    return code

"""Reading a file of rows: encoding, delimiter, header and lines, never more than one in memory."""

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ledger.money import Notation
from ledger.rows import Problem, notation_of

CHUNK_BYTES = 1 << 20
LINE_LENGTH_MAX = 1 << 17
"""Characters; csv refuses longer fields itself, this bounds a file without line ends."""
LINES_PER_ROW_MAX = 200
"""A row over more lines than this has an opening quote that is never closed."""
DELIMITERS = (";", ",", "\t")


@dataclass(frozen=True, slots=True)
class Column:
    """A documented column: its name, the other headers it may have, and whether it must be there.

    ``amount`` marks columns whose cells decide in which notation the file writes amounts.
    """

    name: str
    aliases: tuple[str, ...]
    meaning: str
    example: str
    required: bool = False
    amount: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line it begins in, and its non-empty cells by column name."""

    line: int
    cells: Mapping[str, str]


class FileRefused(ValueError):
    """The file as a whole cannot be read; ``problems`` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class RowFile:
    """A file that can be read: how it is written, and what its columns are called here."""

    path: Path
    sha256: str
    encoding: str
    delimiter: str
    header_line: int
    columns: tuple[str | None, ...]
    """Our column for each of the file's; None for one that is left aside."""
    rows_total: int
    notation: Notation

    def records(self) -> Iterator[Record | Problem]:
        """Give every row, or the problem that it cannot be split into cells."""
        width = len(self.columns)
        for row in _split(self.path, self.encoding, self.delimiter, skip=self.header_line):
            if isinstance(row, Problem):
                yield row
                continue
            line, cells = row
            if len(cells) != width and any(cells[width:] or [len(cells) < width]):
                yield Problem(line, "", f"{len(cells)} cells, the header has {width}")
                continue
            named = zip(self.columns, cells, strict=False)
            yield Record(line, {name: cell for name, cell in named if name and cell.strip()})


def open_rows(
    path: Path,
    columns: tuple[Column, ...],
    *,
    ignore_unknown: bool = False,
    notation: Notation = Notation.EITHER,
) -> RowFile:
    """Find out how a file is written, without keeping it in memory.

    ``notation`` fixes how amounts are written; without it the file's own clear amounts decide
    (``1.234,56`` somewhere makes ``1.234`` elsewhere twelve hundred), unless they disagree.

    Raises:
        FileRefused: empty, unreadable, or its header lacks columns or has unknown ones.
    """
    encoding, sha256 = _encoding(path)
    header_line, header = _header_text(path, encoding)
    delimiter = _delimiter(header, columns)
    rows = _split(path, encoding, delimiter, skip=header_line - 1)
    first = next(rows, None)
    if first is None or isinstance(first, Problem):
        raise FileRefused([first or Problem(0, "", "the file is empty")])
    # The header itself may span lines; the reader knows where it ends.
    line_after, cells = _lines_of(first[1], header_line), first[1]
    names = _names(cells, columns, header_line, ignore_unknown=ignore_unknown)
    amounts = {column.name for column in columns if column.amount}
    places = [place for place, name in enumerate(names) if name in amounts]
    notations: set[Notation] = set()
    total = 0
    for row in rows:
        total += 1
        if isinstance(row, Problem):
            continue
        for place in places:
            if place < len(row[1]) and (found := notation_of(row[1][place])):
                notations.add(found)
    if notation is Notation.EITHER and len(notations) == 1:
        notation = notations.pop()
    if total == 0:
        raise FileRefused([Problem(header_line, "", "there is no row under the header")])
    return RowFile(
        path=path,
        sha256=sha256,
        encoding=encoding,
        delimiter=delimiter,
        header_line=line_after,
        columns=names,
        rows_total=total,
        notation=notation,
    )


def header_key(text: str) -> str:
    """Return a header in the form that names are compared in: ``Fällig am`` → ``faellig_am``."""
    text = unicodedata.normalize("NFC", text).strip().lstrip("\ufeff").casefold()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(letter, plain)
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def _encoding(path: Path) -> tuple[str, str]:
    """Return the file's encoding and its SHA-256.

    Raises:
        FileRefused: empty, UTF-16, NUL bytes, or neither UTF-8 nor Windows-1252.
    """
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "cp1252")}
    failures: dict[str, Problem] = {}
    line, size = 1, 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if size == 0 and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise FileRefused([Problem(0, "", "the file is UTF-16; save it as CSV UTF-8")])
            if (nul := chunk.find(b"\0")) >= 0:
                at = line + chunk.count(b"\n", 0, nul)
                raise FileRefused([Problem(at, "", "a NUL byte: this is not a text file")])
            for name, decoder in decoders.items():
                if name in failures:
                    continue
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    at = line + chunk.count(b"\n", 0, error.start)
                    byte = error.object[error.start]
                    failures[name] = Problem(
                        at, "", f"byte 0x{byte:02X} is neither UTF-8 nor Windows-1252"
                    )
            digest.update(chunk)
            size += len(chunk)
            line += chunk.count(b"\n")
    if size == 0:
        raise FileRefused([Problem(0, "", "the file is empty")])
    if "utf-8" not in failures:
        try:
            decoders["utf-8"].decode(b"", final=True)
        except UnicodeDecodeError:
            failures["utf-8"] = Problem(line, "", "the file breaks off inside a letter")
        else:
            return "utf-8-sig", digest.hexdigest()
    if "cp1252" not in failures:
        return "cp1252", digest.hexdigest()
    raise FileRefused([failures["cp1252"]])


def _lines(file: io.TextIOBase) -> Iterator[str]:
    """Give the file's lines; one that never ends is cut, so that csv refuses it."""
    while line := file.readline(LINE_LENGTH_MAX):
        yield line


def _header_text(path: Path, encoding: str) -> tuple[int, str]:
    """Return number and text of the header's line: the first that is not blank or ``sep=;``."""
    with path.open(encoding=encoding, newline="") as file:
        for number, line in enumerate(_lines(file), start=1):
            if line.strip(" ;,\t\r\n") and not line.casefold().startswith("sep="):
                return number, line
    raise FileRefused([Problem(0, "", "the file is empty")])


def _known(columns: tuple[Column, ...]) -> dict[str, str]:
    return {key: column.name for column in columns for key in (column.name, *column.aliases)}


def _delimiter(header: str, columns: tuple[Column, ...]) -> str:
    """Return the delimiter that finds the most known columns in the header."""
    known = _known(columns)

    def hits(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return sum(header_key(cell) in known for cell in cells), len(cells)

    return max(DELIMITERS, key=hits)


def _names(
    header: list[str], columns: tuple[Column, ...], line: int, *, ignore_unknown: bool
) -> tuple[str | None, ...]:
    """Return our column for each header cell.

    Raises:
        FileRefused: columns that are missing, unknown or there twice.
    """
    known = _known(columns)
    problems: list[Problem] = []
    names: list[str | None] = []
    for place, cell in enumerate(header, start=1):
        key = header_key(cell)
        name = known.get(key)
        if name is not None and name in names:
            problems.append(Problem(line, name, f'there twice, the second time as "{cell}"'))
        elif name is None and key and not ignore_unknown:
            near = get_close_matches(key, known, n=1)
            hint = f"; is {known[near[0]]} meant?" if near else ""
            problems.append(
                Problem(line, cell.strip()[:60], f"unknown column (number {place}){hint}")
            )
        names.append(name)
    problems += [
        Problem(line, column.name, "this column is missing")
        for column in columns
        if column.required and column.name not in names
    ]
    if problems:
        raise FileRefused(problems)
    return tuple(names)


def _lines_of(header: list[str], first: int) -> int:
    return first + sum(cell.count("\n") for cell in header)


def _split(
    path: Path, encoding: str, delimiter: str, *, skip: int
) -> Iterator[tuple[int, list[str]] | Problem]:
    """Give each row that is not blank with the line it begins in, after ``skip`` lines."""
    with path.open(encoding=encoding, newline="") as file:
        lines = _lines(file)
        for _ in range(skip):
            next(lines, None)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            line = skip + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(line, "", _why(error))
                continue
            if skip + reader.line_num - line >= LINES_PER_ROW_MAX:
                yield Problem(line, "", "a quotation mark is opened and not closed")
            elif any(cell and not cell.isspace() for cell in cells):
                yield line, cells


def _why(error: csv.Error) -> str:
    text = str(error)
    if "field larger" in text:
        return "a cell is larger than 131,072 characters (or a quotation mark is never closed)"
    if "expected after" in text:
        return "a quotation mark inside a cell; write it twice"
    if "end of data" in text:
        return "a quotation mark is opened and not closed"
    return f"not readable as CSV: {text}"

"""How files of rows are written, and what is said about those that cannot be read."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Notation
from ledger.rows import Problem
from ledger.rows_file import Column, FileRefused, Record, header_key, open_rows

COLUMNS = (
    Column("number", ("nummer",), "", "1", required=True),
    Column("name", ("nachname",), "", "x"),
    Column("due_date", ("faellig_am",), "", "x"),
    Column("amount", ("betrag",), "", "x", amount=True),
)


def written(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def cells(path: Path) -> list[dict[str, str] | Problem]:
    return [
        dict(row.cells) if isinstance(row, Record) else row
        for row in open_rows(path, COLUMNS).records()
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_delimiters_and_line_ends_are_found(
    tmp_path: Path, encoding: str, delimiter: str, line_end: str
) -> None:
    lines = [["Nummer", "Nachname", "Fällig am"], ["1", "Müller – Söhne", "01.02.2026"]]
    text = line_end.join(delimiter.join(line) for line in lines) + line_end
    assert cells(written(tmp_path, text, encoding)) == [
        {"number": "1", "name": "Müller – Söhne", "due_date": "01.02.2026"}
    ]


def test_quoted_cells_hold_line_ends_delimiters_and_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, 'number;name\n1;"zwei\nZeilen; ""eins"""\n2;x\n')
    rows = list(open_rows(path, COLUMNS).records())
    assert [(row.line, row.cells["name"]) for row in rows if isinstance(row, Record)] == [
        (2, 'zwei\nZeilen; "eins"'),
        (4, "x"),
    ]


def test_excels_separator_line_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, "sep=;\r\n\r\nNummer;Betrag\r\n;;\r\n1;5,00\r\n\r\n")
    file = open_rows(path, COLUMNS)
    assert (file.rows_total, file.header_line) == (1, 3)
    assert [row.line for row in file.records()] == [5]


@pytest.mark.parametrize(
    ("amounts", "notation"),
    [
        (["1.234", "5,90"], Notation.GERMAN),
        (["1,234", "5.90"], Notation.ENGLISH),
        (["1.234", "17"], Notation.EITHER),
        (["1.234,00", "5.90"], Notation.EITHER),
    ],
)
def test_the_clear_amounts_of_a_file_decide_about_the_others(
    tmp_path: Path, amounts: list[str], notation: Notation
) -> None:
    path = written(tmp_path, "number;amount\n" + "".join(f"1;{text}\n" for text in amounts))
    assert open_rows(path, COLUMNS).notation is notation


def test_a_stated_notation_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "number;amount\n1;5.90\n")
    assert open_rows(path, COLUMNS, notation=Notation.GERMAN).notation is Notation.GERMAN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\n \n;;\n", "empty"),
        (b"number;name\n", "no row under the header"),
        ("number;name\n1;x\n".encode("utf-16"), "UTF-16"),
        (b"number;name\n1;\x00\n", "line 2: a NUL byte"),
        (b"number;name\n1;x\n2;M\x81ller\n", "line 3: byte 0x81"),
        (b"name;amount\nx;5\n", "line 1, number: this column is missing"),
        (b"number;nmae\n1;x\n", "line 1, nmae: unknown column .number 2.; is name meant"),
        (b"number;name;Nachname\n1;x;y\n", 'there twice, the second time as "Nachname"'),
        (b"PK\x03\x04\x00\x00", "NUL byte"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(FileRefused, match=reason):
        open_rows(written(tmp_path, content), COLUMNS)


def test_every_problem_of_a_header_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        open_rows(written(tmp_path, "nmae;foo\n1;2\n"), COLUMNS)
    assert [problem.column for problem in refused.value.problems] == ["nmae", "foo", "number"]


def test_unknown_columns_can_be_left_aside(tmp_path: Path) -> None:
    path = written(tmp_path, "number;shoe size\n1;43\n")
    file = open_rows(path, COLUMNS, ignore_unknown=True)
    assert [row.cells for row in file.records() if isinstance(row, Record)] == [{"number": "1"}]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ("1;x;;\n", []),
        ("1;x;y;z;\n", []),
        ("1;x\n", ["line 2: 2 cells, the header has 4"]),
        ("1;x;y;z;zz\n2\n", ["line 2: 5 cells, the header has 4", "line 3: 1 cells"]),
        ('1;"a"b;y;z\n2;x;y;z\n', ["line 2: a quotation mark inside a cell"]),
        ('1;"a;y;z\n2;x;y;z\n', ["line 2: a quotation mark is opened and not closed"]),
        (f"1;{'x' * 200_000};y;z\n", ["line 2"]),
    ],
)
def test_rows_that_cannot_be_split_are_named_by_line(
    tmp_path: Path, rows: str, problems: list[str]
) -> None:
    path = written(tmp_path, "number;name;due_date;amount\n" + rows)
    found = [str(row) for row in open_rows(path, COLUMNS).records() if isinstance(row, Problem)]
    assert len(found) >= len(problems)
    for problem, expected in zip(found, problems, strict=False):
        assert problem.startswith(expected)
    assert bool(found) == bool(problems)


def test_rows_after_a_broken_one_are_still_read(tmp_path: Path) -> None:
    path = written(tmp_path, 'number;name\n1;"a"b\n2;x\n')
    assert cells(path)[1] == {"number": "2", "name": "x"}


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = written(tmp_path, 'number;name\n1;"a\n' + "2;x\n" * 100_000)
    problems = [row for row in open_rows(path, COLUMNS).records() if isinstance(row, Problem)]
    assert "never closed" in problems[0].reason
    assert problems[0].line == 2


@pytest.mark.parametrize("size", [1 << 20])
def test_a_letter_on_the_border_of_two_chunks_is_read(tmp_path: Path, size: int) -> None:
    head = b"number;name\n1;"
    path = written(tmp_path, head + b"x" * 100 + b"\n" + b"1;y\n" * ((size - 116) // 4) + b"\n")
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(b"2;" + b"z" * ((size - file.tell() - 3) % size) + "ä\n".encode())
    assert open_rows(path, COLUMNS).encoding == "utf-8-sig"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(lambda t: f"n{t}"),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(";,\t"),
)
def test_whatever_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["number", "name"])
    writer.writerows([[str(place), name] for place, name in enumerate(names)])
    path = written(tmp_path_factory.mktemp("csv"), text.getvalue())
    assert [row["name"] for row in cells(path) if isinstance(row, dict)] == names


@pytest.mark.parametrize("text", ["Fällig am", "FÄLLIG-AM", " fällig  am ", "faellig_am"])
def test_headers_are_compared_without_case_and_punctuation(text: str) -> None:
    assert header_key(text) == "faellig_am"

"""What single cells may hold."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import rows
from ledger.contact import (
    NotAnEmailAddress,
    NotAPhoneNumber,
    e164,
    email_address,
    phone_number,
)
from ledger.money import Money, Notation
from ledger.rows import CellRefused

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "notation", "minor"),
    [
        ("1.234,56", Notation.EITHER, 123456),
        ("1,234.56", Notation.EITHER, 123456),
        ("1234,5", Notation.EITHER, 123450),
        ("129.90", Notation.EITHER, 12990),
        ("1.234.567", Notation.EITHER, 123456700),
        ("129", Notation.EITHER, 12900),
        ("1.234", Notation.GERMAN, 123400),
        ("1,234", Notation.ENGLISH, 123400),
        ("1 234,56 €".replace(" 234", ".234"), Notation.GERMAN, 123456),
        ("EUR 12,00", Notation.GERMAN, 1200),
        ("0", Notation.EITHER, 0),
    ],
)
def test_amounts_are_read_in_german_and_english(text: str, notation: Notation, minor: int) -> None:
    assert rows.amount(text, "EUR", notation) == Money(minor)


@pytest.mark.parametrize(
    ("text", "notation", "reason"),
    [
        ("1.234", Notation.EITHER, "can be read in two ways"),
        ("1,234", Notation.EITHER, "can be read in two ways"),
        ("€ 1.234", Notation.EITHER, "can be read in two ways"),
        ("1.234", Notation.ENGLISH, "not an amount of EUR in english notation"),
        ("1234.56", Notation.GERMAN, "not an amount of EUR in german notation"),
        ("-5,00", Notation.EITHER, "must not be negative"),
        ("12,345,6", Notation.EITHER, "not an amount"),
        ("12,50 USD", Notation.EITHER, "not an amount of EUR"),
        ("١٢", Notation.EITHER, "not an amount"),
        ("1e3", Notation.EITHER, "not an amount"),
        ("zwölf", Notation.EITHER, "not an amount"),
        ("99999999999999,00", Notation.EITHER, "too large"),
    ],
)
def test_amounts_that_are_unclear_are_refused(text: str, notation: Notation, reason: str) -> None:
    with pytest.raises(CellRefused, match=reason):
        rows.amount(text, "EUR", notation)


@given(st.integers(min_value=0, max_value=10**11))
def test_a_written_amount_is_read_as_the_same_amount(minor: int) -> None:
    english = f"{minor // 100:,}.{minor % 100:02d}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text in (english, german):
        assert rows.amount(text, "EUR", Notation.EITHER) == Money(minor)
    assert rows.notation_of(german) is Notation.GERMAN
    assert rows.notation_of(english) is Notation.ENGLISH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31.12.2026", date(2026, 12, 31)),
        ("1.2.2026", date(2026, 2, 1)),
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-12-31 00:00:00", date(2026, 12, 31)),
        ("31.12.2026 00:00", date(2026, 12, 31)),
    ],
)
def test_days_are_read_in_german_and_iso_form(text: str, expected: date) -> None:
    assert rows.day(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31.02.2026", "no such day"),
        ("2026-13-01", "no such day"),
        ("01/02/2026", "two ways"),
        ("31.12.26", "four digits"),
        ("2026-12-31T08:30", "not a date"),
        ("0026-01-01", "cannot be meant"),
        ("46387", "not a date"),
        ("morgen", "not a date"),
    ],
)
def test_days_that_are_unclear_are_refused(text: str, reason: str) -> None:
    with pytest.raises(CellRefused, match=reason):
        rows.day(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T08:30+02:00", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-07-01T08:30", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-01-01 08:30:15Z", datetime(2026, 1, 1, 8, 30, 15, tzinfo=UTC)),
        ("01.07.2026 08:30 Uhr", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("01.01.2026", datetime(2025, 12, 31, 23, 0, tzinfo=UTC)),
    ],
)
def test_times_without_offset_are_the_merchants(text: str, expected: datetime) -> None:
    assert rows.moment(text, BERLIN) == expected


@pytest.mark.parametrize("text", ["2026-07-01T25:00", "01.07.2026 24:30", "gestern", "8:30"])
def test_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(CellRefused):
        rows.moment(text, BERLIN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("=1+2", "formula"),
        ("@SUM(A1)", "formula"),
        ("+cmd|' /C calc'!A0", "formula"),
        ("-2+3", "formula"),
        ("#NV", "spreadsheet error"),
        ("#REF!", "spreadsheet error"),
        ("########", "spreadsheet error"),
        ("MÃ¼ller", "another encoding"),
        ("M\ufffdller", "another encoding"),
        ("Mül\x07ler", "control"),
        ("Mueller\x1b[31m", "control"),
        ("abc\u202egpj", "control"),
    ],
)
def test_cells_that_a_spreadsheet_or_an_encoding_has_damaged_are_refused(
    text: str, reason: str
) -> None:
    with pytest.raises(CellRefused, match=reason):
        rows.short_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Jürgen\xa0 Weiß ", "Jürgen Weiß"),
        ("zwei\r\nZeilen", "zwei Zeilen"),
        ("Mu\u0308ller", "Müller"),
        ("Sil\u00adben", "Silben"),
        ("Ângela Ãlvares", "Ângela Ãlvares"),
        ("C# Kurs  2", "C# Kurs 2"),
        ("- ohne Betreff", "- ohne Betreff"),
    ],
)
def test_texts_are_kept_in_one_form(text: str, expected: str) -> None:
    assert rows.short_text(text) == expected


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(CellRefused, match="201 characters, at most 200"):
        rows.short_text("ä" * 201)


def test_a_number_that_a_spreadsheet_has_rounded_is_refused() -> None:
    with pytest.raises(CellRefused, match="rounded"):
        rows.reference("4,91713E+12")


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (rows.yes_no, "Ja", True),
        (rows.yes_no, "nein", False),
        (rows.yes_no, "1", True),
        (rows.language, "Deutsch", "de"),
        (rows.language, "en-GB", "en"),
        (rows.land, "DE-BY", "BY"),
        (rows.currency_code, "€", "EUR"),
        (rows.address_form, "Du", "du"),
    ],
)
def test_words_are_read(read: object, text: str, expected: object) -> None:
    assert read(text) == expected  # type: ignore[operator]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (rows.yes_no, "vielleicht"),
        (rows.language, "fr"),
        (rows.land, "XX"),
        (rows.currency_code, "Euro 5"),
        (rows.address_form, "ihr"),
    ],
)
def test_other_words_are_refused(read: object, text: str) -> None:
    with pytest.raises(CellRefused):
        read(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    ["0171 3920012", "+49 (0)171 / 392 00 12", "0049 171 3920012", "0171-3920012", "491713920012"],
)
def test_phone_numbers_have_one_form(text: str) -> None:
    assert e164(text) == "+491713920012"


def test_a_landline_is_no_address_for_text_messages() -> None:
    assert phone_number("030 23125123").mobile is False
    assert phone_number("0176 04069012").mobile is True


def test_the_region_completes_national_numbers() -> None:
    assert e164("0664 1234567", "AT") == "+436641234567"


@pytest.mark.parametrize("text", ["0171", "0900 1234567", "abc", "+49", "110", "0171 3920012 x 5"])
def test_what_reaches_no_person_is_no_phone_number(text: str) -> None:
    with pytest.raises(NotAPhoneNumber):
        e164(text)


def test_an_email_address_keeps_its_local_part() -> None:
    assert email_address("Aylin.O@Example.ORG") == "Aylin.O@example.org"


@pytest.mark.parametrize(
    "text", ["a@b", "a b@c.de", "@c.de", "a@@c.de", "a@c..de", "x" * 250 + "@c.de"]
)
def test_what_has_not_the_form_of_an_email_address_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        email_address(text)

"""A row of open claims: its values, or everything that is wrong with it."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import rows_claims, rows_items
from ledger.money import Money, Notation
from ledger.rows import Problem
from ledger.rows_claims import COLUMNS, ClaimRow, Setting, claim_row
from ledger.rows_file import Record, header_key, open_rows
from ledger.rows_items import ItemEvent, ItemRow, item_row

PROJECT = Path(__file__).resolve().parents[3]
SETTING = Setting(
    now=datetime(2026, 11, 23, 10, 0, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"), currency="EUR"
)
GOOD = {
    "customer_number": "K-1",
    "name": "Öztürk",
    "invoice_number": "RE-1",
    "description": "Laufschuhe",
    "invoice_date": "01.08.2026",
    "due_date": "15.08.2026",
    "amount": "129,90",
}
ITEM = {"event_id": "B-1", "event": "payment", "claim_reference": "RE-1", "amount": "40,00"}


def claim(**cells: str) -> ClaimRow:
    row = claim_row(Record(7, {**GOOD, **cells}), SETTING)
    assert isinstance(row, ClaimRow), row
    return row


def problems(drop: tuple[str, ...] = (), **cells: str) -> list[Problem]:
    given = {name: cell for name, cell in {**GOOD, **cells}.items() if name not in drop}
    row = claim_row(Record(7, given), SETTING)
    assert isinstance(row, list), row
    return row


def test_a_row_with_the_required_cells_says_nothing_about_the_others() -> None:
    row = claim()
    assert (row.reference, row.principal, row.due_date) == (
        "RE-1",
        Money(12990),
        date(2026, 8, 15),
    )
    unsaid = (row.first_name, row.phone, row.costs, row.business, row.language, row.confirmed_at)
    assert unsaid == (None,) * 6


def test_everything_that_is_wrong_with_a_row_is_named() -> None:
    found = problems(
        ("name",), amount="1.234", invoice_date="32.13.2026", phone="110", land="XX", costs="-1"
    )
    assert {(problem.line, problem.column) for problem in found} == {
        (7, "name"),
        (7, "amount"),
        (7, "invoice_date"),
        (7, "phone"),
        (7, "land"),
        (7, "costs"),
    }


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"due_date": "31.07.2026"}, "due_date"),
        ({"invoice_date": "24.11.2026", "due_date": "24.12.2026"}, "invoice_date"),
        ({"birth_date": "23.11.2026"}, "birth_date"),
        ({"default_since": "18.08.2026"}, "default_proof"),
        # 15 August 2026 is a Saturday, so Monday is the last day to pay (§ 193 BGB).
        ({"default_since": "17.08.2026", "default_proof": "Mahnung"}, "default_since"),
        (
            {
                "default_since": "14.09.2026",
                "default_proof": "Hinweis auf der Rechnung",
                "default_ground": "30-Tage-Hinweis",
            },
            "default_since",
        ),
        ({"default_ground": "wegen Montag"}, "default_ground"),
        ({"consumer_loan": "ja", "business": "ja"}, "consumer_loan"),
        ({"limitation_date": "01.08.2026"}, "limitation_date"),
        ({"costs": "2,50"}, "costs_reason"),
        ({"whatsapp_consent": "ja"}, "whatsapp_consent"),
        ({"whatsapp_consent": "ja", "phone": "030 23125123"}, "whatsapp_consent"),
        ({"whatsapp_consent": "01.01.2027", "phone": "0171 3920012"}, "whatsapp_consent"),
        ({"confirmed_at": "23.11.2026 11:06"}, "confirmed_at"),
        ({"currency": "XYZ"}, "currency"),
        ({"postal_code": "10!15"}, "postal_code"),
        ({"phone": "4,91713E+12"}, "phone"),
    ],
)
def test_cells_that_contradict_each_other_are_refused(cells: dict[str, str], column: str) -> None:
    assert [problem.column for problem in problems(**cells)] == [column]


def test_the_merchants_clock_may_be_a_little_ahead() -> None:
    assert claim(confirmed_at="23.11.2026 11:04").confirmed_at is not None


def test_costs_of_nothing_need_no_reason() -> None:
    assert claim(costs="0,00").costs == Money(0)


def test_consent_to_whatsapp_is_a_yes_or_a_day() -> None:
    phone = "0171 3920012"
    row = claim(phone=phone, whatsapp_consent="01.02.2026")
    assert (row.whatsapp, row.whatsapp_since) == (True, datetime(2026, 1, 31, 23, tzinfo=UTC))
    assert claim(phone=phone, whatsapp_consent="nein").whatsapp is False


def test_another_currency_decides_about_the_decimals() -> None:
    assert claim(currency="KWD", amount="1250,250").principal == Money(1250250, "KWD")


def test_problems_repeat_no_personal_data() -> None:
    found = problems(email="not an address of Aylin", phone="Aylin", birth_date="Aylin")
    assert "Aylin" not in " ".join(map(str, found))


def test_the_sample_file_can_be_imported() -> None:
    file = open_rows(PROJECT / "api/demo/claims.csv", COLUMNS)
    setting = Setting(SETTING.now, SETTING.zone, "EUR", notation=file.notation)
    rows = [claim_row(record, setting) for record in file.records() if isinstance(record, Record)]
    claims = [row for row in rows if isinstance(row, ClaimRow)]
    assert len(claims) == len(rows) == file.rows_total
    assert len({row.customer_number for row in claims}) == 12
    assert sum(row.language == "en" for row in claims) == 2


DRAMA_NUMBERS = ("+4917139200", "+49176040690")


def test_the_sample_files_phones_belong_to_no_one() -> None:
    """https://www.bundesnetzagentur.de, "Rufnummern für Medienproduktionen"."""
    file = open_rows(PROJECT / "api/demo/claims.csv", COLUMNS)
    setting = Setting(SETTING.now, SETTING.zone, "EUR", notation=file.notation)
    for record in file.records():
        assert isinstance(record, Record)
        row = claim_row(record, setting)
        assert isinstance(row, ClaimRow)
        assert row.phone is not None
        assert row.phone.startswith(DRAMA_NUMBERS)


@pytest.mark.parametrize("columns", [rows_claims.COLUMNS, rows_items.COLUMNS])
def test_headers_mean_one_column_each(columns: tuple[rows_claims.Column, ...]) -> None:
    keys = [key for column in columns for key in (column.name, *column.aliases)]
    assert len(keys) == len(set(keys))
    assert [header_key(key) for key in keys] == keys


@pytest.mark.parametrize("columns", [rows_claims.COLUMNS, rows_items.COLUMNS])
def test_every_column_is_documented(columns: tuple[rows_claims.Column, ...]) -> None:
    text = (PROJECT / "docs/importing.md").read_text()
    for column in columns:
        for name in (column.name, *column.aliases):
            assert f"`{name}`" in text


def test_the_examples_of_the_columns_make_a_row() -> None:
    setting = Setting(SETTING.now, SETTING.zone, "EUR", notation=Notation.ENGLISH)
    row = claim_row(Record(1, {column.name: column.example for column in COLUMNS}), setting)
    assert isinstance(row, ClaimRow)
    assert row.whatsapp is True


ANY_CELL = st.one_of(
    st.text(max_size=30),
    st.text("0123456789.,-+:/T Z€EUR", max_size=30),
    st.sampled_from(["9999-12-31T23:59-23:59", "0001-01-01T00:00+23:59", "\ud800", "\x00", "*"]),
)


@given(st.dictionaries(st.sampled_from([column.name for column in COLUMNS]), ANY_CELL))
def test_whatever_cells_hold_ends_in_values_or_problems(cells: dict[str, str]) -> None:
    row = claim_row(Record(1, {**GOOD, **cells}), SETTING)
    for problem in row if isinstance(row, list) else []:
        str(problem).encode()


@given(st.dictionaries(st.sampled_from([c.name for c in rows_items.COLUMNS]), ANY_CELL))
def test_whatever_a_change_holds_ends_in_values_or_problems(cells: dict[str, str]) -> None:
    row = item_row(Record(1, {**ITEM, **cells}), SETTING)
    for problem in row if isinstance(row, list) else []:
        str(problem).encode()


def item(**cells: str) -> ItemRow | list[Problem]:
    given = {"date": "20.11.2026", **ITEM, **cells}
    return item_row(Record(3, {name: cell for name, cell in given.items() if cell}), SETTING)


@pytest.mark.parametrize(
    ("word", "event"),
    [
        ("Zahlung", ItemEvent.PAYMENT),
        ("Gutschrift", ItemEvent.CREDIT_NOTE),
        ("Rückläufer", ItemEvent.RETURN),
        ("credit note", ItemEvent.CREDIT_NOTE),
    ],
)
def test_events_are_read_in_german_and_english(word: str, event: ItemEvent) -> None:
    row = item(event=word)
    assert isinstance(row, ItemRow)
    assert (row.event, row.value_date, row.amount) == (event, date(2026, 11, 20), Money(4000))


def test_a_confirmation_speaks_of_a_time_and_needs_no_amount() -> None:
    row = item(event="Bestätigung", amount="", date="23.11.2026 06:00", claim_reference="*")
    assert isinstance(row, ItemRow)
    assert row.at == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "0,00"}, "amount"),
        ({"date": ""}, "date"),
        ({"date": "24.11.2026"}, "date"),
        ({"event": "Mahnung"}, "event"),
        ({"event": "recall"}, "amount"),
        ({"returned_event_id": "B-0"}, "returned_event_id"),
        ({"claim_reference": "*"}, "claim_reference"),
        ({"event": "confirmation", "claim_reference": "*"}, "amount"),
        ({"event_id": ""}, "event_id"),
    ],
)
def test_changes_that_cannot_be_meant_are_refused(cells: dict[str, str], column: str) -> None:
    found = item(**cells)
    assert isinstance(found, list)
    assert [(problem.line, problem.column) for problem in found] == [(3, column)]

"""Statements as banks send them are read alike, whatever the format, version or dialect."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from ledger.bank.entry import BankStatement, Movement, Problem
from ledger.bank.files import read_statements
from ledger.money import Money

DATA = Path(__file__).parents[3] / "data" / "bank"
OWN = "DE02120300000000202051"
ANNA = "DE46100500001234567890"
BRANDT = "DE89370400440532013000"


def read(name: str) -> tuple[BankStatement, ...]:
    return read_statements((DATA / name).read_bytes())


def movements(name: str) -> list[Movement]:
    return [movement for statement in read(name) for movement in statement.movements]


@pytest.mark.parametrize("version", range(3, 8))
def test_every_version_of_camt_is_read(version: int) -> None:
    (statement,) = read(f"camt.053.001.{version:02d}.xml")
    (movement,) = statement.movements
    assert (statement.account, statement.format) == (OWN, f"camt.053.001.{version:02d}")
    assert (statement.opening, statement.closing) == (Money(0), Money(12990))
    assert movement.amount == Money(12990)
    assert movement.payer_iban == ANNA
    assert movement.payer_name is not None
    assert "BEISPIEL" in movement.payer_name.upper()


def test_a_savings_banks_statement_of_version_2() -> None:
    (statement,) = read("camt.053.001.02-sparkasse.xml")
    assert (statement.entries, statement.pending) == (4, 1)
    anna, brandt, yildiz, unknown, fee = statement.movements
    assert anna.joined == "Rechnung RE-2026-1042 Kundennummer K-1001"
    assert (anna.amount, anna.code, anna.bank_reference) == (Money(12990), "166", "2026111800017")
    assert (brandt.payer_name, brandt.payer_iban) == ("Jörg Brandt", BRANDT)
    assert (yildiz.amount, unknown.amount) == (Money(2550), Money(5000))  # a collective entry
    assert yildiz.entry == unknown.entry == 2
    assert (fee.amount, fee.code) == (Money(-990), "808")


def test_a_big_banks_statement_of_version_8() -> None:
    collected, returned, paid, recalled, dollars = movements("camt.053.001.08-grossbank.xml")
    assert (collected.code, collected.end_to_end_id) == ("171", "RE-2026-1042")
    assert (returned.amount, returned.original) == (Money(-13290), Money(12990))
    assert (returned.returned, returned.mandate_id) == ("AC04", "M-1001")
    assert returned.payer_iban == ANNA  # whose payment it was, not ours
    assert (paid.returned, recalled.returned) == (None, "FOCR")
    assert dollars.problem is Problem.FOREIGN_CURRENCY
    assert dollars.amount == Money(9231)


@pytest.mark.parametrize("version", ["02", "08"])
def test_reports_of_the_day_count_what_is_booked_only(version: str) -> None:
    (statement,) = read(f"camt.052.001.{version}-intraday.xml")
    assert (statement.entries, statement.pending) == (2, 1)
    assert [movement.bank_reference for movement in statement.movements] == [None, None]


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_notification_lists_the_parts_of_a_collective_entry(version: str) -> None:
    (statement,) = read(f"camt.054.001.{version}-collective.xml")
    assert statement.entries == 1
    assert [movement.amount for movement in statement.movements] == [Money(12990), Money(6000)]


def test_a_statement_without_entries() -> None:
    (statement,) = read("camt.053.001.02-no-entries.xml")
    assert (statement.movements, statement.entries) == ((), 0)


def test_a_collective_entry_without_details_is_marked() -> None:
    data = (DATA / "camt.054.001.02-collective.xml").read_text()
    start, end = data.index("<TxDtls>"), data.rindex("</TxDtls>") + len("</TxDtls>")
    (statement,) = read_statements((data[:start] + data[end:]).encode())
    (movement,) = statement.movements
    assert (movement.amount, movement.problem) == (Money(18990), Problem.COLLECTIVE)


def test_details_that_do_not_add_up_are_kept_as_one_movement() -> None:
    data = (DATA / "camt.054.001.02-collective.xml").read_text().replace(">60.00<", ">61.00<")
    (statement,) = read_statements(data.encode())
    (movement,) = statement.movements
    assert (movement.amount, movement.problem) == (Money(18990), Problem.DETAILS)


def test_a_savings_banks_mt940_in_windows_letters_with_keywords_cut_apart() -> None:
    (statement,) = read("mt940-sparkasse.sta")
    assert statement.account == "12030000/0000202051"
    anna, brandt, fee = statement.movements
    assert anna.joined == "Rechnung RE-2026-1042 Kundennr. K-1001"
    assert (anna.payer_name, anna.payer_iban, anna.code) == ("Anna Beispiel", ANNA, "166")
    assert anna.end_to_end_id is None
    assert brandt.joined == "Rate 1 zu RE 2026 1043 vielen Dank für die Geduld"
    assert (brandt.end_to_end_id, brandt.payer_name) == ("20261118-7", "Jörg Brandt")
    assert (fee.amount, fee.booked) == (Money(-990), date(2026, 11, 19))


def test_returns_and_reversals_in_mt940() -> None:
    collected, returned, paid, reversed_, fee_back = movements("mt940-returns.sta")
    assert (collected.end_to_end_id, collected.mandate_id) == ("RE-2026-1042", "M-1001")
    assert (returned.amount, returned.original) == (Money(-13290), Money(12990))
    assert (returned.returned, returned.code) == ("914", "109")
    assert (paid.reversal, paid.amount) == (False, Money(6000))
    assert (reversed_.reversal, reversed_.amount) == (True, Money(-6000))  # RC
    assert (fee_back.reversal, fee_back.amount) == (True, Money(300))  # RD


def test_pages_of_one_statement_are_told_apart() -> None:
    assert [(page.number, page.page) for page in read("mt940-returns.sta")] == [
        ("222", "1"),
        ("222", "2"),
    ]


def test_mt940_with_slashes_in_a_swift_envelope() -> None:
    (movement,) = movements("mt940-slashes.sta")
    assert movement.joined == "RECHNUNG RE-2026-1042"
    assert (movement.payer_name, movement.payer_iban) == ("ANNA BEISPIEL", ANNA)
    assert movement.bank_reference == "26112000001"


def test_a_cooperative_banks_mt940() -> None:
    anna, brandt = movements("mt940-volksbank.sta")
    assert "RE-2026-1042" in anna.joined
    assert (anna.payer_name, brandt.payer_name) == ("Beispiel Anna", "Brandt, Jörg")


def test_an_archive_of_statements_is_read_in_the_order_of_names() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("camt.053.001.08-evening.xml", "camt.052.001.08-intraday.xml"):
            archive.writestr(f"out/{name}", (DATA / name).read_bytes())
    formats = [statement.format for statement in read_statements(buffer.getvalue())]
    assert formats == ["camt.052.001.08", "camt.053.001.08"]

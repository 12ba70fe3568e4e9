"""Files that are broken, made to harm, or do not add up are refused with a reason."""

import io
import zipfile
from pathlib import Path

import pytest

from ledger.bank.entry import Refusal, StatementRefused
from ledger.bank.files import ARCHIVE_FILES_MAX, FILE_BYTES_MAX, read_statements

DATA = Path(__file__).parents[3] / "data" / "bank"
CAMT = (DATA / "camt.053.001.08-evening.xml").read_bytes()
MT940 = (DATA / "mt940-sparkasse.sta").read_bytes()
DECLARATION, _, BODY = CAMT.partition(b"\n")


def refused(data: bytes) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        read_statements(data)
    return caught.value


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_external_entity_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    dtd = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>'.encode()
    error = refused(DECLARATION + dtd + BODY.replace(b"RE-2026-1042", b"&x;"))
    assert error.code is Refusal.FORBIDDEN
    assert "geheim" not in error.reason


def test_entities_do_not_explode() -> None:
    laughs = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )
    bomb = b"<!DOCTYPE d [" + laughs + b"]>"
    assert refused(DECLARATION + bomb + BODY.replace(b"RE-2026-1042", b"&l9;")).code in (
        Refusal.FORBIDDEN,
        Refusal.UNREADABLE,
    )


def test_a_document_type_elsewhere_is_not_fetched() -> None:
    dtd = b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/evil.dtd">'
    assert refused(DECLARATION + dtd + BODY).code is Refusal.FORBIDDEN


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_a_cut_off_file_is_refused(kept: float) -> None:
    assert refused(CAMT[: int(len(CAMT) * kept)]).code is Refusal.UNREADABLE
    assert refused(MT940[: int(len(MT940) * kept) - 20]).code is Refusal.UNREADABLE


def test_a_file_that_lies_about_its_letters_is_refused() -> None:
    latin = CAMT.decode().replace("Jörg", "J\xf6rg").encode("latin-1")
    assert latin != CAMT
    assert refused(latin).code is Refusal.UNREADABLE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Refusal.UNREADABLE),
        (b"  \n", Refusal.UNREADABLE),
        (b"Datum;Betrag\n", Refusal.UNREADABLE),
        (b"<html/>", Refusal.UNREADABLE),
        (CAMT.replace(b"camt.053.001.08", b"pain.001.001.09"), Refusal.UNREADABLE),
        (CAMT.replace(b"camt.053.001.08", b"camt.053.001.13"), Refusal.VERSION),
        (CAMT.replace(b"camt.053.001.08", b"camt.053.001.01"), Refusal.VERSION),
        (MT940.decode("cp1252").encode("utf-16"), Refusal.UNREADABLE),
        (MT940.replace(b":62F:C261119EUR1160,00", b""), Refusal.UNREADABLE),
        (MT940.replace(b":61:2611181118CR129,90", b":61:2613451118CR129,90"), Refusal.UNREADABLE),
        (b" " * (FILE_BYTES_MAX + 1), Refusal.TOO_LARGE),
    ],
)
def test_what_is_no_statement_is_refused(data: bytes, code: Refusal) -> None:
    assert refused(data).code is code


@pytest.mark.parametrize(
    "amount", ["129.905", "-129.90", "NaN", "1e40", "99999999999999999.00", "12,90", ""]
)
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    data = CAMT.replace(b">129.90<", f">{amount}<".encode())
    assert refused(data).code is Refusal.AMOUNT


def test_decimals_that_are_zero_do_not_matter() -> None:
    assert read_statements(CAMT.replace(b">129.90<", b">129.9000<"))


def test_three_decimals_in_mt940_are_refused() -> None:
    assert refused(MT940.replace(b"CR129,90", b"CR129,905")).code is Refusal.AMOUNT


def test_an_unknown_currency_is_refused() -> None:
    assert refused(CAMT.replace(b'Ccy="EUR"', b'Ccy="XYZ"')).code is Refusal.AMOUNT


def test_an_entry_without_status_or_day_is_refused() -> None:
    assert refused(CAMT.replace(b"<Cd>BOOK</Cd>", b"", 1)).code is Refusal.UNREADABLE
    assert refused(CAMT.replace(b"2026-11-20</Dt>", b"2026-11-31</Dt>")).code is Refusal.DATE


def test_a_closing_balance_that_does_not_add_up_is_refused() -> None:
    error = refused(CAMT.replace(b">208.01<", b">208.02<"))
    assert error.code is Refusal.BALANCE
    assert "208.01 EUR" in error.reason
    assert refused(MT940.replace(b"EUR1160,00", b"EUR1160,01")).code is Refusal.BALANCE


def test_a_missing_entry_shows_in_the_balance() -> None:
    start = CAMT.index(b"<Ntry>")
    end = CAMT.index(b"</Ntry>") + len(b"</Ntry>")
    assert refused(CAMT[:start] + CAMT[end:]).code is Refusal.BALANCE


def test_archives_that_are_too_much_are_refused() -> None:
    assert refused(zipped(bomb=b" " * (FILE_BYTES_MAX + 1))).code is Refusal.TOO_LARGE
    assert refused(zipped(inner=zipped(x=CAMT))).code is Refusal.FORBIDDEN
    many = {f"f{n}": b"x" for n in range(ARCHIVE_FILES_MAX + 1)}
    assert refused(zipped(**many)).code is Refusal.TOO_LARGE
    assert refused(zipped()).code is Refusal.UNREADABLE
    assert refused(zipped(x=CAMT)[:-40]).code is Refusal.UNREADABLE


def test_deep_nesting_is_refused() -> None:
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    assert refused(CAMT.replace(b"RE-2026-1042", deep, 1)).code is Refusal.UNREADABLE


def test_what_a_broken_file_says_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    refused(MT940.replace(b":61:2611181118CR129,90", b":61:GEHEIM"))
    assert "GEHEIM" not in caplog.text

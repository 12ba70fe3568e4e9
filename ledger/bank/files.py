"""From the bytes of a file to statements: formats, archives, encodings, limits (pure)."""

import zipfile
import zlib
from io import BytesIO

from ledger.bank.camt import camt_statements
from ledger.bank.entry import BankStatement, Refusal, StatementRefused
from ledger.bank.swift import mt940_statements

FILE_BYTES_MAX = 32 * 1024 * 1024
ARCHIVE_BYTES_MAX = 96 * 1024 * 1024
"""What an archive may hold when unpacked, all its files together."""
ARCHIVE_FILES_MAX = 500


def read_statements(data: bytes) -> tuple[BankStatement, ...]:
    """Every statement of a file, or of the files in an archive, with its balance checked.

    Raises:
        StatementRefused: nothing of it can be taken.
    """
    statements = _archive(data) if data[:4] == b"PK\x03\x04" else _file(data)
    for statement in statements:
        statement.check_balance()
    return statements


def _file(data: bytes) -> tuple[BankStatement, ...]:
    if len(data) > FILE_BYTES_MAX:
        raise StatementRefused(
            Refusal.TOO_LARGE, f"the file has more than {FILE_BYTES_MAX // 1024**2} MB"
        )
    start = data[:512].lstrip(b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n")
    if not start:
        raise StatementRefused(Refusal.UNREADABLE, "the file is empty")
    if start.startswith(b"<"):
        return camt_statements(data)
    if b":20:" in data:
        return mt940_statements(_text(data))
    raise StatementRefused(Refusal.UNREADABLE, "the file is neither camt nor MT940")


def _text(data: bytes) -> str:
    """Decode MT940, which declares nothing: UTF-8 where it is that, else as Windows writes."""
    if b"\x00" in data:
        raise StatementRefused(Refusal.UNREADABLE, "the file has NUL bytes; UTF-16 is not read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _archive(data: bytes) -> tuple[BankStatement, ...]:
    """The statements of a zip, its files in the order of their names."""
    if len(data) > FILE_BYTES_MAX:
        raise StatementRefused(
            Refusal.TOO_LARGE, f"the archive has more than {FILE_BYTES_MAX // 1024**2} MB"
        )
    statements: list[BankStatement] = []
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = sorted(
                (member for member in archive.infolist() if not member.is_dir()),
                key=lambda member: member.filename,
            )
            if len(members) > ARCHIVE_FILES_MAX:
                raise StatementRefused(
                    Refusal.TOO_LARGE, f"the archive has more than {ARCHIVE_FILES_MAX} files"
                )
            left = ARCHIVE_BYTES_MAX
            for member in members:
                content = _unpacked(archive, member, min(left, FILE_BYTES_MAX))
                left -= len(content)
                if content[:4] == b"PK\x03\x04":
                    raise StatementRefused(Refusal.FORBIDDEN, "an archive in an archive")
                statements.extend(_file(content))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise StatementRefused(Refusal.UNREADABLE, "the archive is broken or cut off") from error
    if not statements:
        raise StatementRefused(Refusal.UNREADABLE, "the archive is empty")
    return tuple(statements)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, bytes_max: int) -> bytes:
    """The content of a file, however large its header says it is, up to a limit."""
    if member.flag_bits & 0x1:
        raise StatementRefused(Refusal.FORBIDDEN, "the archive is encrypted")
    with archive.open(member) as opened:
        content = opened.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise StatementRefused(Refusal.TOO_LARGE, "the archive holds too much when unpacked")
    return content

"""The watched folder: whole files of bank statements are taken, then moved out of the way.

A file that was taken goes to ``done/`` with its report beside it, one that was refused to
``failed/`` with the reason. A kill between the two repeats the file, which posts nothing twice.
"""

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api import bank_intake
from api.clock import Clock
from ledger.bank.accounts import own_account
from ledger.bank.entry import BankStatement, Refusal, StatementRefused
from ledger.bank.files import FILE_BYTES_MAX
from storage.engine import Database
from storage.tables import Merchant

log = structlog.get_logger()

QUIET_SECONDS = 10
"""So long a file must not have changed: it is whole then."""
RUN_SECONDS_MAX = 60
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", ".swp")


async def take_folder(database: Database, clock: Clock, folder: Path) -> int:
    """Take the whole files of a folder, in the order of their names; return how many were taken.

    A database that does not answer leaves the files where they are.
    """
    begun = time.monotonic()
    taken = 0
    for file in list(_whole_files(folder)):
        if time.monotonic() - begun > RUN_SECONDS_MAX:
            break
        try:
            taken += await _take(database, clock, file)
        except FileNotFoundError:
            continue  # another worker was faster
        except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
            log.warning("statement_not_taken", file=file.name, error=type(error).__name__)
            break  # later again
        except Exception as error:
            # A file that we cannot cope with must not hold up the ones after it.
            log.error(
                "statement_failed", file=file.name, error=type(error).__name__, exc_info=error
            )
            _move(file, "failed", ".reason.txt", f"unexpected: {type(error).__name__}\n")
    return taken


async def _take(database: Database, clock: Clock, file: Path) -> bool:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise StatementRefused(Refusal.TOO_LARGE, f"more than {FILE_BYTES_MAX} bytes")
        data = file.read_bytes()
        statements = await bank_intake.read(data)
        merchant = await _owner(database, statements)
        outcome = await bank_intake.take(
            database, merchant, statements, name=file.name, data=data, clock=clock
        )
    except StatementRefused as refused:
        _move(file, "failed", ".reason.txt", f"{refused.code.value}: {refused.reason}\n")
        log.warning("statement_refused", file=file.name, code=refused.code.value)
        return False
    told = {"merchant": merchant.key, **bank_intake.report(outcome)}
    _move(file, "done", ".report.json", json.dumps(told, indent=2) + "\n")
    log.info("statement_taken", file=file.name, **outcome.counts)
    return True


def _whole_files(folder: Path) -> Iterator[Path]:
    now = time.time()
    for file in sorted(folder.iterdir()):
        facts = file.lstat()
        if (
            stat.S_ISREG(facts.st_mode)  # no links: they may lead anywhere
            and not file.name.startswith((".", "~"))
            and not file.name.lower().endswith(_UNFINISHED)
            and now - facts.st_mtime >= QUIET_SECONDS
        ):
            yield file


async def _owner(database: Database, statements: tuple[BankStatement, ...]) -> Merchant:
    """The one merchant whose accounts all statements are about; raises ``StatementRefused``."""
    async with database.operator() as session:
        merchants = (await session.scalars(select(Merchant).order_by(Merchant.id))).all()
    owners = [
        merchant
        for merchant in merchants
        if all(
            own_account(statement.account, bank_intake.own_ibans(merchant))
            for statement in statements
        )
    ]
    if len(owners) != 1:
        raise StatementRefused(
            Refusal.ACCOUNT,
            "several merchants have this account"
            if owners
            else "no merchant has this account (or not all accounts of the file)",
        )
    return owners[0]


def _move(file: Path, where: str, suffix: str, note: str) -> None:
    """Move a file into a folder beside it, under a name that is free, with a note."""
    target = file.parent / where
    target.mkdir(exist_ok=True)
    free = target / file.name
    number = 1
    while free.exists():
        number += 1
        free = target / f"{file.stem}-{number}{file.suffix}"
    free.with_name(free.name + suffix).write_text(note, encoding="utf-8")
    os.replace(file, free)

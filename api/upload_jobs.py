"""The job that reads a file handed over at the console, and shows how far it is."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from api import bank_intake, uploads
from api.queue import current, queue
from api.wiring import Parts
from ledger import rows_claims, rows_items
from ledger.bank.entry import StatementRefused
from ledger.intake_book import Difference, RowsRefused, Source, take_claims
from ledger.intake_items import take_items
from ledger.money import Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import FileRefused, RowFile, open_rows
from storage.tables import Merchant, Upload

log = structlog.get_logger()

PROBLEMS_MAX = 200
DIFFERENCES_MAX = 100
NOTED_EVERY_SECONDS = 0.5
# A job that is taken over while it still runs leaves at once.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('upload'), (:upload)::int)"


@dataclass
class Told:
    """What is told of a file while it is read."""

    problems: list[dict[str, Any]] = field(default_factory=list)
    problems_total: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    rows_total: int | None = None
    rows_done: int = 0

    def problem(self, problem: Problem) -> None:
        """One more reason why nothing is taken."""
        self.problems_total += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(asdict(problem))

    def difference(self, difference: Difference) -> None:
        """A fact that the file states otherwise than it is kept; facts of a person by name only."""
        if len(self.differences) < DIFFERENCES_MAX:
            told = asdict(difference)
            if difference.claim_reference is None:
                told["old"] = told["new"] = None
            self.differences.append(told)

    def progress(self, rows: int) -> None:
        """So many rows are read."""
        self.rows_done = rows


@queue.task(name=uploads.TASK, queue=uploads.QUEUE)
async def take_upload(merchant_id: int, upload_id: int) -> None:
    """Read a file: all of it is taken, or nothing, and either is said."""
    parts = current().parts
    told = Told()
    try:
        await _take(parts, merchant_id, upload_id, told)
    except (FileRefused, RowsRefused, StatementRefused) as refused:
        await _refuse(parts, merchant_id, upload_id, told, refused)
    except Exception as error:
        log.error("upload_failed", upload=upload_id, error=type(error).__name__, exc_info=error)
        async with parts.database.merchant(merchant_id) as session:
            upload = await _held(session, upload_id)
            if upload is not None and upload.state in uploads.UNFINISHED:
                uploads.finish(upload, "failed", parts.clock.now(), report={})


async def _take(parts: Parts, merchant_id: int, upload_id: int, told: Told) -> None:
    async with parts.database.merchant(merchant_id) as session:
        alone = await session.scalar(text(_ALONE), {"upload": upload_id % 2**31})
        upload = await session.scalar(select(Upload).where(Upload.id == upload_id))
        if not alone or upload is None or upload.state not in uploads.UNFINISHED:
            return
        content = upload.content or b""
        merchant = await session.get_one(Merchant, merchant_id)
        async with shown(parts, merchant_id, upload_id, told):
            if upload.kind == "bank_statement":
                report = await _statements(parts, session, (merchant, upload, content), told)
            else:
                report = await _rows(parts, session, (merchant, upload, content), told)
        await session.refresh(upload, with_for_update=True)
        upload.rows_total, upload.rows_done = told.rows_total, told.rows_total or told.rows_done
        uploads.finish(upload, "taken", parts.clock.now(), report=report)


async def _rows(
    parts: Parts, session: AsyncSession, file: tuple[Merchant, Upload, bytes], told: Told
) -> dict[str, Any]:
    """Claims or open items, as from the command line."""
    merchant, upload, content = file
    columns = rows_claims.COLUMNS if upload.kind == "claims" else rows_items.COLUMNS
    notation = Notation(upload.options.get("notation", Notation.EITHER.value))
    with tempfile.NamedTemporaryFile(prefix="kulanz-", suffix=".csv") as kept:
        await asyncio.to_thread(Path(kept.name).write_bytes, content)
        rows: RowFile = await asyncio.to_thread(
            open_rows, Path(kept.name), columns, notation=notation
        )
        told.rows_total = rows.rows_total
        setting = Setting(
            now=parts.clock.now(),
            zone=ZoneInfo(merchant.timezone),
            currency=merchant.currency,
            region="DE",
            notation=rows.notation,
        )
        source = Source(upload.kind, upload.name, rows.sha256)
        if upload.kind == "open_items":
            items = await take_items(
                session, rows.records(), setting, source,
                merchant_id=merchant.id, report=told.problem, progress=told.progress,
            )  # fmt: skip
            return {
                "rows_total": items.rows_total,
                "rows_posted": items.rows_posted,
                "rows_repeated": items.rows_repeated,
                "rows_confirmed": items.rows_confirmed,
            }
        claims = await take_claims(
            session, rows.records(), setting, source,
            merchant_id=merchant.id, apply_changes=bool(upload.options.get("apply_changes")),
            report=told.problem, show=told.difference, progress=told.progress,
        )  # fmt: skip
        return {
            "rows_total": claims.rows_total,
            "rows_added": claims.rows_added,
            "rows_unchanged": claims.rows_unchanged,
            "rows_changed": claims.rows_changed,
            "applied": claims.applied,
            "differences": told.differences,
        }


async def _statements(
    parts: Parts, session: AsyncSession, file: tuple[Merchant, Upload, bytes], told: Told
) -> dict[str, Any]:
    """Bank statements, as over REST."""
    merchant, upload, content = file
    statements = await bank_intake.read(content)
    told.rows_total = sum(len(statement.movements) for statement in statements)
    outcome = await bank_intake.take_in(
        session, merchant, statements,
        name=upload.name, data=content, now=parts.clock.now(), progress=told.progress,
    )  # fmt: skip
    return bank_intake.report(outcome)


@asynccontextmanager
async def shown(parts: Parts, merchant_id: int, upload_id: int, told: Told) -> AsyncIterator[None]:
    """Note how far it is from time to time, for whoever looks at the page."""

    async def note() -> None:
        while True:
            async with parts.database.merchant(merchant_id) as session:
                await session.execute(
                    update(Upload)
                    .where(Upload.id == upload_id, Upload.state.in_(uploads.UNFINISHED))
                    .values(state="running", rows_total=told.rows_total, rows_done=told.rows_done)
                )
            await asyncio.sleep(NOTED_EVERY_SECONDS)

    noting = asyncio.create_task(note())
    try:
        yield
    finally:
        noting.cancel()
        with suppress(asyncio.CancelledError):
            await noting


async def _refuse(
    parts: Parts,
    merchant_id: int,
    upload_id: int,
    told: Told,
    refused: FileRefused | RowsRefused | StatementRefused,
) -> None:
    """Nothing of it was taken; why."""
    report: dict[str, Any] = {}
    if isinstance(refused, StatementRefused):
        report = {"code": refused.code.value, "reason": refused.reason}
    if isinstance(refused, FileRefused):
        for problem in refused.problems:
            told.problem(problem)
    report["problems_total"] = told.problems_total
    told.problems.sort(key=lambda one: int(one["line"]))
    async with parts.database.merchant(merchant_id) as session:
        upload = await _held(session, upload_id)
        if upload is not None and upload.state in uploads.UNFINISHED:
            upload.rows_total = told.rows_total
            uploads.finish(
                upload, "refused", parts.clock.now(), report=report, problems=told.problems
            )


async def _held(session: AsyncSession, upload_id: int) -> Upload | None:
    found: Upload | None = await session.scalar(
        select(Upload).where(Upload.id == upload_id).with_for_update()
    )
    return found

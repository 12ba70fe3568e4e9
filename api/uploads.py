"""Files handed over at the console: kept until a job has read them, with what became of them.

The reading is that of the command line and of REST. What it did and that it is done are committed
together, so a job that is repeated finds either nothing done or everything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import procrastinate
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from ledger.bank.files import FILE_BYTES_MAX
from ledger.money import Notation
from storage.engine import driver_connection
from storage.tables import IntakeBatch, Upload

KINDS: Final = ("claims", "open_items", "bank_statement")
BYTES_MAX: Final = FILE_BYTES_MAX
NAME_CHARACTERS_MAX = 120
LISTED_MAX = 20
TASK = "take_upload"
QUEUE = "uploads"
UNFINISHED = ("waiting", "running")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('hand over'), (:merchant)::int)")


class UploadRefused(ValueError):
    """A file that is not taken to be read; the text is the code of why."""


class TakenBefore(UploadRefused):
    """The same file was handed over before; `at` says when."""

    def __init__(self, at: datetime) -> None:
        super().__init__("taken_before")
        self.at = at


@dataclass(frozen=True, slots=True)
class Given:
    """A file as somebody hands it over."""

    kind: str
    name: str
    content: bytes
    notation: Notation = Notation.EITHER
    apply_changes: bool = False
    again: bool = False
    """It may be the same as one before."""


async def hand_over(
    session: AsyncSession,
    app: procrastinate.App,
    merchant_id: int,
    given: Given,
    *,
    person: str,
    now: datetime,
) -> int:
    """Keep a file and ask for it to be read, in the caller's transaction; its number.

    One that still waits to be read is not kept a second time.

    Raises:
        UploadRefused: it is empty or too large, or was handed over before (TakenBefore).
    """
    if not given.content:
        raise UploadRefused("empty")
    if len(given.content) > BYTES_MAX:
        raise UploadRefused("too_large")
    sha256 = hashlib.sha256(given.content).hexdigest()
    await session.execute(_ONE_AT_A_TIME, {"merchant": merchant_id % 2**31})
    same = Upload.merchant_id == merchant_id, Upload.kind == given.kind, Upload.sha256 == sha256
    waiting = await session.scalar(
        select(Upload.id).where(*same, Upload.state.in_(UNFINISHED)).order_by(Upload.id.desc())
    )
    if waiting is not None:
        return waiting
    if not given.again:
        before = await session.scalar(
            select(IntakeBatch.at)
            .where(
                IntakeBatch.merchant_id == merchant_id,
                IntakeBatch.kind == given.kind,
                IntakeBatch.sha256 == sha256,
            )
            .order_by(IntakeBatch.id.desc())
            .limit(1)
        )
        if before is not None:
            raise TakenBefore(before)
    upload = Upload(
        merchant_id=merchant_id,
        kind=given.kind,
        name=" ".join(given.name.split())[-NAME_CHARACTERS_MAX:] or given.kind,
        sha256=sha256,
        content=given.content,
        options={"notation": given.notation.value, "apply_changes": given.apply_changes},
        state="waiting",
        person=person,
        created_at=now,
    )
    session.add(upload)
    await session.flush()
    await app.configure_task(
        f"kulanz:{TASK}",
        queue=QUEUE,
        lock=f"uploads:{merchant_id}",
        connection=await driver_connection(session),
    ).defer_async(merchant_id=merchant_id, upload_id=upload.id)
    return upload.id


async def one(session: AsyncSession, merchant_id: int, upload_id: int) -> Upload | None:
    """A file's progress and report, without the file."""
    found: Upload | None = await session.scalar(
        select(Upload)
        .options(defer(Upload.content, raiseload=True))
        .where(Upload.merchant_id == merchant_id, Upload.id == upload_id)
    )
    return found


async def listed(
    session: AsyncSession, merchant_id: int, *, before: int | None = None
) -> tuple[Sequence[Upload], int | None]:
    """Files handed over, the newest first, and where the next page begins."""
    wanted = [Upload.merchant_id == merchant_id]
    if before is not None:
        wanted.append(Upload.id < before)
    rows = (
        await session.scalars(
            select(Upload)
            .options(defer(Upload.content, raiseload=True))
            .where(*wanted)
            .order_by(Upload.id.desc())
            .limit(LISTED_MAX + 1)
        )
    ).all()
    return rows[:LISTED_MAX], rows[LISTED_MAX - 1].id if len(rows) > LISTED_MAX else None


def finish(
    upload: Upload,
    state: str,
    now: datetime,
    *,
    report: Mapping[str, Any],
    problems: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Say what became of a file, and let its content go."""
    upload.state, upload.finished_at, upload.content = state, now, None
    upload.report, upload.problems = dict(report), [dict(one) for one in problems]

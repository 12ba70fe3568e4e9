"""Conversations as files: the chosen ones as CSV or JSON Lines, one as a PDF.

Covered, unless somebody who may uncover asks for it. Each file stands in the log before its first
line leaves, with what was chosen.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import StreamingResponse

from api.pages.console.choice import Choice
from api.pages.console.conversations import Id
from api.pages.console.page import console_router, language_of, notice, parts_of
from api.pages.console.transcript_pdf import transcript_pdf
from api.pages.console.view import texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import export, transcript
from conversation.finding import Place

router = console_router()

Exporter = Annotated[SignedIn, Depends(Needs(Permission.EXPORT))]
KINDS = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
PDF_MESSAGES_MAX = 2_000
_BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets take a file for UTF-8 by it."""


@router.post("/conversations/export")
async def export_chosen(
    request: Request,
    person: Exporter,
    kind: Annotated[str, Form(max_length=10)] = "csv",
    uncovered: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """All messages of the conversations that the form's choice fits."""
    kind = kind if kind in KINDS else "csv"
    open_ = uncovered == "yes"
    if open_ and not person.may(Permission.REVEAL):
        return notice(request, "not_allowed", 403, {"person": person})
    chosen, parts = Choice.read((await request.form()).multi_items()), parts_of(request)
    now = parts.clock.now()
    # What was looked for may be a name, so only what was chosen from lists is kept.
    listed = [mark for mark in chosen.marks if not mark.startswith("agent:")]
    async with parts.database.merchant(person.merchant_id) as session:
        audit.note(
            session, person, "transcripts_exported", now,
            merchant_id=person.merchant_id, file=kind, uncovered=open_, chosen=listed,
        )  # fmt: skip
    labels = None if open_ else texts(language_of(request))["covered"]
    name = f"transcripts-{now.astimezone(person.zone):%Y-%m-%d}.{kind}"
    return StreamingResponse(
        _lines(request, person, chosen, labels, kind),
        media_type=KINDS[kind],
        headers=_headers(name),
    )


@router.post("/conversations/{conversation}/pdf")
async def export_one(
    request: Request,
    person: Exporter,
    conversation: Id,
    uncovered: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """One conversation to print or to file."""
    open_ = uncovered == "yes"
    if open_ and not person.may(Permission.REVEAL):
        return notice(request, "not_allowed", 403, {"person": person})
    parts = parts_of(request)
    now = parts.clock.now()
    async with parts.database.merchant(person.merchant_id) as session:
        read = await transcript.read(
            session, person.merchant_id, conversation, limit=PDF_MESSAGES_MAX
        )
        if read is None:
            return notice(request, "nothing", 404, {"person": person})
        audit.note(
            session, person, "transcripts_exported", now,
            merchant_id=person.merchant_id, customer_id=read.conversation.customer_id,
            conversation_id=conversation, file="pdf", uncovered=open_,
        )  # fmt: skip
    made = await transcript_pdf(read, person, language_of(request), now, covered=not open_)
    return attachment(made, "application/pdf", f"transcript-{conversation}.pdf")


def attachment(content: str | bytes, media_type: str, name: str) -> Response:
    """A file to keep."""
    return Response(content, media_type=media_type, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }


async def _lines(
    request: Request, person: SignedIn, chosen: Choice, labels: dict[str, str] | None, kind: str
) -> AsyncIterator[str]:
    """The file, some conversations at a time; no connection is held while it is sent."""
    if kind == "csv":
        yield _BYTE_ORDER_MARK + export.csv_lines([], head=True)
    database, question = parts_of(request).database, chosen.question(person.zone)
    before: Place | None = None
    seen: set[int] = set()
    while True:
        async with database.merchant(person.merchant_id) as session:
            rows, before = await export.batch(
                session, person.merchant_id, question, labels, person.zone, before=before, seen=seen
            )
        yield export.csv_lines(rows) if kind == "csv" else "".join(map(export.json_line, rows))
        if before is None:
            return

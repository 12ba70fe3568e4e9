"""``/console/imports``: claims, open items and bank statements handed over as files."""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData, UploadFile

from api import uploads
from api.pages.console.conversations import Id
from api.pages.console.page import (
    FORM_BYTES_MAX,
    ConsoleRoute,
    console_router,
    go,
    language_of,
    notice,
    parts_of,
    query,
    respond,
)
from api.pages.console.settings import told
from api.pages.console.settings.page import SCRIPTED, Before
from api.pages.console.view import moment, texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from api.uploads import Given, TakenBefore, UploadRefused
from ledger.money import Notation
from storage.tables import Upload


class FileRoute(ConsoleRoute):
    """A route that takes a file."""

    bytes_max = uploads.BYTES_MAX + FORM_BYTES_MAX


router = console_router(FileRoute)

PATH = "/console/imports"
Keeper = Annotated[SignedIn, Depends(Needs(Permission.CLAIMS))]
Treasurer = Annotated[SignedIn, Depends(Needs(Permission.PAYMENTS))]


@router.get("/imports")
async def listed(request: Request, person: Keeper, before: Before = None) -> Response:
    """Hand a file over, and see what became of those before."""
    return await _list(request, person, {}, before=before)


@router.post("/imports/rows")
async def hand_over_rows(request: Request, person: Keeper) -> Response:
    """Take a CSV file of claims or of what happened to open items."""
    form = await request.form()
    kind = form.get("kind")
    if kind not in ("claims", "open_items"):
        return await _list(request, person, {"rows": "kind"})
    return await _handed_over(request, person, str(kind), "rows", form)


@router.post("/imports/statements")
async def hand_over_statements(request: Request, person: Treasurer) -> Response:
    """Take a bank statement."""
    form = await request.form()
    return await _handed_over(request, person, "bank_statement", "statements", form)


@router.get("/imports/{upload}")
async def one(request: Request, person: Keeper, upload: Id) -> Response:
    """How far a file is, and what became of it."""
    shown = await _found(request, person, upload)
    if shown is None:
        return notice(request, "nothing", 404, {"person": person})
    facts = {"person": person, "one": shown}
    return respond(request, "settings/upload.html", facts, pages=SCRIPTED)


@router.get("/imports/{upload}/progress")
async def progress(request: Request, person: Keeper, upload: Id) -> Response:
    """The part of that page that moves, for its script."""
    shown = await _found(request, person, upload)
    if shown is None:
        return notice(request, "nothing", 404, {"person": person})
    language = language_of(request)
    part = SCRIPTED.part(
        "settings/progress.html", {"t": texts(language), "one": shown}, language=language
    )
    finished = "no" if shown["running"] else "yes"
    return HTMLResponse(part, headers={"X-Finished": finished, "Cache-Control": "no-store"})


async def _handed_over(
    request: Request, person: SignedIn, kind: str, form_name: str, form: FormData
) -> Response:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _list(request, person, {form_name: "none"})
    notation = str(form.get("notation", ""))
    given = Given(
        kind=kind,
        name=file.filename,
        content=await file.read(),
        notation=Notation(notation) if notation in tuple(Notation) else Notation.EITHER,
        apply_changes=form.get("apply_changes") == "yes",
        again=form.get("again") == "yes",
    )
    now = parts_of(request).clock.now()
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            number = await uploads.hand_over(
                session, request.app.state.jobs, person.merchant_id, given,
                person=person.operator, now=now,
            )  # fmt: skip
            audit.note(
                session, person, "file_handed_over", now,
                merchant_id=person.merchant_id, upload=number, what=kind,
            )  # fmt: skip
    except TakenBefore as before:
        at = moment(before.at, language_of(request), person.zone)
        return await _list(request, person, {form_name: "taken_before"}, at=at)
    except UploadRefused as refused:
        return await _list(request, person, {form_name: str(refused)})
    return go(request, f"{PATH}/{number}")


async def _list(
    request: Request,
    person: SignedIn,
    wrong: dict[str, str],
    *,
    at: str = "",
    before: int | None = None,
) -> Response:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        rows, older = await uploads.listed(session, person.merchant_id, before=before)
    language = language_of(request)
    words = texts(language)["imports"]
    lang = request.query_params.get("lang", "")
    facts = {
        "person": person,
        "rows": [_line(row, language, person) for row in rows],
        "wrong": {
            form: words["refused"][code].format(at=at, mb=uploads.BYTES_MAX // 1024**2)
            for form, code in wrong.items()
        },
        "before": {form for form, code in wrong.items() if code == "taken_before"},
        "may_statements": person.may(Permission.PAYMENTS),
        "mb": uploads.BYTES_MAX // 1024**2,
        "notations": [one.value for one in Notation],
        "older": query(before=older, lang=lang) if older else "",
        "newest": (query(lang=lang) or "?") if before else "",
    }
    return respond(request, "settings/imports.html", facts, 422 if wrong else 200)


async def _found(request: Request, person: SignedIn, number: int) -> dict[str, Any] | None:
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        upload = await uploads.one(session, person.merchant_id, number)
    if upload is None:
        return None
    return _whole(upload, language_of(request), person)


def _line(upload: Upload, language: str, person: SignedIn) -> dict[str, Any]:
    words = texts(language)["imports"]
    return {
        "id": upload.id,
        "name": upload.name,
        "kind": words["kinds"][upload.kind],
        "at": moment(upload.created_at, language, person.zone),
        "iso": upload.created_at.isoformat(),
        "who": upload.person,
        "state": upload.state,
        "state_words": words["states"][upload.state],
        "running": upload.state in uploads.UNFINISHED,
    }


def _whole(upload: Upload, language: str, person: SignedIn) -> dict[str, Any]:
    """A file with its progress, report and errors, in words."""
    words = texts(language)["imports"]
    total, done = upload.rows_total, upload.rows_done
    report = dict(upload.report)
    counts = report.get("movements", report)
    code = report.get("code")
    return {
        **_line(upload, language, person),
        "what": upload.kind,
        "total": total,
        "done": min(done, total) if total else done,
        "step": _step(total, done, words),
        "counts": [
            (words["counts"][name], counts[name]) for name in words["counts"] if name in counts
        ],
        "applied": report.get("applied", True),
        "differences": report.get("differences", []),
        "refusal": words["statement_refused"].get(code, "") if code else "",
        "detail": report.get("reason", ""),
        "problems_total": report.get("problems_total", 0),
        "problems": [
            {
                "line": one["line"],
                "column": one["column"],
                "told": told.told(one["reason"], language, "rows"),
            }
            for one in upload.problems
        ],
    }


def _step(total: int | None, done: int, words: dict[str, Any]) -> str:
    if total is None:
        return str(words["waits"])
    return str(words["writing"] if done >= total else words["checking"])

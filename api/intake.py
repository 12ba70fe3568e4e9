"""The merchant's REST intake: open claims, what happens to open items, and later orders."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.callers import OF_KEY, Failure, ForClaims
from api.wiring import Parts
from ledger import rows_claims, rows_items, rows_reorders
from ledger.contact import is_region
from ledger.intake_book import Difference, RowsRefused, Source, take_claims
from ledger.intake_items import take_items
from ledger.intake_reorders import take_reorders
from ledger.money import Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Column, Record
from storage.tables import Merchant

BODY_BYTES_MAX = 10 * 1024 * 1024
ROWS_MAX = 5000

router = APIRouter(prefix="/api/v1", tags=["intake"])
Outcome = TypeVar("Outcome")


class RowProblem(BaseModel):
    """Why a row cannot be taken."""

    row: int = Field(description="Place in the list, from 1; 0: the request as a whole.")
    column: str = Field(description="Name of the field; empty: the row as a whole.")
    reason: str

    model_config = {
        "json_schema_extra": {
            "example": {"row": 3, "column": "due_date", "reason": "lies before the invoice date"}
        }
    }


class Refused(BaseModel):
    """Nothing was taken; every problem of every row is listed."""

    error: str = Field(examples=["rows_refused"])
    problems: list[RowProblem]


class ChangedFact(BaseModel):
    """A fact that a row states otherwise than it is kept."""

    row: int
    claim_reference: str | None = Field(description="Null: a fact of the customer.")
    customer_number: str
    column: str
    old: str | None
    new: str | None


class ClaimsTaken(BaseModel):
    """What became of the claims."""

    batch: int
    rows_total: int
    rows_added: int
    rows_changed: int = Field(description="Held back unless changes_applied.")
    rows_unchanged: int = Field(description="Their open amounts count as confirmed.")
    changes_applied: bool
    differences: list[ChangedFact]


class ItemsTaken(BaseModel):
    """What became of the changes."""

    batch: int
    rows_total: int
    rows_posted: int
    rows_repeated: int = Field(description="Events that had been sent before.")
    rows_confirmed: int


class ReordersTaken(BaseModel):
    """What became of the orders."""

    batch: int
    rows_total: int
    rows_added: int
    rows_repeated: int = Field(description="Orders that had been sent before.")
    rows_unknown: int = Field(description="Left aside: of customers without a claim here.")


def _list_of(columns: tuple[Column, ...], name: str) -> dict[str, Any]:
    """Describe a request body whose rows have these columns."""
    row = {
        "title": name,
        "type": "object",
        "additionalProperties": False,
        "required": [column.name for column in columns if column.required],
        "properties": {
            column.name: {
                "description": column.meaning,
                "example": column.example,
                "anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")],
            }
            for column in columns
        },
    }
    example = {column.name: column.example for column in columns}
    schema = {"type": "array", "minItems": 1, "maxItems": ROWS_MAX, "items": row}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": [example]}},
        }
    }


Region = Annotated[
    str,
    Query(
        pattern="^[A-Z]{2}$",
        description="ISO 3166-1 country that completes phone numbers without country code.",
    ),
]
RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "The body is not JSON."},
    **OF_KEY,
    413: {"model": Failure, "description": f"More than {BODY_BYTES_MAX} bytes."},
    422: {"model": Refused, "description": "Some rows cannot be taken, so none was."},
}


@router.post(
    "/claims",
    response_model=ClaimsTaken,
    responses=RESPONSES,
    openapi_extra=_list_of(rows_claims.COLUMNS, "Claim"),
    summary="Hand over open claims, or confirm them",
)
async def post_claims(
    request: Request,
    merchant: ForClaims,
    apply_changes: Annotated[
        bool,
        Query(
            description="Take over what differs from what is kept; without it, differences are "
            "only shown and the rows that have them are held back."
        ),
    ] = False,
    region: Region = "DE",
) -> ClaimsTaken | JSONResponse:
    """Take a list of at most 5,000 open claims: all of them, or none if one has a problem.

    The key of a claim is its `claim_reference` (else `invoice_number`). Sending a claim again
    changes nothing; it confirms the claim's open amount. A changed open amount is posted as an
    additional charge or a credit note. Empty and missing fields say nothing: what is kept stays.
    Amounts are written with a decimal point (`"129.90"`), dates as `2026-12-31`.
    """
    differences: list[Difference] = []
    taking = partial(take_claims, apply_changes=apply_changes, show=differences.append)
    outcome = await _taken(request, merchant, "claims", rows_claims.COLUMNS, taking, region)
    if isinstance(outcome, JSONResponse):
        return outcome
    return ClaimsTaken(
        batch=outcome.batch_id,
        rows_total=outcome.rows_total,
        rows_added=outcome.rows_added,
        rows_changed=outcome.rows_changed,
        rows_unchanged=outcome.rows_unchanged,
        changes_applied=outcome.applied,
        differences=[
            ChangedFact(row=difference.line, **_without_line(difference))
            for difference in differences
        ],
    )


@router.post(
    "/open-items",
    response_model=ItemsTaken,
    responses=RESPONSES,
    openapi_extra=_list_of(rows_items.COLUMNS, "OpenItemChange"),
    summary="Report payments, credit notes, returns, recalls and confirmations",
)
async def post_open_items(request: Request, merchant: ForClaims) -> ItemsTaken | JSONResponse:
    """Take a list of at most 5,000 changes in the order they happened: all of them, or none.

    Your `event_id` makes each event happen once: sending it again changes nothing, sending it
    with other content is refused. No message goes out on a claim whose open amount was not
    confirmed lately (24 hours unless set otherwise), so send confirmations, or the claims
    themselves, every day.
    """
    outcome = await _taken(request, merchant, "open_items", rows_items.COLUMNS, take_items)
    if isinstance(outcome, JSONResponse):
        return outcome
    return ItemsTaken(
        batch=outcome.batch_id,
        rows_total=outcome.rows_total,
        rows_posted=outcome.rows_posted,
        rows_repeated=outcome.rows_repeated,
        rows_confirmed=outcome.rows_confirmed,
    )


@router.post(
    "/reorders",
    response_model=ReordersTaken,
    responses=RESPONSES,
    openapi_extra=_list_of(rows_reorders.COLUMNS, "Reorder"),
    summary="Report orders, to see who buys again",
)
async def post_reorders(request: Request, merchant: ForClaims) -> ReordersTaken | JSONResponse:
    """Take a list of at most 5,000 orders: all of them, or none if one has a problem.

    Your `order_number` makes each order count once: sending it again changes nothing, sending it
    with other content is refused. Send all orders of a day if that is easier: those of customers
    without a claim here are not kept.
    """
    outcome = await _taken(request, merchant, "reorders", rows_reorders.COLUMNS, take_reorders)
    if isinstance(outcome, JSONResponse):
        return outcome
    return ReordersTaken(
        batch=outcome.batch_id,
        rows_total=outcome.rows_total,
        rows_added=outcome.rows_added,
        rows_repeated=outcome.rows_repeated,
        rows_unknown=outcome.rows_unknown,
    )


async def _taken(
    request: Request,
    merchant: Merchant,
    kind: str,
    columns: tuple[Column, ...],
    take: Callable[..., Awaitable[Outcome]],
    region: str = "DE",
) -> Outcome | JSONResponse:
    """What became of the rows of a request, all or none; or the answer with every problem."""
    parts: Parts = request.app.state.parts
    body = await read_body(request, BODY_BYTES_MAX)
    problems: list[Problem] = []
    try:
        async with parts.database.merchant(merchant.id) as session:
            return await take(
                session,
                _records(_rows(body), columns),
                _setting(parts, merchant, region),
                Source(kind, "api", hashlib.sha256(body).hexdigest()),
                merchant_id=merchant.id,
                report=problems.append,
            )
    except RowsRefused:
        return _refusal(problems)


def _setting(parts: Parts, merchant: Merchant, region: str) -> Setting:
    if not is_region(region):
        raise HTTPException(400, "region is no country that phone numbers are known of")
    return Setting(
        now=parts.clock.now(),
        zone=ZoneInfo(merchant.timezone),
        currency=merchant.currency,
        region=region,
        notation=Notation.ENGLISH,
    )


def _without_line(difference: Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(difference).items() if name != "line"}


def _refusal(problems: list[Problem]) -> JSONResponse:
    listed = [
        RowProblem(row=problem.line, column=problem.column, reason=problem.reason)
        for problem in sorted(problems, key=lambda problem: problem.line)
    ]
    return JSONResponse(
        Refused(error="rows_refused", problems=listed).model_dump(), status_code=422
    )


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read the body without ever holding more of it than is allowed.

    Raises:
        HTTPException: 413.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise HTTPException(413, f"at most {bytes_max} bytes; send several requests")
        chunks.append(chunk)
    return b"".join(chunks)


def _rows(body: bytes) -> list[Any]:
    """Read a JSON list; numbers stay the text they were written as, so no amount is rounded.

    Raises:
        HTTPException: 400 for another body, 413 for too many rows.
    """
    try:
        rows = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(rows, list) or not rows:
        raise HTTPException(400, "the body must be a list with at least one row")
    if len(rows) > ROWS_MAX:
        raise HTTPException(413, f"at most {ROWS_MAX} rows; send several requests")
    return rows


def _records(rows: list[Any], columns: tuple[Column, ...]) -> Iterator[Record | Problem]:
    """Give each row as a record of texts, or what is wrong with its shape."""
    names = {column.name for column in columns}
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            yield Problem(place, "", "must be an object")
            continue
        cells: dict[str, str] = {}
        shapely = True
        for name, value in row.items():
            text = _text(value)
            if name not in names:
                printable = name[:60].encode(errors="replace").decode()
                yield Problem(place, printable, "unknown field")
                shapely = False
            elif text is None:
                yield Problem(place, name, "must be a text, a number, true, false or null")
                shapely = False
            elif text.strip():
                cells[name] = text
        if shapely:
            yield Record(place, cells)


def _text(value: Any) -> str | None:
    """A JSON value as the text of a cell; None for objects and lists."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else None

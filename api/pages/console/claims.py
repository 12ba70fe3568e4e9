"""``/console/claims``: all claims, found by whatever somebody has at hand."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from api.pages.console.customer_view import claim_state
from api.pages.console.page import console_router, language_of, parts_of, query, respond
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation.wording import formats
from ledger.book_list import Cursor, ListedClaim, Order, Which, listed, order_of
from ledger.book_search import MATCHES_MAX, TYPED_CHARACTERS_MAX, Found, search

router = console_router()

Reader = Annotated[SignedIn, Depends(Needs(Permission.READ))]


@router.get("/claims")
async def claims(
    request: Request,
    person: Reader,
    q: Annotated[str, Query(max_length=4 * TYPED_CHARACTERS_MAX)] = "",
    state: str = "",
    sort: str = "",
    after: str = "",
    lang: str = "",
) -> Response:
    """A page of the list; names and numbers of customers are looked for, not shown."""
    q = q.strip()
    which = Which(state) if state in tuple(Which) else (Which.ALL if q else Which.PURSUED)
    order = order_of(Order(sort) if sort in tuple(Order) else Order.DUE, which)
    today = parts_of(request).clock.now().astimezone(person.zone).date()
    cursor = Cursor.read(after, order)
    found: Found | None = None
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        if q:
            found = await search(session, person.merchant_id, q)
        rows: list[ListedClaim] = []
        further: Cursor | None = None
        if found is None or found:
            rows, further = await listed(
                session, person.merchant_id, which, order,
                today=today, found=found, after=cursor,
            )  # fmt: skip
    language = language_of(request)
    kept = {"q": q, "state": which.value, "sort": order.value, "lang": lang}
    facts = {
        "person": person,
        "rows": [_row(row, language, today) for row in rows],
        "chosen": kept,
        "states": [one.value for one in Which],
        "orders": [one.value for one in Order],
        "further": query(**kept, after=further) if further else "",
        "first": query(**kept) if cursor else "",
        "everywhere": query(**{**kept, "state": Which.ALL.value}) if which is not Which.ALL else "",
        "everything": query(state=Which.ALL.value, lang=lang),
        "matches_max": MATCHES_MAX if found and found.more else 0,
    }
    return respond(request, "claims.html", facts)


def _row(row: ListedClaim, language: str, today: date) -> dict[str, Any]:
    return {
        "customer": row.customer_id,
        "number": row.customer_number,
        "claim": row.id,
        "invoice": row.invoice_number,
        "due": formats.day(row.due_date.isoformat(), language, short=True),
        "iso": row.due_date.isoformat(),
        "open": formats.money(row.open.to_json(), language),
        **claim_state(row.status, row.paused_until, today, language),
    }

"""``/console/claims``: all claims, found by whatever somebody has at hand."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from api.overview import WHOLE_DAYS
from api.pages.console.customer_view import claim_state
from api.pages.console.page import console_router, language_of, parts_of, query, respond
from api.pages.console.period import band_of, channel_of, day_of
from api.pages.console.view import texts
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation.wording import formats
from ledger.book_among import Among, Happened
from ledger.book_list import Cursor, ListedClaim, Order, Which, listed, order_of
from ledger.book_search import MATCHES_MAX, TYPED_CHARACTERS_MAX, Found, search

router = console_router()

Reader = Annotated[SignedIn, Depends(Needs(Permission.READ))]
Word = Annotated[str, Query(max_length=40)]


@router.get("/claims")
async def claims(
    request: Request,
    person: Reader,
    q: Annotated[str, Query(max_length=4 * TYPED_CHARACTERS_MAX)] = "",
    state: Word = "",
    sort: Word = "",
    after: Word = "",
    event: Word = "",
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Word = "",
    channel: Word = "",
    band: Word = "",
    lang: str = "",
) -> Response:
    """A page of the list; names and numbers of customers are looked for, not shown."""
    q = q.strip()
    today = parts_of(request).clock.now().astimezone(person.zone).date()
    among = _among(event, (from_, until), channel, band, person, today)
    usual = Which.ALL if q or (among and among.happened) else Which.PURSUED
    which = Which(state) if state in tuple(Which) else usual
    order = order_of(Order(sort) if sort in tuple(Order) else Order.DUE, which, among)
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
                today=today, found=found, among=among, after=cursor,
            )  # fmt: skip
    language = language_of(request)
    narrowed = _words(among)
    kept = {"q": q, "state": which.value, "sort": order.value, **narrowed, "lang": lang}
    facts = {
        "person": person,
        "rows": [_row(row, language, today) for row in rows],
        "chosen": kept,
        "narrowed": narrowed,
        "narrowed_words": _said(among, language),
        "states": [one.value for one in Which],
        "orders": [one.value for one in Order if order_of(one, which, among) is one],
        "further": query(**kept, after=further) if further else "",
        "first": query(**kept) if cursor else "",
        "everywhere": query(**{**kept, "state": Which.ALL.value}) if which is not Which.ALL else "",
        "everything": query(state=Which.ALL.value, lang=lang),
        "matches_max": MATCHES_MAX if found and found.more else 0,
    }
    return respond(request, "claims.html", facts)


def _among(
    event: str, days: tuple[str, str], channel: str, band: str, person: SignedIn, today: date
) -> Among | None:
    """What narrows the list besides its state; None where nothing does."""
    happened = Happened(event) if event in tuple(Happened) else None
    channel, of_band = channel_of(channel), band_of(band)
    if happened is None and not channel and of_band is None:
        return None
    earliest = today - timedelta(days=WHOLE_DAYS - 1)
    first, last = day_of(days[0]) or earliest, day_of(days[1]) or today
    # Beyond these no moment can be reckoned, and nothing happened.
    first, last = max(first, earliest), min(last, today)
    return Among(happened, first, last, person.zone, channel, of_band)


def _words(among: Among | None) -> dict[str, str]:
    """What narrows the list, as words of an address."""
    if among is None:
        return {}
    days = among.happened is not None and among.happened is not Happened.PROMISED
    return {
        "event": among.happened or "",
        "from": among.first.isoformat() if days else "",
        "until": among.last.isoformat() if days else "",
        "channel": among.channel,
        "band": among.band or "",
    }


def _said(among: Among | None, language: str) -> str:
    """The same as a reader is told."""
    if among is None:
        return ""
    words, said = texts(language), []
    if among.happened is not None:
        first, last = (
            formats.day(one.isoformat(), language, short=True) for one in (among.first, among.last)
        )
        said.append(words["narrowed_by"][among.happened].format(first=first, last=last))
    if among.channel:
        said.append(words["channels"][among.channel])
    if among.band is not None:
        said.append(words["bands"][among.band])
    return ", ".join(said)


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

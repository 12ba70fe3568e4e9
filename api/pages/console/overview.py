"""``/console``: how things stand, what came of the contacts, and where to look closer."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from api import overview as gathered
from api.overview import Chosen, Figures
from api.pages.console.overview_view import View
from api.pages.console.page import language_of, parts_of, query, respond
from api.pages.console.period import CHANNELS, PERIODS, band_of, channel_of, period_of
from api.pages.console.view import moment
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from ledger.segment import Band
from storage.tables import Merchant

Word = Annotated[str, Query(max_length=40)]


async def overview(
    request: Request,
    person: Annotated[SignedIn, Depends(Needs(Permission.READ))],
    period: Word = "",
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Word = "",
    channel: Word = "",
    band: Word = "",
    lang: Word = "",
) -> Response:
    """The figures of a period and a segment, as they were last gathered."""
    parts, language = parts_of(request), language_of(request)
    today = parts.clock.now().astimezone(person.zone).date()
    of = period_of(period, from_, until, today)
    channel, of_band = channel_of(channel), band_of(band)
    chosen = Chosen(of.first, of.last, channel, of_band or "")
    async with parts.database.merchant(person.merchant_id) as session:
        merchant = await session.get_one(Merchant, person.merchant_id)
        figures = await gathered.read(session, merchant.id, chosen)
        if figures is None:  # nobody has looked before: later on a job does it
            await gathered.refresh(session, merchant, parts.clock.now())
            figures = await gathered.read(session, merchant.id, chosen)
    kept = {"channel": channel, "band": of_band or "", "lang": lang}
    days = {"from": of.first.isoformat(), "until": of.last.isoformat()}
    facts: dict[str, Any] = {
        "person": person,
        "chosen": {"period": of.name, **days, **kept},
        "typed": {"from": from_, "until": until} if of.wrong else days,
        "wrong": of.wrong,
        "today": today.isoformat(),
        "periods": [(name, query(period=name, **kept)) for name in PERIODS],
        "channels": CHANNELS,
        "bands": [one.value for one in Band],
    }
    if isinstance(figures, Figures):
        facts["at"] = moment(figures.at, language, person.zone)
        facts |= View(figures, of, kept, merchant.currency, language).all()
    return respond(request, "overview.html", facts)

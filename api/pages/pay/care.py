"""What else a customer may want: something is not right, a call, other channels, quiet, their data.

The same effects as in the chat; what they write goes into the transcript, where a person reads it.
"""

from datetime import date, time, timedelta
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Query, Request, Response
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from api.pages.pay.entry import ask_code
from api.pages.pay.overview import BIGGEST
from api.pages.pay.settle import FormId, Text, tell_chat
from api.pages.pay.visit import HOME, NotVisiting, Visit, go, visiting
from api.queue import Overtaken, defer_woken
from channels.message import Channel
from conversation import contact_thanks, ways
from conversation.look import lock
from conversation.masking import masked_storable
from conversation.page_visit import WORDS_MAX, keep_words
from conversation.port import Port, conversation_port
from ledger import book
from storage.tables import PageFeedback

router = APIRouter(prefix=HOME, include_in_schema=False)
DISPUTES = ("paid", "goods", "unknown", "withdrawal", "other")
CHANNELS = ("sms", "whatsapp", "telegram")
Words = Annotated[str, Form(max_length=2 * WORDS_MAX)]
OptionalId = Annotated[int | None, Query(ge=1, le=BIGGEST)]
again = retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)


@router.get("/dispute")
async def dispute_form(request: Request, claim: OptionalId = None, lang: str = "") -> Response:
    """Something is not right: what, and in their own words."""
    try:
        async with visiting(request, lang=lang) as here:
            views = [one for one in await here.claims() if one.record.claim.status == "open"]
            if not views:
                return go(HOME)
            picked = next((one for one in views if one.id == claim), views[0])
            facts = {"views": views, "picked": picked.id, "reasons": DISPUTES, "missing": False}
            return here.respond("dispute.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/dispute")
@again
async def dispute(
    request: Request, claim: FormId, reason: Text = "", words: Words = "", csrf: Text = ""
) -> Response:
    """The claim rests at once, and a person looks into it."""
    try:
        async with visiting(request, csrf=csrf) as here:
            view = await here.claim(claim)
            if view is None or view.record.claim.status not in ("open", "disputed"):
                return go(HOME)
            if reason not in DISPUTES:
                facts = {"views": [view], "picked": view.id, "reasons": DISPUTES, "missing": True}
                return here.respond("dispute.html", facts, 422)
            conversation = await lock(here.session, here.visitor.conversation_id)
            port = await _port(here)
            until = here.today + timedelta(days=here.policy.check_days)
            code = {"paid": "payment_reported", "withdrawal": "withdrawal"}.get(
                reason, f"dispute_{reason}"
            )
            if reason == "withdrawal":
                await port.note("withdrawal_declared", {"at": "page"}, claim_id=view.id)
            if reason != "paid":
                await book.dispute(here.session, view.id, code, now=here.now)
            await book.pause(here.session, view.id, code, until=until, now=here.now)
            received = {"received": here.now.isoformat()} if reason == "withdrawal" else {}
            await port.request_person(code, {"claim": view.id, "at": "page", **received})
            keep_words(here.session, conversation, code, words, here.now)
            await tell_chat(here)
            return go(f"{HOME}?done={'paid' if reason == 'paid' else 'dispute'}")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.get("/callback")
async def callback_form(request: Request, lang: str = "") -> Response:
    """A call by a person: when, and on which number."""
    try:
        async with visiting(request, lang=lang) as here:
            number = await (await _port(here)).own_number()
            facts = {"ending": number[-3:] if number else "", "latest": here.today + _AHEAD}
            return here.respond("callback.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


_AHEAD = timedelta(days=30)


@router.post("/callback")
async def callback(
    request: Request,
    day: Text = "",
    part: Text = "",
    phone: Text = "",
    words: Words = "",
    csrf: Text = "",
) -> Response:
    """The wish for a call goes to a person, with its day and time of day."""
    try:
        async with visiting(request, csrf=csrf) as here:
            conversation = await lock(here.session, here.visitor.conversation_id)
            wanted = _iso(day)
            when: dict[str, Any] = {}
            if wanted is not None and here.today <= wanted <= here.today + _AHEAD:
                when["day"] = wanted.isoformat()
            if part in ("morning", "afternoon", "evening"):
                when["day_part"] = part
            port = await _port(here)
            known = "known" if await port.own_number() else "unknown"
            when["number"] = "named" if phone.strip() else known
            await port.request_person("callback", {**when, "at": "page"})
            told = "\n".join(part for part in (phone.strip(), words.strip()) if part)
            keep_words(here.session, conversation, "callback", told, here.now)
            here.after.append(conversation.id)
            return go(f"{HOME}?done=callback")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.get("/contact")
async def contact_form(request: Request, lang: str = "", done: str = "") -> Response:
    """How and when they want to hear from us, or not at all."""
    try:
        async with visiting(request, lang=lang) as here:
            port = await _port(here)
            kinds = {name: (await port.way_to(name)).kind for name in CHANNELS}
            facts = {
                "kinds": {n: k.value for n, k in kinds.items() if k is not ways.Kind.CLOSED},
                "here": port.conversation.channel,
                "earliest": _clock(here.customer.contact_from),
                "latest": _clock(here.customer.contact_until),
                "stopped": port.conversation.opted_out_at is not None,
                "link": "",
                "thanks": await contact_thanks.promised(
                    here.session, here.customer, here.policy, here.now
                ),
                "done": done if done in ("hours", "stopped", "moved", "language") else "",
            }
            return here.respond("contact.html", facts)
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/channel")
@again
async def channel(request: Request, channel: Text, csrf: Text = "") -> Response:
    """Go on at an address that was proved before, or get a one-time link to a messenger."""
    try:
        async with visiting(request, csrf=csrf) as here:
            await lock(here.session, here.visitor.conversation_id)
            port = await _port(here)
            if channel not in CHANNELS:
                return go(f"{HOME}/contact")
            way = await port.way_to(Channel(channel))
            if way.kind is ways.Kind.KNOWN:
                await port.prefer_channel(channel)
                await port.go_on_at(channel)
                await defer_woken(here.jobs, here.session, here.merchant.id, port.wake)
                return go(f"{HOME}/contact?done=moved")
            if way.kind is ways.Kind.LINK:
                await port.prefer_channel(channel)
                link = await port.link_to(channel)
                picture = segno.make_qr(link).svg_data_uri(border=4, scale=4, light="#fff")
                facts = {"channel": channel, "link": link, "qr": picture}
                return here.respond("link.html", facts)
            if way.kind is not ways.Kind.CLOSED:
                await port.prefer_channel(channel)
            return go(f"{HOME}/contact?done=moved")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.post("/hours")
async def hours(
    request: Request, earliest: Text = "", latest: Text = "", csrf: Text = ""
) -> Response:
    """The hours of the day in which they want to hear from us; none lets go of both."""
    try:
        async with visiting(request, csrf=csrf) as here:
            await lock(here.session, here.visitor.conversation_id)
            first, last = _time(earliest), _time(latest)
            if first is not None and last is not None and first >= last:
                first, last = last, first
            await (await _port(here)).keep_hours(first, last)
            return go(f"{HOME}/contact?done=hours")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.post("/language")
async def language(request: Request, language: Text, csrf: Text = "") -> Response:
    """The language of the page and of the chat."""
    try:
        async with visiting(request, csrf=csrf, lang=language) as here:
            await lock(here.session, here.visitor.conversation_id)
            if language in ("de", "en"):
                await (await _port(here)).set_language(language)
            return go(f"{HOME}/contact?done=language")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.post("/stop")
async def stop(request: Request, everywhere: bool = Form(False), csrf: Text = "") -> Response:
    """No more messages, at this address or at all. The page stays."""
    try:
        async with visiting(request, csrf=csrf) as here:
            await lock(here.session, here.visitor.conversation_id)
            await (await _port(here)).opt_out(everywhere=everywhere)
            here.after.append(here.visitor.conversation_id)
            return go(f"{HOME}/contact?done=stopped")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.get("/data")
async def data_form(request: Request, lang: str = "") -> Response:
    """Access to their data, or erasure."""
    try:
        async with visiting(request, lang=lang) as here:
            return here.respond("data.html", {"source": await (await _port(here)).address_source()})
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/data")
async def data(request: Request, kind: Text = "access", csrf: Text = "") -> Response:
    """A request under GDPR Art. 15 or 17: kept with its day, answered by a person."""
    try:
        async with visiting(request, csrf=csrf) as here:
            await lock(here.session, here.visitor.conversation_id)
            port = await _port(here)
            wanted = kind if kind in ("access", "erasure") else "access"
            await port.note("data_request", {"at": "page", "kind": wanted})
            summary = {"received": here.today.isoformat(), "kind": wanted}
            await port.request_person("data_request", summary)
            return go(f"{HOME}?done=data")
    except NotVisiting:
        return ask_code(request, "", status=403)


@router.get("/feedback")
async def feedback_form(request: Request, lang: str = "") -> Response:
    """One question and room for words."""
    try:
        async with visiting(request, lang=lang) as here:
            return here.respond("feedback.html", {"state": ""})
    except NotVisiting:
        return ask_code(request, lang)


@router.post("/feedback")
async def feedback(
    request: Request, rating: int = Form(0), words: Words = "", csrf: Text = ""
) -> Response:
    """Keep what they thought of it."""
    try:
        async with visiting(request, csrf=csrf) as here:
            if not 1 <= rating <= 5:
                return here.respond("feedback.html", {"state": "missing"}, 422)
            here.session.add(
                PageFeedback(
                    merchant_id=here.merchant.id,
                    customer_id=here.customer.id,
                    rating=rating,
                    text=masked_storable(words.strip())[:WORDS_MAX],
                    at=here.now,
                )
            )
            return here.respond("feedback.html", {"state": "thanks"})
    except NotVisiting:
        return ask_code(request, "", status=403)


async def _port(here: Visit) -> Port:
    return await conversation_port(here.session, here.visitor.conversation_id, here.now)


def _iso(given: str) -> date | None:
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        return None


def _time(given: str) -> time | None:
    try:
        return time.fromisoformat(given.strip()).replace(tzinfo=None)
    except ValueError:
        return None


def _clock(at: time | None) -> str:
    return f"{at:%H:%M}" if at is not None else ""

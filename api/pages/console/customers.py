"""``/console/customers``: one customer with claims, agreements, ways to them, and what happened.

Personal data is covered as in transcripts; who looked and who uncovered goes into the audit.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import Id
from api.pages.console.customer_view import (
    claim_view,
    cover_with,
    entry_view,
    point_view,
    talk_view,
)
from api.pages.console.page import console_router, language_of, notice, parts_of, query, respond
from api.pages.console.view import moment, texts
from api.pages.pay.claims import view_of
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation.known import known_of
from conversation.redaction import Redaction
from conversation.timeline import Place, timeline
from conversation.wording import formats
from ledger import book
from ledger.claim import PURSUED
from negotiation.policy_data import policy_from_data
from storage.tables import ContactPoint, Conversation, Customer, Merchant

router = console_router()

CLAIMS_MAX = 20
"""So many are shown whole, those that are pursued first."""
TALKS_MAX = 20
REASONS = {
    "pause": ("asked", "clearing", "hardship", "illness", "merchant_decision"),
    "resume": ("cleared", "asked", "mistake", "merchant_decision"),
    "waive": ("goodwill", "hardship", "mistake", "merchant_decision"),
    "payment": ("cash", "other_account", "set_off", "merchant_decision"),
    "resolve": ("cleared", "proved", "withdrawn", "merchant_decision"),
    "recall": ("cleared", "lawyer", "mistake", "merchant_decision"),
    "write-off": ("goodwill", "hardship", "small_rest", "uncollectable", "merchant_decision"),
    "drop": ("other_person", "unreachable", "asked", "mistake"),
    "phone": ("asked", "mistake"),
}
"""Why something is done, by form."""
DONE = (
    *("paused", "resumed", "waived", "payment", "resolved", "recalled", "written_off"),
    *("dropped", "phone"),
)
Reader = Annotated[SignedIn, Depends(Needs(Permission.READ))]
Revealer = Annotated[SignedIn, Depends(Needs(Permission.REVEAL))]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not done, and what had been filled in."""

    of: int
    """The claim, or the way to the customer."""
    form: str
    code: str
    given: dict[str, str]


@router.get("/customers/{customer}")
async def customer(
    request: Request,
    person: Reader,
    customer: Id,
    before: str = "",
    done: str = "",
) -> Response:
    """One customer, personal data covered."""
    return await show(request, person, customer, before=before, done=done)


@router.post("/customers/{customer}/reveal")
async def reveal(request: Request, person: Revealer, customer: Id, before: str = "") -> Response:
    """The same uncovered, for this one answer."""
    return await show(request, person, customer, before=before, covered=False)


async def show(
    request: Request,
    person: SignedIn,
    customer_id: int,
    *,
    covered: bool = True,
    before: str = "",
    done: str = "",
    problem: Problem | None = None,
) -> Response:
    """The page of a customer; with a problem it says beside the form what it is."""
    place = Place.read(before)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        found = await session.scalar(
            select(Customer).where(
                Customer.id == customer_id, Customer.merchant_id == person.merchant_id
            )
        )
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        audit.note(
            session,
            person,
            "customer_seen" if covered else "customer_revealed",
            parts_of(request).clock.now(),
            merchant_id=person.merchant_id,
            customer_id=customer_id,
        )
        facts = await _facts(session, request, person, found, place, covered=covered)
    lang = request.query_params.get("lang", "")
    here = f"/console/customers/{customer_id}"
    facts |= {
        "person": person,
        "here": here,
        "covered": covered,
        "may_reveal": person.may(Permission.REVEAL),
        "may_adjust": person.may(Permission.ADJUST),
        "may_take": person.may(Permission.HANDOFFS),
        "query": query(lang=lang, before=before if place else ""),
        "newest": (query(lang=lang) or "?") if place else "",
        "done": done if done in DONE else "",
        "problem": problem,
        "reasons": REASONS,
        "key": secrets.token_hex(16),
    }
    return respond(request, "customer.html", facts, 422 if problem else 200)


async def _facts(
    session: AsyncSession,
    request: Request,
    person: SignedIn,
    found: Customer,
    place: Place | None,
    *,
    covered: bool,
) -> dict[str, Any]:
    language, zone = language_of(request), person.zone
    now = parts_of(request).clock.now()
    merchant = await session.get_one(Merchant, person.merchant_id)
    policy = policy_from_data(merchant.policy)
    labels = texts(language)["covered"]
    redaction = Redaction(await known_of(session, found), labels) if covered else None
    cover = cover_with(redaction)
    records = await book.records_of(session, found.id, pursued_only=False, now=now)
    records.sort(key=lambda one: one.claim.status not in PURSUED)
    points = await session.scalars(
        select(ContactPoint).where(ContactPoint.customer_id == found.id).order_by(ContactPoint.id)
    )
    talks = (
        await session.scalars(
            select(Conversation)
            .where(Conversation.customer_id == found.id)
            .order_by(Conversation.last_inbound_at.desc().nulls_last(), Conversation.id.desc())
            .limit(TALKS_MAX)
        )
    ).all()
    active = next((one for one in talks if one.id == found.active_conversation_id), None)
    here = (active.channel, active.address) if active else None
    entries, further = await timeline(session, found.id, before=place)
    invoices = {one.claim.id: one.claim.invoice_number for one in records}
    lang = request.query_params.get("lang", "")
    paused = found.contact_paused_until
    return {
        "number": found.number,
        "name": "" if covered else " ".join(filter(None, (found.first_name, found.name))),
        "born": "" if covered or found.birth_date is None else formats.day(
            found.birth_date.isoformat(), language, short=True
        ),
        "postal_code": "" if covered else found.postal_code or "",
        "language_of_customer": found.language or merchant.language,
        "hours": (found.contact_from, found.contact_until),
        "contact_paused": moment(paused, language, zone) if paused and paused > now else "",
        "opted_out": moment(found.opted_out_at, language, zone) if found.opted_out_at else "",
        "claims": [
            claim_view(view_of(one, policy, now), merchant.name, language, cover)
            for one in records[:CLAIMS_MAX]
        ],
        "claims_left": len(records) - CLAIMS_MAX,
        "points": [
            point_view(one, language, zone, covered, active=(one.channel, one.address) == here)
            for one in points
        ],
        "talks": [talk_view(one, language, zone, covered) for one in talks],
        "entries": [entry_view(one, language, zone, invoices, cover) for one in entries],
        "further": query(lang=lang, before=further) if further else "",
        "today": now.astimezone(zone).date().isoformat(),
    }  # fmt: skip

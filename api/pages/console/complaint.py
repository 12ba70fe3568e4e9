"""The complaint file of a claim as PDF: its proof, every contact with its reason, and the law.

Whoever has to answer a complaint, an authority or a court finds in it what was done and why. It
holds personal data uncovered, so it takes the permission to uncover, and making it is in the log.
"""

import asyncio
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from fastapi import Depends, Request, Response
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.letter_data import LetterData
from api.pages.brand import light_colours
from api.pages.console.conversations import Id
from api.pages.console.customer_view import claim_view, entry_view, point_view
from api.pages.console.page import console_router, language_of, notice, parts_of
from api.pages.console.view import moment, texts
from api.pages.pay.claims import view_of
from api.pages.statement.free_text import readable
from api.pages.statement.law import law_of
from api.pages.statement.words import Words
from api.pages.typeset import typeset
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation.timeline import SEEN, Entry, Place
from ledger import book
from ledger.book import ClaimRecord
from ledger.errors import ClaimUnknown
from negotiation.policy_data import policy_from_data
from outreach.rules import ContactRules, Window, rules_of
from storage.tables import (
    AuditEvent,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    Message,
)

router = console_router()

CONTACTS_MAX = 5000
EVENTS_MAX = 2000
_FOLDER = Path(__file__).with_name("complaint_file")
_SOURCE = _FOLDER / "file.typ"
_TEXTS = yaml.safe_load((_FOLDER / "texts.yml").read_text("utf-8"))
Told = list[tuple[str, str]]
Revealer = Annotated[SignedIn, Depends(Needs(Permission.REVEAL))]


@dataclass(frozen=True, slots=True)
class Contact:
    """One message, and why it was written."""

    at: str
    who: str
    channel: str
    state: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class ComplaintFile:
    """All of it, worded."""

    language: str
    title: str
    day: date
    sender: str
    about: Told
    claim: Told
    items: list[dict[str, Any]]
    agreements: list[dict[str, Any]]
    ways: list[dict[str, Any]]
    contacts: list[Contact]
    events: list[tuple[str, str]]
    left_out: str
    law: Told

    @property
    def name(self) -> str:
        """The name of its file."""
        kept = re.sub(r"[^A-Za-z0-9-]+", "-", self.title).strip("-")
        return f"{kept[:80]}-{self.day.isoformat()}.pdf"


@router.post("/customers/{customer}/claims/{claim}/complaint-file")
async def complaint_file(request: Request, person: Revealer, customer: Id, claim: Id) -> Response:
    """Make the file of a claim."""
    now, language = parts_of(request).clock.now(), language_of(request)
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            record = await book.record(session, claim, now=now)
            if record.claim.customer_id != customer:
                raise ClaimUnknown(claim)
            audit.note(
                session, person, "complaint_file_made", now,
                merchant_id=person.merchant_id, customer_id=customer, claim_id=claim,
            )  # fmt: skip
            made = await _collect(session, person, record, language, now)
    except ClaimUnknown:
        return notice(request, "nothing", 404, {"person": person})
    pdf = await asyncio.to_thread(render, made)
    headers = {
        "Content-Disposition": f'attachment; filename="{made.name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


def render(made: ComplaintFile) -> bytes:
    """The file as PDF."""
    data = asdict(made) | {"colours": light_colours(""), "words": words_of(made.language)}
    return typeset(_SOURCE, data, made.day)


@cache
def words_of(language: str) -> dict[str, Any]:
    """The words of the file."""
    words: dict[str, Any] = _TEXTS[language]
    return words


async def _collect(
    session: AsyncSession, person: SignedIn, record: ClaimRecord, language: str, now: datetime
) -> ComplaintFile:
    t, zone = words_of(language), person.zone
    merchant = await session.get_one(Merchant, person.merchant_id)
    customer = await session.get_one(Customer, record.claim.customer_id)
    policy, letter = policy_from_data(merchant.policy), LetterData.model_validate(merchant.letter)
    words = Words(language, "sie")
    view = view_of(record, policy, now)
    shown = claim_view(view, merchant.name, language, str)
    points = await session.scalars(
        select(ContactPoint)
        .where(ContactPoint.customer_id == customer.id)
        .order_by(ContactPoint.id)
    )
    talks = {
        talk.id: talk
        for talk in await session.scalars(
            select(Conversation).where(Conversation.customer_id == customer.id)
        )
    }
    contacts, more = await _contacts(session, customer.id, list(talks), language, zone)
    events, more_events = await _events(session, record, talks, language, zone)
    invoice = readable(record.claim.invoice_number, 48)
    collector_law: Told = []
    if merchant.kind == "collector":
        collector_law, _ = law_of(view, customer, letter, policy, words)
    name = " ".join(filter(None, (customer.first_name, customer.name)))
    return ComplaintFile(
        language=language,
        title=t["title"].format(invoice=invoice),
        day=now.astimezone(zone).date(),
        sender=readable(letter.firm or merchant.name, 120),
        about=[
            (t["made"], f"{moment(now, language, zone)}, {readable(person.operator, 80)}"),
            (t["merchant"], readable(letter.firm or merchant.name, 120)),
            (t["customer"], f"{readable(name, 120)} ({readable(customer.number, 48)})"),
            (t["zone"], str(zone)),
        ],
        claim=_proof(record, words, t, intact=shown["intact"]),
        items=shown["items"],
        agreements=shown["agreements"],
        ways=[point_view(point, language, zone, covered=False, active=False) for point in points],
        contacts=contacts,
        events=events,
        left_out=t["left_out"] if more or more_events else "",
        law=[
            *((one["what"], one["why"]) for one in t["law"]),
            (t["rules"], _rules(rules_of(policy.contact_country, policy.contact_rules), t)),
            *collector_law,
        ],
    )


def _proof(record: ClaimRecord, words: Words, t: dict[str, Any], *, intact: bool) -> Told:
    """What the claim rests on, and whether the books are whole."""
    claim = record.claim
    days = (
        (t["contract_day"], claim.contract_date),
        (t["invoice_day"], claim.invoice_date),
        (t["due"], claim.due_date),
        (t["default_since"], claim.default_since),
        (t["limitation"], claim.limitation_date),
    )
    confirmed = claim.confirmed_at
    return [
        (t["invoice"], readable(claim.invoice_number, 48)),
        (t["what"], readable(claim.description)),
        *((label, words.day(day)) for label, day in days if day is not None),
        *([(t["default_proof"], readable(claim.default_proof))] if claim.default_proof else []),
        (t["confirmed"], words.day(confirmed.date()) if confirmed else t["not_confirmed"]),
        (t["books"], t["intact" if intact else "damaged"]),
    ]


async def _contacts(
    session: AsyncSession,
    customer_id: int,
    talks: list[int],
    language: str,
    zone: ZoneInfo,
) -> tuple[list[Contact], bool]:
    """Every message, oldest first; whether older ones are left out.

    What was sent to an address that turned out to be somebody else's is among them.
    """
    sent = await session.scalars(
        select(ContactAttempt.message_id).where(
            ContactAttempt.customer_id == customer_id, ContactAttempt.message_id.is_not(None)
        )
    )
    newest = (
        await session.execute(
            select(Message, ContactAttempt, Conversation.channel)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .outerjoin(
                ContactAttempt,
                and_(
                    ContactAttempt.message_id == Message.id,
                    ContactAttempt.customer_id == customer_id,
                ),
            )
            .where(or_(Message.conversation_id.in_(talks), Message.id.in_(sent.all())))
            .order_by(Message.id.desc())
            .limit(CONTACTS_MAX + 1)
        )
    ).all()
    shown = [
        _contact(message, attempt, channel, language, zone)
        for message, attempt, channel in reversed(newest[:CONTACTS_MAX])
    ]
    return shown, len(newest) > CONTACTS_MAX


def _contact(
    message: Message, attempt: ContactAttempt | None, channel: str, language: str, zone: ZoneInfo
) -> Contact:
    words, t = texts(language), words_of(language)
    where = words["channels"].get(channel, channel)
    if message.page_customer_id is not None:
        where = t["on_page"]
    state = message.status if message.direction == "out" else None
    return Contact(
        at=moment(message.created_at, language, zone),
        who=words["authors"].get(message.author, message.author),
        channel=where,
        state=words["delivery"].get(state, state) if state else "",
        text="\n".join(readable(line) for line in message.text.splitlines()),
        why=_why(message, attempt, t),
    )


def _why(message: Message, attempt: ContactAttempt | None, t: dict[str, Any]) -> str:
    if message.direction == "in":
        return ""
    if attempt is not None:
        codes = attempt.reason.split("; ")
        reasons = ", ".join(filter(None, (t["reasons"].get(code, "") for code in codes)))
        return ": ".join(filter(None, (t["steps"].get(attempt.step, ""), reasons)))
    if message.author == "agent":
        who = str(message.args.get("agent") or "")
        return str(t["by_person"].format(who=readable(who, 80)) if who else t["of_person"])
    return str(t["answer"] if message.in_reply_to is not None else t["notice"])


async def _events(
    session: AsyncSession,
    record: ClaimRecord,
    talks: dict[int, Conversation],
    language: str,
    zone: ZoneInfo,
) -> tuple[list[tuple[str, str]], bool]:
    """What was noted about the claim, the customer and their conversations; no other claim's."""
    claim = record.claim
    here = or_(
        AuditEvent.claim_id == claim.id,
        and_(
            AuditEvent.claim_id.is_(None),
            or_(
                AuditEvent.customer_id == claim.customer_id,
                AuditEvent.conversation_id.in_(talks),
            ),
        ),
    )
    rows = (
        await session.scalars(
            select(AuditEvent)
            .where(here, AuditEvent.kind.not_in(SEEN))
            .order_by(AuditEvent.id.desc())
            .limit(EVENTS_MAX + 1)
        )
    ).all()
    told = []
    for row in reversed(rows[:EVENTS_MAX]):
        one = entry_view(Entry(Place(row.at, 0, row.id), row), language, zone, {}, str)
        more = ", ".join(filter(None, (one["facts"], one["who"])))
        told.append((one["at"], readable(f"{one['what']} ({more})" if more else one["what"])))
    return told, len(rows) > EVENTS_MAX


def _rules(rules: ContactRules, t: dict[str, Any]) -> str:
    def hours(window: Window | None) -> str:
        return f"{window.opens:%H:%M}–{window.closes:%H:%M}" if window else str(t["never"])

    return str(
        t["rules_told"].format(
            country=rules.country,
            weekday=hours(rules.weekday),
            saturday=hours(rules.saturday),
            sunday=hours(rules.sunday),
            holidays=t["no_holidays" if rules.holidays else "holidays_too"],
            spacing=rules.spacing_hours_min,
            most=rules.per_week_max,
        )
    )

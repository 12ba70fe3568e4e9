"""What stands in the ledger, the desk and the plan of outreach once a dialogue is over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ledger import book
from outreach.channel_choice import NoChannel, choose_channel
from outreach.customer_facts import read_customers, read_sender
from outreach.decision import NextStep, Wait, contact_ground, next_step
from outreach.facts import CustomerFacts, Sender, SkipReason
from storage.engine import Database
from storage.tables import AuditEvent, ContactPoint, Conversation, Customer, Handoff
from tests.journey import script as data
from tests.journey.cast import Role
from tests.journey.script import Script

NOTED = ("withdrawal_declared", "data_request")
"""What has to be provable later that the customer said it."""
BERLIN = ZoneInfo("Europe/Berlin")


def expected(script: Script, today: date) -> dict[str, Any]:
    """The end that the dialogue's data describe; what they leave out is as it was before."""
    ends = script.ends
    given = {"sms": [], "whatsapp": ["whatsapp"], "telegram": ["telegram"]}
    told = dict(enumerate(ends.get("claims", ())))
    wanted: dict[str, Any] = {
        "claims": [
            {
                "status": "open",
                "open": invoice.total,
                "paused": None,
                **_claim(told.get(place, {}), today),
            }
            for place, invoice in enumerate(script.invoices)
        ],
        "agreements": [_agreement(one, today) for one in ends.get("agreements", ())],
        "reminder": [_dated(one, today) for one in ends["reminder"]],
        "handoff": [],
        "noted": [],
        "stopped": [],
        "dropped": [],
        "consents": given[script.who.channel.value],
        "language": script.who.language,
        "locked": False,
        "prefers": None,
    }
    rest = {key: value for key, value in ends.items() if key not in wanted.keys() - _SIMPLE}
    unknown = rest.keys() - _SIMPLE
    if unknown:
        raise ValueError(f"{script.name}: {unknown}")
    return {**wanted, **rest}


_SIMPLE = {"handoff", "noted", "stopped", "dropped", "consents", "language", "locked", "prefers"}


def _claim(told: Mapping[str, Any], today: date) -> dict[str, Any]:
    read = dict(told)
    if "open" in read:
        read["open"] = data.minor(read["open"])
    if read.get("paused"):
        read["paused"] = _dated(read["paused"], today)
    return read


def _agreement(told: Mapping[str, Any], today: date) -> dict[str, Any]:
    amounts = [data.minor(amount) for amount in told["amounts"]]
    return {
        "claim": told.get("claim", 1),
        "kind": told["kind"],
        "status": told.get("status", "active"),
        "amounts": amounts,
        "days": [day.isoformat() for day in data.days(told["days"], len(amounts), today)],
    }


def _dated(told: str, today: date) -> str:
    """``paused until +10`` with its day."""
    words = [
        data.day(word, today).isoformat() if word[:1] in "+-" else word for word in told.split()
    ]
    return " ".join(words)


async def actual(
    database: Database, role: Role, address: str, now: datetime
) -> tuple[dict[str, Any], list[str]]:
    """The end as it is, and everything that no dialogue may leave behind."""
    async with database.merchant(role.merchant_id) as session:
        statements = [await book.statement(session, claim_id) for claim_id in role.claim_ids]
        agreements = [
            (place, agreement)
            for place, statement in enumerate(statements, start=1)
            for agreement in (*statement.earlier_agreements, statement.agreement)
            if agreement is not None
        ]
        conversation = (
            await session.scalars(select(Conversation).where(Conversation.address == address))
        ).one()
        customer = await session.get_one(Customer, role.customer_id)
        points = (
            await session.scalars(
                select(ContactPoint)
                .where(ContactPoint.customer_id == role.customer_id)
                .order_by(ContactPoint.channel)
            )
        ).all()
        handoffs = (
            await session.scalars(
                select(Handoff).where(
                    Handoff.conversation_id == conversation.id, Handoff.closed_at.is_(None)
                )
            )
        ).all()
        noted = await session.scalars(
            select(AuditEvent.kind).where(
                AuditEvent.conversation_id == conversation.id, AuditEvent.kind.in_(NOTED)
            )
        )
        reminder = await hindrances(session, role, now)
        faults = [
            f"the hash chain of claim {place} is broken"
            for place, statement in enumerate(statements, start=1)
            if not statement.intact
        ]
        faults += [
            f"an agreement of {agreement.terms.total} stands on {statements[place - 1].open.total}"
            for place, agreement in agreements
            if agreement.status == "active" and not _covers(agreement, statements[place - 1])
        ]
        return {
            "claims": [
                {
                    "status": statement.status.value,
                    "open": statement.open.total.minor,
                    "paused": _pause(statement.paused_until, statement.pause_reason),
                }
                for statement in statements
            ],
            "agreements": [
                {
                    "claim": place,
                    "kind": agreement.terms.kind.value,
                    "status": agreement.status.value,
                    "amounts": [part.amount.minor for part in agreement.terms.instalments],
                    "days": [part.due.isoformat() for part in agreement.terms.instalments],
                }
                for place, agreement in sorted(agreements, key=lambda pair: pair[1].id)
            ],
            "reminder": reminder,
            "handoff": [reason for one in handoffs for reason in one.summary["reasons"]],
            "noted": sorted(noted),
            "stopped": [point.channel for point in points if point.opted_out_at],
            "dropped": [point.channel for point in points if point.invalid_at],
            "consents": [point.channel for point in points if point.consent_at],
            "language": conversation.language,
            "locked": conversation.verification_locked_at is not None,
            "prefers": customer.preferred_channel,
        }, faults


def _covers(agreement: Any, statement: Any) -> bool:
    """Whether an agreement in force says what becomes of all that is still open."""
    terms = agreement.terms
    paid = sum(part.paid.minor for part in agreement.progress)
    waived = terms.waived.minor if hasattr(terms, "waived") else 0
    return bool(terms.total.minor + waived - paid == statement.open.total.minor)


def _pause(until: date | None, reason: str | None) -> str | None:
    return f"{until.isoformat()} {reason}" if until is not None else None


async def hindrances(session: Any, role: Role, now: datetime) -> list[str]:
    """Everything that keeps the next unasked message back, in the order outreach looks at it.

    Each one is taken away to see what stands behind it; ``reminder`` at the end: one would go out.
    """
    sender = await read_sender(session, role.merchant_id)
    found = await read_customers(session, sender, [role.customer_id])
    if not found:
        return ["nothing_open"]
    (facts,) = found
    told = []
    while True:
        ground = contact_ground(facts, sender, now)
        if not isinstance(ground, Wait):
            told.append(_next(facts, next_step(facts, ground, sender.policy, now), sender))
            return told
        until, without = _without(facts, ground.reason, sender, now)
        told.append(" ".join([ground.reason.value, *(["until", until] if until else [])]))
        if without is None:
            return told
        facts = without


def _next(facts: CustomerFacts, step: NextStep | Wait, sender: Sender) -> str:
    """The message that would go out, or why there is none."""
    if isinstance(step, Wait):
        return step.reason.value
    choice = choose_channel(
        facts.points,
        sender.accounts,
        collector=sender.collector,
        template="",
        preferred=facts.preferred_channel,
        before=step.before,
    )
    return "no_channel" if isinstance(choice, NoChannel) else step.step.value


def _without(
    facts: CustomerFacts, reason: SkipReason, sender: Sender, now: datetime
) -> tuple[str | None, CustomerFacts | None]:
    """The day on which a hindrance ends, and the customer without it; None: it is the last."""
    if reason is SkipReason.OPTED_OUT:
        points = [replace(point, opted_out=False) for point in facts.points]
        return None, replace(facts, points=points, stopped=False)
    if reason is SkipReason.WITH_PERSON:
        return None, replace(facts, talk=replace(facts.talk, with_person=False))
    if reason is SkipReason.PAUSED and facts.paused_until is not None and facts.paused_until > now:
        day = facts.paused_until.astimezone(BERLIN).date()
        return day.isoformat(), replace(facts, paused_until=None)
    if reason is SkipReason.PAUSED:
        pauses = [claim.paused_until for claim in facts.claims if claim.paused_until is not None]
        claims = [replace(claim, paused_until=None) for claim in facts.claims]
        return max(pauses).isoformat(), replace(facts, claims=claims)
    return None, None

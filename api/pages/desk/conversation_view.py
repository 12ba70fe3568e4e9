"""One conversation in the words of the desk: lines, customer, invoices, what is possible now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from api.pages.console.customer_view import Cover
from api.pages.console.view import line_view, moment, texts
from api.pages.desk.queue_view import due_view
from conversation.answer_clock import Clock
from conversation.call_time import CallTime
from conversation.callbacks import Span
from conversation.handoff_summary import OpenClaim, Summary
from conversation.redaction import Redaction
from conversation.transcript import Line
from conversation.wording import formats
from conversation.wording.formats import LOCALES
from ledger.agreements import AgreementTerms, InstalmentPlan, Settlement, terms_from_data
from ledger.money import Money
from ledger.posting import Account
from negotiation.bounds import discount_max, latest, needs_person, offers_less_at_once, start_latest
from negotiation.negotiate import evaluate_deferral, evaluate_discount, evaluate_instalments
from negotiation.offers import Accept, CounterOffer, InstalmentRequest
from negotiation.policy import Policy
from storage.tables import AuditEvent, DeskOffer, HandoffNote, Message

OURS_AGAIN = 4
"""So many of our last messages are told again: what became of them may have changed."""
PLANS_MAX = 3
EVENTS = frozenset(
    {
        "handoff_requested", "handoff_reason_added", "handoff_taken", "handoff_ended",
        "handoff_overdue", "verified", "verification_failed", "verification_locked", "opted_out",
        "opted_in", "proof_reopened", "contact_resumed", "contact_paused", "desk_offer_made",
        "desk_offer_agreed", "desk_offer_declined", "desk_offer_outdated",
    }
)  # fmt: skip


def clock(at: datetime, language: str, zone: ZoneInfo, now: datetime) -> str:
    """A time of today, or of its day."""
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return format_datetime(at.astimezone(zone), "HH:mm", locale=LOCALES[language])
    return moment(at, language, zone)


def in_words(amount: Money, language: str) -> str:
    """An amount as people read it."""
    return str(formats.money(amount.to_json(), language))


def day(of: date, language: str) -> str:
    """A day as people read it."""
    return formats.day(of.isoformat(), language, short=True)


def lines_view(
    messages: Sequence[Message],
    notes: Iterable[HandoffNote],
    events: Iterable[AuditEvent],
    language: str,
    zone: ZoneInfo,
    redaction: Redaction | None,
    *,
    opens: bool,
) -> list[dict[str, Any]]:
    """Messages with the notes and events between them, by their time; see `line_view`."""
    cover: Cover = redaction.cover if redaction is not None else str
    shown = [
        (one.created_at, 2, one.id, _message(one, language, zone, redaction, opens))
        for one in messages
    ]
    shown += [(one.at, 1, one.id, _note(one, language, zone, cover)) for one in notes]
    shown += [(one.at, 0, one.id, _event(one, language, zone)) for one in events]
    return [line for *_, line in sorted(shown, key=lambda one: one[:3])]


def _message(
    message: Message, language: str, zone: ZoneInfo, redaction: Redaction | None, opens: bool
) -> dict[str, Any]:
    line = line_view(Line(message.created_at, message), language, zone, redaction, opens=opens)
    failed = message.author == "agent" and message.status == "failed" and not message.wording
    return line | {
        "id": f"m{message.id}",
        "number": message.id,
        "kind": "message",
        "failed": failed,
        "inbound": message.direction == "in",
    }


def _note(note: HandoffNote, language: str, zone: ZoneInfo, cover: Cover) -> dict[str, Any]:
    return {
        "id": f"n{note.id}",
        "kind": "note",
        "at": moment(note.at, language, zone),
        "iso": note.at.isoformat(),
        "what": texts(language)["desk"]["kinds_of_note"].get(note.kind, note.kind),
        "author": note.author,
        "text": cover(note.text),
    }


def _event(event: AuditEvent, language: str, zone: ZoneInfo) -> dict[str, Any]:
    words = texts(language)
    desk = words["desk"]
    told = desk["events"].get(event.kind) or words["effects"].get(event.kind, event.kind)
    facts = event.facts
    more = [
        desk["reasons"].get(facts.get("reason"), "") if facts.get("reason") else "",
        desk["outcomes"].get(facts.get("outcome"), "") if facts.get("outcome") else "",
        desk["offer_kinds"].get(facts.get("agreement_kind"), ""),
        str(facts.get("agent") or ""),
    ]
    return {
        "id": f"e{event.id}",
        "kind": "event",
        "at": moment(event.at, language, zone),
        "iso": event.at.isoformat(),
        "what": told,
        "more": ", ".join(filter(None, more)),
    }


def reason_words(code: str, language: str) -> str:
    """Why a person is needed."""
    known = texts(language)["desk"]["reasons"]
    if code.startswith("decision"):
        refusal = texts(language)["desk"]["refusals"].get(code.removeprefix("decision_"), "")
        return f"{known['decision']}: {refusal}" if refusal else str(known["decision"])
    return str(known.get(code, code.replace("_", " ")))


def summary_view(
    found: Summary, due: Clock | None, language: str, zone: ZoneInfo, now: datetime
) -> dict[str, Any]:
    """What to know before writing: why, until when, mood, and the next step with its reason."""
    listed, words = found.listed, texts(language)["desk"]
    handoff = listed.handoff
    return {
        "urgency": listed.urgency.value,
        "urgency_words": words["urgency"][listed.urgency.value],
        "reasons": [reason_words(one, language) for one in listed.reasons],
        "since": clock(handoff.requested_at, language, zone, now),
        "answer_by": clock(handoff.answer_by, language, zone, now) if handoff.answer_by else "",
        "promised": handoff.promised,
        "due": _due(due, language, zone, now),
        "mood": found.mood.value,
        "mood_words": words["moods"][found.mood.value],
        "step": words["steps"][found.advice.step.value],
        "because": reason_words(found.advice.because, language),
    }


def _due(due: Clock | None, language: str, zone: ZoneInfo, now: datetime) -> dict[str, Any] | None:
    """Until when an answer is due, as the list says it; None while it is the customer's turn."""
    if due is None:
        return None
    shown = due_view(due, now, language, zone)
    at = clock(due.due, language, zone, now) if due.due is not None else ""
    return {"at": at, "left": shown["due"], "late": shown["late"], "iso": shown["due_iso"]}


def call_view(
    found: CallTime | None, language: str, zone: ZoneInfo, now: datetime
) -> dict[str, str]:
    """When to call, and why then."""
    words = texts(language)["desk"]
    if found is None:
        return {"when": words["call_never"], "why": words["call_why"]["rests"]}
    until = format_datetime(found.end.astimezone(zone), "HH:mm", locale=LOCALES[language])
    start = clock(found.start, language, zone, now)
    when = words["call_now"] if found.now else words["call_at"]
    return {"when": when.format(start=start, until=until), "why": words["call_why"][found.why]}


def wished_call_view(wished: Span, language: str, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    """The same where the customer named a time."""
    words = texts(language)["desk"]
    when = clock(wished.start, language, zone, now)
    if wished.end is not None and wished.end > wished.start:
        until = format_datetime(wished.end.astimezone(zone), "HH:mm", locale=LOCALES[language])
        when = words["call_at"].format(start=when, until=until)
    return {"when": when, "why": words["call_why"]["asked"]}


def in_short(terms: AgreementTerms, language: str) -> str:
    """Terms in one line."""
    words = texts(language)["desk"]["offer_in_short"]
    first = terms.instalments[0]
    if isinstance(terms, InstalmentPlan):
        each = in_words(terms.regular, language)
        return str(
            words["plan"].format(
                count=len(terms.instalments), each=each, day=day(first.due, language)
            )
        )
    return str(
        words["sum"].format(amount=in_words(terms.total, language), day=day(first.due, language))
    )


def claim_view(
    found: OpenClaim,
    policy: Policy,
    language: str,
    now: datetime,
    cover: Cover,
    *,
    may_waive: bool,
) -> dict[str, Any]:
    """An invoice with what is open, what is agreed and what the policy allows right now."""
    record, claim = found.record, found.record.claim
    words, facts = texts(language)["desk"], found.record.facts(now)
    agreement = found.agreement
    following = agreement.next_instalment if agreement is not None else None
    hindered = needs_person(policy, facts)
    shown: dict[str, Any] = {
        "id": claim.id,
        "invoice": claim.invoice_number,
        "description": cover(claim.description),
        "open": in_words(record.open.total, language),
        "due": day(claim.due_date, language),
        "parts": [
            (name, in_words(amount, language))
            for name in ("principal", "interest", "costs")
            if (amount := getattr(record.open, name))
        ],
        "postings": [
            {
                "day": day(one.value_date, language),
                "what": texts(language)["effects"].get(one.kind.value, one.kind.value),
                "amount": in_words(one.amount, language),
            }
            for one in record.postings[-8:]
        ],
        "disputed": claim.status == "disputed",
        "paused": day(claim.paused_until, language)
        if claim.paused_until is not None and claim.paused_until >= facts.today
        else "",
        "agreement": {
            "kind": words["offer_kinds"][agreement.terms.kind.value],
            "next": words["next_due"].format(
                amount=in_words(following.missing, language),
                day=day(following.instalment.due, language),
            )
            if following is not None
            else "",
        }
        if agreement is not None
        else None,
        "hindered": words["refusals"][hindered.value] if hindered is not None else "",
        "plans": [],
        "later": None,
        "less": None,
        "waive": None,
    }
    if hindered is None:
        shown |= _possible(policy, facts, language)
    if may_waive and hindered is None:
        most = discount_max(policy, facts)
        parts = [name for name in ("interest", "costs") if getattr(record.open, name)]
        if parts and most.minor > 0:
            shown["waive"] = {
                "most": in_words(most, language),
                "parts": parts,
                "posted": len(record.postings),
            }
    return shown


def _possible(policy: Policy, facts: Any, language: str) -> dict[str, Any]:
    decision = evaluate_instalments(policy, facts, InstalmentRequest())
    found: list[AgreementTerms] = []
    if isinstance(decision, CounterOffer):
        found = [decision.terms, *decision.alternatives]
    elif isinstance(decision, Accept):
        found = [decision.terms]
    plans = [one for one in found if isinstance(one, InstalmentPlan) and not one.starts_apart]
    most = policy.instalment_count_max(facts.balance)
    later = evaluate_deferral(
        policy, facts, latest(facts, policy.deferral_days_max(facts.age_days))
    )
    less = evaluate_discount(policy, facts) if offers_less_at_once(policy, facts) else None
    words = texts(language)["desk"]
    terms = less.terms if isinstance(less, Accept | CounterOffer) else None
    return {
        "plans": [
            {
                "count": len(one.instalments),
                "first": one.first.isoformat(),
                "words": in_short(one, language),
            }
            for one in sorted(plans, key=lambda one: len(one.instalments))[:PLANS_MAX]
        ],
        "counts_max": most,
        "first_min": facts.today.isoformat(),
        "first_max": start_latest(policy, facts).isoformat(),
        "later": {
            "until": later.terms.instalments[0].due.isoformat(),
            "words": day(later.terms.instalments[0].due, language),
        }
        if isinstance(later, Accept)
        else None,
        "less": {
            "words": words["less_button"].format(
                amount=in_words(terms.total, language),
                day=day(terms.due, language),
                waived=in_words(terms.waived, language),
            )
        }
        if isinstance(terms, Settlement)
        else None,
    }


def offer_view(offer: DeskOffer | None, language: str) -> Mapping[str, Any] | None:
    """The suggestion that waits for a yes."""
    if offer is None:
        return None
    terms = terms_from_data(offer.terms)
    kind = texts(language)["desk"]["offer_kinds"][terms.kind.value]
    return {
        "id": offer.id,
        "claim": offer.claim_id,
        "words": f"{kind}: {in_short(terms, language)}",
    }


PARTS: Mapping[str, Account] = {"interest": Account.INTEREST, "costs": Account.COSTS}
"""What may be waived, by the form's word for it."""

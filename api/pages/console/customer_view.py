"""A customer in the words of the console: claims, agreements, ways to them, what happened."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.pages.console.view import moment, texts
from api.pages.pay.claims import ClaimView
from api.pages.statement.sheet import items_of
from api.pages.statement.words import Words
from conversation.redaction import Redaction, cover_address
from conversation.timeline import Entry
from conversation.wording import formats
from ledger.claim import PURSUED, ClaimStatus
from ledger.money import Money
from ledger.statement import AgreementRecord
from storage.tables import AuditEvent, ContactPoint, Conversation, Message, Posting

Cover = Callable[[str], str]
FORM = "sie"
"""People at the console are addressed like that, whatever the merchant's customers are."""
_QUIET_FACTS = frozenset(
    {
        "message",
        "conversation",
        "claim",
        "handoff",
        "agreement",
        "instead_of",
        "early",
        "key",
        "of",
        "in_turn",
    }
)
_DAYS = frozenset({"until", "due"})


def cover_with(redaction: Redaction | None) -> Cover:
    """Covers a text, or leaves it."""
    return redaction.cover if redaction is not None else str


def claim_state(
    status: str, paused_until: date | None, today: date, language: str
) -> dict[str, str]:
    """The state of a claim: its style and its words; a pause goes before being open."""
    words = texts(language)
    if paused_until is not None and paused_until >= today and status in PURSUED:
        until = formats.day(paused_until.isoformat(), language, short=True)
        return {"state": "paused", "state_words": words["paused_until"].format(day=until)}
    return {"state": status, "state_words": words["claim_states"].get(status, status)}


def claim_view(view: ClaimView, shop: str, language: str, cover: Cover) -> dict[str, Any]:
    """A claim with what is open, how that came about, and what is agreed."""
    told, words = view.statement, Words(language, FORM)
    today, claim = view.facts.today, view.record.claim
    agreements = [told.agreement, *reversed(told.earlier_agreements)]
    return {
        "id": told.claim_id,
        "invoice": told.invoice_number,
        "reference": told.reference,
        "rf": formats.grouped(told.rf_reference),
        "description": cover(told.description),
        "invoice_day": words.short_day(told.invoice_date),
        "due": words.short_day(told.due_date),
        "open": words.money(told.open.total),
        "parts": [
            (part, words.money(amount))
            for part in ("principal", "interest", "costs")
            if (amount := getattr(told.open, part))
        ],
        "items": [
            {
                "day": one.day,
                "what": one.what,
                "why": cover(one.why),
                "amount": one.amount,
                "total": one.total,
            }
            for one in items_of(view, shop, words)
        ],
        "agreements": [_agreement(one, today, words) for one in agreements if one is not None],
        "intact": told.intact,
        "pursued": claim.status in PURSUED,
        "paused": claim.paused_until is not None and claim.paused_until >= today,
        "disputed": claim.status == ClaimStatus.DISPUTED,
        "iso_invoice_day": told.invoice_date.isoformat(),
        "waivable": [part for part in ("interest", "costs") if getattr(told.open, part)],
        **claim_state(claim.status, claim.paused_until, today, language),
    }


def _agreement(record: AgreementRecord, today: date, words: Words) -> dict[str, Any]:
    t = texts(words.language)
    return {
        "kind": t["effects"].get(record.terms.kind.value, record.terms.kind.value),
        "status": t["agreement_states"].get(record.status.value, record.status.value),
        "state": record.status.value,
        "total": words.money(record.terms.total),
        "parts": [
            {
                "day": words.short_day(part.instalment.due),
                "amount": words.money(part.instalment.amount),
                "state": part.state(today).value,
                "state_words": t["part_states"][part.state(today).value],
                "missing": words.money(part.missing) if part.paid and part.missing else "",
            }
            for part in record.progress
        ],
    }


def point_view(
    point: ContactPoint, language: str, zone: ZoneInfo, covered: bool, *, active: bool
) -> dict[str, Any]:
    """One way to the customer, and what is allowed on it."""
    words = texts(language)
    facts = (
        ("consented", point.consent_at),
        ("verified", point.verified_at),
        ("opted_out", point.opted_out_at),
        ("invalid", point.invalid_at),
    )
    return {
        "id": point.id,
        "valid": point.invalid_at is None,
        "channel": words["channels"].get(point.channel, point.channel),
        "address": cover_address(point.address) if covered else point.address,
        "source": words["sources"].get(point.source, point.source),
        "active": active,
        "facts": [
            (words["point_facts"][name], moment(at, language, zone)) for name, at in facts if at
        ],
    }


def talk_view(talk: Conversation, language: str, zone: ZoneInfo, covered: bool) -> dict[str, Any]:
    """A conversation, to go on to its transcript."""
    words = texts(language)
    at = talk.last_inbound_at or talk.created_at
    return {
        "id": talk.id,
        "channel": words["channels"].get(talk.channel, talk.channel),
        "address": cover_address(talk.address) if covered else talk.address,
        "state": talk.state,
        "state_words": words["states"].get(talk.state, talk.state),
        "at": moment(at, language, zone),
        "iso": at.isoformat(),
    }


def entry_view(
    entry: Entry, language: str, zone: ZoneInfo, invoices: Mapping[int, str], cover: Cover
) -> dict[str, Any]:
    """Something that happened, in one line."""
    row, words = entry.row, texts(language)
    shown: dict[str, Any] = {
        "at": moment(entry.place.at, language, zone),
        "iso": entry.place.at.isoformat(),
        "amount": "",
        "text": "",
        "facts": "",
        "who": "",
        "claim": "",
        "conversation": None,
    }
    if isinstance(row, Message):
        status = row.status if row.direction == "out" else None
        return shown | {
            "kind": "message",
            "what": words["authors"].get(row.author, row.author),
            "text": cover(row.text),
            "facts": words["delivery"].get(status, status) if status else "",
            "conversation": row.conversation_id,
            "anchor": row.id,
        }
    if isinstance(row, Posting):
        return shown | {
            "kind": "posting",
            "what": f"{words['posted']}: {words['effects'].get(row.kind, row.kind)}",
            "amount": _money(Money(row.amount_minor, row.currency), language),
            "claim": invoices.get(row.claim_id, ""),
        }
    return shown | {
        "kind": "agreement" if row.kind.startswith("agreement_") else "event",
        "what": _event_words(row, words),
        "facts": _facts(row, language, zone, cover),
        "who": row.person or "",
        "claim": invoices.get(row.claim_id or 0, ""),
        "conversation": row.conversation_id,
    }


def _event_words(row: AuditEvent, words: Mapping[str, Any]) -> str:
    named = words["happened"].get(row.kind) or words["effects"].get(row.kind)
    named = named or words["kinds"].get(row.kind) or row.kind.replace("_", " ")
    agreed = row.facts.get("agreement_kind")
    return f"{words['effects'][agreed]}: {named}" if agreed in words["effects"] else str(named)


def _facts(row: AuditEvent, language: str, zone: ZoneInfo, cover: Cover) -> str:
    words, said = texts(language), []
    currency = str(row.facts.get("currency", "EUR"))
    for name, value in row.facts.items():
        nothing = (
            value in (None, "")
            or isinstance(value, list | dict)
            or (name.endswith("_minor") and not value)
        )
        if nothing or name in _QUIET_FACTS or name in ("agreement_kind", "currency"):
            continue
        label = words["fact_names"].get(name)
        if isinstance(value, int) and name.endswith("_minor"):
            shown = _money(Money(value, currency), language)
            label = label or words["fact_names"]["amount_minor"]
        elif name == "again_at":
            shown = moment(datetime.fromisoformat(value), language, zone)
        elif name in _DAYS:
            shown = formats.day(str(value)[:10], language, short=True)
        else:
            shown = words["reasons"].get(str(value), "") or cover(str(value))
        said.append(f"{label or name.replace('_', ' ')}: {shown}")
    return ", ".join(said)


def _money(amount: Money, language: str) -> str:
    return str(formats.money(amount.to_json(), language))

"""Rows of open-item changes: payments, credit notes, returns, costs, recalls, confirmations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ledger import rows
from ledger.costs import CostKind, clear_reason
from ledger.errors import CostsRefused
from ledger.money import Money
from ledger.posting import Marking
from ledger.rows import CellRefused, Problem
from ledger.rows_claims import CLOCK_SKEW_MAX, CellReader, Setting
from ledger.rows_file import Column, Record, header_key

REASON_LENGTH_MAX = 200
EVERY_CLAIM = "*"
"""Claim reference of a confirmation that covers every open claim of the merchant."""

COLUMNS: tuple[Column, ...] = (
    Column(
        "event_id",
        ("ereignis_id", "buchungsnummer", "belegnummer", "id"),
        "Your own key of this event; the same one is never posted twice.",
        "BANK-2026-11-20-17",
        required=True,
    ),
    Column(
        "event",
        ("ereignis", "art", "typ", "type"),
        "payment, credit_note, return, recall or confirmation (German: Zahlung, Gutschrift, "
        "Rückläufer, Rückruf, Bestätigung); of costs letter, lump_sum or legal_costs (Brief, "
        "Pauschale, Rechtsverfolgungskosten).",
        "payment",
        required=True,
    ),
    Column(
        "claim_reference",
        ("forderungsnummer", "vorgangsnummer", "aktenzeichen", "reference", "claim"),
        "Key of the claim as imported; * in a confirmation: every open claim.",
        "F-2026-881",
        required=True,
    ),
    Column(
        "amount",
        ("betrag",),
        "Of the payment, credit note, return or costs. In a confirmation: the whole open amount, "
        "which must be what the ledger holds.",
        "40.00",
        amount=True,
    ),
    Column("currency", ("waehrung",), "ISO 4217; empty: the merchant's currency.", "EUR"),
    Column(
        "date",
        ("datum", "wertstellung", "buchungsdatum", "valuta", "value_date"),
        "Value date of a payment, credit note, return or costs; in a confirmation the time that it "
        "speaks of (empty: now).",
        "2026-11-20",
    ),
    Column(
        "returned_event_id",
        ("zurueckgegebene_zahlung", "zu_ereignis_id"),
        "Of a return: the event_id of the payment that came back; empty: the latest payment.",
        "BANK-2026-11-12-3",
    ),
    Column(
        "purpose",
        ("zweck", "tilgungsbestimmung"),
        "Of a payment: principal or interest where the customer wrote that it is for that alone; "
        "empty: costs, interest, principal (§ 367 BGB).",
        "principal",
    ),
    Column(
        "reason",
        ("grund", "kostengrund"),
        "Of costs: what they are for, as the customer reads it.",
        "",
    ),
)


class ItemEvent(StrEnum):
    """What happened to an open item at the merchant."""

    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    RETURN = "return"
    RECALL = "recall"
    CONFIRMATION = "confirmation"
    LETTER = "letter"
    LUMP_SUM = "lump_sum"
    LEGAL_COSTS = "legal_costs"


COSTS: Mapping[ItemEvent, CostKind] = {
    ItemEvent.LETTER: CostKind.LETTER,
    ItemEvent.LUMP_SUM: CostKind.LUMP_SUM,
    ItemEvent.LEGAL_COSTS: CostKind.LEGAL_COSTS,
}
_EVENTS = {
    "payment": ItemEvent.PAYMENT,
    "zahlung": ItemEvent.PAYMENT,
    "zahlungseingang": ItemEvent.PAYMENT,
    "credit_note": ItemEvent.CREDIT_NOTE,
    "gutschrift": ItemEvent.CREDIT_NOTE,
    "return": ItemEvent.RETURN,
    "chargeback": ItemEvent.RETURN,
    "ruecklaeufer": ItemEvent.RETURN,
    "ruecklastschrift": ItemEvent.RETURN,
    "recall": ItemEvent.RECALL,
    "rueckruf": ItemEvent.RECALL,
    "ruecknahme": ItemEvent.RECALL,
    "confirmation": ItemEvent.CONFIRMATION,
    "bestaetigung": ItemEvent.CONFIRMATION,
    "letter": ItemEvent.LETTER,
    "brief": ItemEvent.LETTER,
    "mahnbrief": ItemEvent.LETTER,
    "lump_sum": ItemEvent.LUMP_SUM,
    "pauschale": ItemEvent.LUMP_SUM,
    "legal_costs": ItemEvent.LEGAL_COSTS,
    "rechtsverfolgungskosten": ItemEvent.LEGAL_COSTS,
}
_MARKINGS = {
    "principal": Marking.PRINCIPAL_FIRST,
    "hauptforderung": Marking.PRINCIPAL_FIRST,
    "interest": Marking.INTEREST_FIRST,
    "zinsen": Marking.INTEREST_FIRST,
}
_WITH_AMOUNT = frozenset({ItemEvent.PAYMENT, ItemEvent.CREDIT_NOTE, ItemEvent.RETURN, *COSTS})


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One change of an open item, checked."""

    line: int
    event_id: str
    event: ItemEvent
    reference: str
    amount: Money | None
    value_date: date
    """The merchant's calendar day."""
    at: datetime
    """Aware UTC; the time that a confirmation speaks of."""
    returned_event_id: str | None
    marking: Marking
    reason: str = ""


def event_key(event_id: str) -> str:
    """The ledger's idempotency key of a merchant's event."""
    return f"merchant:{event_id}"


def item_row(record: Record, setting: Setting) -> ItemRow | list[Problem]:
    """Check one row of open-item changes; return it, or everything that is wrong with it."""
    cells = CellReader(record)
    currency = cells.optional("currency", rows.currency_code) or setting.currency
    event = cells.required("event", _event, ItemEvent.CONFIRMATION)
    at = cells.optional("date", _moment(setting)) or setting.now
    row = ItemRow(
        line=record.line,
        event_id=cells.required("event_id", rows.reference, ""),
        event=event,
        reference=cells.required("claim_reference", rows.reference, ""),
        amount=cells.optional("amount", lambda cell: rows.amount(cell, currency, setting.notation)),
        value_date=at.astimezone(setting.zone).date(),
        at=at,
        returned_event_id=cells.optional("returned_event_id", rows.reference),
        marking=cells.optional("purpose", _marking) or Marking.BY_LAW,
        reason=cells.optional("reason", _reason) or "",
    )
    if not cells.problems:
        _check_together(row, cells, setting)
    return cells.problems or row


def _check_together(row: ItemRow, cells: CellReader, setting: Setting) -> None:
    """Note what is wrong between the cells of a row."""
    if row.event in _WITH_AMOUNT and not row.amount:
        cells.refuse("amount", f"a {row.event.replace('_', ' ')} needs an amount above 0")
    if row.event in _WITH_AMOUNT and "date" not in cells.record.cells:
        cells.refuse("date", f"a {row.event.replace('_', ' ')} needs its value date")
    if row.event is ItemEvent.RECALL and row.amount is not None:
        cells.refuse("amount", "a recall takes back the whole claim; leave the amount empty")
    if row.returned_event_id and row.event is not ItemEvent.RETURN:
        cells.refuse("returned_event_id", "only a return has it")
    if row.marking is not Marking.BY_LAW and row.event is not ItemEvent.PAYMENT:
        cells.refuse("purpose", "only a payment has it")
    if bool(row.reason) != (row.event in COSTS):
        cells.refuse("reason", "costs have it, and nothing else")
    if row.reference == EVERY_CLAIM and row.event is not ItemEvent.CONFIRMATION:
        cells.refuse("claim_reference", "only a confirmation can be for every claim")
    elif row.reference == EVERY_CLAIM and row.amount is not None:
        cells.refuse("amount", "a confirmation of every claim has no amount")
    if row.at > setting.now + CLOCK_SKEW_MAX:
        cells.refuse("date", "lies in the future")


def _event(cell: str) -> ItemEvent:
    found = _EVENTS.get(header_key(cell))
    if found is None:
        raise CellRefused(f"write one of {', '.join(ItemEvent)}")
    return found


def _marking(cell: str) -> Marking:
    found = _MARKINGS.get(header_key(cell))
    if found is None:
        raise CellRefused("write principal or interest, or leave it empty")
    return found


def _reason(cell: str) -> str:
    try:
        return clear_reason(rows.short_text(cell, REASON_LENGTH_MAX))
    except CostsRefused as error:
        raise CellRefused(str(error)) from error


def _moment(setting: Setting) -> Callable[[str], datetime]:
    return lambda cell: rows.moment(cell, setting.zone)

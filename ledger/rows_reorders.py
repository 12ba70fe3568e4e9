"""Rows of orders: who bought again, and when."""

from dataclasses import dataclass
from datetime import date, timedelta

from ledger import rows
from ledger.money import Money
from ledger.rows import Problem
from ledger.rows_claims import CellReader, Setting
from ledger.rows_file import Column, Record

COLUMNS: tuple[Column, ...] = (
    Column(
        "order_number",
        ("bestellnummer", "auftragsnummer", "order"),
        "Your number of the order; the same one is never counted twice.",
        "B-60412",
        required=True,
    ),
    Column(
        "customer_number",
        ("kundennummer", "kundennr", "kunden_nr", "customer_id", "kunde"),
        "Your number of the customer. An order of somebody without a claim here is left aside.",
        "K-10021",
        required=True,
    ),
    Column(
        "date",
        ("datum", "bestelldatum", "bestellt_am", "order_date"),
        "Day of the order.",
        "2026-11-20",
        required=True,
    ),
    Column("amount", ("betrag", "bestellwert"), "Value of the order.", "59.90", amount=True),
    Column("currency", ("waehrung",), "ISO 4217; empty: the merchant's currency.", "EUR"),
)
_AHEAD = timedelta(days=1)
"""Shop and merchant may live in two time zones."""


@dataclass(frozen=True, slots=True)
class ReorderRow:
    """One order, checked."""

    line: int
    order_number: str
    customer_number: str
    ordered_on: date
    amount: Money | None
    currency: str


def reorder_row(record: Record, setting: Setting) -> ReorderRow | list[Problem]:
    """Check one row of orders; return it, or everything that is wrong with it."""
    cells = CellReader(record)
    currency = cells.optional("currency", rows.currency_code) or setting.currency
    row = ReorderRow(
        line=record.line,
        order_number=cells.required("order_number", rows.reference, ""),
        customer_number=cells.required("customer_number", rows.reference, ""),
        ordered_on=cells.required("date", rows.day, setting.today),
        amount=cells.optional("amount", lambda cell: rows.amount(cell, currency, setting.notation)),
        currency=currency,
    )
    if row.ordered_on > setting.today + _AHEAD:
        cells.refuse("date", "lies in the future")
    if row.amount is not None and not row.amount:
        cells.refuse("amount", "must be more than zero; leave it empty where it is not known")
    return cells.problems or row
